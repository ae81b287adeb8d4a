//! Killed while it reads a capture's file: the next process reads it again, a bounded number of times, and people are
//! notified in any case.

use super::*;

const ATTEMPTS: usize = 3;

/// A stage where this many processes are killed in their look.
async fn killed_in_the_look(kills: usize) -> (Stage, Sent, Value) {
    let mut stage = Stage::set().await;
    let attempts = ("JobQueue__MaxAttempts".to_owned(), ATTEMPTS.to_string());
    stage.settings.push(attempts);
    // The record reads no properties.
    stage.azure.fault(Fault {
        on: Call::GetBlobProperties,
        times: kills,
        what: What::Hang,
    });
    let mut alert = Sent::new(machine(0));
    for number in 1..=kills {
        let handler = stage.start().await;
        if number == 1 {
            alert.answered(stage.post(handler.url.clone(), &alert.body).await);
        }
        let hangs = |entry: &&Entry| entry.kind == Call::GetBlobProperties && entry.fault.is_some();
        stage
            .until_journal(|entries| entries.iter().filter(hangs).count() == number)
            .await;
        handler.kill().await;
    }
    let last = stage.start().await;
    let told = |notices: &[Value]| notices.iter().any(|it| alert.is_named_by(it));
    stage.receiver.until_within(GUARD, told).await;
    stage.until_the_queue_is_empty().await;
    last.kill().await;
    let came = stage.receiver.notices();
    let ends: Vec<&Value> = came.iter().filter(|it| alert.is_named_by(it)).collect();
    assert_eq!(ends.len(), 1, "{came:#?}");
    let look = ends[0]["data"]["look"].clone();
    assert_eq!(stage.captures_of(&alert.machine), 1);
    (stage, alert, look)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_look_the_next_process_looks_again() {
    let (_stage, _alert, look) = killed_in_the_look(1).await;
    assert!(look["lines"][0].is_string(), "{look:#}");
    assert_eq!(look["problem"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_kills_each_process_is_notified_of_without_its_content() {
    let (_stage, _alert, look) = killed_in_the_look(ATTEMPTS + 1).await;
    let message = look["problem"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("could not be read"), "{look:#}");
    assert!(message.contains("ended each time"), "{look:#}");
}
