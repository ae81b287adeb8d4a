//! A job that another process left in the storage queue: the Functions host's queue trigger finds it and brings it
//! here. This process puts a copy in the queue, which it then holds, and the host deletes the old message.

use super::{
    Intake,
    http::{Done, json_ok},
    refusal::Refusal,
    request,
};
use crate::{
    incident::{
        CopyId, Job,
        machine::{Delivery, Verdict},
    },
    queue::MAX_BODY_BYTES,
};
use axum::{body::Bytes, response::Response};
use serde_json::{Map, Value};
use std::time::Duration;

/// The name of the binding in function.json.
const BINDING: &str = "job";
/// The member of a job that counts lost deliveries.
const UNFINISHED: &str = "unfinished";
/// The member by which copies of a job differ.
const COPY: &str = "copy";
/// JSON in a string, and that in a string: the host does not wrap a message more often.
const MAX_WRAPS: usize = 3;
/// The `visibilityTimeout` in host.json, after which the host retries.
const HOST_RETRY_AFTER: Duration = Duration::from_secs(30);

/// Takes the job in the host's envelope.
///
/// # Errors
/// Any answer but 2xx makes the host retry and, after the attempts in host.json, move the message to the poison queue.
/// So a job is refused only while Queue Storage does not accept it: then the host's message is the only copy. One that
/// comes while the memory queue is set is done from there, which is better than not at all. A message that is not a job
/// is refused, since the poison queue is where operators look for one.
pub(super) async fn take(intake: &Intake, envelope: Bytes) -> Result<Response, Refusal> {
    let Brought { job, text, message } =
        request::read(envelope, brought).await.map_err(|cause| {
            let message = format!("the queue trigger brought a message that is not a job: {cause}");
            tracing::error!(
                "{message}; the Functions host moves it to the poison queue after its attempts"
            );
            Refusal::NoJob(message)
        })?;
    let (id, target) = (job.job_id, &job.target.id);
    let delivery = Delivery::of(&job, message.as_deref(), None);
    match intake.incidents.offer(delivery, target, text.copy).await {
        Verdict::Elsewhere | Verdict::Finished => {
            tracing::info!(job.id = %id, resource.id = %target, "the queue trigger brought a second copy of a job; dropped it");
            return Ok(done(format!(
                "job {id} is finished or in progress elsewhere"
            )));
        }
        Verdict::Wait(wait) => {
            return Err(Refusal::NotTaken {
                message: format!("job {id} is being put into the queue by another process"),
                retry_after: wait,
            });
        }
        _ => {}
    }
    if let Err(error) = intake.queue.put(vec![text.body.into()]).await {
        tracing::warn!(job.id = %id, "could not recover a job: {error}; the Functions host retries");
        return Err(Refusal::NotTaken {
            message: format!("could not recover job {id}: {error}"),
            retry_after: HOST_RETRY_AFTER,
        });
    }
    if !intake.queue.is_durable() {
        tracing::warn!(
            job.id = %id,
            "job recovered into the memory queue, since JobQueue__Kind is memory; it is lost if this process stops"
        );
    }
    tracing::info!(job.id = %id, resource.id = %target, "job recovered from another process");
    Ok(done(format!("job {id} recovered")))
}

fn done(log: String) -> Response {
    json_ok(&Done::of(log))
}

/// What the host brought.
struct Brought {
    job: Job,
    text: Text,
    /// The queue's id of its message, where the host says it in the form that the queue has.
    message: Option<String>,
}

/// What is put into the queue in its place.
struct Text {
    body: String,
    copy: CopyId,
}

fn brought(envelope: &[u8]) -> Result<Brought, String> {
    let copy = CopyId::new(rand::random());
    let (job, body) = job(envelope, copy)?;
    Ok(Brought {
        job,
        text: Text { body, copy },
        message: message_id(envelope),
    })
}

/// The message's id in the trigger's metadata, a string of JSON in which the host writes a string of JSON. Another form
/// than the queue's own is no evidence of anything.
/// <https://learn.microsoft.com/en-us/azure/azure-functions/functions-bindings-storage-queue-trigger#message-metadata>
fn message_id(envelope: &[u8]) -> Option<String> {
    let envelope: Value = serde_json::from_slice(envelope).ok()?;
    let id = envelope.pointer("/Metadata/Id")?.as_str()?;
    let id = id.trim_matches('"');
    uuid::Uuid::parse_str(id).ok().map(|_| id.to_owned())
}

/// The job in the host's envelope, and the text of another copy of it.
fn job(envelope: &[u8], copy: CopyId) -> Result<(Job, String), String> {
    let mut envelope: Map<String, Value> = serde_json::from_slice(envelope)
        .map_err(|error| format!("the envelope is no JSON object ({error})"))?;
    let mut value = envelope
        .get_mut("Data")
        .and_then(|data| data.get_mut(BINDING))
        .map(Value::take)
        .ok_or(format!("the envelope has no Data.{BINDING}"))?;
    for _ in 0..MAX_WRAPS {
        let Value::String(text) = &value else { break };
        value =
            serde_json::from_str(text).map_err(|error| format!("its text is no JSON ({error})"))?;
    }
    let mut job = Job::from_value(&mut value)
        .map_err(|error| format!("its JSON is not that of a job ({error})"))?;
    // Once for the process that lost it, however often the host had to bring it here.
    job.unfinished.carry_over(1);
    // Into the cleaned value: members of a newer version stay as they are.
    value[UNFINISHED] = serde_json::to_value(job.unfinished).map_err(|error| error.to_string())?;
    value[COPY] = copy.to_string().into();
    let text = value.to_string();
    match text.len() > MAX_BODY_BYTES {
        // Refused, it would end in the poison queue.
        true => Job {
            copy,
            ..job.clone()
        }
        .to_message(MAX_BODY_BYTES)
        .map_err(|error| error.to_string()),
        false => Ok(text),
    }
    .map(|text| (job, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::Action;
    use serde_json::json;

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
            let (job, text) = job(envelope.as_bytes(), CopyId::new(7)).unwrap();
            assert_eq!(job.job_id.to_string(), written["jobId"]);
            let mut put: Value = serde_json::from_str(&text).unwrap();
            assert_ne!(put[UNFINISHED].take(), written[UNFINISHED]);
            put[UNFINISHED] = written[UNFINISHED].clone();
            assert_eq!(put[COPY].take(), "0000000000000007");
            put[COPY] = written[COPY].clone();
            assert_eq!(put, written);
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
            let error = job(envelope.as_bytes(), CopyId::new(7)).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
        assert!(job(b"[]", CopyId::new(7)).is_err());
    }
}
