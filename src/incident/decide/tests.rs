//! The decision as a table: one line for each thing that can stand between an alert and its captures.

use super::*;
use serde_json::json;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-11-28 07:30 UTC);

const GROUP: &str = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/rg-shop";

fn machine(name: &str) -> String {
    format!("{GROUP}/providers/Microsoft.Compute/virtualMachines/{name}")
}

fn alert(condition: &str, machines: &[&str]) -> Alert {
    let ids: Vec<String> = machines.iter().map(|name| machine(name)).collect();
    let body = json!({
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": { "essentials": {
            "alertId": "/subscriptions/s/providers/Microsoft.AlertsManagement/alerts/1",
            "alertRule": "tcp-burst", "signalType": "Metric", "monitorCondition": condition,
            "alertTargetIDs": ids,
        } }
    });
    alert::read(body.to_string().as_bytes()).unwrap()
}

fn policy() -> Policy {
    Policy {
        allowed: Allowed::default(),
        cooldown: Duration::from_secs(60),
        max_targets: 3,
        capacity: 4,
        stop_on_resolved: false,
        dry_run: false,
        profiles: Arc::default(),
    }
}

/// A decision in one line: what, on which machines, and `name:reason` of those left out.
fn line(decision: &Decision) -> String {
    let name = |target: &Target| target.id.name().unwrap_or_default().to_owned();
    let names = |targets: &[Target]| targets.iter().map(name).collect::<Vec<_>>().join(",");
    let left = |left_out: &[LeftOut]| {
        let one = |left: &LeftOut| format!(" {}:{}", name(&left.target), left.reason.as_str());
        left_out.iter().map(one).collect::<String>()
    };
    match decision {
        Decision::Queue(plan) => {
            let (action, targets) = (plan.action.as_str(), names(&plan.targets));
            format!("{action} {targets}{}", left(&plan.left_out))
        }
        Decision::Ignore(reason, out) => format!("ignore {}{}", reason.as_str(), left(out)),
        Decision::Repeat(targets) => format!("repeat of {}", names(targets)),
        Decision::DryRun(None, out) => format!("would capture{}", left(out)),
        Decision::DryRun(Some(reason), out) => {
            format!("would ignore {}{}", reason.as_str(), left(out))
        }
        Decision::Refuse { targets, limit } => format!("refuse {targets} over {limit}"),
    }
}

