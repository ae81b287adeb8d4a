//! Bad nights: hundreds of alerts while a fifth of all calls to Azure fails, a receiver of notices that is down,
//! jobs that nobody can bring to an end, two instances on one queue. In the end each alert has its evidence and
//! its notice. `cargo test --test it storm -- --nocapture` shows the figures.

use crate::{
    receiver::Receiver,
    world::{World, common_alert},
};
use alert_packet_capture::app::Pace;
use azure_sandbox::{
    Call, Chances, Fault, Options, Progress, Sandbox, SessionStatus, What, samples,
};
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
const ALERTS: usize = 500;
/// Longer than messages stay hidden that were lost on the way.
const GUARD: Duration = Duration::from_secs(150);
/// Alerts under way at once.
const SENDERS: usize = 64;

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
async fn azure() -> Sandbox {
    let options = Options {
        progress: Progress::Auto {
            operation: Duration::from_millis(20),
            retry_after_seconds: 0,
        },
        ..Options::default()
    };
    let azure = Sandbox::start(options).await.expect("the sandbox starts");
    samples::populate(&azure);
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

/// Hundreds of jobs that look often at their sessions would be a storm of their own.
const RARE_LOOKS: Duration = Duration::from_secs(15);

async fn instance(
    azure: &Sandbox,
    more: &[&[(String, String)]],
    changed: &[(&str, &str)],
) -> World {
    let longest_look = Duration::from_secs(1);
    paced(azure, more, changed, longest_look).await
}

async fn paced(
    azure: &Sandbox,
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
fn made(azure: &Sandbox) -> BTreeMap<String, usize> {
    let mut made = BTreeMap::new();
    for target in azure.captures_made() {
        *made.entry(target).or_default() += 1;
    }
    made
}

fn event(notice: &Value) -> &str {
    notice["data"]["event"].as_str().expect("a notice's event")
}

fn job(notice: &Value) -> &str {
    notice["data"]["jobId"].as_str().expect("a notice's job")
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

/// Waits until nothing lies in the job queue, hidden or not.
async fn until_the_queue_is_empty(azure: &Sandbox) {
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

/// Waits until all jobs in the queue are about running sessions.
async fn until_all_run(azure: &Sandbox) {
    const RUNS: &str = "\"phase\":{\"name\":\"running\"";
    let mut calls = azure.subscribe();
    let run = tokio::time::timeout(GUARD, async {
        let all = |jobs: &[String]| jobs.iter().all(|job| job.contains(RUNS));
        while !all(&azure.queue_messages(QUEUE)) {
            // Looking through hundreds of jobs at each call would take longer than the calls.
            for _ in 0..20 {
                let _ = calls.recv().await;
            }
        }
    });
    if run.await.is_err() {
        let jobs = azure.queue_messages(QUEUE);
        let idle: Vec<_> = jobs.iter().filter(|job| !job.contains(RUNS)).collect();
        panic!(
            "{} of {} jobs do not run: {idle:#?}",
            idle.len(),
            jobs.len()
        );
    }
}

/// Ends all sessions, once so many run.
async fn end_sessions(azure: &Sandbox, count: usize) {
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

/// The events that were told of each job, a start left out.
fn ends(notices: &[Value]) -> BTreeMap<String, Vec<String>> {
    let mut ends: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for notice in notices.iter().filter(|notice| event(notice) != "created") {
        let events = ends.entry(job(notice).to_owned()).or_default();
        events.push(event(notice).to_owned());
    }
    ends
}

/// Waits until the end of so many jobs was told.
async fn until_told(receiver: &Receiver, jobs: usize) {
    let told = |notices: &[Value]| ends(notices).len() >= jobs;
    receiver.until_within(GUARD, told).await;
}

/// All alerts through these instances in turn while calls fail; then the sessions end, and all is told.
async fn storm(
    name: &str,
    azure: Sandbox,
    worlds: Vec<World>,
    receiver: Receiver,
    chances: Chances,
) {
    let began = Instant::now();
    azure.fail_at_random(chances);
    for (on, times) in [
        (Call::ListCaptures, 2),
        (Call::PutCapture, 1),
        (Call::QueryStatus, 1),
    ] {
        let what = What::Hang;
        azure.fault(Fault { on, times, what });
    }
    let (worlds, gate) = (Arc::new(worlds), Arc::new(Semaphore::new(SENDERS)));
    let mut senders = JoinSet::new();
    for number in 0..ALERTS {
        let (worlds, gate) = (worlds.clone(), gate.clone());
        senders.spawn(async move {
            let _place = gate.acquire_owned().await;
            // Machines come again only after all others, and by the other instance.
            let world = &worlds[(number + number / MACHINES) % worlds.len()];
            post_until_taken(world, &common_alert(&[&machine(number % MACHINES)])).await
        });
    }
    let taken = senders.join_all().await;
    until_all_run(&azure).await;
    for Taken { status, .. } in &taken {
        // A job that another instance has taken up is answered as it was when it was put.
        if status == "accepted" && chances.queue > 0.0 {
            continue;
        }
        assert!(["created", "joined"].contains(&status.as_str()), "{status}");
    }
    let refused: usize = taken.iter().map(|taken| taken.refused).sum();
    let jobs: BTreeSet<String> = taken.into_iter().map(|taken| taken.job).collect();
    assert_eq!(jobs.len(), ALERTS, "a job for each alert");
    // No session has ended yet.
    let captures = made(&azure);
    assert_eq!(captures.len(), MACHINES, "{captures:?}");
    assert!(captures.values().all(|count| *count == 1), "{captures:?}");

    end_sessions(&azure, MACHINES).await;
    until_told(&receiver, ALERTS).await;
    let failed = azure.stop_failing();
    until_the_queue_is_empty(&azure).await;
    for world in Arc::into_inner(worlds).expect("all senders have ended") {
        world.end().await;
    }
    // Nothing is under way any more.
    let ends = ends(&receiver.notices());
    assert_eq!(
        jobs,
        ends.keys().cloned().collect(),
        "each alert is told, and nothing else"
    );
    let mut told_again = 0;
    for (job, events) in &ends {
        assert!(
            events.iter().all(|event| event == "completed"),
            "{job}: {events:?}"
        );
        told_again += events.len() - 1;
    }
    assert_eq!(made(&azure), captures, "no capture came after the end");
    assert!(azure.queue_messages(POISON).is_empty());
    let repeats = azure.repeats();
    assert_eq!(repeats.impatient, 0, "{repeats:?}");
    assert!(repeats.patient > 0, "Azure asked for patience");

    let journal = azure.journal();
    let arm = journal
        .iter()
        .filter(|entry| entry.path.starts_with("/subscriptions"));
    let mut tries: BTreeMap<&str, usize> = BTreeMap::new();
    for id in arm.filter_map(|entry| entry.client_request_id.as_deref()) {
        *tries.entry(id).or_default() += 1;
    }
    let retries: usize = tries.values().map(|tries| tries - 1).sum();
    println!(
        "storm, {name}: {ALERTS} alerts, {MACHINES} machines, {} calls, {failed} of them failed, {retries} retries, \
         {} after a Retry-After ({} too early), {refused} alerts sent again, {} captures, {} messages taken up again, \
         {told_again} notices repeated, {:.1} s",
        journal.len(),
        repeats.patient,
        repeats.impatient,
        captures.len(),
        azure.messages_given_out(QUEUE),
        began.elapsed().as_secs_f64(),
    );
    if chances.queue == 0.0 {
        assert_eq!(told_again, 0, "a notice is told once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_on_the_memory_queue_loses_no_alert() {
    let (azure, receiver) = (azure().await, Receiver::start().await);
    let patient = [("PacketCapture__ReplyWaitSeconds", "200")];
    let world = paced(&azure, &[&receiver.settings()], &patient, RARE_LOOKS).await;
    let chances = Chances {
        resource_manager: 0.2,
        queue: 0.0,
        seed: 5,
    };
    storm("memory", azure, vec![world], receiver, chances).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_on_two_instances_of_one_storage_queue_loses_no_alert() {
    let (azure, receiver) = (azure().await, Receiver::start().await);
    let mut worlds = Vec::new();
    for _ in 0..2 {
        let settings = [azure.queue_settings(), receiver.settings()].concat();
        worlds.push(paced(&azure, &[&settings], &SHARED, RARE_LOOKS).await);
    }
    let chances = Chances {
        resource_manager: 0.2,
        queue: 0.05,
        seed: 6,
    };
    storm("storage, two instances", azure, worlds, receiver, chances).await;
}

#[tokio::test]
async fn notices_wait_until_their_receiver_is_up_again() {
    const DOWN: usize = 40;
    for durable in [false, true] {
        let (azure, receiver) = (azure().await, Receiver::start().await);
        let mut settings = receiver.settings_for("completed,failed,skipped");
        if durable {
            settings.extend(azure.queue_settings());
        }
        let world = instance(&azure, &[&settings], &[]).await;
        receiver.down(DOWN);
        let mut jobs = BTreeSet::new();
        for number in 0..10 {
            let taken = post_until_taken(&world, &common_alert(&[&machine(number)])).await;
            assert_eq!(taken.status, "created");
            jobs.insert(taken.job);
        }
        end_sessions(&azure, jobs.len()).await;
        until_told(&receiver, jobs.len()).await;
        until_the_queue_is_empty(&azure).await;
        world.end().await;
        let ends = ends(&receiver.notices());
        assert_eq!(jobs, ends.keys().cloned().collect());
        assert!(
            ends.values().all(|events| events == &["completed"]),
            "{ends:?}"
        );
        assert_eq!(receiver.came(), jobs.len() + DOWN);
        println!(
            "receiver down, {}: {} notices, {DOWN} of their deliveries refused, each arrived once",
            if durable { "storage" } else { "memory" },
            jobs.len(),
        );
    }
}

#[tokio::test]
async fn a_job_that_never_comes_to_an_end_goes_to_the_poison_queue_and_is_told() {
    let (azure, receiver) = (azure().await, Receiver::start().await);
    let settings = [azure.queue_settings(), receiver.settings()].concat();
    let world = instance(&azure, &[&settings], &[("JobQueue__MaxAttempts", "3")]).await;
    // Four tries of each of the three attempts.
    azure.fault(Fault {
        on: Call::ListCaptures,
        times: 12,
        what: What::arm_error(503, "ServerBusy", "The server is busy."),
    });
    let taken = post_until_taken(&world, &common_alert(&[&machine(0)])).await;
    assert_eq!(taken.status, "failed");
    until_told(&receiver, 1).await;
    until_the_queue_is_empty(&azure).await;
    let notices = receiver.notices();
    assert_eq!(notices.len(), 1, "{notices:#?}");
    let told = (event(&notices[0]), job(&notices[0]));
    assert_eq!(told, ("failed", taken.job.as_str()));
    assert_eq!(notices[0]["data"]["failure"]["code"], "ServerBusy");
    let poison = azure.queue_messages(POISON);
    assert_eq!(poison.len(), 1, "{poison:?}");
    let left: Value = serde_json::from_str(&poison[0]).expect("a job");
    assert_eq!(left["jobId"], taken.job.as_str());
    assert_eq!(left["report"]["reason"], "ServerBusy");
    let message = left["report"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("The server is busy."), "{message}");
    assert!(azure.captures_made().is_empty());
    world.end().await;
}

#[tokio::test]
async fn two_instances_with_one_machine_at_the_same_moment_make_one_capture() {
    const TOGETHER: usize = 10;
    let (azure, receiver) = (azure().await, Receiver::start().await);
    let settings = [azure.queue_settings(), receiver.settings()].concat();
    let first = instance(&azure, &[&settings], &SHARED).await;
    let second = instance(&azure, &[&settings], &SHARED).await;
    let mut jobs = BTreeSet::new();
    for number in 0..TOGETHER {
        let id = machine(number);
        let alerts = [common_alert(&[&id]), common_alert(&[&id])];
        let (one, other) = tokio::join!(
            post_until_taken(&first, &alerts[0]),
            post_until_taken(&second, &alerts[1])
        );
        for taken in [one, other] {
            assert!(
                ["created", "joined", "accepted"].contains(&taken.status.as_str()),
                "{}",
                taken.status
            );
            jobs.insert(taken.job);
        }
    }
    end_sessions(&azure, TOGETHER).await;
    until_told(&receiver, 2 * TOGETHER).await;
    until_the_queue_is_empty(&azure).await;
    let clashes = first.count("PUT packetCaptures") - TOGETHER;
    first.end().await;
    second.end().await;
    let ends = ends(&receiver.notices());
    assert_eq!(jobs, ends.keys().cloned().collect());
    assert!(
        ends.values().all(|events| events == &["completed"]),
        "{ends:?}"
    );
    let captures = made(&azure);
    assert_eq!(captures.len(), TOGETHER);
    assert!(captures.values().all(|count| *count == 1), "{captures:?}");
    println!(
        "two instances: {TOGETHER} machines with two alerts each, {clashes} creates refused as clashes"
    );
}

#[tokio::test]
async fn a_job_that_is_in_the_queue_twice_makes_one_capture() {
    let (azure, receiver) = (azure().await, Receiver::start().await);
    let settings = [azure.queue_settings(), receiver.settings()].concat();
    let world = instance(&azure, &[&settings], &[("JobQueue__Receive", "poll")]).await;
    // The first alert finds no queue yet.
    let other = post_until_taken(&world, &common_alert(&[&machine(1)])).await;
    // The queue takes the message, its answer is lost, and the call is repeated.
    azure.fault(Fault {
        on: Call::PutMessage,
        times: 1,
        what: What::DropAfterApplying,
    });
    let taken = post_until_taken(&world, &common_alert(&[&machine(0)])).await;
    assert_eq!(taken.status, "created");
    assert_eq!(azure.queue_messages(QUEUE).len(), 3);
    end_sessions(&azure, 2).await;
    receiver.until(|notices| ends(notices).len() == 2).await;
    // The first message comes up when all is over.
    azure.make_visible(QUEUE);
    until_the_queue_is_empty(&azure).await;
    assert_eq!(azure.captures_made(), [machine(1), machine(0)]);
    world.end().await;
    let ends = ends(&receiver.notices());
    assert_eq!(ends.len(), 2, "{ends:?}");
    for job in [&other.job, &taken.job] {
        assert!(ends[job].iter().all(|event| event == "completed"));
    }
}
