//! What the sandbox sends back. Refusals are answers too, so a handler can leave early with `?`.

use std::borrow::Cow;

use axum::body::{Body as HttpBody, Bytes};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

/// Either way out of a handler ends as a response.
pub(super) type Outcome = Result<Answer, Answer>;

#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub headers: Vec<(Cow<'static, str>, String)>,
    pub body: Body,
    /// Something the journal should point at, such as a mangled signature.
    pub note: Option<&'static str>,
}

#[derive(Debug)]
pub(super) enum Body {
    Empty,
    Json(Value),
    Raw {
        content_type: &'static str,
        bytes: Vec<u8>,
    },
    /// Of a blob: not copied, since it may be large.
    Bytes(Bytes),
}

impl Answer {
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Empty,
            note: None,
        }
    }

    pub fn json(status: u16, body: Value) -> Self {
        Self {
            body: Body::Json(body),
            ..Self::empty(status)
        }
    }

    pub fn raw(status: u16, content_type: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            body: Body::Raw {
                content_type,
                bytes: bytes.into(),
            },
            ..Self::empty(status)
        }
    }

    pub fn bytes(status: u16, bytes: Bytes) -> Self {
        Self {
            body: Body::Bytes(bytes),
            ..Self::empty(status)
        }
    }

    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn noted(mut self, note: &'static str) -> Self {
        self.note = Some(note);
        self
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn has(&self, name: &str) -> bool {
        self.header(name).is_some()
    }

    pub fn into_response(self) -> Response<HttpBody> {
        let (content_type, bytes) = match self.body {
            Body::Empty => (None, Bytes::new()),
            Body::Bytes(bytes) => (Some("application/octet-stream"), bytes),
            Body::Json(value) => (
                Some("application/json; charset=utf-8"),
                Bytes::from(value.to_string()),
            ),
            Body::Raw {
                content_type,
                bytes,
            } => (Some(content_type), bytes.into()),
        };
        let mut response = Response::new(HttpBody::from(bytes));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if let Some(content_type) = content_type {
            headers.insert("content-type", HeaderValue::from_static(content_type));
        }
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) = (
                HeaderName::try_from(name.as_ref()),
                HeaderValue::try_from(value),
            ) {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// A refusal by Resource Manager itself: such envelopes have no `details`.
pub(super) fn gateway_error(status: u16, code: &str, message: impl AsRef<str>) -> Answer {
    Answer::json(
        status,
        json!({"error": {"code": code, "message": message.as_ref()}}),
    )
    .with("x-ms-failure-cause", "gateway")
}

/// A refusal by a resource provider: such envelopes always have `details`.
pub(super) fn provider_error(status: u16, code: &str, message: impl AsRef<str>) -> Answer {
    Answer::json(
        status,
        json!({"error": {"code": code, "message": message.as_ref(), "details": []}}),
    )
}

/// A request body that the network provider cannot read; the reason is one level down.
pub(super) fn bad_format(reason_code: &str, reason: impl AsRef<str>) -> Answer {
    Answer::json(
        400,
        json!({"error": {
            "code": "InvalidRequestFormat",
            "message": "Cannot parse the request.",
            "details": [{"code": reason_code, "message": reason.as_ref()}],
        }}),
    )
}
