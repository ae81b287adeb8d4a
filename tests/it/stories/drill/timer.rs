//! The host's timer makes the drills of the night.

use super::*;

/// What the host posts when the timer is due.
fn due() -> Value {
    json!({
        "Data": { "timer": {
            "Schedule": { "AdjustForDST": true }, "ScheduleStatus": null, "IsPastDue": false,
        }},
        "Metadata": { "sys": { "MethodName": "PacketCaptureDrill", "UtcNow": "2026-11-28T02:30:00.1234560Z" } },
    })
}

#[tokio::test]
async fn the_timer_makes_a_drill_on_each_machine_that_is_set() {
    let targets = format!("{}, {}", samples::WEB_01, samples::SQL_01);
    let story = Story::with(&[("Readiness__DrillTargets", &targets)]).await;
    let body = due();
    let answer = story.world.post_to("/PacketCaptureDrill", &body);
    let mut answer = Box::pin(answer);
    let mut calls = story.world.azure.subscribe();
    let reply = loop {
        story.world.run_out();
        tokio::select! {
            reply = &mut answer => break reply,
            _ = tokio::time::timeout(Duration::from_millis(20), calls.recv()) => {}
        }
    };
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.body["Logs"][0], "2 of 2 drills completed",
        "{:?}",
        reply.body
    );
    assert!(reply.body["Outputs"].is_object());
    drop(answer);
    let completed = |notices: &[Value]| {
        let mut targets: Vec<String> = notices
            .iter()
            .filter(|it| it["data"]["event"] == "completed" && it["data"]["drill"] == true)
            .map(|it| it["subject"].to_string())
            .collect();
        targets.sort();
        targets.dedup();
        targets.len() == 2
    };
    story.receiver.until(completed).await;
    story.world.end().await;
}

#[tokio::test]
async fn a_timer_without_machines_does_nothing() {
    let story = Story::with(&[]).await;
    let reply = story.world.post_to("/PacketCaptureDrill", &due()).await;
    assert_eq!(reply.status, 200);
    assert!(
        reply.body["Logs"][0]
            .as_str()
            .unwrap()
            .contains("Readiness__DrillTargets")
    );
    assert!(story.world.calls().is_empty());
    story.world.end().await;
}
