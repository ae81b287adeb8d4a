//! CloudEvents 1.0, structured mode, so that any event tool can route it.
//! <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>

use crate::{
    incident::{Notification, Readiness},
    notify::{Links, links::own, portal::how_to_open},
};
use serde_json::{Value, json};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// The beginning of `type`; the event's name follows.
const TYPE: &str = "alert-packet-capture.capture";
/// The same of a readiness run, whose event's name begins with `readiness`.
const TYPE_OF_RUNS: &str = "alert-packet-capture";

pub(super) fn render(notification: &Notification, links: &Links) -> Value {
    if let Some(readiness) = &notification.readiness {
        return of_run(notification, readiness, links);
    }
    let portal = &links.portal;
    let (alert, report) = (&notification.alert, &notification.report);
    let target = notification.target.to_string();
    let conditions: Vec<Value> = alert
        .conditions
        .iter()
        .map(|condition| {
            json!({
                "metric": condition.metric,
                "operator": condition.operator,
                "threshold": condition.threshold,
                "value": condition.value,
                "aggregation": condition.aggregation,
                "windowSeconds": condition.window_seconds,
            })
        })
        .collect();
    let how = how_to_open(notification.event, report);
    let mut event = json!({
        "specversion": "1.0",
        "type": format!("{TYPE}.{}", notification.event),
        "source": links.source,
        "subject": target,
        "id": notification.id(),
        "time": rfc3339(notification.at),
        "datacontenttype": "application/json",
        "data": {
            "event": notification.event.as_str(),
            "drill": alert.is_drill(),
            "message": report.message,
            "jobId": notification.job_id,
            "incident": notification.incident.as_ref().map(|incident| json!({
                "id": incident.id,
                "alerts": incident.alerts,
            })),
            "target": target,
            "joined": report.joined,
            "alert": {
                "rule": alert.rule,
                "severity": alert.severity,
                "signal": alert.signal,
                "firedAt": alert.fired_at,
                "conditions": conditions,
            },
            "capture": {
                "name": report.name,
                "networkWatcher": report.network_watcher.as_ref().map(ToString::to_string),
                "beganAt": report.began_at.map(rfc3339),
                "endedAt": notification.capture_ended_at().map(rfc3339),
                "timeLimitSeconds": report.time_limit_seconds,
                "stopReason": report.stop_reason,
                "errors": report.errors,
                "storagePath": report.storage_path,
                "filePath": report.file_path,
            },
            "changes": report.changes.as_ref().map(|changes| json!({
                "at": rfc3339(changes.at),
                "lines": changes.lines,
                "count": changes.count,
            })),
            "look": report.look.as_ref().map(|look| json!({
                "at": rfc3339(look.at),
                "lines": look.lines,
                "findings": look.findings,
                "fileBytes": look.file_bytes,
                "sha256": look.sha256,
                "problem": look.problem,
            })),
            "failure": notification.is_failure().then(|| json!({
                "code": report.reason.as_deref().unwrap_or_default(),
                "requestId": report.request_id,
            })),
            "links": {
                "target": portal.resource(&target).as_str(),
                "packetCaptures": portal.packet_captures().as_str(),
                "page": links.page(notification).map(String::from),
                "report": links.report(notification).map(String::from),
                "file": links.file(notification).map(String::from),
            },
            "open": how.map(|how| json!({ "text": how.says, "command": how.command })),
        },
    });
    // Where the settings have profiles.
    if let Some(profile) = &notification.profile {
        event["data"]["profile"] = json!({
            "name": profile.name,
            "why": profile.why,
            "notes": profile.notes,
        });
    }
    if let Some(link) = own(notification) {
        event["data"]["links"]["runbook"] = link.as_str().into();
    }
    event
}

/// What a readiness run found.
fn of_run(notification: &Notification, readiness: &Readiness, links: &Links) -> Value {
    json!({
        "specversion": "1.0",
        "type": format!("{TYPE_OF_RUNS}.{}", notification.event),
        "source": links.source,
        "subject": "readiness",
        "id": notification.id(),
        "time": rfc3339(notification.at),
        "datacontenttype": "application/json",
        "data": {
            "event": notification.event.as_str(),
            "message": notification.report.message,
            "title": readiness.title,
            "readiness": readiness.data,
            "links": { "page": links.page(notification).map(String::from) },
        },
    })
}

fn rfc3339(at: OffsetDateTime) -> Option<String> {
    at.checked_to_offset(UtcOffset::UTC)?.format(&Rfc3339).ok()
}
