//! Which of Azure Monitor's shapes a body has. New ones name themselves in `schemaId`; the older ones are recognised
//! by their members.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::body::{BadBody, excerpt};
use super::fields::Object;
use super::{Alert, activity_log, common, log_v1, metric, other};

/// The shapes of an alert's body, current and retired.
///
/// Sources: [common schema](https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema),
/// [other schemas](https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-non-common-schema-definitions),
/// [autoscale](https://learn.microsoft.com/azure/azure-monitor/autoscale/autoscale-webhook-email).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schema {
    /// Classic metric alerts: `status` and `context` at the top.
    Classic,
    /// `AzureMonitorMetricAlert`: metric alerts to a receiver without the common schema.
    MetricV2,
    /// `azureMonitorCommonAlertSchema`: every kind of alert.
    Common,
    /// `Microsoft.Insights/activityLogs`.
    ActivityLog,
    /// `Microsoft.Insights/LogAlert`, or the same members without a `schemaId`.
    LogV1,
    /// `type` `Microsoft.AlertsManagement/alerts`: failure anomalies.
    SmartDetector,
    /// `AIP Budget Notification`.
    Budget,
    /// An autoscale setting's own notification, which looks like a classic alert and is none.
    Autoscale,
}

impl Schema {
    /// `classic`, `metric_v2`, `common`, `activity_log`, `log_v1`, `smart_detector`, `budget`, `autoscale`.
    pub fn as_str(self) -> &'static str {
        match self {
            Schema::Classic => "classic",
            Schema::MetricV2 => "metric_v2",
            Schema::Common => "common",
            Schema::ActivityLog => "activity_log",
            Schema::LogV1 => "log_v1",
            Schema::SmartDetector => "smart_detector",
            Schema::Budget => "budget",
            Schema::Autoscale => "autoscale",
        }
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Reads a body out of its envelope.
pub(super) fn read(top: &Object) -> Result<Alert, BadBody> {
    match schema_of(top)? {
        Schema::Common => common::read(top),
        Schema::MetricV2 => metric::read_v2(top),
        Schema::Classic => metric::read_classic(top),
        Schema::ActivityLog => activity_log::read(top),
        Schema::LogV1 => log_v1::read(top),
        Schema::SmartDetector => other::read_smart_detector(top),
        Schema::Budget => other::read_budget(top),
        Schema::Autoscale => other::read_autoscale(top),
    }
}

fn schema_of(top: &Object) -> Result<Schema, BadBody> {
    if let Some(id) = top.string("schemaId")? {
        return match id.to_ascii_lowercase().as_str() {
            "azuremonitorcommonalertschema" => Ok(Schema::Common),
            "azuremonitormetricalert" => Ok(Schema::MetricV2),
            "microsoft.insights/activitylogs" => Ok(Schema::ActivityLog),
            "microsoft.insights/logalert" => Ok(Schema::LogV1),
            "aip budget notification" => Ok(Schema::Budget),
            _ => Err(BadBody::at(
                top.path_of("schemaId"),
                format!(
                    "the schemaId of an Azure Monitor alert was expected, not {}",
                    excerpt(id)
                ),
            )),
        };
    }
    let has = |names: &[&str]| names.iter().all(|name| top.has(name));
    // Before the classic alert, which an autoscale notification else passes for.
    if has(&["version", "operation", "context"]) {
        Ok(Schema::Autoscale)
    } else if has(&["status", "context"]) {
        Ok(Schema::Classic)
    } else if has(&["AlertRuleName", "SearchQuery"]) || has(&["AlertRuleName", "WorkspaceId"]) {
        Ok(Schema::LogV1)
    } else if is_smart_detector(top) {
        Ok(Schema::SmartDetector)
    } else {
        Err(BadBody::at(
            top.path(),
            "a body of Azure Monitor was expected; this one has no schemaId and no shape we know",
        ))
    }
}

fn is_smart_detector(top: &Object) -> bool {
    let kind = top.text("type");
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case("Microsoft.AlertsManagement/alerts"))
        && top
            .loose_object("properties")
            .is_some_and(|properties| properties.has("essentials"))
}
