//! CloudEvents 1.0, structured mode, so that any event tool can route it.
//! <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>

use crate::notify::{Notice, Portal, portal::how_to_open};
use serde_json::{Value, json};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// The beginning of `type`; the event's name follows.
const TYPE: &str = "alert-packet-capture.capture";

pub(super) fn render(notice: &Notice, portal: &Portal, source: &str) -> Value {
    let (alert, capture) = (&notice.alert, &notice.capture);
    let conditions: Vec<Value> = alert
        .conditions
        .iter()
        .map(|condition| {
            json!({
                "metric": condition.metric,
                "operator": condition.operator,
                "threshold": condition.threshold,
                "value": condition.value,
            })
        })
        .collect();
    let how = how_to_open(notice.event, capture);
    json!({
        "specversion": "1.0",
        "type": format!("{TYPE}.{}", notice.event),
        "source": source,
        "subject": notice.target,
        "id": notice.notice_id,
        "time": rfc3339(notice.at),
        "datacontenttype": "application/json",
        "data": {
            "event": notice.event.as_str(),
            "message": notice.message,
            "jobId": notice.job_id,
            "target": notice.target,
            "joined": notice.joined,
            "alert": {
                "rule": alert.rule,
                "severity": alert.severity,
                "signal": alert.signal,
                "firedAt": alert.fired_at,
                "conditions": conditions,
            },
            "capture": {
                "name": capture.name,
                "networkWatcher": capture.network_watcher,
                "beganAt": capture.began_at.map(rfc3339),
                "endedAt": capture.ended_at.map(rfc3339),
                "timeLimitSeconds": capture.time_limit_seconds,
                "stopReason": capture.stop_reason,
                "errors": capture.errors,
                "storagePath": capture.storage_path,
                "filePath": capture.file_path,
            },
            "failure": notice.failure.as_ref().map(|failure| json!({
                "code": failure.code,
                "requestId": failure.request_id,
            })),
            "links": {
                "target": portal.resource(&notice.target).as_str(),
                "packetCaptures": portal.packet_captures().as_str(),
            },
            "open": how.map(|how| json!({ "text": how.says, "command": how.command })),
        },
    })
}

fn rfc3339(at: OffsetDateTime) -> Option<String> {
    at.to_offset(UtcOffset::UTC).format(&Rfc3339).ok()
}
