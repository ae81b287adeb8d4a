//! Microsoft.Insights, read only: the activity log of a resource group, and the metrics of a resource.

use super::{
    client::{ArmClient, Call},
    error::AzureError,
    lenient,
    page::Pages,
    retry::Repeat,
};
use crate::resource_id::ResourceId;
use azure_core::http::Method;
use serde::Deserialize;
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// The only version that the activity log has.
const ACTIVITY_LOG: &str = "2015-04-01";
const METRICS: &str = "2024-02-01";
/// Maximum pages of events that are read, of some 200 events each.
const MOST_PAGES: usize = 20;
/// What is read of an event: not the caller's claims, nor the address.
const MEMBERS: &str = "eventTimestamp,operationName,status,subStatus,category,resourceId,resourceType,caller,correlationId,properties";

/// A member of an event that Azure gives as an object with `value` and its translation.
#[derive(Debug, Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
struct Localizable {
    #[serde(deserialize_with = "lenient::text")]
    value: Option<String>,
}

/// One event of the activity log. An operation has several, with the same correlation id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActivityEvent {
    pub at: Option<OffsetDateTime>,
    pub operation: String,
    /// `Started`, `Accepted`, `Succeeded`, `Failed`.
    pub status: String,
    /// The HTTP status in words: `Created`, `Conflict`.
    pub sub_status: Option<String>,
    /// `Administrative` for what callers do.
    pub category: Option<String>,
    pub resource: String,
    pub resource_type: Option<String>,
    pub caller: Option<String>,
    pub correlation_id: Option<String>,
    /// Azure's error as JSON text, where the operation failed.
    pub status_message: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct EventWire {
    #[serde(deserialize_with = "lenient::text")]
    event_timestamp: Option<String>,
    #[serde(deserialize_with = "lenient::object")]
    operation_name: Localizable,
    #[serde(deserialize_with = "lenient::object")]
    status: Localizable,
    #[serde(deserialize_with = "lenient::object")]
    sub_status: Localizable,
    #[serde(deserialize_with = "lenient::object")]
    category: Localizable,
    #[serde(deserialize_with = "lenient::object")]
    resource_type: Localizable,
    #[serde(deserialize_with = "lenient::text")]
    resource_id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    caller: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    correlation_id: Option<String>,
    #[serde(deserialize_with = "lenient::object")]
    properties: EventProperties,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct EventProperties {
    #[serde(deserialize_with = "lenient::text")]
    status_message: Option<String>,
}

impl From<EventWire> for ActivityEvent {
    fn from(wire: EventWire) -> Self {
        Self {
            at: wire.event_timestamp.as_deref().and_then(moment),
            operation: wire.operation_name.value.unwrap_or_default(),
            status: wire.status.value.unwrap_or_default(),
            sub_status: wire.sub_status.value,
            category: wire.category.value,
            resource: wire.resource_id.unwrap_or_default(),
            resource_type: wire.resource_type.value,
            caller: wire.caller,
            correlation_id: wire.correlation_id,
            status_message: wire.properties.status_message,
        }
    }
}

/// One metric of a resource, of the first time series that Azure gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    pub name: String,
    pub unit: Option<String>,
    /// The values of each minute: its time, the total and the average.
    pub points: Vec<(OffsetDateTime, Option<f64>, Option<f64>)>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MetricsWire {
    #[serde(deserialize_with = "lenient::objects")]
    value: Vec<MetricWire>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MetricWire {
    #[serde(deserialize_with = "lenient::object")]
    name: Localizable,
    #[serde(deserialize_with = "lenient::text")]
    unit: Option<String>,
    #[serde(deserialize_with = "lenient::objects")]
    timeseries: Vec<SeriesWire>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SeriesWire {
    #[serde(deserialize_with = "lenient::objects")]
    data: Vec<PointWire>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PointWire {
    #[serde(rename = "timeStamp", deserialize_with = "lenient::text")]
    at: Option<String>,
    total: Option<f64>,
    average: Option<f64>,
}

/// The calls of Microsoft.Insights.
#[derive(Debug, Clone)]
pub struct MonitorClient {
    arm: ArmClient,
}

impl MonitorClient {
    pub fn new(arm: ArmClient) -> Self {
        Self { arm }
    }

    /// The events of a resource group in a span of time, those of the pages before an error too. `true`: there are more than
    /// are read.
    /// <https://learn.microsoft.com/en-us/rest/api/monitor/activity-logs/list>
    ///
    /// # Errors
    /// As [`ArmClient::send`].
    pub async fn list_activity_log(
        &self,
        group: &ResourceId,
        since: OffsetDateTime,
        until: OffsetDateTime,
    ) -> (Vec<ActivityEvent>, Result<bool, AzureError>) {
        let path = [
            "providers",
            "Microsoft.Insights",
            "eventtypes",
            "management",
            "values",
        ];
        let subscription = group.subscription_id();
        let mut first = self.arm.url(&subscription, &path, ACTIVITY_LOG);
        let name = group.resource_group().unwrap_or_default();
        let filter = format!(
            "eventTimestamp ge '{}' and eventTimestamp le '{}' and resourceGroupName eq '{}'",
            rfc3339(since),
            rfc3339(until),
            name.replace('\'', "''"),
        );
        first
            .query_pairs_mut()
            .append_pair("$filter", &filter)
            .append_pair("$select", MEMBERS);
        let mut events: Vec<ActivityEvent> = Vec::new();
        let mut pages = Pages::of(&self.arm, "list the activity log", group, first);
        for _ in 0..MOST_PAGES {
            let take = |events: &mut Vec<ActivityEvent>, wire: EventWire| events.push(wire.into());
            match pages.read(&mut events, take).await {
                Ok(true) => {}
                last => return (events, last),
            }
        }
        (events, Ok(true))
    }

    /// Metrics of a resource, minute by minute.
    /// <https://learn.microsoft.com/en-us/rest/api/monitor/metrics/list>
    ///
    /// # Errors
    /// As [`ArmClient::read`].
    pub async fn list_metrics(
        &self,
        resource: &ResourceId,
        names: &[&str],
        since: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<Vec<Metric>, AzureError> {
        let path = ["providers", "Microsoft.Insights", "metrics"];
        let mut url = self.arm.url(resource, &path, METRICS);
        // A comma within a name is written as %2 by the contract; no metric of machines has one.
        url.query_pairs_mut()
            .append_pair("metricnames", &names.join(","))
            .append_pair(
                "timespan",
                &format!("{}/{}", rfc3339(since), rfc3339(until)),
            )
            .append_pair("interval", "PT1M")
            .append_pair("aggregation", "Total,Average");
        let call = Call {
            operation: "list metrics",
            resource,
            method: Method::Get,
            url,
            body: None,
            repeat: Repeat::Freely,
        };
        let read: MetricsWire = self.arm.read(call).await?;
        Ok(read.value.into_iter().filter_map(metric).collect())
    }
}

fn metric(wire: MetricWire) -> Option<Metric> {
    let points = wire.timeseries.into_iter().next();
    let points = points.unwrap_or_default().data.into_iter();
    Some(Metric {
        name: wire.name.value?,
        unit: wire.unit,
        points: points
            .filter_map(|it| Some((moment(it.at.as_deref()?)?, it.total, it.average)))
            .collect(),
    })
}

/// A time as Azure writes it.
pub(super) fn moment(text: &str) -> Option<OffsetDateTime> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    at.checked_to_offset(UtcOffset::UTC)
}

/// Whole seconds, since not every service takes fractions.
fn rfc3339(at: OffsetDateTime) -> String {
    let whole = at.replace_nanosecond(0).unwrap_or(at);
    let utc = whole.checked_to_offset(UtcOffset::UTC);
    utc.and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_default()
}
