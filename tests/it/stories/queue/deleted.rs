//! The job queue is deleted, or cleared, while jobs run.

use super::*;

#[tokio::test]
async fn a_capture_is_notified_whose_queue_was_deleted_meanwhile() {
    // How often Azure answers that the queue is still being deleted.
    for being_deleted in [0, 3] {
        let (azure, receiver) = (Azure::start().await, Receiver::start().await);
        let queue = [azure.queue_settings(), receiver.settings_for("completed")].concat();
        let world = app(&azure, queue, &[]).await;
        let reply = world.post(&common_alert(&[samples::WEB_01])).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        azure.delete_queue(QUEUE);
        if being_deleted > 0 {
            azure.fault(failing(being_deleted, 409, Call::UpdateMessage));
        }
        azure.complete_operations();
        world
            .until(|lines| lines.iter().filter(|line| *line == PUT_JOB).count() == 2)
            .await;
        assert_eq!(azure.queue_messages(QUEUE).len(), 1);
        azure.finish_sessions();
        receiver.until(|events| events.len() == 1).await;
        until_the_queue_is_empty(&world).await;
        world.end().await;
        assert_eq!(receiver.notices().len(), 1);
    }
}

#[tokio::test]
async fn an_alert_whose_texts_are_too_long_for_a_message_sheds_them() {
    let azure = Azure::start().await;
    let world = app(&azure, azure.queue_settings(), &[]).await;
    // Four bytes a character, as long and as many as an alert's texts can be.
    let long = "\u{1F300}".repeat(200);
    let condition =
        json!({ "metricName": long, "operator": long, "threshold": long, "metricValue": long });
    let mut alert = common_alert(&[samples::WEB_01]);
    alert["data"]["alertContext"]["condition"]["allOf"] = vec![condition; 16].into();
    let reply = world.post(&alert).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    let job: Value = serde_json::from_str(&azure.queue_messages(QUEUE)[0]).unwrap();
    let kept = job["alert"]["conditions"].as_array().unwrap().len();
    assert!((1..16).contains(&kept), "{kept}");
    until_the_queue_is_empty(&world).await;
    world.end().await;
}
