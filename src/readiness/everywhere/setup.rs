//! What the checks of the doctor mean for the machines of a run. Pure.

use crate::{
    fleet::{Because, Cause, Finding, Reach, Run, Weight},
    readiness::{Check, Report, Status, fix, required},
    resource_id::ResourceId,
    shell::Word,
};
use std::collections::BTreeMap;

/// Checks that concern no capture: the function works without them, or each machine has its own result.
const OF_NO_MACHINE: [&str; 5] = [
    "function key",
    "incident record",
    "capture slots",
    "stale captures",
    "virtual machine",
];
/// Checks that must have been made for a machine to be ready.
const NEEDED: [&str; 5] = [
    "network watchers",
    "capture slots",
    "storage account",
    "shared keys",
    "performance tier",
];

/// The findings of a report.
pub fn findings(report: &Report) -> Vec<Finding> {
    report.checks().iter().filter_map(finding).collect()
}

fn finding(check: &Check) -> Option<Finding> {
    let needed = || {
        let optional = check.message.contains("is not set");
        (NEEDED.contains(&check.check.as_str()) && !optional)
            || check.check.starts_with("permission ")
    };
    let weight = match check.status {
        Status::Failed => Weight::Blocks,
        Status::Warning => Weight::Warns,
        Status::Skipped if needed() => Weight::Unknown,
        Status::Ok | Status::Skipped => return None,
    };
    // A machine whose watcher is full says so itself; where captures could not be listed, none does.
    let of_no_machine = weight != Weight::Unknown && OF_NO_MACHINE.contains(&check.check.as_str());
    let reach = match (&check.scope, of_no_machine) {
        (_, true) => Reach::None,
        (None, false) => Reach::All,
        (Some(scope), false) => Reach::Within(scope.clone()),
    };
    // Rights that only some alerts need keep no machine from being ready when they cannot be looked up.
    let reach = match weight == Weight::Unknown && is_optional(&check.check) {
        true => Reach::None,
        false => reach,
    };
    Some(Finding {
        reach,
        check: check.check.clone(),
        weight,
        message: check.message.clone(),
        fix: check.fix.as_ref().map(ToString::to_string),
    })
}

fn is_optional(check: &str) -> bool {
    let action = check.strip_prefix("permission ").unwrap_or_default();
    required::OPTIONAL.iter().any(|it| it.action == action)
}

/// A finding that concerns no machine.
pub fn note(check: &str, weight: Weight, message: String, fix: Option<String>) -> Finding {
    Finding {
        reach: Reach::None,
        check: check.to_owned(),
        weight,
        message,
        fix,
    }
}

/// The rights whose lack left machines unknown, each with the command that gives it.
pub fn missing_rights(run: &Run, assignee: Option<&Word>) -> Vec<Finding> {
    let mut missing: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for machine in run.machines() {
        let lacking = machine.causes.iter().filter_map(|cause| match cause {
            Cause::Unknown(_, Because::Lacks(action)) => Some(action.as_str()),
            _ => None,
        });
        let mut lacking: Vec<&str> = lacking.collect();
        lacking.dedup();
        for action in lacking {
            let subscription = machine.id.subscription_id().to_string();
            let count = missing.entry((action, subscription)).or_default();
            *count = count.saturating_add(1);
        }
    }
    let finding = |((action, subscription), machines): ((&str, String), usize)| {
        let role = required::role_of(action);
        let scope = ResourceId::parse(&subscription).ok();
        let fix = assignee.zip(scope).map(|(assignee, scope)| {
            fix::assign_role(assignee, role, &scope.to_string()).to_string()
        });
        let noun = if machines == 1 {
            "machine is"
        } else {
            "machines are"
        };
        note(
            &format!("permission {action}"),
            Weight::Unknown,
            format!("missing on {subscription}: {machines} {noun} unknown"),
            fix,
        )
    };
    missing.into_iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::ShellCommand;

    fn scope() -> ResourceId {
        "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee"
            .parse()
            .unwrap()
    }

    #[test]
    fn checks_are_findings_by_the_table() {
        let within = || Reach::Within(scope());
        let write = required::CAPTURES_WRITE.label();
        let alerts = required::ALERTS_READ.label();
        for (check, status, scoped, expected) in [
            ("shared keys", Status::Ok, false, None),
            (
                "shared keys",
                Status::Failed,
                false,
                Some((Weight::Blocks, Reach::All)),
            ),
            (
                "shared keys",
                Status::Skipped,
                false,
                Some((Weight::Unknown, Reach::All)),
            ),
            (
                "first look",
                Status::Warning,
                false,
                Some((Weight::Warns, Reach::All)),
            ),
            ("first look", Status::Skipped, false, None),
            (
                "network watchers",
                Status::Failed,
                true,
                Some((Weight::Blocks, within())),
            ),
            (
                "network watchers",
                Status::Skipped,
                true,
                Some((Weight::Unknown, within())),
            ),
            (
                "function key",
                Status::Failed,
                false,
                Some((Weight::Blocks, Reach::None)),
            ),
            (
                "capture slots",
                Status::Failed,
                true,
                Some((Weight::Blocks, Reach::None)),
            ),
            (
                "capture slots",
                Status::Skipped,
                true,
                Some((Weight::Unknown, within())),
            ),
            (
                &write,
                Status::Failed,
                true,
                Some((Weight::Blocks, within())),
            ),
            (
                &write,
                Status::Skipped,
                true,
                Some((Weight::Unknown, within())),
            ),
            (
                &alerts,
                Status::Skipped,
                true,
                Some((Weight::Unknown, Reach::None)),
            ),
        ] {
            let mut report = Report::default();
            report.about(scoped.then(scope).as_ref());
            match status {
                Status::Ok => report.ok(check, "good"),
                Status::Warning => report.warning(check, "odd", ShellCommand::new("az")),
                Status::Failed => report.failed(check, "bad", ShellCommand::new("az")),
                Status::Skipped => report.skipped(check, "not made"),
            }
            let found = findings(&report);
            let found = found.first().map(|it| (it.weight, it.reach.clone()));
            assert_eq!(found, expected, "{check} {status:?}");
        }
        let mut report = Report::default();
        report.skipped(
            "storage account",
            "PacketCapture__StorageAccountId is not set",
        );
        assert_eq!(
            findings(&report),
            [],
            "captures go to a file on the machine"
        );
    }
}
