//! The error body of a refused call or a failed operation. It may just as well be HTML, empty, truncated, or an
//! envelope of another service.
//! <https://learn.microsoft.com/en-us/azure/azure-resource-manager/troubleshooting/common-deployment-errors>

use super::{conflict, reasons};
use crate::text;
use serde_json::Value;

/// Maximum characters of a message with its reasons.
const MESSAGE: usize = 1_000;
/// Maximum characters of the outermost message, so that the reason always has room.
const OUTER: usize = 500;

/// `code` and `message` of a refused call or a failed operation; the message ends with the innermost reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorBody {
    pub code: String,
    pub message: String,
}

impl ErrorBody {
    /// Whether a failed operation gave way to another write: the same call may succeed now.
    pub fn is_conflict(&self) -> bool {
        conflict::is_superseded(&self.code)
    }

    /// Reads the value of a member `error`. Members of the wrong type count as missing.
    pub(in crate::azure) fn of(error: &Value) -> Self {
        let member = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
        let mut message = match reasons::embedded(member("message")) {
            Some(_) => String::new(),
            None => clean(member("message"), OUTER),
        };
        for reason in reasons::innermost(error) {
            let reason = clean(&reason, MESSAGE);
            // Some providers repeat the reason in the message.
            let said = reason.split_once(": ").map_or(&*reason, |(_, said)| said);
            if message.contains(said) {
                continue;
            }
            if !message.is_empty() {
                message.push(' ');
            }
            message.push_str(&reason);
        }
        Self {
            code: clean(member("code"), text::WORD),
            message: clean(&message, MESSAGE),
        }
    }
}

fn clean(text: &str, maximum: usize) -> String {
    text::clean(text, maximum).into_owned()
}

/// Reads the body of a refusal. Without an error in it the code is `Http<status>`.
pub fn read_error_body(status: u16, body: &[u8]) -> ErrorBody {
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    let mut read = ErrorBody::of(document.get("error").unwrap_or(&document));
    if read.code.is_empty() {
        read.code = format!("Http{status}");
        if read.message.is_empty() {
            read.message = "the answer held no error of Azure Resource Manager".to_owned();
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_bodies_of_every_kind_are_read() {
        const NONE: &str = "the answer held no error of Azure Resource Manager";
        let arm = br#"{"error":{"code":"AuthorizationFailed","message":"no\nright","details":[]}}"#;
        let cases: [(&[u8], &str, &str); 9] = [
            (arm, "AuthorizationFailed", "no right"),
            (b"<html>502</html>", "Http502", NONE),
            (b"", "Http502", NONE),
            (b"null", "Http502", NONE),
            (b"[1]", "Http502", NONE),
            (br#"{"error":"invalid"}"#, "Http502", NONE),
            (br#"{"code":"Busy","message":"wait"}"#, "Busy", "wait"),
            (
                br#"{"error":{"code":7,"message":"said"}}"#,
                "Http502",
                "said",
            ),
            (&arm[..30], "Http502", NONE),
        ];
        for (body, code, message) in cases {
            let read = read_error_body(502, body);
            assert_eq!((read.code.as_str(), read.message.as_str()), (code, message));
        }
    }

    #[test]
    fn an_operation_that_gave_way_did_not_fail() {
        for (code, expected) in [
            ("CanceledAndSupersededDueToAnotherOperation", true),
            ("conflict", true),
            ("AnotherOperationInProgress", true),
            ("InternalServerError", false),
            ("", false),
        ] {
            let body = ErrorBody {
                code: code.to_owned(),
                message: String::new(),
            };
            assert_eq!(body.is_conflict(), expected, "{code}");
        }
    }

    #[test]
    fn a_long_message_leaves_room_for_the_reason() {
        let long = "m".repeat(100_000);
        let body = serde_json::json!({
            "code": "c".repeat(100_000), "message": long, "details": [{ "code": "Why", "message": "so" }],
        });
        let read = ErrorBody::of(&body);
        assert!(read.message.ends_with(" Why: so"), "{}", read.message);
        assert_eq!(read.message.chars().count(), OUTER + " Why: so".len());
        assert_eq!(read.code.chars().count(), text::WORD);
    }
}
