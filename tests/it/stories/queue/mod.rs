//! Jobs in Queue Storage: what outlives a process, how another one takes it up, and what happens when the queue
//! is not there.

mod access;
mod deleted;
mod durable;
mod odd_jobs;
mod poison;

use crate::support::azure::Azure;
use crate::support::receiver::Receiver;
use crate::support::world::{Reply, World, common_alert};

use alert_packet_capture::config::Settings;
use azure_sandbox::{Call, Fault, FaultBody, Sandbox, What, samples};
use serde_json::{Value, json};

const QUEUE: &str = "packet-capture-jobs";
const POISON: &str = "packet-capture-jobs-poison";
const PUT_JOB: &str = "POST queue packet-capture-jobs messages 201";
const JOB_GONE: &str = "DELETE queue packet-capture-jobs messages 204";
const CAPTURE: &str = "PUT packetCaptures/PSAzureFunction 201";

/// An app whose jobs are in Queue Storage.
async fn app(azure: &Azure, queue: Vec<(String, String)>, more: &[(&str, &str)]) -> World {
    let mut settings: Vec<(&str, &str)> = queue
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    settings.extend(more);
    World::on(azure.clone(), &settings).await
}

fn failing(times: usize, code: u16, on: Call) -> Fault {
    let what = What::Status {
        code,
        retry_after: None,
        body: FaultBody::Empty,
    };
    Fault { on, times, what }
}

fn at(lines: &[String], wanted: &str) -> usize {
    let position = lines.iter().position(|line| line == wanted);
    position.unwrap_or_else(|| panic!("no {wanted} in {lines:#?}"))
}

/// The host's call of the queue trigger.
async fn trigger(world: &World, job: Value) -> Reply {
    let envelope = json!({
        "Data": { "job": job },
        "Metadata": { "DequeueCount": "1", "Id": "\"5c2b7a1e\"", "sys": { "MethodName": "PacketCaptureJob" } }
    });
    world.post_to("/PacketCaptureJob", &envelope).await
}

async fn until_the_queue_is_empty(world: &World) {
    world.run_out();
    world
        .until(|lines| lines.iter().any(|line| line == JOB_GONE))
        .await;
    assert!(world.azure.queue_messages(QUEUE).is_empty());
}
