//! The innermost reasons of an error. Microsoft.Network puts the reason into `details` or `innererror`, a policy into
//! `additionalInfo`, and an engine that passes an error on puts its JSON into `message`.
//! <https://github.com/microsoft/api-guidelines/blob/vNext/azure/Guidelines.md#handling-errors>

use serde_json::Value;

/// Levels that are followed; Azure nests three or four.
const DEPTH: usize = 8;
/// Maximum reasons in a message; a template with many errors repeats one.
const MAXIMUM: usize = 3;

/// The innermost reasons below this error, each as "code: message".
pub(super) fn innermost(error: &Value) -> Vec<String> {
    let mut found = Vec::new();
    below(error, DEPTH, &mut found);
    found
}

/// The error that a message holds as JSON.
pub(super) fn embedded(message: &str) -> Option<Value> {
    let text = message.trim_start();
    if !text.starts_with('{') {
        return None;
    }
    let document: Value = serde_json::from_str(text).ok()?;
    Some(document.get("error").cloned().unwrap_or(document))
}

/// Collects the reasons below `error`. Returns whether there are any.
fn below(error: &Value, depth: usize, found: &mut Vec<String>) -> bool {
    let Some(depth) = depth.checked_sub(1) else {
        return false;
    };
    let mut any = false;
    let member = |name: &str| error.get(name);
    if let Some(inner) = member("message").and_then(Value::as_str).and_then(embedded) {
        any |= innermost_of(&inner, depth, found);
    }
    let details = member("details").and_then(Value::as_array);
    for detail in details.into_iter().flatten() {
        any |= innermost_of(detail, depth, found);
    }
    for name in ["innererror", "innerError"] {
        if let Some(inner) = member(name) {
            any |= innermost_of(inner, depth, found);
        }
    }
    let infos = member("additionalInfo").and_then(Value::as_array);
    for info in infos.into_iter().flatten() {
        if let Some(policy) = policy(info) {
            any |= add(policy, found);
        }
    }
    any
}

/// The reasons below this one or, where there are none, itself.
fn innermost_of(error: &Value, depth: usize, found: &mut Vec<String>) -> bool {
    if found.len() >= MAXIMUM {
        return true;
    }
    if below(error, depth, found) {
        return true;
    }
    let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
    let reason = match (text("code").trim(), text("message").trim()) {
        ("", "") => return false,
        (code, "") => code.to_owned(),
        ("", message) => message.to_owned(),
        (code, message) => format!("{code}: {message}"),
    };
    add(reason, found)
}

fn add(reason: String, found: &mut Vec<String>) -> bool {
    if found.len() < MAXIMUM && !found.contains(&reason) {
        found.push(reason);
    }
    true
}

/// The policy that refused a call.
/// <https://learn.microsoft.com/en-us/azure/governance/policy/troubleshoot/general>
fn policy(info: &Value) -> Option<String> {
    let kind = info.get("type").and_then(Value::as_str)?;
    let text = |name: &str| info.get("info")?.get(name)?.as_str();
    let name = |kind: &str| {
        text(&format!("policy{kind}DisplayName")).or_else(|| text(&format!("policy{kind}Name")))
    };
    match (name("Definition"), name("Assignment")) {
        (Some(definition), Some(assignment)) => Some(format!(
            "{kind}: policy \"{definition}\", assigned as \"{assignment}\""
        )),
        (Some(one), None) | (None, Some(one)) => Some(format!("{kind}: policy \"{one}\"")),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::error::ErrorBody;
    use serde_json::json;

    #[test]
    fn the_innermost_reason_is_in_the_message() {
        let embedded = r#"{"error":{"code":"Inner","message":"passed on"}}"#;
        for (error, expected) in [
            (json!({ "message": "m" }), "m"),
            (json!({ "message": "m", "details": null }), "m"),
            (json!({ "message": "m", "details": [null, 1, {}] }), "m"),
            (
                json!({ "message": "m", "details": [{ "code": "A", "message": "a" }] }),
                "m A: a",
            ),
            (
                json!({ "message": "m", "details": [{ "code": "A", "message": "a", "details": [{ "code": "B", "message": "b" }] }] }),
                "m B: b",
            ),
            (
                json!({ "message": "m", "innererror": { "code": "A", "message": "a", "innererror": { "exceptiontype": "T" } } }),
                "m A: a",
            ),
            (
                json!({ "message": "m", "innerError": { "code": "A" } }),
                "m A",
            ),
            (
                json!({ "message": "m: a is wrong", "details": [{ "code": "A", "message": "a is wrong" }] }),
                "m: a is wrong",
            ),
            (
                json!({ "message": "", "details": [{ "message": "a" }, { "message": "a" }, { "message": "b" }] }),
                "a b",
            ),
            (
                json!({ "message": "m", "details": [{ "code": "a" }, { "code": "b" }, { "code": "c" }, { "code": "d" }] }),
                "m a b c",
            ),
            (json!({ "message": embedded }), "Inner: passed on"),
            (json!({ "message": "{not json" }), "{not json"),
            (
                json!({ "message": "m", "additionalInfo": [{ "type": "PolicyViolation", "info": {
                    "policyDefinitionDisplayName": "Allowed locations", "policyAssignmentName": "eu-only" } }] }),
                "m PolicyViolation: policy \"Allowed locations\", assigned as \"eu-only\"",
            ),
            (
                json!({ "message": "m", "additionalInfo": [{ "type": "Other", "info": 7 }] }),
                "m",
            ),
        ] {
            assert_eq!(ErrorBody::of(&error).message, expected, "{error}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let mut error = json!({ "code": "Deepest" });
        for level in 0..100 {
            error = json!({ "code": format!("L{level}"), "details": [error] });
        }
        assert_eq!(innermost(&error), [format!("L{}", 99 - DEPTH)]);
    }
}
