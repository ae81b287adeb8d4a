//! Bad nights: many alerts while a fifth of all calls to Azure fails, a webhook that is down, a job that never
//! finishes, two instances on one queue. In the end each alert has its capture and its notification.
//! `FULL_TESTS=1 cargo test --test it storm -- --nocapture` sends 500 alerts instead of 100 and prints the figures.

mod alerts;
mod jobs;

use crate::support::{
    azure::Azure,
    length::full_or_short,
    receiver::Receiver,
    world::{World, common_alert},
};
use alert_packet_capture::app::Pace;
use azure_sandbox::{Call, Chances, Fault, Options, Progress, SessionStatus, What, samples};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, task::JoinSet};

const QUEUE: &str = "packet-capture-jobs";
const POISON: &str = "packet-capture-jobs-poison";

const REGIONS: [&str; 5] = [
    "francecentral",
    "swedencentral",
    "uksouth",
    "eastus2",
    "japaneast",
];

const MACHINES: usize = 50;

/// Longer than messages stay hidden that were lost on the way.
const GUARD: Duration = Duration::from_secs(150);

fn machine(number: usize) -> String {
    format!(
        "/subscriptions/{}/resourceGroups/rg-storm/providers/Microsoft.Compute/virtualMachines/vm-{number:02}",
        samples::SUBSCRIPTION_ID
    )
}

fn watcher(region: &str) -> String {
    let shop = samples::WATCHER_WESTEUROPE;
    shop.replace(
        "NetworkWatcher_westeurope",
        &format!("NetworkWatcher_{region}"),
    )
}

/// Fifty machines in five regions, where operations are quick and sessions end when the story says so.
async fn azure() -> Azure {
    let options = Options {
        progress: Progress::Auto {
            operation: Duration::from_millis(20),
            retry_after_seconds: 0,
        },
        ..Options::default()
    };
    let azure = Azure::with(options).await;
    for region in REGIONS {
        azure.add_watcher(&watcher(region), region);
    }
    for number in 0..MACHINES {
        azure.add_vm(&machine(number), REGIONS[number % REGIONS.len()]);
    }
    azure
}

/// Every machine has a capture of its own, far longer than the story.
const OWN_CAPTURES: [(&str, &str); 3] = [
    ("PacketCapture__Name", "PSAzureFunction-{vm}"),
    ("PacketCapture__TimeLimitInSeconds", "3600"),
    ("PacketCapture__Limit", "10000"),
];

/// Several processes look for what others leave.
const SHARED: [(&str, &str); 3] = [
    ("PacketCapture__ReplyWaitSeconds", "2"),
    ("JobQueue__Receive", "poll"),
    ("JobQueue__VisibilityTimeoutSeconds", "10"),
];

async fn instance(azure: &Azure, more: &[&[(String, String)]], changed: &[(&str, &str)]) -> World {
    let longest_look = Duration::from_secs(1);
    paced(azure, more, changed, longest_look).await
}

async fn paced(
    azure: &Azure,
    more: &[&[(String, String)]],
    changed: &[(&str, &str)],
    longest_look: Duration,
) -> World {
    let mut settings = OWN_CAPTURES.to_vec();
    for (name, value) in more.iter().copied().flatten() {
        settings.push((name, value));
    }
    settings.extend(changed);
    let pace = Pace {
        try_timeout: Duration::from_secs(2),
        longest_look,
        ..World::pace()
    };
    World::paced(azure.clone(), &settings, pace).await
}

/// How many captures were made of each machine, by Azure's own count: a create whose answer was lost counts too.
fn made(azure: &Azure) -> BTreeMap<String, usize> {
    let mut made = BTreeMap::new();
    for target in azure.captures_made() {
        *made.entry(target).or_default() += 1;
    }
    made
}

fn event(notice: &Value) -> &str {
    notice["data"]["event"]
        .as_str()
        .expect("a notification's event")
}

fn job(notice: &Value) -> &str {
    notice["data"]["jobId"]
        .as_str()
        .expect("a notification's job")
}

/// An alert that was taken.
struct Taken {
    job: String,
    /// How the job stood in the answer.
    status: String,
    /// How often the alert was sent away before.
    refused: usize,
}

/// Posts an alert until it is taken, as senders do.
async fn post_until_taken(world: &World, alert: &Value) -> Taken {
    for refused in 0..50 {
        let reply = world.post(alert).await;
        if reply.status == 503 {
            assert!(reply.headers.contains_key("retry-after"));
            continue;
        }
        let text = |name: &str| reply.body["captures"][0][name].as_str().map(str::to_owned);
        let (Some(job), Some(status)) = (text("jobId"), text("status")) else {
            panic!("{} {:?}", reply.status, reply.body);
        };
        return Taken {
            job,
            status,
            refused,
        };
    }
    panic!("an alert was never taken");
}

/// Waits until nothing is in the job queue, hidden or not.
async fn until_the_queue_is_empty(azure: &Azure) {
    let mut calls = azure.subscribe();
    let empty = tokio::time::timeout(GUARD, async {
        while !azure.queue_messages(QUEUE).is_empty() {
            // Lagging only means that there were calls.
            let _ = calls.recv().await;
        }
    });
    if empty.await.is_err() {
        panic!("still in the queue: {:#?}", azure.queue_messages(QUEUE));
    }
}

/// Ends all sessions, once this many run.
async fn end_sessions(azure: &Azure, count: usize) {
    let mut calls = azure.subscribe();
    let running = || {
        let watchers = REGIONS
            .iter()
            .map(|region| azure.captures(&watcher(region)));
        let running = watchers
            .flatten()
            .filter(|it| it.status == SessionStatus::Running);
        running.count()
    };
    let started = tokio::time::timeout(Duration::from_secs(20), async {
        while running() < count {
            let _ = calls.recv().await;
        }
    });
    started.await.expect("all sessions start");
    azure.finish_sessions();
}

/// The events that were notified of each job, a start left out.
fn ends(notices: &[Value]) -> BTreeMap<String, Vec<String>> {
    let mut ends: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for notice in notices.iter().filter(|notice| event(notice) != "created") {
        let events = ends.entry(job(notice).to_owned()).or_default();
        events.push(event(notice).to_owned());
    }
    ends
}

/// Waits until the end of this many jobs was notified.
async fn until_told(receiver: &Receiver, jobs: usize) {
    let told = |notices: &[Value]| ends(notices).len() >= jobs;
    receiver.until_within(GUARD, told).await;
}
