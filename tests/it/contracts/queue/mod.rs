//! What every job queue must do, written once and tried on each: the one in memory, the one in Queue Storage as the
//! sandbox imitates it, and (feature `azurite`) the one in Microsoft's own emulator.

mod payload;
mod places;

use crate::support::azure::Azure;
use alert_packet_capture::{
    alert,
    incident::{Action, Job},
    queue::{JobQueue, MemoryQueue, Message, Payload, QueueError, StorageOptions, StorageQueue},
    storage::Connection,
};
use serde_json::json;
use std::{sync::Arc, time::Duration};

const HOUR: Duration = Duration::from_secs(3600);

/// A queue, and as many processes on it as the contract wants.
struct Ground<'a> {
    /// Another process; where jobs are not durable, another queue.
    open: &'a dyn Fn() -> Arc<dyn JobQueue>,
    /// Lets the visibility timeouts pass of messages that are not renewed, where waiting would take long.
    pass_time: &'a dyn Fn(),
}

/// Far longer than any queue needs, so that only a stuck one meets it.
const GUARD: Duration = Duration::from_secs(120);

async fn contract(ground: Ground<'_>) {
    let kept = tokio::time::timeout(GUARD, all_of_it(ground)).await;
    kept.expect("a queue that is not stuck");
}

async fn all_of_it(ground: Ground<'_>) {
    let queue = (ground.open)();
    messages_come_in_order_and_go_when_deleted(&*queue).await;
    a_kept_message_has_a_new_receipt_and_no_other(&*queue).await;
    a_message_put_back_comes_when_it_is_due(&*queue).await;
    alerts_take_turns(&*queue).await;
    a_job_is_received_as_it_was_put(&*queue).await;
    a_poisoned_message_is_gone(&*queue).await;
    if queue.is_durable() {
        too_large_a_message_is_refused(&*queue).await;
        what_a_process_leaves_another_gets(&ground).await;
        a_job_that_a_process_leaves_another_reads(&ground).await;
        a_close_hands_over_at_once(&ground).await;
    }
}

async fn received(queue: &dyn JobQueue, body: &str) -> Message {
    let message = queue.receive().await;
    assert_eq!(message.job, body.into());
    message
}

fn texts(texts: &[&str]) -> Vec<Payload> {
    texts.iter().map(|text| (*text).into()).collect()
}

/// A new job.
fn job() -> Job {
    let body = json!({
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {"essentials": {
            "alertRule": "cpu", "monitorCondition": "Fired",
            "alertTargetIDs": ["/subscriptions/2f6e9b14-0c57-4f1d-8a63-b5d0e7c41a98/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/db-07"],
        }},
    });
    let alert = alert::read(body.to_string().as_bytes()).unwrap();
    Job::new(Action::Capture, alert.targets[0].clone(), &alert)
}

async fn messages_come_in_order_and_go_when_deleted(queue: &dyn JobQueue) {
    queue.put(texts(&["{\"a\":\"ä <&>\"}", "b"])).await.unwrap();
    assert_eq!(queue.waiting().await, 2);
    let a = received(queue, "{\"a\":\"ä <&>\"}").await;
    let b = received(queue, "b").await;
    assert_ne!(a.message_id, b.message_id);
    queue.delete(&a).await.unwrap();
    queue.delete(&b).await.unwrap();
    assert_eq!(queue.waiting().await, 0);
    // Once more: not this receiver's any more, or deleted for this receiver.
    let again = queue.delete(&a).await;
    assert!(
        matches!(again, Ok(()) | Err(QueueError::NotFound)),
        "{again:?}"
    );
}

async fn a_kept_message_has_a_new_receipt_and_no_other(queue: &dyn JobQueue) {
    queue.put(texts(&["a"])).await.unwrap();
    let first = received(queue, "a").await;
    let kept = queue.keep(&first, "a2".into()).await.unwrap();
    assert_eq!(
        (&kept.message_id, kept.job.clone()),
        (&first.message_id, "a2".into())
    );
    assert_ne!(kept.pop_receipt, first.pop_receipt);
    let refused = [
        queue.keep(&first, "x".into()).await.map(drop),
        queue.put_back(&first, "x".into(), HOUR).await,
        queue.delete(&first).await,
    ];
    for refused in refused {
        let error = refused.expect_err("the old receipt is good for nothing");
        assert!(matches!(error, QueueError::NotFound), "{error}");
        assert!(!error.is_temporary());
    }
    // The wrong attempts cost nothing.
    let again = queue.keep(&kept, "a3".into()).await.unwrap();
    queue.delete(&again).await.unwrap();
    assert_eq!(queue.waiting().await, 0);
}

async fn a_message_put_back_comes_when_it_is_due(queue: &dyn JobQueue) {
    queue.put(texts(&["late", "soon"])).await.unwrap();
    let late = received(queue, "late").await;
    let soon = received(queue, "soon").await;
    queue
        .put_back(&soon, "soon2".into(), Duration::ZERO)
        .await
        .unwrap();
    queue
        .put_back(&late, "late2".into(), Duration::from_millis(200))
        .await
        .unwrap();
    let soon = received(queue, "soon2").await;
    let late = received(queue, "late2").await;
    queue.delete(&soon).await.unwrap();
    queue.delete(&late).await.unwrap();
}

