//! A job that ends its process each time: it is given up, notified and kept for operators.

use super::*;

const ATTEMPTS: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_is_killed_each_time_is_given_up_and_notified() {
    let mut stage = Stage::set().await;
    let attempts = ("JobQueue__MaxAttempts".to_owned(), ATTEMPTS.to_string());
    stage.settings.push(attempts);
    // The first process has the job before the queue delivers it.
    let kills = ATTEMPTS + 1;
    stage.azure.fault(Fault {
        on: Call::ListCaptures,
        times: kills,
        what: What::Hang,
    });
    let mut alert = Sent::new(machine(0));
    for number in 1..=kills {
        let handler = stage.start().await;
        if number == 1 {
            alert.answered(stage.post(handler.url.clone(), &alert.body).await);
        }
        let hangs = |entry: &&Entry| entry.kind == Call::ListCaptures && entry.fault.is_some();
        stage
            .until_journal(|entries| entries.iter().filter(hangs).count() == number)
            .await;
        handler.kill().await;
    }
    let last = stage.start().await;
    let notified = |events: &[Value]| !events.is_empty();
    stage.receiver.until_within(GUARD, notified).await;
    let events = stage.receiver.notices();
    let data = &events[0]["data"];
    assert_eq!(
        (events.len(), &data["event"]),
        (1, &"failed".into()),
        "{events:#?}"
    );
    assert_eq!(data["jobId"].as_str(), alert.job.as_deref());
    let message = data["message"].as_str().unwrap();
    assert!(message.contains("process ended each time"), "{message}");
    let mut calls = stage.azure.subscribe();
    let moved = async {
        while stage.azure.queue_messages(POISON).is_empty()
            || !stage.azure.queue_messages(QUEUE).is_empty()
        {
            let _ = calls.recv().await;
        }
    };
    tokio::time::timeout(GUARD, moved)
        .await
        .expect("it is moved");
    let kept: Value = serde_json::from_str(&stage.azure.queue_messages(POISON)[0]).unwrap();
    assert_eq!(kept["jobId"].as_str(), alert.job.as_deref());
    last.kill().await;
    assert_eq!(stage.captures_of(&alert.machine), 0);
}
