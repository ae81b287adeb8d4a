//! Events of PagerDuty's Events API v2, without the routing key. One `dedup_key` an incident: what comes later adds to the
//! alert that is open there.
//! <https://developer.pagerduty.com/docs/send-alert-event>

use crate::{
    incident::{Event, Notification},
    notify::{Links, facts, portal::how_to_open},
    text,
};
use serde_json::{Map, Value, json};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// PagerDuty's limit of a summary, in characters.
pub(super) const MOST_SUMMARY: usize = 1_024;
/// Characters of each detail; an event has at most 512 KB.
pub(super) const MOST_DETAIL: usize = 2_000;
/// PagerDuty's limit of a key, in characters.
const MOST_KEY: usize = 255;

/// The event that opens an alert, or adds to the one that is open.
pub(in crate::notify) fn trigger(notification: &Notification, links: &Links) -> Value {
    let title = facts::title(notification);
    let summary = format!("{title}: {}", notification.report.message);
    let mut details = Map::new();
    add(&mut details, "What changed", &notification.change_lines());
    for (label, value) in facts::facts(notification) {
        let value = text::clean(&value, MOST_DETAIL).into_owned();
        details.insert(label.to_owned(), value.into());
    }
    add(&mut details, "First look", &notification.look_lines());
    if let Some(how) = how_to_open(notification.event, &notification.report) {
        details.insert("How to open the file".to_owned(), how.says.into());
        details.extend(how.command.map(|it| ("Command".to_owned(), it.into())));
    }
    let href = links
        .of(notification)
        .into_iter()
        .map(|link| json!({ "href": link.url.as_str(), "text": link.text }));
    json!({
        "event_action": "trigger",
        "dedup_key": dedup_key(notification, links),
        "client": "alert-packet-capture",
        "client_url": links.page(notification).map(String::from),
        "links": href.collect::<Vec<_>>(),
        "payload": {
            "summary": text::clean(&summary, MOST_SUMMARY),
            "source": text::clean(&source(notification, links), text::NAME),
            "severity": severity(notification),
            "timestamp": rfc3339(notification.at),
            "class": notification.event.as_str(),
            "custom_details": details,
        },
    })
}

fn add(details: &mut Map<String, Value>, label: &str, lines: &[String]) {
    if !lines.is_empty() {
        let lines = lines.join(" ");
        let lines = text::clean(&lines, MOST_DETAIL).into_owned();
        details.insert(label.to_owned(), lines.into());
    }
}

/// The event that resolves the alert of an incident.
pub(in crate::notify) fn resolve(notification: &Notification, links: &Links) -> Value {
    json!({ "event_action": "resolve", "dedup_key": dedup_key(notification, links) })
}

/// One alert for each incident, and one for the readiness of this function's machines: several functions may share a service.
fn dedup_key(notification: &Notification, links: &Links) -> String {
    let key = notification.incident_key();
    match notification.event.is_readiness() {
        true => text::clean(&format!("{key} {}", links.source), MOST_KEY).into_owned(),
        false => key,
    }
}

fn source(notification: &Notification, links: &Links) -> String {
    match notification.event.is_readiness() {
        true => links.source.clone(),
        false => notification.target.short_name(),
    }
}

/// Azure's severities are `Sev0` (critical) to `Sev4` (verbose). Without one, missing evidence is an error.
fn severity(notification: &Notification) -> &'static str {
    let severity = notification.alert.severity.as_deref().unwrap_or_default();
    match severity.to_ascii_lowercase().trim_start_matches("sev") {
        "0" | "critical" => "critical",
        "1" | "error" => "error",
        "2" | "warning" => "warning",
        "3" | "4" | "informational" | "verbose" => "info",
        _ if notification.event == Event::Failed => "error",
        _ if notification.event == Event::ReadinessWeekly => "info",
        _ => "warning",
    }
}

fn rfc3339(at: OffsetDateTime) -> Option<String> {
    at.checked_to_offset(UtcOffset::UTC)?.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::{JobId, Report};

    #[test]
    fn severities_follow_the_table() {
        for (severity, event, expected) in [
            (Some("Sev0"), Event::Completed, "critical"),
            (Some("Sev1"), Event::Completed, "error"),
            (Some("sev2"), Event::Failed, "warning"),
            (Some("Sev3"), Event::Completed, "info"),
            (Some("4"), Event::Completed, "info"),
            (Some("Warning"), Event::Completed, "warning"),
            (Some("Sev5"), Event::Completed, "warning"),
            (None, Event::Skipped, "warning"),
            (None, Event::Failed, "error"),
        ] {
            let notification = Notification {
                event,
                at: OffsetDateTime::UNIX_EPOCH,
                job_id: JobId::random(),
                alert: crate::alert::AlertFacts {
                    severity: severity.map(str::to_owned),
                    ..Default::default()
                },
                target: "/subscriptions/6f8e2a10-4b1c-4d7e-9a35-0d8f2ad7ab3c"
                    .parse()
                    .unwrap(),
                report: Report::default(),
                incident: None,
                profile: None,
                link: None,
                readiness: None,
            };
            assert_eq!(super::severity(&notification), expected, "{severity:?}");
        }
    }
}