async fn alerts_take_turns(queue: &dyn JobQueue) {
    queue.put(texts(&["a1", "a2"])).await.unwrap();
    queue.put(texts(&["b1"])).await.unwrap();
    let first = received(queue, "a1").await;
    let now = Duration::ZERO;
    let second = received(queue, "b1").await;
    queue.put_back(&first, "a1".into(), now).await.unwrap();
    queue.put_back(&second, "b1".into(), now).await.unwrap();
    // The second target of the first alert comes before that alert's retry.
    for body in ["a2", "b1", "a1"] {
        let message = received(queue, body).await;
        queue.delete(&message).await.unwrap();
    }
}

async fn a_job_is_received_as_it_was_put(queue: &dyn JobQueue) {
    let mut job = Arc::new(job());
    queue.put(vec![job.clone().into()]).await.unwrap();
    let message = queue.receive().await;
    assert_eq!(message.job.job().unwrap(), job);
    Arc::make_mut(&mut job).failures = 1;
    let message = queue.keep(&message, job.clone().into()).await.unwrap();
    assert_eq!(message.job.job().unwrap(), job);
    Arc::make_mut(&mut job).failures = 2;
    let back = queue.put_back(&message, job.clone().into(), Duration::ZERO);
    back.await.unwrap();
    let message = queue.receive().await;
    assert_eq!(message.job.job().unwrap(), job);
    queue.delete(&message).await.unwrap();
}

async fn a_poisoned_message_is_gone(queue: &dyn JobQueue) {
    queue.put(texts(&["bad", "good"])).await.unwrap();
    let bad = received(queue, "bad").await;
    queue.poison(&bad, "very bad".into()).await.unwrap();
    let good = received(queue, "good").await;
    assert_eq!(queue.waiting().await, 1);
    queue.delete(&good).await.unwrap();
}

async fn too_large_a_message_is_refused(queue: &dyn JobQueue) {
    let most = "x".repeat(48 * 1024);
    let more = format!("{most}x");
    let error = queue
        .put(vec!["a".into(), more.as_str().into()])
        .await
        .unwrap_err();
    assert!(
        matches!(error, QueueError::TooLarge { bytes: 49_153, .. }),
        "{error}"
    );
    assert!(!error.is_temporary());
    assert_eq!(queue.waiting().await, 0, "all or none");
    queue.put(texts(&[&most])).await.unwrap();
    let message = received(queue, &most).await;
    let error = queue.keep(&message, more.into()).await.unwrap_err();
    assert!(matches!(error, QueueError::TooLarge { .. }), "{error}");
    queue.delete(&message).await.unwrap();
}

async fn what_a_process_leaves_another_gets(ground: &Ground<'_>) {
    let (gone, other) = ((ground.open)(), (ground.open)());
    gone.put(texts(&["a"])).await.unwrap();
    let left = received(&*gone, "a").await;
    let left = gone.keep(&left, "a, one step on".into()).await.unwrap();
    (ground.pass_time)();
    let found = received(&*other, "a, one step on").await;
    assert_eq!(found.message_id, left.message_id);
    // The one who was gone too long learns it.
    let late = gone.put_back(&left, "x".into(), Duration::ZERO).await;
    assert!(matches!(late, Err(QueueError::NotFound)), "{late:?}");
    other.delete(&found).await.unwrap();
    assert_eq!(other.waiting().await, 0);
}

async fn a_job_that_a_process_leaves_another_reads(ground: &Ground<'_>) {
    let (gone, other) = ((ground.open)(), (ground.open)());
    let mut job = job();
    job.failures = 3;
    gone.put(vec![job.clone().into()]).await.unwrap();
    (ground.pass_time)();
    let found = other.receive().await;
    assert_eq!(*found.job.job().unwrap(), job);
    other.delete(&found).await.unwrap();
}

async fn a_close_hands_over_at_once(ground: &Ground<'_>) {
    let (stopping, other) = ((ground.open)(), (ground.open)());
    stopping
        .put(texts(&["at work", "due", "late"]))
        .await
        .unwrap();
    received(&*stopping, "at work").await;
    let due = received(&*stopping, "due").await;
    let late = received(&*stopping, "late").await;
    stopping
        .put_back(&due, "due".into(), Duration::ZERO)
        .await
        .unwrap();
    stopping.put_back(&late, "late".into(), HOUR).await.unwrap();
    stopping.close().await;
    let first = other.receive().await;
    let second = other.receive().await;
    let mut found = [&first, &second].map(|message| message.job.text().unwrap());
    found.sort_unstable();
    assert_eq!(found, ["at work", "due"], "the late one stays hidden");
    other.delete(&first).await.unwrap();
    other.delete(&second).await.unwrap();
    assert_eq!(other.waiting().await, 1);
    // Others see the late one too once its time has come; a queue that was closed gives nothing any more.
    (ground.pass_time)();
}

fn storage_queue(connection: &str, http: reqwest::Client, visibility: u64) -> Arc<dyn JobQueue> {
    let connection = Connection::parse(connection).expect("a connection string");
    let options = StorageOptions {
        visibility_timeout: Duration::from_secs(visibility),
        poll: true,
    };
    Arc::new(StorageQueue::connect(connection, http, options).expect("a queue"))
}
