//! One alert is one capture, at whichever instance and after whatever crash: what the record promises, seen through the
//! front door. Two worlds on one Azure are two instances.

mod budget;
mod cost;
mod down;
mod lost;
mod resolved;
mod storm;
mod twice;

use crate::support::{
    azure::Azure,
    receiver::Receiver,
    world::{Reply, World, common_alert},
};
use alert_packet_capture::{
    app::blob_store,
    config::{QueueKind, Settings},
    incident::{Incident, Summary, filter::Filter},
    record::{Incidents, RecordOptions},
};
use azure_sandbox::samples;
use serde_json::Value;
use std::time::Duration;

const QUEUE: &str = "packet-capture-jobs";
/// Far longer than any story needs, so only a stuck one meets it.
const GUARD: Duration = Duration::from_secs(60);

/// The settings of an instance whose jobs and record are in storage.
fn durable(azure: &Azure, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut settings = azure.queue_settings();
    settings.push(("JobQueue__Receive".to_owned(), "poll".to_owned()));
    settings.extend(more.iter().map(|(n, v)| (n.to_string(), v.to_string())));
    settings
}

/// An instance.
async fn instance(azure: &Azure, settings: &[(String, String)]) -> World {
    let settings: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (&**n, &**v)).collect();
    World::on(azure.clone(), &settings).await
}

/// The record as any storage tool could read it, through the program's own reader.
async fn record(azure: &Azure) -> std::sync::Arc<Incidents> {
    let file = std::env::temp_dir().join(format!("apc-record-{}.pem", rand::random::<u64>()));
    std::fs::write(&file, azure.ca_pem()).unwrap();
    let mut pairs = azure.app_settings();
    pairs.push(("SSL_CERT_FILE".to_owned(), file.display().to_string()));
    pairs.extend(azure.queue_settings());
    let settings = Settings::read(&pairs.into_iter().collect()).unwrap();
    let QueueKind::Storage(storage) = &settings.jobs.kind else {
        panic!("jobs are in storage")
    };
    let store = blob_store(storage, settings.azure.as_ref()).unwrap();
    let _ = std::fs::remove_file(file);
    Incidents::new(
        Some(std::sync::Arc::new(store.unwrap())),
        RecordOptions::default(),
    )
}

async fn rows(azure: &Azure) -> Vec<Summary> {
    let record = record(azure).await;
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = record.list(&Filter::default(), after.as_deref(), 500).await;
        let page = page.unwrap();
        rows.extend(page.rows);
        after = page.next;
        if after.is_none() {
            return rows;
        }
    }
}

/// The one incident that there is.
async fn story(azure: &Azure) -> Incident {
    let rows = rows(azure).await;
    assert_eq!(rows.len(), 1, "{rows:#?}");
    let found = record(azure).await.get(&rows[0].id).await;
    found.unwrap().unwrap()
}

/// Waits until the queue is empty: all jobs are finished.
async fn until_the_queue_is_empty(azure: &Azure) {
    let mut calls = azure.subscribe();
    let empty = async {
        while !azure.queue_messages(QUEUE).is_empty() {
            let _ = tokio::time::timeout(Duration::from_millis(50), calls.recv()).await;
        }
    };
    if tokio::time::timeout(GUARD, empty).await.is_err() {
        panic!("left: {:#?}", azure.queue_messages(QUEUE));
    }
}

/// Brings everything to its end. A storm takes longer on a loaded machine, so what is guarded is that it advances.
async fn run_out(world: &World) {
    let mut calls = world.azure.subscribe();
    let mut fewest = usize::MAX;
    loop {
        let advances = async {
            loop {
                let left = world.azure.queue_messages(QUEUE).len();
                if left < fewest || left == 0 {
                    return left;
                }
                world.run_out();
                let _ = tokio::time::timeout(Duration::from_millis(20), calls.recv()).await;
            }
        };
        fewest = match tokio::time::timeout(GUARD, advances).await {
            Ok(0) => return,
            Ok(left) => left,
            Err(_) => panic!("left: {:#?}", world.azure.queue_messages(QUEUE)),
        };
    }
}

fn outcome(reply: &Reply) -> (u16, &str, &str) {
    let text = |value: &'static str| reply.body[value].as_str().unwrap_or("-");
    (reply.status, text("outcome"), text("reason"))
}

fn job(reply: &Reply) -> &Value {
    &reply.body["captures"][0]["jobId"]
}

fn incident(reply: &Reply) -> &str {
    let incident = &reply.body["captures"][0]["incidentId"];
    incident
        .as_str()
        .unwrap_or_else(|| panic!("no incident in {:?}", reply.body))
}
