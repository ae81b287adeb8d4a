//! A job that another process left behind in the storage queue: the Functions host's queue trigger finds it and
//! brings it here. This process puts a fresh copy in, which it then holds, and the host deletes the old one.

use super::{Intake, request};
use crate::{incident::Job, queue::QueueError};
use axum::{
    Json,
    body::Bytes,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

/// The name of the binding in function.json.
const BINDING: &str = "job";
/// JSON in a string, and that in a string: as deep as the host ever wraps a message.
const MOST_WRAPS: usize = 3;

/// Answers the host: 200 makes it delete its message, anything else makes it come again and, after the attempts
/// of host.json, move the message to the poison queue.
pub(super) async fn take(intake: &Intake, envelope: Bytes) -> Response {
    if !intake.queue.is_durable() {
        let message = "the queue trigger brought a job, but JobQueue__Kind is memory; set it to storage, or disable the trigger with AzureWebJobs.PacketCaptureJob.Disabled = true";
        tracing::error!("{message}");
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "QueueIsMemory", message);
    }
    let (job, text) = match request::read(envelope, job).await {
        Ok(found) => found,
        Err(wrong) => {
            let message = format!("the queue trigger brought something that is no job: {wrong}");
            tracing::error!("{message}");
            return refuse(StatusCode::INTERNAL_SERVER_ERROR, "NoJob", &message);
        }
    };
    match intake.queue.put(vec![text]).await {
        Ok(()) => {
            let log = format!("job {} is taken up again", job.job_id);
            tracing::info!(job.id = %job.job_id, resource.id = %job.target.id, "a job that another process left is taken up again");
            Json(json!({ "Outputs": {}, "Logs": [log], "ReturnValue": null })).into_response()
        }
        Err(error) => {
            let message = format!("job {} was not taken up again: {error}", job.job_id);
            tracing::warn!("{message}");
            match error {
                QueueError::TooLarge { .. } => {
                    refuse(StatusCode::INTERNAL_SERVER_ERROR, "TooLarge", &message)
                }
                _ => refuse(StatusCode::SERVICE_UNAVAILABLE, "NotTaken", &message),
            }
        }
    }
}

fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    let error = json!({ "error": { "code": code, "message": message } });
    (status, Json(error)).into_response()
}

/// The job in the host's envelope, and its text.
fn job(envelope: &[u8]) -> Result<(Job, String), String> {
    let mut envelope: Map<String, Value> = serde_json::from_slice(envelope)
        .map_err(|error| format!("the envelope is no JSON object ({error})"))?;
    let mut value = envelope
        .get_mut("Data")
        .and_then(|data| data.get_mut(BINDING))
        .map(Value::take)
        .ok_or(format!("the envelope has no Data.{BINDING}"))?;
    for _ in 0..MOST_WRAPS {
        let Value::String(text) = &value else { break };
        value =
            serde_json::from_str(text).map_err(|error| format!("its text is no JSON ({error})"))?;
    }
    let text = value.to_string();
    let job = serde_json::from_value(value)
        .map_err(|error| format!("its JSON is not that of a job ({error})"))?;
    Ok((job, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::Action;

    #[test]
    fn a_job_is_found_however_often_it_is_wrapped() {
        let body = json!({
            "schemaId": "azureMonitorCommonAlertSchema",
            "data": {"essentials": {
                "monitorCondition": "Fired",
                "alertTargetIDs": ["/subscriptions/6d1f3a58-27c4-4e0b-9b5d-0a8e4c7f1b32/resourceGroups/rg-shop/providers/Microsoft.Compute/virtualMachines/web-01"],
            }},
        });
        let alert = crate::alert::read(body.to_string().as_bytes()).unwrap();
        let new = Job::new(Action::Capture, alert.targets[0].clone(), &alert);
        let written = serde_json::to_value(new).unwrap();
        let once = Value::from(written.to_string());
        let twice = Value::from(once.to_string());
        for wrapped in [written.clone(), once, twice.clone()] {
            let envelope = json!({ "Data": { "job": wrapped }, "Metadata": {} }).to_string();
            let (job, text) = job(envelope.as_bytes()).unwrap();
            assert_eq!(job.job_id.to_string(), written["jobId"]);
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), written);
        }
        let thrice = Value::from(twice.to_string());
        let deeper = Value::from(thrice.to_string());
        for (data, word) in [
            (json!({ "job": deeper }), "not that of a job"),
            (json!({ "job": "plain text" }), "no JSON"),
            (json!({ "job": {"jobId": 1} }), "not that of a job"),
            (json!({}), "Data.job"),
        ] {
            let envelope = json!({ "Data": data, "Metadata": {} }).to_string();
            let error = job(envelope.as_bytes()).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
        assert!(job(b"[]").is_err());
    }
}
