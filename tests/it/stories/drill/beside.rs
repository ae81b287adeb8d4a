//! A drill beside real alerts: none joins the other, and an alert finds room, budget and a machine that has not cooled down.

use super::*;
use alert_packet_capture::{alert::Target, capture::CaptureName};
use azure_sandbox::{ExistingCapture, SessionStatus};

fn status(reply: &Reply) -> (&str, &str) {
    let text = |name: &str| reply.body[name].as_str().unwrap_or("-");
    (text("outcome"), text("reason"))
}

fn incident(reply: &Reply) -> &str {
    reply.body["captures"][0]["incidentId"].as_str().unwrap()
}

#[tokio::test]
async fn an_alert_during_a_drill_is_captured_as_without_it() {
    let story = Story::with(&[
        ("PacketCapture__CooldownSeconds", "3600"),
        ("Budget__CapturesPerHour", "1"),
        ("Budget__CapturesPerMachinePerDay", "1"),
        ("PacketCapture__AllowedRules", "tcp-*"),
    ])
    .await;
    let before = story.start(samples::WEB_01).await;
    assert_eq!(status(&before), ("created", "-"), "{:?}", before.body);
    let alert = story.world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(status(&alert), ("created", "-"), "{:?}", alert.body);
    assert_eq!(alert.body["captures"][0]["name"], "PSAzureFunction");
    assert_ne!(incident(&alert), incident(&before));
    let (drill, _) = story.end_of(&before).await;
    assert!(
        matches!(drill.verdict, Verdict::Passed { .. }),
        "{drill:#?}"
    );
    // Its capture was made and counts; that of the drill does not.
    let again = story.world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(status(&again), ("ignored", "cooldown"), "{:?}", again.body);
    // A drill after it is not held back, and joins nothing.
    let after = story.start(samples::WEB_01).await;
    assert_eq!(status(&after), ("created", "-"), "{:?}", after.body);
    assert_ne!(incident(&after), incident(&alert));
    let (drill, _) = story.end_of(&after).await;
    assert!(
        matches!(drill.verdict, Verdict::Passed { .. }),
        "{drill:#?}"
    );
    // The session of the alert's capture stays, as it is configured.
    let left = story.world.azure.captures(samples::WATCHER_WESTEUROPE);
    let left: Vec<&str> = left.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(left, ["PSAzureFunction"]);
    story.world.end().await;
}

#[tokio::test]
async fn a_drill_leaves_the_last_place_to_an_alert() {
    let story = Story::with(&[("PacketCapture__Limit", "2")]).await;
    story.world.azure.add_capture(ExistingCapture {
        watcher: samples::WATCHER_WESTEUROPE.to_owned(),
        name: "of-another-team".to_owned(),
        target: samples::WEB_02.to_owned(),
        status: SessionStatus::Stopped,
        started: None,
        time_limit_seconds: 10,
        stop_reason: None,
    });
    let (drill, _) = story.drill(samples::WEB_01).await;
    let Verdict::Failed { step, cause, .. } = &drill.verdict else {
        panic!("{drill:#?}")
    };
    assert_eq!(*step, "create");
    assert!(
        cause.contains("a drill leaves the last place to an alert"),
        "{cause}"
    );
    let alert = story.world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(status(&alert), ("created", "-"), "{:?}", alert.body);
    story.world.run_out();
    story.world.end().await;
}

#[tokio::test]
async fn a_drill_deletes_nothing_that_no_drill_made() {
    let story = Story::with(&[
        ("PacketCapture__RemoveFinished", "to_make_room"),
        ("PacketCapture__Limit", "3"),
    ])
    .await;
    // A capture of an alert that has ended: an alert would delete it to make room, or since it has the name.
    let alert = story.world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(status(&alert), ("created", "-"));
    story.world.run_out();
    story
        .receiver
        .until(|notices| notices.iter().any(|it| it["data"]["event"] == "completed"))
        .await;
    // What a drill left that was killed; the next one of this machine takes its place.
    let (first, _) = story.drill(samples::WEB_01).await;
    assert!(
        matches!(first.verdict, Verdict::Passed { .. }),
        "{first:#?}"
    );
    let deletes = story.world.count("DELETE packetCaptures/");
    assert_eq!(deletes, 1, "{:#?}", story.world.calls());
    let of_drills = |call: &Call| call.short.starts_with("packetCaptures/apc-drill-web-01-");
    let journal = story.world.azure.journal();
    assert!(
        journal
            .iter()
            .filter(|it| it.method == "DELETE")
            .all(of_drills)
    );
    story.world.end().await;
}

#[tokio::test]
async fn a_capture_of_another_machine_with_a_drill_s_name_is_left_alone() {
    let story = Story::with(&[]).await;
    let web = Target::of(samples::WEB_01.parse().unwrap()).unwrap();
    let name = CaptureName::of_drills().of(&web, None);
    story.world.azure.add_capture(ExistingCapture {
        watcher: samples::WATCHER_WESTEUROPE.to_owned(),
        name: name.clone(),
        target: samples::WEB_02.to_owned(),
        status: SessionStatus::Stopped,
        started: None,
        time_limit_seconds: 10,
        stop_reason: None,
    });
    let (drill, incident) = story.drill(samples::WEB_01).await;
    assert!(
        matches!(drill.verdict, Verdict::Failed { .. }),
        "{drill:#?}"
    );
    let report = &incident["entries"][0]["report"];
    assert_eq!(report["reason"], "drill_name_taken", "{report:#}");
    let left = story.world.azure.captures(samples::WATCHER_WESTEUROPE);
    assert_eq!(left[0].name, name);
    story.world.end().await;
}
