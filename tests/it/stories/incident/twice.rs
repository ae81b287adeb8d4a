//! The same alert, and another one about the same machine: after a restart, at a second instance, at both at once.

use super::*;

#[tokio::test]
async fn the_same_alert_after_a_restart_is_a_duplicate() {
    let azure = Azure::start().await;
    let settings = durable(&azure, &[]);
    let alert = common_alert(&[samples::WEB_01]);
    let world = instance(&azure, &settings).await;
    let first = world.post(&alert).await;
    assert_eq!(outcome(&first), (200, "created", "-"), "{:?}", first.body);
    world.end().await;
    // While its capture runs, and when it has finished.
    for (restart, status) in [(1, "created"), (2, "completed")] {
        let world = instance(&azure, &settings).await;
        if restart == 2 {
            azure.make_visible(QUEUE);
            run_out(&world).await;
        }
        let again = world.post(&alert).await;
        assert_eq!(
            outcome(&again),
            (200, "ignored", "duplicate"),
            "{:?}",
            again.body
        );
        assert_eq!(job(&again), job(&first));
        assert_eq!(incident(&again), incident(&first));
        assert_eq!(
            again.body["captures"][0]["status"], status,
            "{:?}",
            again.body
        );
        world.end().await;
    }
    assert_eq!(azure.captures_made().len(), 1);
    let story = story(&azure).await;
    assert_eq!(story.id.as_str(), incident(&first));
    assert_eq!(story.entries.len(), 1);
}

#[tokio::test]
async fn the_same_alert_at_a_second_instance_is_a_duplicate() {
    let azure = Azure::start().await;
    let settings = durable(&azure, &[]);
    let (one, other) = (
        instance(&azure, &settings).await,
        instance(&azure, &settings).await,
    );
    let alert = common_alert(&[samples::WEB_01, samples::SQL_01]);
    let first = one.post(&alert).await;
    assert_eq!(outcome(&first), (200, "created", "-"), "{:?}", first.body);
    let second = other.post(&alert).await;
    assert_eq!(
        outcome(&second),
        (200, "ignored", "duplicate"),
        "{:?}",
        second.body
    );
    assert_eq!(job(&second), job(&first));
    run_out(&one).await;
    let third = other.post(&alert).await;
    assert_eq!(
        outcome(&third),
        (200, "ignored", "duplicate"),
        "{:?}",
        third.body
    );
    let captures = third.body["captures"].as_array().unwrap();
    assert!(
        captures.iter().all(|it| it["status"] == "completed"),
        "{captures:#?}"
    );
    assert_eq!(azure.captures_made().len(), 2);
    one.end().await;
    other.end().await;
}

#[tokio::test]
async fn an_alert_that_two_instances_get_at_once_is_captured_once() {
    let azure = Azure::start().await;
    let receiver = Receiver::start().await;
    let mut settings = durable(&azure, &[("PacketCapture__Name", "PSAzureFunction-{vm}")]);
    settings.extend(receiver.settings());
    let (one, other) = (
        instance(&azure, &settings).await,
        instance(&azure, &settings).await,
    );
    for machine in [samples::WEB_01, samples::WEB_02, samples::SQL_01] {
        let alert = common_alert(&[machine]);
        let both = (one.post_later(&alert), other.post_later(&alert));
        let (first, second) = (both.0.await.unwrap(), both.1.await.unwrap());
        let mut outcomes = [outcome(&first), outcome(&second)];
        outcomes.sort_unstable();
        assert_eq!(
            outcomes,
            [(200, "created", "-"), (200, "ignored", "duplicate")]
        );
        assert_eq!(job(&first), job(&second));
    }
    run_out(&one).await;
    assert_eq!(azure.captures_made().len(), 3);
    one.end().await;
    other.end().await;
    let events: Vec<String> = receiver
        .notices()
        .iter()
        .map(|it| it["data"]["event"].as_str().unwrap().to_owned())
        .collect();
    let count = |event: &str| events.iter().filter(|it| *it == event).count();
    assert_eq!(
        (count("created"), count("completed"), events.len()),
        (3, 3, 6),
        "{events:?}"
    );
}

#[tokio::test]
async fn a_cool_down_holds_at_all_instances_and_after_a_restart() {
    let azure = Azure::start().await;
    let settings = durable(&azure, &[("PacketCapture__CooldownSeconds", "3600")]);
    let (one, other) = (
        instance(&azure, &settings).await,
        instance(&azure, &settings).await,
    );
    let first = one.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(outcome(&first), (200, "created", "-"), "{:?}", first.body);
    let second = other.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(
        outcome(&second),
        (200, "ignored", "cooldown"),
        "{:?}",
        second.body
    );
    assert_eq!(incident(&second), incident(&first));
    run_out(&one).await;
    one.end().await;
    other.end().await;
    let restarted = instance(&azure, &settings).await;
    let third = restarted.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(
        outcome(&third),
        (200, "ignored", "cooldown"),
        "{:?}",
        third.body
    );
    assert_eq!(incident(&third), incident(&first));
    // Another machine is not cooling down.
    let sql = restarted.post(&common_alert(&[samples::SQL_01])).await;
    assert_eq!(outcome(&sql), (200, "created", "-"), "{:?}", sql.body);
    run_out(&restarted).await;
    restarted.end().await;
    assert_eq!(azure.captures_made().len(), 2);
    // All alerts joined the incident of their machine.
    let mut alerts: Vec<u32> = rows(&azure).await.iter().map(|row| row.alerts).collect();
    alerts.sort_unstable();
    assert_eq!(alerts, [1, 3]);
}

#[tokio::test]
async fn alerts_about_one_machine_are_one_incident() {
    for in_storage in [false, true] {
        let azure = Azure::start().await;
        let settings = match in_storage {
            true => durable(&azure, &[]),
            false => Vec::new(),
        };
        let world = instance(&azure, &settings).await;
        let first = world.post(&common_alert(&[samples::WEB_01])).await;
        let second = world.post(&common_alert(&[samples::WEB_01])).await;
        let other = world.post(&common_alert(&[samples::SQL_01])).await;
        assert_eq!(
            incident(&first),
            incident(&second),
            "in storage: {in_storage}"
        );
        assert_ne!(incident(&first), incident(&other));
        assert_eq!(azure.captures_made().len(), 2);
        world.end().await;
    }
}
