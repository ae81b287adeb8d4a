//! A receiver that is down, a job without an end, two instances, a message that is there twice.

use super::*;

#[tokio::test]
async fn notifications_wait_until_their_receiver_is_up_again() {
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
            "receiver down, {}: {} notifications, {DOWN} of their deliveries refused, each arrived once",
            if durable { "storage" } else { "memory" },
            jobs.len(),
        );
    }
}

#[tokio::test]
async fn a_job_that_never_comes_to_an_end_goes_to_the_poison_queue_and_is_reported() {
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
    let came = receiver.notices();
    assert_eq!(came.len(), 1, "{came:#?}");
    let told = (event(&came[0]), job(&came[0]));
    assert_eq!(told, ("failed", taken.job.as_str()));
    assert_eq!(came[0]["data"]["failure"]["code"], "ServerBusy");
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
    // The first message comes up when all jobs have finished.
    azure.make_visible(QUEUE);
    until_the_queue_is_empty(&azure).await;
    assert_eq!(azure.captures_made(), [machine(1), machine(0)]);
    world.end().await;
    let ends = ends(&receiver.notices());
    assert_eq!(ends.len(), 2, "{ends:?}");
    for job in [&other.job, &taken.job] {
        assert_eq!(ends[job], ["completed"], "its second message is dropped");
    }
}
