//! A put into the queue whose answer is lost or late: the message may be there twice, and the job runs once.

use super::*;
use azure_sandbox::{Call, Fault, What};

/// The next put into the queue, which is there by now, meets this.
async fn fault(azure: &Azure, world: &World, what: What) {
    assert_eq!(
        world.post(&common_alert(&[samples::SQL_01])).await.status,
        200
    );
    run_out(world).await;
    azure.fault(Fault {
        on: Call::PutMessage,
        times: 1,
        what,
    });
}

/// The second message of a job that is in progress or finished is received by another instance.
async fn the_second_message_ends_silently(more: &[(&str, &str)], finished_before: bool) {
    let azure = Azure::start().await;
    let receiver = Receiver::start().await;
    let mut settings = durable(&azure, more);
    settings.extend(receiver.settings());
    let one = instance(&azure, &settings).await;
    fault(&azure, &one, What::DropAfterApplying).await;
    let alert = common_alert(&[samples::WEB_01]);
    let reply = one.post(&alert).await;
    assert_eq!(outcome(&reply), (200, "created", "-"), "{:?}", reply.body);
    assert_eq!(
        azure.queue_messages(QUEUE).len(),
        2,
        "it was repeated: {:#?}",
        one.calls()
    );
    let mut calls = azure.subscribe();
    while finished_before && azure.queue_messages(QUEUE).len() > 1 {
        one.run_out();
        let _ = tokio::time::timeout(Duration::from_millis(50), calls.recv()).await;
    }
    let other = instance(&azure, &settings).await;
    azure.make_oldest_visible(QUEUE);
    run_out(&other).await;
    one.end().await;
    other.end().await;
    assert_eq!(azure.captures_made().len(), 2, "one of each machine");
    let events: Vec<Value> = receiver
        .notices()
        .iter()
        .map(|notice| notice["data"]["event"].clone())
        .collect();
    assert_eq!(events, ["created", "completed", "created", "completed"]);
    let rows = rows(&azure).await;
    let alerts: Vec<u32> = rows.iter().map(|row| row.alerts).collect();
    assert_eq!(alerts, [1, 1]);
}

#[tokio::test]
async fn a_put_whose_answer_is_lost_runs_once() {
    the_second_message_ends_silently(&[], false).await;
    the_second_message_ends_silently(&[], true).await;
}

#[tokio::test]
async fn finished_sessions_that_are_removed_are_not_captured_again() {
    let removed = [("PacketCapture__RemoveFinished", "after_notice")];
    the_second_message_ends_silently(&removed, true).await;
}

#[tokio::test]
async fn a_put_that_is_applied_after_its_time_runs_once_with_the_senders_repeat() {
    let azure = Azure::start().await;
    let receiver = Receiver::start().await;
    let mut settings = durable(&azure, &[]);
    settings.extend(receiver.settings());
    let world = instance(&azure, &settings).await;
    fault(&azure, &world, What::HangAfterApplying).await;
    let alert = common_alert(&[samples::WEB_01]);
    let refused = world.post(&alert).await;
    assert_eq!(refused.status, 503, "{:?}", refused.body);
    assert_eq!(
        azure.queue_messages(QUEUE).len(),
        1,
        "it is there all the same"
    );
    let again = world.post(&alert).await;
    assert_eq!(outcome(&again), (200, "created", "-"), "{:?}", again.body);
    azure.make_visible(QUEUE);
    run_out(&world).await;
    world.end().await;
    assert_eq!(azure.captures_made().len(), 2, "one of each machine");
    let count = |event: &str| {
        let notices = receiver.notices();
        notices
            .iter()
            .filter(|it| it["data"]["event"] == event)
            .count()
    };
    assert_eq!((count("created"), count("completed")), (2, 2));
}
