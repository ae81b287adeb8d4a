//! Events of the activity log as changes.

use crate::{
    azure::monitor::ActivityEvent,
    changes::{Change, Kind, Verb, subject},
};
use serde_json::Value;

pub(super) const ACTION: &str = "Microsoft.Insights/eventtypes/values/read";

/// The change that an event is about; `None`: it is about none, such as a read, a policy or this function's own captures.
pub(super) fn change(event: &ActivityEvent) -> Option<Change> {
    let category = event.category.as_deref().unwrap_or("Administrative");
    if !category.eq_ignore_ascii_case("Administrative") {
        return None;
    }
    let (id, of_type, child) = subject(&event.resource);
    let kind = Kind::of(&of_type);
    let verb = Verb::of(&event.operation);
    let machine = matches!(kind, Kind::Machine | Kind::Extension);
    let reads = verb == Verb::Acted && !machine;
    let own = of_type.eq_ignore_ascii_case("Microsoft.Network/networkWatchers");
    if reads || own || event.operation.is_empty() {
        return None;
    }
    let failed = event.status.eq_ignore_ascii_case("Failed");
    let created = event
        .sub_status
        .as_deref()
        .is_some_and(|status| status.eq_ignore_ascii_case("Created"));
    let what = match child {
        Some((of_type, name)) => Some(part(of_type, name, verb, failed, created)),
        None if verb == Verb::Acted => event.operation.rsplit('/').nth(1).map(str::to_owned),
        None => None,
    };
    let own_verb = match (child, verb) {
        (Some(_), _) => Verb::Changed,
        (None, Verb::Changed) if created => Verb::Created,
        (None, verb) => verb,
    };
    let change = Change {
        what: what.map(Into::into),
        by: event.caller.as_deref().map(Into::into),
        failed: failed.then(|| code(event).into()),
        correlation_id: event.correlation_id.as_deref().map(Into::into),
        ..Change::new(event.at?, kind, own_verb, id)
    };
    Some(change.bounded())
}

/// `rule deny-sql added`.
pub(super) fn part(of_type: &str, name: &str, verb: Verb, failed: bool, created: bool) -> String {
    let noun = match of_type.to_ascii_lowercase().as_str() {
        "securityrules" => "rule",
        "routes" => "route",
        "subnets" => "subnet",
        "ipconfigurations" => "IP configuration",
        "backendaddresspools" => "backend pool",
        "loadbalancingrules" => "load balancing rule",
        "probes" => "probe",
        _ => of_type,
    };
    match verb {
        Verb::Deleted if !failed => format!("{noun} {name} removed"),
        _ if created && !failed => format!("{noun} {name} added"),
        _ => format!("{noun} {name}"),
    }
}

/// Azure's code of a failure.
fn code(event: &ActivityEvent) -> String {
    let message = event.status_message.as_deref();
    let body: Option<Value> = message.and_then(|message| serde_json::from_str(message).ok());
    let code = body
        .as_ref()
        .and_then(|body| body["error"]["code"].as_str().or(body["code"].as_str()));
    let code = code.or(event.sub_status.as_deref());
    code.filter(|code| !code.is_empty())
        .unwrap_or("Failed")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const GROUP: &str = "/subscriptions/s/resourceGroups/g/providers";

    fn event(operation: &str, below: &str, status: &str, sub_status: &str) -> ActivityEvent {
        ActivityEvent {
            at: Some(datetime!(2026-11-28 07:18:00 UTC)),
            operation: operation.to_owned(),
            status: status.to_owned(),
            sub_status: Some(sub_status.to_owned()),
            resource: format!("{GROUP}/{below}"),
            caller: Some("deploy-pipeline".to_owned()),
            correlation_id: Some("c".to_owned()),
            ..ActivityEvent::default()
        }
    }

    #[test]
    fn events_follow_the_table() {
        const RULE: &str = "Microsoft.Network/networkSecurityGroups/nsg-web/securityRules/deny-sql";
        const WRITE: &str = "Microsoft.Network/networkSecurityGroups/securityRules/write";
        const VM: &str = "Microsoft.Compute/virtualMachines/web-01";
        for (operation, below, status, sub_status, expected) in [
            (
                WRITE,
                RULE,
                "Succeeded",
                "Created",
                Some((
                    Kind::SecurityGroup,
                    Verb::Changed,
                    Some("rule deny-sql added"),
                    None,
                )),
            ),
            (
                WRITE,
                RULE,
                "Accepted",
                "",
                Some((
                    Kind::SecurityGroup,
                    Verb::Changed,
                    Some("rule deny-sql"),
                    None,
                )),
            ),
            (
                WRITE,
                RULE,
                "Failed",
                "Conflict",
                Some((
                    Kind::SecurityGroup,
                    Verb::Changed,
                    Some("rule deny-sql"),
                    Some("Conflict"),
                )),
            ),
            (
                "Microsoft.Network/networkSecurityGroups/securityRules/delete",
                RULE,
                "Succeeded",
                "",
                Some((
                    Kind::SecurityGroup,
                    Verb::Changed,
                    Some("rule deny-sql removed"),
                    None,
                )),
            ),
            (
                "Microsoft.Compute/virtualMachines/restart/action",
                VM,
                "Succeeded",
                "",
                Some((Kind::Machine, Verb::Restarted, None, None)),
            ),
            (
                "Microsoft.Compute/virtualMachines/runCommand/action",
                VM,
                "Succeeded",
                "",
                Some((Kind::Machine, Verb::Acted, Some("runCommand"), None)),
            ),
            (
                "Microsoft.Compute/virtualMachines/write",
                VM,
                "Succeeded",
                "Created",
                Some((Kind::Machine, Verb::Created, None, None)),
            ),
            (
                "Microsoft.Storage/storageAccounts/listKeys/action",
                "Microsoft.Storage/storageAccounts/st",
                "Succeeded",
                "",
                None,
            ),
            (
                "Microsoft.Network/networkInterfaces/effectiveRouteTable/action",
                "Microsoft.Network/networkInterfaces/nic",
                "Succeeded",
                "",
                None,
            ),
            (
                "Microsoft.Network/networkWatchers/packetCaptures/write",
                "Microsoft.Network/networkWatchers/w/packetCaptures/c",
                "Succeeded",
                "",
                None,
            ),
        ] {
            let found = change(&event(operation, below, status, sub_status));
            let said = found
                .as_ref()
                .map(|it| (it.kind, it.verb, it.what.as_deref(), it.failed.as_deref()));
            assert_eq!(said, expected, "{operation} {status} {sub_status}");
        }
    }

    #[test]
    fn other_categories_are_no_changes_and_a_failure_has_the_innermost_code() {
        let write = || {
            event(
                "Microsoft.Compute/virtualMachines/write",
                "Microsoft.Compute/virtualMachines/web-01",
                "Failed",
                "Forbidden",
            )
        };
        for (message, expected) in [
            (
                Some(r#"{"error":{"code":"SkuNotAvailable"}}"#),
                "SkuNotAvailable",
            ),
            (Some("not JSON"), "Forbidden"),
            (None, "Forbidden"),
        ] {
            let event = ActivityEvent {
                status_message: message.map(str::to_owned),
                ..write()
            };
            assert_eq!(change(&event).unwrap().failed.as_deref(), Some(expected));
        }
        for category in ["Policy", "ResourceHealth", "Alert"] {
            let event = ActivityEvent {
                category: Some(category.to_owned()),
                ..write()
            };
            assert_eq!(change(&event), None);
        }
        assert_eq!(
            change(&ActivityEvent {
                at: None,
                ..write()
            }),
            None
        );
    }
}