#[test]
fn alerts_follow_the_table() {
    let now = NOW;
    let before = |seconds| now - Duration::from_secs(seconds);
    let accepted = |name: &str, at| Known {
        before: HashMap::new(),
        accepted_at: HashMap::from([(machine(name).parse().unwrap(), at)]),
    };
    let id = |name: &str| machine(name).parse().unwrap();
    let repeated = Known {
        before: HashMap::from(["a", "b"].map(|name| (id(name), JobId::random()))),
        ..accepted("c", before(1))
    };
    let nothing = Known::default();
    let usual = policy();
    let dry = Policy {
        dry_run: true,
        ..policy()
    };
    let stopping = Policy {
        stop_on_resolved: true,
        ..policy()
    };
    let scoped = |scope: &str| Policy {
        allowed: Allowed {
            scopes: vec![scope.parse().unwrap()],
            ..Allowed::default()
        },
        stop_on_resolved: true,
        ..policy()
    };
    let (only_a, elsewhere) = (scoped(&machine("a")), scoped(&machine("z")));
    let roomy = Policy {
        max_targets: 1_000,
        ..policy()
    };
    let fired = |machines: &[&str]| alert("Fired", machines);
    let resolved = alert("Resolved", &["a", "b"]);
    for (name, alert, policy, known, expected) in [
        ("fired", &fired(&["a"]), &usual, &nothing, "capture a"),
        ("a dry run", &fired(&["a"]), &dry, &nothing, "would capture"),
        (
            "no machine",
            &fired(&[]),
            &usual,
            &nothing,
            "ignore no_vm_target",
        ),
        (
            "none, dry",
            &fired(&[]),
            &dry,
            &nothing,
            "would ignore no_vm_target",
        ),
        ("resolved", &resolved, &usual, &nothing, "ignore resolved"),
        (
            "resolved, to stop",
            &resolved,
            &stopping,
            &nothing,
            "stop a,b",
        ),
        (
            "resolved again",
            &resolved,
            &stopping,
            &repeated,
            "repeat of a,b",
        ),
        (
            "stop within the scope",
            &resolved,
            &only_a,
            &nothing,
            "stop a",
        ),
        (
            "stop outside of it",
            &resolved,
            &elsewhere,
            &nothing,
            "ignore resolved",
        ),
        (
            "a stop heeds no cool-down",
            &resolved,
            &stopping,
            &accepted("a", before(1)),
            "stop a,b",
        ),
        (
            "one outside of the scope",
            &fired(&["a", "b"]),
            &only_a,
            &nothing,
            "capture a b:scope_not_allowed",
        ),
        (
            "all outside of the scope",
            &fired(&["a", "b"]),
            &elsewhere,
            &nothing,
            "ignore scope_not_allowed a:scope_not_allowed b:scope_not_allowed",
        ),
        (
            "one cools down",
            &fired(&["a", "b"]),
            &usual,
            &accepted("a", before(59)),
            "capture b a:cooldown",
        ),
        (
            "it has cooled down",
            &fired(&["a"]),
            &usual,
            &accepted("a", before(60)),
            "capture a",
        ),
        (
            "all cool down",
            &fired(&["a"]),
            &usual,
            &accepted("a", now),
            "ignore cooldown a:cooldown",
        ),
        (
            "all cool down, dry",
            &fired(&["a"]),
            &dry,
            &accepted("a", now),
            "would ignore cooldown a:cooldown",
        ),
        (
            "another delivery",
            &fired(&["a"]),
            &usual,
            &repeated,
            "repeat of a",
        ),
        (
            "another delivery, and a machine more",
            &fired(&["a", "d"]),
            &usual,
            &repeated,
            "capture a,d",
        ),
        (
            "another delivery, and one that cools down",
            &fired(&["a", "c"]),
            &usual,
            &repeated,
            "repeat of a",
        ),
        (
            "another delivery, dry",
            &fired(&["a"]),
            &dry,
            &repeated,
            "would ignore duplicate",
        ),
        (
            "more than are captured for one alert",
            &fired(&["a", "b", "c", "d", "e"]),
            &usual,
            &nothing,
            "capture a,b,c d:max_targets_reached e:max_targets_reached",
        ),
        (
            "those that cool down do not count",
            &fired(&["a", "b", "c", "d"]),
            &usual,
            &accepted("a", now),
            "capture b,c,d a:cooldown",
        ),
        (
            "more than the queue holds",
            &fired(&["a", "b", "c", "d", "e"]),
            &roomy,
            &nothing,
            "refuse 5 over 4",
        ),
    ] {
        assert_eq!(line(&decide(alert, policy, known, now)), expected, "{name}");
    }
}

#[test]
fn more_targets_than_are_read_are_refused_whatever_is_asked() {
    let names: Vec<String> = (0..=MAX_TARGETS_READ).map(|n| format!("vm-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let dry = Policy {
        dry_run: true,
        ..policy()
    };
    for (count, refused) in [(MAX_TARGETS_READ, false), (MAX_TARGETS_READ + 1, true)] {
        let alert = alert("Fired", &names[..count]);
        let decision = decide(&alert, &dry, &Known::default(), NOW);
        let is_refused = matches!(decision, Decision::Refuse { .. });
        assert_eq!(is_refused, refused, "{count}");
    }
}

#[test]
fn a_resolution_is_no_repetition_of_its_firing() {
    let id = |condition| {
        let alert = alert(condition, &["a"]);
        job_id(&alert, action(&alert), &alert.targets[0].id).unwrap()
    };
    assert_eq!(id("Fired"), id("Fired"));
    assert_ne!(id("Fired"), id("Resolved"));
}
