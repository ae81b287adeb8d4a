//! An alert explained: the same reading and decision as a dry run's, for the command line.

use super::answer::{Answer, Entry, Refusal, into_parts};
use crate::{
    alert::{Alert, BadBody},
    incident::{Allowed, Decision, allowed::SCOPE_NOT_ALLOWED},
};
use serde_json::Value;

/// What a dry run answers, before it is printed.
pub struct Explanation {
    body: Value,
}

impl Explanation {
    pub fn of(read: Result<Alert, BadBody>, allowed: &Allowed) -> Self {
        let answer = read
            .map_err(Refusal::BadBody)
            .map(|alert| match allowed.decide(&alert) {
                Decision::Ignore(reason) => Answer::dry_run(&alert, Some(reason), Vec::new()),
                Decision::Capture { outside, .. } => {
                    let entries = outside
                        .iter()
                        .map(|target| Entry::ignored(target, SCOPE_NOT_ALLOWED))
                        .collect();
                    Answer::dry_run(&alert, None, entries)
                }
            });
        let (_, _, body) = into_parts(answer);
        Self { body }
    }

    /// Whether the body is an alert at all.
    pub fn is_alert(&self) -> bool {
        self.body.get("error").is_none()
    }

    /// One line of JSON, as the function answers.
    pub fn to_json(&self) -> String {
        self.body.to_string()
    }

    /// For people.
    pub fn to_text(&self) -> String {
        if let Some(error) = self.body.get("error") {
            return format!("  refused: {}", text(&error["message"]));
        }
        let alert = &self.body["alert"];
        let mut lines = vec![format!("  {}", text(&self.body["message"]))];
        for (label, member) in [
            ("schema", "schema"),
            ("state", "state"),
            ("rule", "rule"),
            ("alert id", "id"),
            ("signal", "signal"),
            ("severity", "severity"),
            ("fired", "firedAt"),
            ("region", "region"),
            ("dedupe key", "dedupeKey"),
        ] {
            lines.push(format!("  {label:<12}{}", text(&alert[member])));
        }
        for target in alert["targets"].as_array().into_iter().flatten() {
            lines.push(format!(
                "  {:<12}{} ({})",
                "target",
                text(&target["id"]),
                text(&target["type"])
            ));
        }
        for entry in self.body["captures"].as_array().into_iter().flatten() {
            lines.push(format!("  {:<12}{}", "left alone", text(&entry["message"])));
        }
        lines.join("\n")
    }
}

/// Text of an alert is anybody's: no control character reaches a terminal.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text
            .chars()
            .map(|c| if c.is_control() { '?' } else { c })
            .collect(),
        other => other.to_string(),
    }
}
