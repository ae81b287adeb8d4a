//! What can go wrong with a call to Azure: what was tried, on which resource, what Azure said, and whether
//! trying again makes sense.

use super::{api_versions::UnknownVersion, sign_in::Trouble};
use crate::text;
use serde::Deserialize;
use std::{error::Error as StdError, time::Duration};

/// A failed call. Its text is fit for people; the cause is in [`StdError::source`].
#[derive(Debug, thiserror::Error)]
#[error("{operation} on {resource} failed: {failure}")]
pub struct AzureError {
    /// What was tried, such as "list packet captures".
    pub operation: &'static str,
    /// The resource (or the host, for a token) that it was tried on.
    pub resource: String,
    #[source]
    pub failure: Failure,
}

/// The kinds of failure, each with a different answer to "again?".
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Azure answered with an error. `status` says whether it may heal.
    #[error("Azure answered {status} {code}: {message} (request id {})", .request_id.as_deref().unwrap_or("none"))]
    Refused {
        status: u16,
        /// Resource Manager's error code, or `Http<status>` when the body held none (HTML, empty, cut off).
        code: String,
        message: String,
        request_id: Option<String>,
        /// The cloud does not know the api-version.
        unknown_version: Option<Box<UnknownVersion>>,
        /// What the `Retry-After` header asked for.
        retry_after: Option<Duration>,
    },
    /// No answer. `sent` is false when the request certainly never reached Azure.
    #[error("no answer from Azure")]
    NoAnswer {
        sent: bool,
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// No token. `code` is Entra's (such as AADSTS7000215) when it refused for good.
    #[error("no access token: {message}")]
    NoToken {
        code: Option<String>,
        message: String,
        /// What to do about it, by the way one signs in.
        advice: Option<String>,
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// Azure accepted the call and could not carry it out.
    #[error("the operation ended with {code}: {message}")]
    OperationFailed { code: String, message: String },
    /// A 2xx whose body is not what the contract says, for instance cut off by a proxy.
    #[error("Azure's answer could not be read")]
    Unreadable {
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// Azure named a next page or an operation elsewhere than at the configured endpoint. Following it would
    /// hand our token to that host.
    #[error(
        "Azure pointed to a URL that is not at the configured Resource Manager endpoint ({host}); it was not followed"
    )]
    ForeignUrl { host: String },
}

impl AzureError {
    /// The HTTP status that Azure answered with.
    pub fn status(&self) -> Option<u16> {
        match &self.failure {
            Failure::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// A short code for logs, answers and notices.
    pub fn code(&self) -> &str {
        match &self.failure {
            Failure::Refused { code, .. } | Failure::OperationFailed { code, .. } => code,
            Failure::NoAnswer { .. } => "NoAnswer",
            Failure::NoToken { code, .. } => code.as_deref().unwrap_or("NoToken"),
            Failure::Unreadable { .. } => "UnreadableAnswer",
            Failure::ForeignUrl { .. } => "ForeignUrl",
        }
    }

    /// What to do when there is no token or the api-version is unknown: a sentence without a full stop.
    pub fn advice(&self) -> Option<&str> {
        match &self.failure {
            Failure::NoToken { advice, .. } => advice.as_deref(),
            _ => self.unknown_version().map(|it| it.advice.as_str()),
        }
    }

    /// What went wrong before Entra was asked, or at the platform's identity endpoint.
    pub fn trouble(&self) -> Option<&Trouble> {
        match &self.failure {
            Failure::NoToken { source, .. } => Trouble::within(&**source),
            _ => None,
        }
    }

    pub fn request_id(&self) -> Option<&str> {
        match &self.failure {
            Failure::Refused { request_id, .. } => request_id.as_deref(),
            _ => None,
        }
    }

    /// How long Azure asked to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.failure {
            Failure::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The resource is not there (any more). An unknown api-version says nothing of the resource.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404) && self.unknown_version().is_none()
    }

    /// The cloud does not know the api-version that was asked for.
    pub fn unknown_version(&self) -> Option<&UnknownVersion> {
        match &self.failure {
            Failure::Refused {
                unknown_version, ..
            } => unknown_version.as_deref(),
            _ => None,
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_temporary(&self) -> bool {
        match &self.failure {
            Failure::Refused { status, code, .. } => {
                is_temporary_status(*status) || code == "AnotherOperationInProgress"
            }
            Failure::NoAnswer { .. }
            | Failure::Unreadable { .. }
            | Failure::OperationFailed { .. } => true,
            Failure::NoToken { code, .. } => code.is_none(),
            Failure::ForeignUrl { .. } => false,
        }
    }

    /// Whether a write that failed so may have been carried out all the same: look before repeating it.
    pub fn may_have_been_applied(&self) -> bool {
        match &self.failure {
            // 429 is refused at the gate; other temporary statuses can come from a proxy on the way back.
            Failure::Refused { status, .. } => is_temporary_status(*status) && *status != 429,
            Failure::NoAnswer { sent, .. } => *sent,
            Failure::Unreadable { .. } => true,
            Failure::NoToken { .. }
            | Failure::ForeignUrl { .. }
            | Failure::OperationFailed { .. } => false,
        }
    }
}

/// The statuses that Azure's own clients repeat a call on.
pub fn is_temporary_status(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// Resource Manager's error envelope.
/// <https://learn.microsoft.com/en-us/azure/azure-resource-manager/troubleshooting/common-deployment-errors>
#[derive(Deserialize)]
struct Envelope {
    error: ErrorBody,
}

/// `code` and `message` of a refused call or a failed operation.
#[derive(Debug, Clone, Default, Deserialize, PartialEq, Eq)]
pub struct ErrorBody {
    #[serde(default)]
    pub code: String,
    #[serde(default)]
    pub message: String,
}

/// Reads an error body, which may just as well be HTML, empty or cut off.
pub fn read_error_body(status: u16, body: &[u8]) -> ErrorBody {
    match serde_json::from_slice::<Envelope>(body) {
        Ok(Envelope { error }) if !error.code.is_empty() => ErrorBody {
            message: text::clean(&error.message, text::MESSAGE).into_owned(),
            ..error
        },
        _ => ErrorBody {
            code: format!("Http{status}"),
            message: "the answer held no error of Azure Resource Manager".to_owned(),
        },
    }
}

/// The chain of causes, outermost first, in one line: for logs. A cause that is told already is left out.
pub fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let told = next.to_string();
        let line = told.lines().next().unwrap_or_default();
        if !text.contains(line) {
            text.push_str(": ");
            text.push_str(line);
        }
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_bodies_of_every_kind_are_read() {
        let arm = br#"{"error":{"code":"AuthorizationFailed","message":"no\nright","details":[]}}"#;
        let cases: [(&[u8], &str, &str); 4] = [
            (arm, "AuthorizationFailed", "no right"),
            (
                b"<html>502</html>",
                "Http502",
                "the answer held no error of Azure Resource Manager",
            ),
            (
                b"",
                "Http502",
                "the answer held no error of Azure Resource Manager",
            ),
            (
                &arm[..30],
                "Http502",
                "the answer held no error of Azure Resource Manager",
            ),
        ];
        for (body, code, message) in cases {
            let read = read_error_body(502, body);
            assert_eq!((read.code.as_str(), read.message.as_str()), (code, message));
        }
    }
}
