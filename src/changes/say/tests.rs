//! Sentences about changes, as tables.

use super::*;
use crate::changes::{Health, Kind, Missing};
use time::macros::datetime;

const ALERT: OffsetDateTime = datetime!(2026-11-28 07:30:00 UTC);
const GROUP: &str = "/subscriptions/s/resourceGroups/rg-shop/providers";

fn change(kind: Kind, verb: Verb, below: &str, minutes: i64) -> Change {
    let at = ALERT - Duration::minutes(minutes);
    Change::new(at, kind, verb, &format!("{GROUP}/{below}"))
}

fn value(path: &str, old: &str, new: &str) -> ChangedValue {
    let some = |text: &str| (!text.is_empty()).then(|| text.into());
    ChangedValue {
        path: path.into(),
        old: some(old),
        new: some(new),
    }
}

fn gathered(changes: Vec<Change>) -> ControlPlane {
    ControlPlane {
        resources: ["web-01", "nic-web-01", "nsg-web", "rg-shop"]
            .map(|name| format!("{GROUP}/x/{name}").into())
            .into(),
        changes,
        ..ControlPlane::new(ALERT, ALERT - Duration::hours(6), ALERT)
    }
    .bounded()
}

#[test]
fn moments_follow_the_table() {
    for (seconds, expected) in [
        (0, "at the time of the alert"),
        (-1, "1 second before the alert"),
        (-59, "59 seconds before the alert"),
        (-60, "1 minute before the alert"),
        (-720, "12 minutes before the alert"),
        (-719, "12 minutes before the alert"),
        (-7_169, "119 minutes before the alert"),
        (-7_199, "2 hours before the alert"),
        (-7_200, "2 hours before the alert"),
        (-7_260, "2 hours 1 minute before the alert"),
        (-18_900, "5 hours 15 minutes before the alert"),
        (180, "3 minutes after the alert"),
    ] {
        let at = ALERT + Duration::seconds(seconds);
        assert_eq!(relative(at, ALERT), expected);
    }
}

#[test]
fn changes_follow_the_table() {
    let nsg = || Change {
        by: Some("deploy-pipeline".into()),
        what: Some("rule deny-sql added".into()),
        ..change(
            Kind::SecurityGroup,
            Verb::Changed,
            "Microsoft.Network/networkSecurityGroups/nsg-web",
            12,
        )
    };
    let vm = |verb| {
        change(
            Kind::Machine,
            verb,
            "Microsoft.Compute/virtualMachines/web-01",
            3,
        )
    };
    for (change, expected) in [
        (
            nsg(),
            "NSG nsg-web was changed 12 minutes before the alert by deploy-pipeline: rule deny-sql added.",
        ),
        (
            Change { by: None, ..nsg() },
            "NSG nsg-web was changed 12 minutes before the alert: rule deny-sql added.",
        ),
        (
            Change {
                by: Some("System".into()),
                what: None,
                ..nsg()
            },
            "NSG nsg-web was changed 12 minutes before the alert.",
        ),
        (
            Change {
                what: Some("rule allow-sql".into()),
                values: vec![
                    value("securityRules.access", "Allow", "Deny"),
                    value("etag", "1", "2"),
                ],
                ..nsg()
            },
            "NSG nsg-web was changed 12 minutes before the alert by deploy-pipeline: rule allow-sql (access Allow to Deny).",
        ),
        (
            Change {
                what: Some("rule deny-sql".into()),
                failed: Some("AuthorizationFailed".into()),
                ..nsg()
            },
            "NSG nsg-web could not be changed 12 minutes before the alert by deploy-pipeline: rule deny-sql (AuthorizationFailed).",
        ),
        (
            Change {
                values: vec![
                    value("systemData.lastModifiedBy", "a", "b"),
                    value(
                        "properties.hardwareProfile.vmSize",
                        "Standard_D2s_v5",
                        "Standard_D4s_v5",
                    ),
                ],
                ..vm(Verb::Changed)
            },
            "web-01 was changed 3 minutes before the alert: vmSize Standard_D2s_v5 to Standard_D4s_v5.",
        ),
        (
            vm(Verb::Restarted),
            "web-01 was restarted 3 minutes before the alert.",
        ),
        (
            Change {
                failed: Some("Conflict".into()),
                ..vm(Verb::Restarted)
            },
            "web-01 could not be restarted 3 minutes before the alert (Conflict).",
        ),
        (
            Change {
                what: Some("runCommand".into()),
                ..vm(Verb::Acted)
            },
            "web-01 had the action runCommand 3 minutes before the alert.",
        ),
        (
            Change {
                what: Some("runCommand".into()),
                failed: Some("Conflict".into()),
                ..vm(Verb::Acted)
            },
            "web-01 had the action runCommand 3 minutes before the alert, which failed (Conflict).",
        ),
        (
            change(
                Kind::Extension,
                Verb::Created,
                "Microsoft.Compute/virtualMachines/web-01/extensions/agent",
                -1,
            ),
            "Extension agent was created 1 minute after the alert.",
        ),
    ] {
        assert_eq!(sentence(&change, ALERT), expected);
    }
}

