//! A failed call to Azure: what was attempted, on which resource, what Azure said, and whether a repetition makes sense.
//! It holds facts and no advice; what people can do about it is the room `advice`.

mod body;
mod chain;
mod conflict;
mod reasons;

pub use body::{ErrorBody, read_error_body};
pub(super) use chain::causes;
pub use chain::chain;

use super::{
    api_versions::UnknownVersion,
    sign_in::{SignIn, Trouble},
};
use std::{error::Error as StdError, sync::Arc, time::Duration};

/// A failed call. Its text is for people and names the resource by its short name; the id is in `resource`, the cause
/// in [`StdError::source`].
#[derive(Debug, Clone, thiserror::Error)]
#[error("could not {operation} ({}): {failure}", chain::short_name(.resource))]
pub struct AzureError {
    /// What was attempted, such as "list packet captures".
    pub operation: &'static str,
    /// The id of the resource (or the host, for a token) that it was attempted on.
    pub resource: String,
    #[source]
    pub failure: Failure,
}

/// The kinds of failure, each with a different answer to "retry?". Cloned for callers that waited for the same read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Failure {
    /// Azure answered with an error. `status` and `code` say whether it is temporary.
    #[error("Azure answered {status} {code}: {message} (request id {})", .request_id.as_deref().unwrap_or("none"))]
    Refused {
        status: u16,
        /// Resource Manager's error code, or `Http<status>` when the body held none (HTML, empty, truncated).
        code: String,
        /// Azure's message and the innermost reason that it gave.
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
        source: Arc<dyn StdError + Send + Sync>,
    },
    /// The call was not sent: Azure asked for a pause that is longer than a call waits, or too many calls to the same
    /// resource are in progress.
    #[error("not sent: {reason}")]
    NotSent {
        code: String,
        reason: String,
        retry_after: Option<Duration>,
    },
    /// No token. `code` is Entra's (such as AADSTS7000215) when the refusal is final.
    #[error("no access token: {message}")]
    NoToken {
        code: Option<String>,
        message: String,
        /// The identity that asked for it.
        sign_in: SignIn,
        #[source]
        source: Arc<dyn StdError + Send + Sync>,
    },
    /// Azure accepted the call and could not carry it out.
    #[error("the operation ended with {code}: {message}")]
    OperationFailed { code: String, message: String },
    /// A 2xx whose body is not what the contract says, for instance truncated by a proxy.
    #[error("Azure's answer could not be read")]
    Unreadable {
        #[source]
        source: Arc<dyn StdError + Send + Sync>,
    },
    /// A 2xx without end. Its beginning was read and discarded.
    #[error("Azure's answer is too large: {what}")]
    TooLarge { what: String },
    /// Azure named a next page that is not at the configured endpoint. A request to it would give the token away.
    #[error(
        "Azure named a URL at {host}, which is not the configured Resource Manager endpoint; it was not called"
    )]
    ForeignUrl { host: String },
}

/// The codes of 403 that a role resolves.
/// <https://learn.microsoft.com/en-us/azure/role-based-access-control/troubleshooting>
const LACKING: [&str; 2] = ["AuthorizationFailed", "LinkedAuthorizationFailed"];

/// The codes of 401 that no new token fixes: it would have the same audience and tenant.
const WRONG_TOKEN: [&str; 2] = [
    "InvalidAuthenticationTokenAudience",
    "InvalidAuthenticationTokenTenant",
];

