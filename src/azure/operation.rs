//! Long-running operations: one request to a poll URL, and what its answer says. When to poll again is the caller's
//! decision, so that a job can go back to the queue meanwhile.
//! <https://learn.microsoft.com/en-us/azure/azure-resource-manager/management/async-operations>

use super::{
    client::{ArmClient, Call, Reply},
    error::{AzureError, ErrorBody, Failure},
    retry::Repeat,
};
pub use crate::resource_id::OperationUrl;
use crate::resource_id::ResourceId;
use azure_core::http::Method;
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// How far an operation is.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    Running {
        /// Azure's wish for the interval until the next poll.
        retry_after: Option<Duration>,
    },
    Succeeded,
    Failed(ErrorBody),
    /// Azure does not know the operation any more, or its answer says nothing: read the resource instead.
    Unknown,
}

/// The poll URL of an accepted call: `Azure-AsyncOperation` before `Location`, a relative one resolved against the
/// request. `None` when there is none at the configured endpoint: the resource itself is polled then.
pub(super) fn operation_of(
    client: &ArmClient,
    requested: &Url,
    reply: &Reply,
) -> Option<OperationUrl> {
    let named = reply
        .header("azure-asyncoperation")
        .or_else(|| reply.header("location"))?;
    let text = match Url::parse(named) {
        Err(url::ParseError::RelativeUrlWithoutBase) => requested.join(named).ok()?.to_string(),
        _ => named.to_owned(),
    };
    match client.own_url(&text) {
        Ok(_) => Some(OperationUrl::new(text)),
        Err(failure) => {
            tracing::warn!("{failure}; polling the resource instead of the operation");
            None
        }
    }
}

/// Requests the state of an operation once.
pub(super) async fn get(
    client: &ArmClient,
    resource: &ResourceId,
    url: &OperationUrl,
) -> Result<Progress, AzureError> {
    const OPERATION: &str = "poll an operation";
    let url = match client.own_url(url.expose()) {
        Ok(url) => url,
        // Of a job that an earlier version of this program put into the queue.
        Err(failure) => {
            tracing::warn!("{failure}; polling the resource instead of the operation");
            return Ok(Progress::Unknown);
        }
    };
    let call = Call {
        operation: OPERATION,
        resource,
        method: Method::Get,
        url,
        body: None,
        repeat: Repeat::Freely,
    };
    match client.send(call).await {
        Ok(reply) => progress_of(&reply).map_err(|failure| AzureError {
            operation: OPERATION,
            resource: resource.to_string(),
            failure,
        }),
        Err(error) if error.is_not_found() => Ok(Progress::Unknown),
        Err(error) => Err(error),
    }
}

/// Reads both kinds of poll answers: a status document, or a bare status code (`Location`).
fn progress_of(reply: &Reply) -> Result<Progress, Failure> {
    let retry_after = reply.retry_after();
    // A finished `Location` may answer with the resource, with the word null, or with nothing.
    let document: Value = match reply.is_blank() {
        true => Value::Null,
        false => reply.json()?,
    };
    let status = document.get("status").and_then(Value::as_str);
    let Some(status) = status else {
        return Ok(match reply.status {
            202 => Progress::Running { retry_after },
            204 => Progress::Succeeded,
            _ => Progress::Unknown,
        });
    };
    Ok(match status.to_ascii_lowercase().as_str() {
        "succeeded" => Progress::Succeeded,
        ended @ ("failed" | "canceled" | "cancelled") => {
            let mut error = document.get("error").map(ErrorBody::of).unwrap_or_default();
            if error.code.is_empty() {
                error.code = match ended {
                    "failed" => "OperationFailed".to_owned(),
                    _ => "OperationCanceled".to_owned(),
                };
            }
            Progress::Failed(error)
        }
        _ => Progress::Running { retry_after },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use azure_core::http::headers::Headers;

    #[test]
    fn poll_answers_follow_the_table() {
        let running = || Progress::Running { retry_after: None };
        let failed = |code: &str, message: &str| {
            Progress::Failed(ErrorBody {
                code: code.to_owned(),
                message: message.to_owned(),
            })
        };
        for (status, body, expected) in [
            (200, r#"{"status":"InProgress"}"#, running()),
            (202, r#"{"status":"inprogress"}"#, running()),
            (202, "", running()),
            (202, "null", running()),
            (202, "{}", running()),
            (200, r#"{"status":"Resizing"}"#, running()),
            (
                200,
                r#"{"status":"Succeeded","properties":{}}"#,
                Progress::Succeeded,
            ),
            (200, r#"{"status":"succeeded"}"#, Progress::Succeeded),
            (204, "", Progress::Succeeded),
            (200, "", Progress::Unknown),
            (200, "null", Progress::Unknown),
            (200, r#"{"status":null}"#, Progress::Unknown),
            (200, r#"{"name":"c","properties":{}}"#, Progress::Unknown),
            (
                200,
                r#"{"status":"Failed","error":{"code":"StorageFailed","message":"no","details":[]}}"#,
                failed("StorageFailed", "no"),
            ),
            (
                200,
                r#"{"status":"Failed","error":{"code":"Failed","message":"no","details":[{"code":"Why","message":"so"}]}}"#,
                failed("Failed", "no Why: so"),
            ),
            (
                200,
                r#"{"status":"failed","error":null}"#,
                failed("OperationFailed", ""),
            ),
            (
                200,
                r#"{"status":"Canceled"}"#,
                failed("OperationCanceled", ""),
            ),
        ] {
            let reply = Reply {
                status,
                headers: Headers::new(),
                body: body.into(),
            };
            assert_eq!(progress_of(&reply).unwrap(), expected, "{status} {body}");
        }
    }
}
