//! Answers as HTTP. The one file that knows status codes.
//!
//! Action groups repeat a request that was answered with 408, 429, 503 or 504, and then do not call the endpoint for
//! 15 minutes. So only an alert that was not accepted is answered with one of them.
//! <https://learn.microsoft.com/en-us/azure/azure-monitor/alerts/action-groups#webhook>

use super::{
    answer::{Answer, Outcome},
    refusal::Refusal,
};
use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{ALLOW, CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value};

pub(super) const JSON: &str = "application/json";

/// What the Functions host's log gets of an answer that goes out in its envelope.
#[derive(Debug, Clone, Default)]
pub(super) struct Summary(pub String);

impl Refusal {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Refusal::BadBody(bad) if bad.is_too_large() => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::BadBody(_)
            | Refusal::JobTooLarge
            | Refusal::IncompleteBody
            | Refusal::TooManyTargets { .. }
            | Refusal::InvalidDrill(_)
            | Refusal::InvalidQuery(_) => StatusCode::BAD_REQUEST,
            Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Refusal::Timeout(_) => StatusCode::REQUEST_TIMEOUT,
            Refusal::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::NoSuchRoute | Refusal::IncidentNotFound | Refusal::LookNotFound => {
                StatusCode::NOT_FOUND
            }
            Refusal::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Refusal::Forbidden(_) => StatusCode::FORBIDDEN,
            Refusal::AzureRefused(_) => StatusCode::BAD_GATEWAY,
            Refusal::NotTaken { .. } | Refusal::IncidentsUnreadable(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Refusal::NoJob(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// A header that says what the caller can do instead.
    fn header(&self) -> Option<(HeaderName, String)> {
        match self {
            Refusal::NotTaken { retry_after, .. } => {
                Some((RETRY_AFTER, retry_after.as_secs().max(1).to_string()))
            }
            Refusal::MethodNotAllowed(method) => Some((ALLOW, (*method).to_owned())),
            Refusal::Unauthorized(_) => Some((WWW_AUTHENTICATE, "Bearer".to_owned())),
            _ => None,
        }
    }
}

impl Answer {
    fn status(&self) -> StatusCode {
        match self.outcome {
            Outcome::Accepted => StatusCode::ACCEPTED,
            _ => StatusCode::OK,
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        json(self.status(), &self, &self.message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = json(self.status(), &self.body(), &self.message());
        if let Some((name, value)) = self.header()
            && let Ok(value) = HeaderValue::try_from(value)
        {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// What the host is answered that called a trigger: it deletes the message, or notes the run. No answer without outputs ends
/// an invocation.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Done {
    outputs: Map<String, Value>,
    logs: [String; 1],
    return_value: Option<()>,
}

impl Done {
    /// With this line in the host's log of the invocation.
    pub fn of(log: String) -> Self {
        Self {
            outputs: Map::new(),
            logs: [log],
            return_value: None,
        }
    }
}

/// A good answer of the status routes, or of the host's own calls.
pub(super) fn json_ok(body: &impl Serialize) -> Response {
    json(StatusCode::OK, body, "")
}

/// A text that people or other programs read.
pub(super) fn text_ok(content_type: &'static str, body: String) -> Response {
    (StatusCode::OK, [(CONTENT_TYPE, content_type)], body).into_response()
}

/// The envelope around an answer: the Functions host discards what is in one that is not a 2xx.
pub(super) fn enveloped(body: &impl Serialize) -> Response {
    json(StatusCode::OK, body, "")
}

fn json(status: StatusCode, body: &impl Serialize, summary: &str) -> Response {
    // The values are structs and texts alone, which always have a JSON form.
    let body = serde_json::to_string(body).unwrap_or_default();
    let summary = Summary(format!("answered {} {summary}", status.as_u16()));
    let mut response = (status, [(CONTENT_TYPE, JSON)], body).into_response();
    response.extensions_mut().insert(summary);
    response
}
