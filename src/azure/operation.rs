//! Long-running operations: one look at a poll URL, and what it says. When to look again is the caller's
//! decision, so that a job can be put away meanwhile.
//! <https://learn.microsoft.com/en-us/azure/azure-resource-manager/management/async-operations>

use super::{
    client::{ArmClient, Call},
    error::{AzureError, ErrorBody, Failure},
    reply::Reply,
    retry::Repeat,
};
pub use crate::resource_id::OperationUrl;
use crate::resource_id::ResourceId;
use azure_core::http::Method;
use serde::Deserialize;
use std::time::Duration;

/// How far an operation is.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    Running {
        /// Azure's wish for the time until the next look.
        retry_after: Option<Duration>,
    },
    Succeeded,
    Failed(ErrorBody),
    /// Azure no longer knows the operation: look at the resource instead.
    Unknown,
}

/// The poll URL of an accepted call: `Azure-AsyncOperation` before `Location`.
pub fn operation_of(reply: &Reply) -> Option<OperationUrl> {
    reply
        .header("azure-asyncoperation")
        .or_else(|| reply.header("location"))
        .map(OperationUrl::new)
}

#[derive(Deserialize)]
struct OperationStatus {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    error: Option<ErrorBody>,
}

/// Looks at an operation once.
///
/// # Errors
/// As [`ArmClient::send`]; a failed operation is [`Progress::Failed`], not an error.
pub async fn poll(
    client: &ArmClient,
    resource: &ResourceId,
    url: &OperationUrl,
) -> Result<Progress, AzureError> {
    const OPERATION: &str = "poll an operation";
    let failed = |failure: Failure| AzureError {
        operation: OPERATION,
        resource: resource.to_string(),
        failure,
    };
    let url = client.own_url(url.expose()).map_err(failed)?;
    let call = Call {
        operation: OPERATION,
        resource,
        method: Method::Get,
        url,
        body: None,
        repeat: Repeat::Freely,
    };
    match client.send(call).await {
        Ok(reply) => progress_of(&reply).map_err(failed),
        Err(error) if error.is_not_found() => Ok(Progress::Unknown),
        Err(error) => Err(error),
    }
}

/// Reads both kinds of poll answers: a status document, or a bare status code (`Location`).
fn progress_of(reply: &Reply) -> Result<Progress, Failure> {
    let running = || Progress::Running {
        retry_after: reply.retry_after(),
    };
    if reply.status == 204 {
        return Ok(Progress::Succeeded);
    }
    if reply.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(if reply.status == 202 {
            running()
        } else {
            Progress::Succeeded
        });
    }
    // A finished `Location` may answer with the resource, or with the word null.
    let document: Option<OperationStatus> = reply.json()?;
    let Some(OperationStatus {
        status: Some(status),
        error,
    }) = document
    else {
        return Ok(if reply.status == 202 {
            running()
        } else {
            Progress::Succeeded
        });
    };
    Ok(match status.to_ascii_lowercase().as_str() {
        "succeeded" => Progress::Succeeded,
        "failed" | "canceled" | "cancelled" => {
            let mut error = error.unwrap_or_default();
            if error.code.is_empty() {
                error.code = format!("Operation{status}");
            }
            Progress::Failed(error)
        }
        _ => running(),
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
            (200, r#"{"status":"Resizing"}"#, running()),
            (
                200,
                r#"{"status":"Succeeded","properties":{}}"#,
                Progress::Succeeded,
            ),
            (200, r#"{"status":"succeeded"}"#, Progress::Succeeded),
            (204, "", Progress::Succeeded),
            (200, "null", Progress::Succeeded),
            (200, r#"{"name":"c","properties":{}}"#, Progress::Succeeded),
            (
                200,
                r#"{"status":"Failed","error":{"code":"StorageFailed","message":"no","details":[]}}"#,
                failed("StorageFailed", "no"),
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
