//! The alert that the demo posts: what Azure Monitor sends when a machine's classic metric alert fires.

use azure_sandbox::samples;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The alert rule's name.
pub const RULE: &str = "TCP_Segments_Sent_Exceeded";

/// The rule fired at `fired_at` because `vm` sent too much. The same body twice is one alert, sent again.
pub fn fired(vm: &str, region: &str, fired_at: OffsetDateTime) -> Value {
    let subscription = samples::SUBSCRIPTION_ID;
    let group = vm.split('/').nth(4).unwrap_or_default();
    let name = machine(vm);
    let whole_second = fired_at.truncate_to_second();
    json!({
        "status": "Activated",
        "context": {
            "timestamp": whole_second.format(&Rfc3339).unwrap_or_default(),
            "id": format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/microsoft.insights/alertrules/{RULE}"),
            "name": RULE,
            "description": format!("{name} sends more TCP segments than it should"),
            "conditionType": "Metric",
            "condition": {
                "metricName": "TCP Segments Sent",
                "metricUnit": "Count",
                "metricValue": "1440",
                "threshold": "1000",
                "windowSize": "5",
                "timeAggregation": "Average",
                "operator": "GreaterThan"
            },
            "subscriptionId": subscription,
            "resourceGroupName": group,
            "resourceName": name,
            "resourceType": "Microsoft.Compute/virtualMachines",
            "resourceId": vm,
            "resourceRegion": region
        },
        "properties": {}
    })
}

/// The last part of a resource id.
pub fn machine(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}
