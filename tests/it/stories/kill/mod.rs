//! The real executable, killed at every step of an alert and at random moments, and started again, while puts into the queue
//! and writes of the record lose their answers or are late: each alert ends with one capture and one final notification.
//! 40 random kills, 1,000 with `FULL_TESTS=1`; `APC_KILLS=5000 cargo test --test it random_moments -- --nocapture` runs more.

mod attempts;
mod looks;
mod random;
mod steps;

use crate::support::{
    azure::Azure,
    length::full_or_short,
    receiver::Receiver,
    world::{Reply, common_alert, reply},
};
use azure_sandbox::{Call, Entry, Fault, Options, Progress, What, samples};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    sync::Semaphore,
    task::JoinSet,
};

const QUEUE: &str = "packet-capture-jobs";
const POISON: &str = "packet-capture-jobs-poison";

/// Far longer than anything takes here.
const GUARD: Duration = Duration::from_secs(120);

/// Executables at once.
const AT_ONCE: usize = 11;
const MACHINES_OF_A_ROW: usize = 12;

const REGIONS: [&str; 5] = [
    "francecentral",
    "swedencentral",
    "uksouth",
    "eastus2",
    "japaneast",
];

fn machine(number: usize) -> String {
    let shop = samples::WEB_01;
    shop.replace("web-01", &format!("vm-{number:02}"))
}

/// Azure, a receiver of notifications, and the settings that make an executable work with them.
struct Stage {
    azure: Azure,
    receiver: Receiver,
    settings: Vec<(String, String)>,
    ca_file: PathBuf,
    http: reqwest::Client,
}

impl Stage {
    async fn set() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("apc-kill-{}-{number}.pem", std::process::id());
        let ca_file = std::env::temp_dir().join(name);
        let options = Options {
            progress: Progress::Auto {
                operation: Duration::from_millis(20),
                retry_after_seconds: 0,
            },
            ca_file: Some(ca_file.clone()),
            ..Options::default()
        };
        let azure = Azure::with(options).await;
        for region in REGIONS {
            let western = samples::WATCHER_WESTEUROPE;
            azure.add_watcher(&western.replace("westeurope", region), region);
        }
        for number in 0..MACHINES_OF_A_ROW {
            azure.add_vm(&machine(number), REGIONS[number % REGIONS.len()]);
        }
        let receiver = Receiver::start().await;
        let mut settings = azure.app_settings();
        settings.extend(azure.queue_settings());
        settings.extend(receiver.settings());
        let own = [
            ("SSL_CERT_FILE", ca_file.to_str().expect("a path")),
            ("FUNCTIONS_CUSTOMHANDLER_PORT", "0"),
            ("JobQueue__Receive", "poll"),
            // A job that is killed again and again is given up, but not here.
            ("JobQueue__MaxAttempts", "100"),
            ("JobQueue__VisibilityTimeoutSeconds", "1"),
            ("PacketCapture__Name", "PSAzureFunction-{vm}"),
            ("PacketCapture__TimeLimitInSeconds", "1"),
            ("PacketCapture__Limit", "10000"),
            ("PacketCapture__ReplyWaitSeconds", "0"),
            // Its jobs stay in the queue for 20 minutes.
            ("Changes__Enabled", "false"),
        ];
        settings.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
        Self {
            azure,
            receiver,
            settings,
            ca_file,
            http: reqwest::Client::new(),
        }
    }

    /// Starts the executable and waits until it listens.
    async fn start(&self) -> Handler {
        let mut child = Command::new(env!("CARGO_BIN_EXE_handler"))
            .env_clear()
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the executable starts");
        let mut log = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let url = loop {
            let line = log.next_line().await.expect("a log in UTF-8");
            let line = line.expect("the handler listens before it ends");
            if let Some((_, url)) = line.rsplit_once("listening on ") {
                break url.to_owned();
            }
        };
        // A pipe that is not read would stop it.
        tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
        Handler { child, url }
    }

    /// The answer, or nothing when the executable was killed before it gave one.
    async fn post(&self, url: String, alert: &Value) -> Option<Reply> {
        let request = self.http.post(format!("{url}/api/AlertPacketCapture"));
        let request = request.header("content-type", "application/json");
        match request.body(alert.to_string()).send().await {
            Ok(response) => Some(reply(response).await),
            Err(_) => None,
        }
    }

    async fn until_journal(&self, seen: impl Fn(&[Entry]) -> bool) {
        self.azure.wait_for(seen).await;
    }

    async fn until_the_queue_is_empty(&self) {
        let mut calls = self.azure.subscribe();
        let empty = tokio::time::timeout(GUARD, async {
            while !self.azure.queue_messages(QUEUE).is_empty() {
                let _ = calls.recv().await;
            }
        });
        if empty.await.is_err() {
            panic!("left: {:#?}", self.azure.queue_messages(QUEUE));
        }
        assert!(self.azure.queue_messages(POISON).is_empty());
    }

    fn captures_of(&self, machine: &str) -> usize {
        let made = self.azure.captures_made();
        made.iter().filter(|target| *target == machine).count()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.ca_file);
    }
}

/// The running executable.
struct Handler {
    child: Child,
    url: String,
}

impl Handler {
    /// SIGKILL on Unix.
    async fn kill(mut self) {
        self.child.kill().await.expect("it is killed");
    }
}

/// An alert that was sent.
#[derive(Clone)]
struct Sent {
    machine: String,
    body: Value,
    /// Known when there was an answer.
    job: Option<String>,
}

impl Sent {
    fn new(machine: String) -> Self {
        let body = common_alert(&[&machine]);
        Self {
            machine,
            body,
            job: None,
        }
    }

    fn answered(&mut self, reply: Option<Reply>) {
        let Some(reply) = reply else { return };
        match (reply.status, reply.body["captures"][0]["jobId"].as_str()) {
            (200 | 202, Some(job)) => self.job = Some(job.to_owned()),
            _ => panic!("{} {:?}", reply.status, reply.body),
        }
    }

    /// Whether a notification is about this alert's capture and not its end.
    fn is_created_by(&self, notice: &Value) -> bool {
        let data = &notice["data"];
        data["event"] == "created" && self.job.as_deref() == data["jobId"].as_str()
    }

    fn is_named_by(&self, notice: &Value) -> bool {
        let data = &notice["data"];
        data["event"] == "completed" && self.job.as_deref() == data["jobId"].as_str()
    }
}
