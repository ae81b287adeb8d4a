//! The machines on which the timer makes drills.

use super::reader::Reader;
use crate::{alert::drill::is_machine, resource_id::ResourceId};

const TARGETS: &str = "Readiness__DrillTargets";

/// The machines, without repetitions.
pub(super) fn read(reader: &mut Reader<'_>) -> Vec<ResourceId> {
    // The host reads it; here it is checked alone.
    let mut machines = Vec::new();
    for machine in reader.list(TARGETS) {
        match ResourceId::parse(&machine) {
            Ok(id) if is_machine(&id) => {
                if !machines.contains(&id) {
                    machines.push(id);
                }
            }
            _ => reader.wrong(TARGETS),
        }
    }
    machines
}
