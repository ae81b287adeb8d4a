//! Values for the tables of this room.

use super::{Because, Cause, Check, Finding, Machine, Reach, Run, Weight};
use crate::resource_id::ResourceId;
use time::macros::datetime;

pub const GROUP: &str =
    "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/rg-shop";

pub fn vm(name: &str) -> ResourceId {
    let id = format!("{GROUP}/providers/Microsoft.Compute/virtualMachines/{name}");
    id.parse().unwrap()
}

pub fn instance(set: &str, number: u32) -> ResourceId {
    let id = format!(
        "{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/{set}/virtualMachines/{number}"
    );
    id.parse().unwrap()
}

pub fn nsg(name: &str) -> ResourceId {
    let id = format!("{GROUP}/providers/Microsoft.Network/networkSecurityGroups/{name}");
    id.parse().unwrap()
}

/// One of each kind, unknown ones twice.
pub fn causes() -> Vec<Cause> {
    let text = str::to_owned;
    vec![
        Cause::Stopped(text("deallocated")),
        Cause::AgentMissing { windows: false },
        Cause::AgentFailed {
            windows: true,
            state: text("Failed"),
        },
        Cause::AgentOld {
            windows: false,
            version: text("1.3"),
        },
        Cause::VmAgent(text("Not Ready")),
        Cause::ExtensionsForbidden,
        Cause::OldModel,
        Cause::Blocked {
            to: text("168.63.129.16:8037"),
            group: nsg("nsg-web"),
            rule: text("deny-all"),
            priority: 200,
        },
        Cause::NoWatcher(text("westeurope")),
        Cause::NoRoom(text("westeurope")),
        Cause::NotAllowed,
        Cause::NotFound,
        Cause::OtherRegion {
            account: text("northeurope"),
            machine: text("westeurope"),
        },
        Cause::Unknown(
            Check::Power,
            Because::Lacks(text("Microsoft.Compute/virtualMachines/instanceView/read")),
        ),
        Cause::Unknown(Check::VmAgent, Because::Throttled),
    ]
}

/// A finished run over these machines.
pub fn run(machines: Vec<(ResourceId, Vec<Cause>)>) -> Run {
    let started = datetime!(2026-11-28 16:00 UTC);
    let mut run = Run::new(started, "rules", machines.iter().map(|it| it.0.clone()));
    for (id, causes) in machines {
        run.checked(&id, causes);
    }
    run.finish(started + time::Duration::minutes(5));
    run
}

/// A machine that was checked.
pub fn machine<'r>(run: &'r Run, name: &str) -> &'r Machine {
    let found = run.machines().iter().find(|it| it.id.name() == Some(name));
    found.unwrap()
}

pub fn finding(reach: Reach, weight: Weight, check: &str) -> Finding {
    Finding {
        reach,
        check: check.to_owned(),
        weight,
        message: "disabled".to_owned(),
        fix: Some("az storage account update".to_owned()),
    }
}
