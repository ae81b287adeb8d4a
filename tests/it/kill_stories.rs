//! The real executable, killed at every step of an alert and at random points, and started again: what it had
//! taken is in the queue, so that each alert ends with its capture and its notice. 200 random kills run always;
//! `APC_KILLS=5000 cargo test --test it random_moments -- --nocapture` runs more.

use crate::{
    receiver::Receiver,
    world::{Reply, common_alert, reply},
};
use azure_sandbox::{Call, Entry, Fault, Options, Progress, Sandbox, What, samples};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;
use std::{
    collections::BTreeMap,
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
/// Rows of random kills, each with an Azure and machines of its own, side by side.
const ROWS: usize = 5;
const MACHINES_OF_A_ROW: usize = 12;
const SEED: u64 = 20_261_123;
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

/// Azure, a receiver of notices, and the settings that make an executable work with them.
struct Stage {
    azure: Sandbox,
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
        let azure = Sandbox::start(options).await.expect("the sandbox starts");
        samples::populate(&azure);
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
        settings.extend(receiver.settings_for("completed,failed,skipped"));
        let own = [
            ("SSL_CERT_FILE", ca_file.to_str().expect("a path")),
            ("FUNCTIONS_CUSTOMHANDLER_PORT", "0"),
            ("JobQueue__Receive", "poll"),
            ("JobQueue__VisibilityTimeoutSeconds", "1"),
            ("PacketCapture__Name", "PSAzureFunction-{vm}"),
            ("PacketCapture__TimeLimitInSeconds", "1"),
            ("PacketCapture__Limit", "10000"),
            ("PacketCapture__ReplyWaitSeconds", "0"),
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
        // A pipe that nobody reads would stop it.
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

    fn is_told_by(&self, notice: &Value) -> bool {
        let data = &notice["data"];
        data["event"] == "completed" && self.job.as_deref() == data["jobId"].as_str()
    }
}

/// Where the executable is killed.
#[derive(Debug, Clone, Copy)]
enum At {
    Call(Call),
    /// The notice on its way.
    Notice,
}

/// One alert, one kill; what the second process makes of it.
async fn killed_at(at: At, applied: bool) {
    let stage = Stage::set().await;
    match at {
        At::Call(on) => stage.azure.fault(Fault {
            on,
            times: 1,
            what: match applied {
                true => What::HangAfterApplying,
                false => What::Hang,
            },
        }),
        At::Notice if applied => stage.receiver.be_silent(1),
        At::Notice => stage.receiver.lose(1),
    }
    let mut alert = Sent::new(machine(0));
    let first = stage.start().await;
    let hangs = async {
        match at {
            At::Call(call) => {
                let hangs = |entry: &Entry| entry.kind == call && entry.fault.is_some();
                stage
                    .until_journal(|entries| entries.iter().any(hangs))
                    .await;
            }
            At::Notice => stage.receiver.until_came(1).await,
        }
    };
    let post = stage.post(first.url.clone(), &alert.body);
    let answer = match at {
        // An alert is answered when it lies in the queue.
        At::Call(Call::PutMessage) => tokio::select! {
            _ = post => panic!("an answer without a message"),
            () = hangs => None,
        },
        _ => tokio::join!(post, hangs).0,
    };
    first.kill().await;
    alert.answered(answer);

    let second = stage.start().await;
    let sent_again = alert.job.is_none();
    if sent_again {
        alert.answered(stage.post(second.url.clone(), &alert.body).await);
    }
    let case = format!("{at:?}, applied: {applied}");
    assert!(
        alert.job.is_some(),
        "{case}: no answer of the second process"
    );
    stage
        .receiver
        .until_within(GUARD, |notices| {
            notices.iter().any(|notice| alert.is_told_by(notice))
        })
        .await;
    stage.until_the_queue_is_empty().await;
    assert_eq!(stage.captures_of(&alert.machine), 1, "{case}");
    let failures: Vec<Value> = stage
        .receiver
        .notices()
        .into_iter()
        .filter(|notice| notice["data"]["event"] != "completed")
        .collect();
    assert!(failures.is_empty(), "{case}: {failures:#?}");
    assert_eq!(stage.azure.unused_faults(), 0, "{case}");
    second.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_each_step_an_alert_still_has_one_capture_and_a_notice() {
    let began = Instant::now();
    let steps = [
        At::Call(Call::Token),
        At::Call(Call::PutMessage),
        At::Call(Call::ListWatchers),
        At::Call(Call::GetVirtualMachine),
        At::Call(Call::ListCaptures),
        At::Call(Call::UpdateMessage),
        At::Call(Call::PutCapture),
        At::Call(Call::OperationStatus),
        At::Call(Call::QueryStatus),
        At::Notice,
        At::Call(Call::DeleteMessage),
    ];
    let gate = Arc::new(Semaphore::new(AT_ONCE));
    let mut stories = JoinSet::new();
    for at in steps {
        for applied in [false, true] {
            let gate = gate.clone();
            stories.spawn(async move {
                let _place = gate.acquire_owned().await;
                killed_at(at, applied).await;
            });
        }
    }
    let kills = stories.join_all().await.len();
    println!(
        "killed at each step: {kills} alerts, {kills} kills, {kills} captures, {:.1} s",
        began.elapsed().as_secs_f64()
    );
}

/// What a row of random kills came to.
#[derive(Debug, Default)]
struct Row {
    kills: usize,
    alerts: usize,
    /// Alerts without an answer, which were sent again.
    sent_again: usize,
    captures: usize,
    notices: usize,
    messages_given_out: usize,
    calls: usize,
}

/// Starts the executable, sends it an alert, kills it some calls later, again and again. Then one process brings
/// everything to its end.
async fn row(number: usize, kills: usize) -> Row {
    let stage = Stage::set().await;
    let mut random = StdRng::seed_from_u64(SEED + number as u64);
    let mut told = Row::default();
    // Creates that there must be for each machine, and how many more its crashes allow.
    let mut expected: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut pending: Vec<Sent> = Vec::new();
    let mut unanswered: Option<Sent> = None;
    while told.kills < kills {
        let notices = stage.receiver.notices();
        pending.retain(|alert| !notices.iter().any(|notice| alert.is_told_by(notice)));
        let free = |id: &String| pending.iter().all(|alert| alert.machine != *id);
        let new = || {
            (0..MACHINES_OF_A_ROW)
                .map(machine)
                .find(free)
                .map(Sent::new)
        };
        // As callers do that got no answer: the same again.
        let alert = unanswered.take().or_else(|| {
            let alert = new()?;
            expected.entry(alert.machine.clone()).or_default().0 += 1;
            told.alerts += 1;
            Some(alert)
        });
        let handler = stage.start().await;
        let at = stage.azure.journal().len() + random.random_range(0..=12);
        let moment = stage.until_journal(|entries| entries.len() >= at);
        match alert {
            // No machine is free, and the process has the others' jobs to go on with.
            None => {
                moment.await;
                handler.kill().await;
            }
            Some(mut alert) => {
                let url = handler.url.clone();
                let kill = async {
                    moment.await;
                    handler.kill().await;
                };
                let (reply, ()) = tokio::join!(stage.post(url, &alert.body), kill);
                alert.answered(reply);
                if alert.job.is_some() {
                    pending.push(alert);
                } else {
                    expected.entry(alert.machine.clone()).or_default().1 += 1;
                    told.sent_again += 1;
                    unanswered = Some(alert);
                }
            }
        }
        told.kills += 1;
    }
    let last = stage.start().await;
    if let Some(mut alert) = unanswered {
        alert.answered(stage.post(last.url.clone(), &alert.body).await);
        pending.push(alert);
    }
    let all_told = |notices: &[Value]| {
        pending
            .iter()
            .all(|alert| notices.iter().any(|notice| alert.is_told_by(notice)))
    };
    stage.receiver.until_within(GUARD, all_told).await;
    stage.until_the_queue_is_empty().await;
    last.kill().await;

    let notices = stage.receiver.notices();
    let good = |notice: &Value| notice["data"]["event"] == "completed";
    assert!(notices.iter().all(good), "row {number}: {notices:#?}");
    for (machine, (alerts, lost)) in &expected {
        // An alert without an answer may be in the queue all the same. Sent again it is another one, and has a
        // capture of its own if the first one's was over by then.
        let captures = stage.captures_of(machine);
        assert!(
            (*alerts..=alerts + lost).contains(&captures),
            "row {number}: {captures} captures of {machine} for {alerts} alerts, {lost} of them sent again"
        );
        told.captures += captures;
    }
    told.notices = notices.len();
    told.messages_given_out = stage.azure.messages_given_out(QUEUE);
    told.calls = stage.azure.journal().len();
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_moments_every_alert_is_brought_to_its_end() {
    let began = Instant::now();
    let kills = std::env::var("APC_KILLS").map_or(200, |text| text.parse().expect("a number"));
    let mut rows = JoinSet::new();
    for number in 0..ROWS {
        let share = kills / ROWS + usize::from(number < kills % ROWS);
        rows.spawn(row(number, share));
    }
    let rows = rows.join_all().await;
    let sum = |of: fn(&Row) -> usize| rows.iter().map(of).sum::<usize>();
    println!(
        "killed at random: {} kills, {} alerts, {} of them sent again, {} captures, {} notices, \
         {} messages taken up again, {} calls, {:.1} s",
        sum(|row| row.kills),
        sum(|row| row.alerts),
        sum(|row| row.sent_again),
        sum(|row| row.captures),
        sum(|row| row.notices),
        sum(|row| row.messages_given_out),
        sum(|row| row.calls),
        began.elapsed().as_secs_f64()
    );
    assert_eq!(sum(|row| row.kills), kills);
}
