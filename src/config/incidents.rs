//! How alerts are gathered in incidents, and how many captures are made.

use super::reader::Reader;
use std::time::Duration;

/// How alerts are gathered in incidents, and how many captures are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncidentSettings {
    /// How long after the last capture of a machine its incident takes further alerts in.
    pub quiet: Duration,
    /// Maximum number of captures an hour, of all machines and instances together.
    pub captures_per_hour: Option<u32>,
    /// Maximum number of captures of one machine on one day (UTC).
    pub captures_per_machine_per_day: Option<u32>,
}

pub(super) fn read(reader: &mut Reader<'_>) -> IncidentSettings {
    let minutes: u64 = reader.number("Incidents__QuietMinutes");
    IncidentSettings {
        quiet: Duration::from_secs(minutes.saturating_mul(60)),
        captures_per_hour: reader.optional_number("Budget__CapturesPerHour"),
        captures_per_machine_per_day: reader.optional_number("Budget__CapturesPerMachinePerDay"),
    }
}