impl AzureError {
    /// The HTTP status that Azure answered with.
    pub fn status(&self) -> Option<u16> {
        match &self.failure {
            Failure::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// A short code for logs, answers and notifications.
    pub fn code(&self) -> &str {
        match &self.failure {
            Failure::Refused { code, .. }
            | Failure::OperationFailed { code, .. }
            | Failure::NotSent { code, .. } => code,
            Failure::NoAnswer { .. } => "NoAnswer",
            Failure::NoToken { code, .. } => code.as_deref().unwrap_or("NoToken"),
            Failure::Unreadable { .. } => "UnreadableAnswer",
            Failure::TooLarge { .. } => "AnswerTooLarge",
            Failure::ForeignUrl { .. } => "ForeignUrl",
        }
    }

    /// What went wrong before Entra was asked, or at the platform's identity endpoint.
    pub fn trouble(&self) -> Option<&Trouble> {
        match &self.failure {
            Failure::NoToken { source, .. } => Trouble::within(&**source),
            _ => None,
        }
    }

    /// Azure's request id of a refusal.
    pub fn request_id(&self) -> Option<&str> {
        match &self.failure {
            Failure::Refused { request_id, .. } => request_id.as_deref(),
            _ => None,
        }
    }

    /// How long Azure asked to wait before the next call.
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.failure {
            Failure::Refused { retry_after, .. } | Failure::NotSent { retry_after, .. } => {
                *retry_after
            }
            _ => None,
        }
    }

    /// The resource does not exist (any more). An unknown api-version says nothing about the resource.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404) && self.unknown_version().is_none()
    }

    /// Whether the identity lacks a role. Policies, deny assignments and firewalls refuse with a 403 too, which no role
    /// changes.
    pub fn lacks_permission(&self) -> bool {
        self.status() == Some(403)
            && LACKING
                .iter()
                .any(|code| code.eq_ignore_ascii_case(self.code()))
    }

    /// The cloud does not know the api-version of the call.
    pub fn unknown_version(&self) -> Option<&UnknownVersion> {
        match &self.failure {
            Failure::Refused {
                unknown_version, ..
            } => unknown_version.as_deref(),
            _ => None,
        }
    }

    /// A 409 that may be about another write, unless Azure says that only this one resource is busy, and a name that is
    /// taken: read the resource before repeating a create.
    pub fn is_unknown_conflict(&self) -> bool {
        let code = self.code();
        self.status() == Some(409) && !conflict::is_in_progress(code)
            || conflict::is_name_taken(code)
    }

    /// Whether the same call may succeed later although nothing is reconfigured.
    pub fn is_temporary(&self) -> bool {
        match &self.failure {
            // A fresh token is requested within the call; when that is refused too, Entra and Resource Manager may need
            // a moment to agree (a revoked session, a new role).
            Failure::Refused {
                status: 401, code, ..
            } => !WRONG_TOKEN.contains(&code.as_str()),
            Failure::Refused {
                status: 409, code, ..
            } => !conflict::is_final(code),
            Failure::Refused { status, code, .. } => {
                is_temporary_status(*status)
                    || conflict::is_in_progress(code)
                    || conflict::is_name_taken(code)
            }
            Failure::NoAnswer { .. }
            | Failure::NotSent { .. }
            | Failure::Unreadable { .. }
            | Failure::TooLarge { .. }
            | Failure::OperationFailed { .. } => true,
            Failure::NoToken { code, .. } => code.is_none(),
            Failure::ForeignUrl { .. } => false,
        }
    }

    /// Whether a write that failed may have been carried out nevertheless: read the resource before repeating it.
    pub fn may_have_been_applied(&self) -> bool {
        match &self.failure {
            // 429 is refused at the gate; other temporary statuses can come from a proxy on the way back.
            Failure::Refused { status, .. } => is_temporary_status(*status) && *status != 429,
            Failure::NoAnswer { sent, .. } => *sent,
            Failure::Unreadable { .. } | Failure::TooLarge { .. } => true,
            Failure::NoToken { .. }
            | Failure::NotSent { .. }
            | Failure::ForeignUrl { .. }
            | Failure::OperationFailed { .. } => false,
        }
    }

    /// How long Azure asked to pause all calls of this kind. A 429 of one busy resource asks nothing of the others.
    pub(super) fn throttled_for(&self) -> Option<Duration> {
        match &self.failure {
            Failure::Refused {
                status: 429,
                code,
                retry_after,
                ..
            } if !conflict::is_in_progress(code) => *retry_after,
            _ => None,
        }
    }
}

/// The statuses that Azure's own clients retry.
pub fn is_temporary_status(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}
