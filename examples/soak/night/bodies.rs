//! Alerts in the shapes that Azure Monitor sends, each with a key of its own.

use super::azure::{MACHINES, machine, region, scale_set};
use azure_sandbox::samples;
use rand::{RngExt, rngs::StdRng};
use serde_json::{Value, json};

const RULES: [&str; 2] = ["tcp-burst", "disk full"];

/// An alert and what it names.
#[derive(Debug, Clone)]
pub struct Alert {
    pub body: Value,
    /// The resolution that may follow it.
    pub resolution: Option<Value>,
}

/// `key`: unlike all others.
pub fn alert(random: &mut StdRng, key: &str) -> Alert {
    let number = random.random_range(0..MACHINES);
    let id = machine(number);
    let rule = RULES[random.random_range(0..RULES.len())];
    match random.random_range(0..12) {
        0..4 => common(key, rule, &[id]),
        4..6 => plain(classic(key, rule, &id, region(number))),
        6 => plain(metric_v2(key, rule, &id, region(number))),
        7 => plain(log_v1(key, rule, &id)),
        8 => {
            let several = (number..number + 3).map(|number| machine(number % MACHINES));
            // Among them a machine that does not exist.
            common(key, rule, &several.chain([machine(99)]).collect::<Vec<_>>())
        }
        9 => common(key, rule, &[machine(MACHINES + number)]),
        10 => {
            // The third instance does not exist.
            let instance = random.random_range(0..3);
            let id = format!("{}/virtualMachines/{instance}", scale_set());
            common(key, rule, &[id])
        }
        _ => {
            let wrapped = common(key, rule, &[id]).body;
            plain(json!({ "headers": { "Host": "logic" }, "body": wrapped }))
        }
    }
}

fn plain(body: Value) -> Alert {
    Alert {
        body,
        resolution: None,
    }
}

fn common(key: &str, rule: &str, targets: &[String]) -> Alert {
    let body = |condition: &str| {
        json!({
            "schemaId": "azureMonitorCommonAlertSchema",
            "data": {
                "essentials": {
                    "alertId": format!("/subscriptions/{}/providers/Microsoft.AlertsManagement/alerts/{key}", samples::SUBSCRIPTION_ID),
                    "alertRule": rule,
                    "severity": "Sev2",
                    "signalType": "Metric",
                    "monitorCondition": condition,
                    "monitoringService": "Platform",
                    "alertTargetIDs": targets,
                    "firedDateTime": "2026-11-23T01:02:03.4567891Z"
                },
                "alertContext": { "condition": { "allOf": [] } }
            }
        })
    };
    Alert {
        body: body("Fired"),
        resolution: Some(body("Resolved")),
    }
}

fn rule_id(key: &str) -> String {
    format!(
        "/subscriptions/{}/resourceGroups/rg-ops/providers/microsoft.insights/metricAlerts/{key}",
        samples::SUBSCRIPTION_ID
    )
}

fn classic(key: &str, rule: &str, id: &str, region: &str) -> Value {
    json!({
        "status": "Activated",
        "context": {
            "timestamp": "2026-11-23T01:02:03.0000001Z",
            "id": rule_id(key),
            "name": rule,
            "conditionType": "Metric",
            "condition": { "metricName": "TCP Segments Sent", "metricValue": "171", "threshold": "100", "operator": "GreaterThan" },
            "resourceType": "Microsoft.Compute/virtualMachines",
            "resourceId": id,
            "resourceRegion": region
        },
        "properties": {}
    })
}

fn metric_v2(key: &str, rule: &str, id: &str, region: &str) -> Value {
    json!({
        "schemaId": "AzureMonitorMetricAlert",
        "data": {
            "version": "2.0",
            "status": "Activated",
            "context": {
                "timestamp": "2026-11-23T01:02:03.0000001Z",
                "id": rule_id(key),
                "name": rule,
                "condition": { "allOf": [{ "metricName": "Percentage CPU", "operator": "GreaterThan", "threshold": "90", "metricValue": 96.5 }] },
                "resourceType": "Microsoft.Compute/virtualMachines",
                "resourceId": id,
                "resourceRegion": region
            }
        }
    })
}

fn log_v1(key: &str, rule: &str, id: &str) -> Value {
    json!({
        "schemaId": "Microsoft.Insights/LogAlert",
        "data": {
            "AlertRuleName": rule,
            "SearchIntervalEndtimeUtc": "2026-11-23T01:02:00Z",
            "AlertThresholdOperator": "Greater Than",
            "AlertThresholdValue": 10,
            "ResultCount": 12,
            "ApplicationId": key,
            "AffectedConfigurationItems": [id]
        }
    })
}
