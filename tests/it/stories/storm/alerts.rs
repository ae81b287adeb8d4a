//! Hundreds of alerts while a fifth of all calls fails, on each kind of queue.

use super::*;

/// Alerts under way at once.
const SENDERS: usize = 64;

/// Hundreds of jobs that look often at their sessions would be a storm of their own.
const RARE_LOOKS: Duration = Duration::from_secs(15);

/// Waits until all jobs in the queue are about running sessions.
async fn until_all_run(azure: &Azure) {
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

/// All alerts through these instances in turn while calls fail; then the sessions end, and all ends are notified.
async fn storm(name: &str, azure: Azure, worlds: Vec<World>, receiver: Receiver, chances: Chances) {
    let (began, alerts) = (Instant::now(), full_or_short(500, 100));
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
    for number in 0..alerts {
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
        // A job that another instance has taken over is answered as it was when it was put.
        if status == "accepted" && chances.queue > 0.0 {
            continue;
        }
        assert!(["created", "joined"].contains(&status.as_str()), "{status}");
    }
    let refused: usize = taken.iter().map(|taken| taken.refused).sum();
    let jobs: BTreeSet<String> = taken.into_iter().map(|taken| taken.job).collect();
    assert_eq!(jobs.len(), alerts, "a job for each alert");
    // No session has ended yet.
    let captures = made(&azure);
    assert_eq!(captures.len(), MACHINES, "{captures:?}");
    assert!(captures.values().all(|count| *count == 1), "{captures:?}");

    end_sessions(&azure, MACHINES).await;
    until_told(&receiver, alerts).await;
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
        "each alert is notified, and nothing else"
    );
    let mut repeated = 0;
    for (job, events) in &ends {
        assert!(
            events.iter().all(|event| event == "completed"),
            "{job}: {events:?}"
        );
        repeated += events.len() - 1;
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
        "storm, {name}: {alerts} alerts, {MACHINES} machines, {} calls, {failed} of them failed, {retries} retries, \
         {} after a Retry-After ({} too early), {refused} alerts sent again, {} captures, {} messages received again, \
         {repeated} notifications repeated, {:.1} s",
        journal.len(),
        repeats.patient,
        repeats.impatient,
        captures.len(),
        azure.messages_given_out(QUEUE),
        began.elapsed().as_secs_f64(),
    );
    if chances.queue == 0.0 {
        assert_eq!(repeated, 0, "a notification is delivered once");
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
        ..Chances::default()
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
        ..Chances::default()
    };
    storm("storage, two instances", azure, worlds, receiver, chances).await;
}