#[test]
fn a_deployment_is_one_line() {
    let of = |number: usize| Change {
        correlation_id: Some("deployment".into()),
        ..change(
            Kind::LoadBalancer,
            Verb::Changed,
            &format!("Microsoft.Network/loadBalancers/lb-{number}"),
            5,
        )
    };
    let told = gathered((0..7).map(of).collect()).told();
    assert_eq!(told.len(), 2);
    assert_eq!(told[1], "6 more changes are in the incident's record.");
}

#[test]
fn no_change_is_said_only_where_changes_can_be_read() {
    let missing = |source, action, cause| Missing::new(source, action, cause, None);
    let log = |cause| {
        missing(
            ACTIVITY_LOG,
            "Microsoft.Insights/eventtypes/values/read",
            cause,
        )
    };
    let graph = |cause| missing(RESOURCE_CHANGES, "Microsoft.Resources/changes/read", cause);
    let nics = missing(
        SURROUNDINGS,
        "Microsoft.Network/networkInterfaces/read",
        Cause::Right,
    );
    for (lacks, expected) in [
        (
            vec![],
            "No change to web-01, nic-web-01, nsg-web or rg-shop in the six hours before the alert.",
        ),
        (
            vec![log(Cause::Throttled)],
            "No change to web-01, nic-web-01, nsg-web or rg-shop in the six hours before the alert (the activity log could not be read).",
        ),
        (
            vec![log(Cause::Right)],
            "No change to web-01, nic-web-01, nsg-web or rg-shop in the six hours before the alert (the activity log could not be read).",
        ),
        (
            vec![log(Cause::Busy), graph(Cause::Busy)],
            "What changed before the alert is not known: too many incidents at the same time.",
        ),
        (vec![log(Cause::Right), graph(Cause::Right)], ""),
        (vec![log(Cause::Right), nics], ""),
        (
            vec![log(Cause::NoAnswer), graph(Cause::Throttled)],
            "What changed before the alert is not known: Azure did not answer in time.",
        ),
    ] {
        let nothing = ControlPlane {
            missing: lacks,
            ..gathered(Vec::new())
        };
        let expected: &[&str] = match expected {
            "" => &[],
            _ => &[expected],
        };
        assert_eq!(nothing.told(), expected);
    }
}

#[test]
fn a_machine_that_is_not_well_is_said() {
    let health = |availability: &str, power: &str, summary: Option<&str>| Health {
        power: Some(power.into()),
        availability: Some(availability.into()),
        summary: summary.map(Into::into),
        reason: None,
    };
    for (health, expected) in [
        (health("Available", "running", None), None),
        (health("Unknown", "running", None), None),
        (
            health("Unavailable", "running", Some("A host failed.")),
            Some("Azure reports web-01 as Unavailable: A host failed."),
        ),
        (
            health("Available", "deallocated", None),
            Some("The power state of web-01 is deallocated."),
        ),
    ] {
        let gathered = ControlPlane {
            health: Some(health),
            ..gathered(Vec::new())
        };
        assert_eq!(gathered.told().get(1).map(String::as_str), expected);
    }
}
