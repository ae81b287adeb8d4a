//! Killed at random moments, again and again.

use super::*;

/// Rows of random kills that run side by side, each with an Azure and machines of its own.
const ROWS_AT_ONCE: usize = 5;
/// A row in which every process ends before a step is completed gives its jobs up after 100 of them, as it should.
const MOST_KILLS_OF_A_ROW: usize = 50;
const SEED: u64 = 20_261_123;

/// What a row of random kills came to.
#[derive(Debug, Default)]
struct Row {
    kills: usize,
    alerts: usize,
    /// Alerts without an answer, which were sent again.
    sent_again: usize,
    captures: usize,
    notices: usize,
    /// Final notifications that came again, with the same id.
    repeated: usize,
    messages_given_out: usize,
    calls: usize,
}

/// What happens to some of the calls to storage.
fn disturb(stage: &Stage, random: &mut StdRng) {
    let on = match random.random_range(0..6) {
        0 | 1 => Call::PutMessage,
        2 => Call::PutBlob,
        _ => return,
    };
    let what = match random.random_range(0..3) {
        0 => What::Late(Duration::from_millis(random.random_range(50..500))),
        _ => What::DropAfterApplying,
    };
    stage.azure.fault(Fault { on, times: 1, what });
}

/// Starts the executable, sends it an alert, kills it some calls later, again and again. Then one process brings
/// everything to its end.
async fn row(number: usize, kills: usize) -> Row {
    let stage = Stage::set().await;
    let mut random = StdRng::seed_from_u64(SEED + number as u64);
    let mut told = Row::default();
    // Creates that there must be for each machine: one for each alert, however often it was sent.
    let mut expected: BTreeMap<String, usize> = BTreeMap::new();
    let mut jobs: BTreeSet<String> = BTreeSet::new();
    let mut pending: Vec<Sent> = Vec::new();
    let mut unanswered: Option<Sent> = None;
    while told.kills < kills {
        let notices = stage.receiver.notices();
        pending.retain(|alert| !notices.iter().any(|notice| alert.is_named_by(notice)));
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
            *expected.entry(alert.machine.clone()).or_default() += 1;
            told.alerts += 1;
            Some(alert)
        });
        let handler = stage.start().await;
        disturb(&stage, &mut random);
        let at = stage.azure.journal().len() + random.random_range(0..=24);
        let moment = stage.until_journal(|entries| entries.len() >= at);
        match alert {
            // No machine is free, and the process has the others' jobs to continue.
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
                if let Some(job) = &alert.job {
                    jobs.insert(job.clone());
                    pending.push(alert);
                } else {
                    told.sent_again += 1;
                    unanswered = Some(alert);
                }
            }
        }
        told.kills += 1;
    }
    // Some were meant for calls that no process lived to make.
    stage.azure.withdraw_faults();
    let last = stage.start().await;
    if let Some(mut alert) = unanswered {
        alert.answered(stage.post(last.url.clone(), &alert.body).await);
        jobs.extend(alert.job.clone());
        pending.push(alert);
    }
    let all_told = |notices: &[Value]| {
        pending
            .iter()
            .all(|alert| notices.iter().any(|notice| alert.is_named_by(notice)))
    };
    stage.receiver.until_within(GUARD, all_told).await;
    stage.until_the_queue_is_empty().await;
    last.kill().await;

    let came = stage.receiver.notices();
    let good = |notice: &Value| {
        ["created", "completed"]
            .iter()
            .any(|it| notice["data"]["event"] == *it)
    };
    assert!(came.iter().all(good), "row {number}: {came:#?}");
    // A crash may repeat a final notification with the same id, and never one of a capture's start.
    let of = |event: &str, job: &str| {
        let data = |notice: &&Value| {
            notice["data"]["event"] == event && notice["data"]["jobId"].as_str() == Some(job)
        };
        came.iter().filter(data).collect::<Vec<_>>()
    };
    assert_eq!(
        jobs.len(),
        told.alerts,
        "row {number}: a job for each alert"
    );
    for job in &jobs {
        let ends = of("completed", job);
        let ids: BTreeSet<&str> = ends.iter().filter_map(|it| it["id"].as_str()).collect();
        assert_eq!(ids.len(), 1, "row {number}: {ends:#?}");
        told.repeated += ends.len() - 1;
        assert!(
            of("created", job).len() <= 1,
            "row {number}: {:#?}",
            of("created", job)
        );
    }
    for (machine, alerts) in &expected {
        let captures = stage.captures_of(machine);
        assert_eq!(captures, *alerts, "row {number}: captures of {machine}");
        told.captures += captures;
    }
    told.notices = came.len();
    told.messages_given_out = stage.azure.messages_given_out(QUEUE);
    told.calls = stage.azure.journal().len();
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_moments_every_alert_is_brought_to_its_end() {
    let began = Instant::now();
    let kills = std::env::var("APC_KILLS").map_or_else(
        |_| full_or_short(1_000, 40),
        |text| text.parse().expect("a number"),
    );
    let count = kills.div_ceil(MOST_KILLS_OF_A_ROW).max(ROWS_AT_ONCE);
    let gate = Arc::new(Semaphore::new(ROWS_AT_ONCE));
    let mut rows = JoinSet::new();
    for number in 0..count {
        let share = kills / count + usize::from(number < kills % count);
        let gate = gate.clone();
        rows.spawn(async move {
            let _place = gate.acquire_owned().await;
            row(number, share).await
        });
    }
    let rows = rows.join_all().await;
    let sum = |of: fn(&Row) -> usize| rows.iter().map(of).sum::<usize>();
    println!(
        "killed at random: {} kills, {} alerts, {} of them sent again, {} captures, {} notifications, \
         {} of them repeated, {} messages received again, {} calls, {:.1} s",
        sum(|row| row.kills),
        sum(|row| row.alerts),
        sum(|row| row.sent_again),
        sum(|row| row.captures),
        sum(|row| row.notices),
        sum(|row| row.repeated),
        sum(|row| row.messages_given_out),
        sum(|row| row.calls),
        began.elapsed().as_secs_f64()
    );
    assert_eq!(sum(|row| row.kills), kills);
}
