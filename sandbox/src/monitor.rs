//! `Microsoft.Insights` and `Microsoft.ResourceHealth`, read only: the activity log, metrics, how a machine is. And the
//! effective rules and routes of interfaces, which Azure computes after the call.

use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::answer::{Answer, Outcome, gateway_error, provider_error};
use super::arm::{Asked, page, parameter, resource_not_found};
use super::calls::Call;
use super::ids::{self, same};
use super::network;
use super::world::World;

/// Metrics of a virtual machine with their units, and whether they are totals.
const METRICS: [(&str, &str); 8] = [
    ("Network In Total", "Bytes"),
    ("Network Out Total", "Bytes"),
    ("Inbound Flows", "Count"),
    ("Outbound Flows", "Count"),
    ("Percentage CPU", "Percent"),
    ("Available Memory Bytes", "Bytes"),
    ("CPU Credits Remaining", "Count"),
    ("TCP Segments Sent", "Count"),
];

fn moment(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

/// <https://learn.microsoft.com/en-us/rest/api/monitor/activity-logs/list>
pub(super) fn activity_log(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let filter = parameter(asked.query, "$filter").unwrap_or_default();
    let Some((since, until, group)) = filtered(&filter) else {
        let message = format!("The filter is not one of those that the contract has: {filter}");
        return Err(gateway_error(400, "BadRequest", message));
    };
    let mut events = Vec::new();
    let first = parameter(asked.query, "$skiptoken").is_none();
    for change in &mut world.around.changes {
        if !same(ids::group(&change.resource), &group) || !(since..=until).contains(&change.at) {
            continue;
        }
        if change.late_in_log > 0 {
            change.late_in_log -= usize::from(first);
            continue;
        }
        let value = |text: &str| json!({ "value": text, "localizedValue": text });
        let (status, sub_status) = match &change.error {
            Some(_) => ("Failed", change.sub_status.as_str()),
            None => ("Succeeded", change.sub_status.as_str()),
        };
        let message = change
            .error
            .as_ref()
            .map(|code| json!({ "error": { "code": code, "message": "Refused." } }).to_string());
        let mut event = json!({
            "eventTimestamp": change.at.format(&Rfc3339).unwrap_or_default(),
            "operationName": value(&change.operation),
            "status": value("Started"),
            "subStatus": value(""),
            "category": value("Administrative"),
            "resourceId": change.resource,
            "resourceType": value(""),
            "caller": change.by,
            "correlationId": change.correlation,
            "properties": { "statusCode": sub_status },
        });
        let begun = event.clone();
        event["status"] = value(status);
        event["subStatus"] = value(sub_status);
        if let Some(message) = message {
            event["properties"]["statusMessage"] = json!(message);
        }
        // The newest first.
        events.extend([event, begun]);
    }
    let size = world.around.event_page;
    page(world, asked, events, size)
}

/// The span and the group of a filter; any other syntax is refused, as Azure does.
fn filtered(filter: &str) -> Option<(OffsetDateTime, OffsetDateTime, String)> {
    let rest = filter.strip_prefix("eventTimestamp ge '")?;
    let (since, rest) = rest.split_once("' and eventTimestamp le '")?;
    let (until, rest) = rest.split_once("' and resourceGroupName eq '")?;
    Some((
        moment(since)?,
        moment(until)?,
        rest.strip_suffix('\'')?.to_owned(),
    ))
}

/// <https://learn.microsoft.com/en-us/rest/api/monitor/metrics/list>
pub(super) fn metrics(world: &World, asked: &Asked<'_>) -> Outcome {
    let id = &asked.route.scope;
    let there = world.machine(id).is_some() || world.scale_set(id).is_some();
    if !there
        && !id
            .to_ascii_lowercase()
            .contains("/virtualmachinescalesets/")
    {
        return Err(resource_not_found(id));
    }
    let names = parameter(asked.query, "metricnames").unwrap_or_default();
    let span = parameter(asked.query, "timespan").unwrap_or_default();
    let span = span
        .split_once('/')
        .and_then(|(since, until)| Some((moment(since)?, moment(until)?)));
    let Some((since, until)) = span else {
        return Err(provider_error(
            400,
            "BadRequest",
            "The timespan is not valid.",
        ));
    };
    if parameter(asked.query, "interval").as_deref() != Some("PT1M") {
        return Err(provider_error(400, "BadRequest", "PT1M only, here."));
    }
    let mut found = Vec::new();
    for name in names.split(',') {
        let Some((name, unit)) = METRICS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
        else {
            let message = format!("Failed to find metric configuration for metric: {name}");
            return Err(provider_error(400, "BadRequest", message));
        };
        found.push(json!({
            "id": format!("{id}/providers/Microsoft.Insights/metrics/{name}"),
            "type": "Microsoft.Insights/metrics",
            "name": { "value": name, "localizedValue": name },
            "unit": unit,
            "timeseries": [{ "metadatavalues": [], "data": minutes(since, until, asked.now) }],
            "errorCode": "Success",
        }));
    }
    Ok(Answer::json(
        200,
        json!({ "cost": 0, "timespan": "", "interval": "PT1M", "value": found }),
    ))
}

/// Made-up values, which are percentages as well, that rise in the last ten minutes; the newest minute has none yet.
fn minutes(since: OffsetDateTime, until: OffsetDateTime, now: OffsetDateTime) -> Vec<Value> {
    let mut data = Vec::new();
    let mut at = since;
    while at < until && data.len() < 1_440 {
        let stamp = at.format(&Rfc3339).unwrap_or_default();
        let age = (now - at).whole_minutes();
        data.push(match age {
            ..1 => json!({ "timeStamp": stamp }),
            _ => {
                let level = 20.0 + f64::from(u8::try_from(age % 7).unwrap_or_default());
                let level = if age < 10 { level * 3.0 } else { level };
                json!({ "timeStamp": stamp, "total": level * 60.0, "average": level })
            }
        });
        at += Duration::MINUTE;
    }
    data
}

/// <https://learn.microsoft.com/en-us/rest/api/resourcehealth/availability-statuses/get-by-resource>
pub(super) fn availability(world: &World, asked: &Asked<'_>) -> Outcome {
    let id = &asked.route.scope;
    if world.machine(id).is_none() {
        return Err(resource_not_found(id));
    }
    let known = world.around.health.get(&id.to_ascii_lowercase());
    let (state, summary) = match known {
        Some(health) => (health.state.as_str(), health.summary.as_str()),
        None => (
            "Available",
            "There aren't any known Azure platform problems affecting this virtual machine.",
        ),
    };
    Ok(Answer::json(
        200,
        json!({
            "id": format!("{id}/providers/Microsoft.ResourceHealth/availabilityStatuses/current"),
            "name": "current",
            "type": "Microsoft.ResourceHealth/AvailabilityStatuses",
            "properties": {
                "availabilityState": state, "title": state, "summary": summary,
                "reasonType": "", "reasonChronicity": "Persistent",
            },
        }),
    ))
}

/// Both kinds of effective lists, accepted and computed later.
pub(super) fn effective(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let id = &asked.route.scope;
    let plain = match asked.route.call {
        Call::EffectiveRules => network::effective_rules(world, id),
        _ => None,
    };
    // Without rules of its own an interface has those of its machine's groups.
    let Some(interface) = world.around.interface(id) else {
        let found = plain.ok_or_else(|| resource_not_found(id))?;
        return Ok(accepted(world, asked, found));
    };
    let running = world
        .machine(&interface.machine)
        .is_some_and(|machine| machine.power == "running");
    if !running {
        let message = "The machine of the network interface is not running.";
        return Err(provider_error(
            400,
            "NetworkInterfaceNotAttachedToRunningVm",
            message,
        ));
    }
    let key = id.to_ascii_lowercase();
    let found = match asked.route.call {
        Call::EffectiveRules => world.around.rules.get(&key),
        _ => world.around.routes.get(&key),
    };
    let found = found.cloned().or(plain).unwrap_or_else(|| json!([]));
    Ok(accepted(world, asked, found))
}

/// Azure computes it after the call.
fn accepted(world: &mut World, asked: &Asked<'_>, found: Value) -> Answer {
    let id = &asked.route.scope;
    let operation = Uuid::new_v4().to_string();
    let url = format!(
        "{}/subscriptions/{}/providers/Microsoft.Network/locations/westeurope/effectiveResults/{operation}?api-version={}",
        world.endpoint,
        ids::subscription(id),
        asked.api_version
    );
    world
        .around
        .results
        .insert(operation, (1, json!({ "value": found })));
    Answer::empty(202)
        .with("location", url)
        .with("retry-after", world.retry_after())
}

/// What an accepted call has computed: not at the first poll.
pub(super) fn effective_result(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let retry_after = world.retry_after();
    let id = &asked.route.child;
    let Some((left, found)) = world.around.results.get_mut(id) else {
        return Err(gateway_error(
            404,
            "NotFound",
            "There is no such operation.",
        ));
    };
    if *left > 0 {
        *left -= 1;
        let url = format!("{}{}?{}", world.endpoint, asked.path, asked.query);
        return Ok(Answer::empty(202)
            .with("location", url)
            .with("retry-after", retry_after));
    }
    Ok(Answer::json(200, found.clone()))
}
