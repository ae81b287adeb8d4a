//! The alert of a drill: a body in the common schema as an action group sends it, made by this function to prove the whole
//! way. Its signal is a word that Azure Monitor does not send, and this word alone marks a drill in jobs, records and
//! notifications.

use super::{Target, TargetKind};
use crate::resource_id::ResourceId;
use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The signal of a drill's alert, beside Azure Monitor's Metric, Log and Activity Log.
pub const SIGNAL: &str = "Drill";
/// The name of its alert rule.
pub const RULE: &str = "Packet capture drill";

/// Whether a drill can be made on it: one machine, not a whole scale set.
pub fn is_machine(id: &ResourceId) -> bool {
    Target::of(id.clone()).is_some_and(|target| target.kind != TargetKind::ScaleSet)
}

/// The body of a drill's alert on this machine. `number` makes it another alert than all before.
pub fn body(machine: &ResourceId, number: u128, now: OffsetDateTime) -> Vec<u8> {
    let number = uuid::Uuid::from_u128(number);
    let alert = format!(
        "{}/providers/Microsoft.AlertsManagement/alerts/{number}",
        machine.subscription_id()
    );
    let body = json!({
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {
            "essentials": {
                "alertId": alert,
                "alertRule": RULE,
                // Informational: a receiver that wakes people must not do so for a drill.
                "severity": "Sev4",
                "signalType": SIGNAL,
                "monitorCondition": "Fired",
                "monitoringService": "alert-packet-capture",
                "alertTargetIDs": [machine.to_string()],
                "firedDateTime": now.format(&Rfc3339).unwrap_or_default(),
            },
            "alertContext": {},
        },
    });
    body.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::{State, read};
    use time::macros::datetime;

    #[test]
    fn the_alert_of_a_drill_is_read_as_a_fired_alert_on_its_machine() {
        const MACHINE: &str = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/web-01";
        let machine: ResourceId = MACHINE.parse().unwrap();
        let at = datetime!(2026-11-28 02:00 UTC);
        let alert = |number| read(&body(&machine, number, at)).unwrap();
        let (one, other) = (alert(1), alert(2));
        assert!(one.is_drill() && !one.is_test);
        assert_eq!(one.state, State::Fired);
        assert_eq!(one.targets[0].id, machine);
        assert_eq!(one.facts.severity.as_deref(), Some("Sev4"));
        assert_eq!(one.facts.fired_at.as_deref(), Some("2026-11-28T02:00:00Z"));
        assert_ne!(one.dedupe_key, other.dedupe_key);
        assert_eq!(one.dedupe_key, alert(1).dedupe_key);
    }

    #[test]
    fn no_alert_of_azure_monitor_is_a_drill() {
        for signal in ["Metric", "Log", "Activity Log", "ActivityLog", ""] {
            let body = json!({
                "schemaId": "azureMonitorCommonAlertSchema",
                "data": { "essentials": {
                    "alertRule": RULE, "signalType": signal, "monitorCondition": "Fired",
                    "monitoringService": "alert-packet-capture", "alertTargetIDs": [],
                }},
            });
            assert!(!read(body.to_string().as_bytes()).unwrap().is_drill());
        }
    }
}
