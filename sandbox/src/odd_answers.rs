//! Answers of Resource Manager that no contract promises and that have been seen: statuses without a body, `null`,
//! 202 and 204 to a read, conflicts of all kinds, reasons that are levels down, a token that is refused.

use std::time::Duration;

use serde_json::{Value, json};

use super::calls::Call;
use super::faults::{FaultBody, What};

/// How many there are; see [`of`].
pub(super) const KINDS: u32 = 8;

/// The odd answer of this kind, 0 up to [`KINDS`].
pub(super) fn of(call: Call, kind: u32) -> What {
    let status = |code, body| What::Status {
        code,
        retry_after: None,
        body,
    };
    let conflict = |code: &str| What::arm_error(409, code, "The request conflicts with another.");
    let is_status = matches!(
        call,
        Call::QueryStatus | Call::OperationStatus | Call::OperationResult
    );
    let writes = matches!(
        call,
        Call::PutCapture | Call::DeleteCapture | Call::StopCapture
    );
    match (kind, is_status, writes) {
        (0, true, _) => status(200, FaultBody::Empty),
        (1, true, _) => status(200, FaultBody::Json(Value::Null)),
        (2, true, _) => status(202, FaultBody::Empty),
        (3, true, _) => status(204, FaultBody::Empty),
        (0, _, true) => conflict("Conflict"),
        (1, _, true) => conflict("AnotherOperationInProgress"),
        (2, _, true) => conflict("ConflictingConcurrentWriteNotAllowed"),
        (3, _, true) => conflict("CanceledAndSupersededDueToAnotherOperation"),
        (0, ..) => What::arm_error(409, "RetryableError", "A retryable error occurred."),
        (1, ..) => status(200, FaultBody::Empty),
        (2, ..) if matches!(call, Call::ListCaptures | Call::ListWatchers) => {
            status(200, FaultBody::Json(json!({"value": null})))
        }
        (2, ..) => status(200, FaultBody::Json(Value::Null)),
        (3, ..) => status(200, FaultBody::TruncatedJson),
        (4, ..) => What::arm_error(401, "ExpiredAuthenticationToken", "The token has expired."),
        (5, ..) => What::Status {
            code: 429,
            retry_after: Some("3".to_owned()),
            body: FaultBody::Json(nested("TooManyRequests", "SubscriptionRequestsThrottled")),
        },
        (6, ..) => status(
            500,
            FaultBody::Json(nested("InternalServerError", "NetworkAgentUnreachable")),
        ),
        _ => What::Late(Duration::from_secs(3)),
    }
}

/// An error whose reason is in its details and, deeper, in its inner error.
fn nested(code: &str, reason: &str) -> Value {
    json!({"error": {
        "code": code,
        "message": "See details.",
        "details": [{"code": reason, "message": "The reason.\u{202e}\r\nforged: line"}],
        "innererror": {"code": reason, "innererror": {"message": "The reason."}},
        "additionalInfo": [{"type": "PolicyViolation", "info": null}],
    }})
}
