//! Each job ends in one notification, whatever happened to its capture.

use super::*;

#[tokio::test]
async fn a_capture_is_followed_to_its_end_and_reported() {
    for story in Story::on_both(&[]).await {
        story.capture(samples::WEB_01).await;
        let created = story.notice(1).await;
        assert_eq!(event(&created).0, "created");
        story.world.run_out();
        let notice = story.notice(2).await;
        let (event, message) = event(&notice);
        assert_eq!(event, "completed", "{message}");
        assert!(message.contains("time limit reached"), "{message}");
        let data = &notice["data"];
        assert_eq!(data["jobId"], created["data"]["jobId"]);
        assert_eq!(data["alert"]["rule"], "tcp-burst");
        let capture = &data["capture"];
        assert!(
            capture["storagePath"].as_str().unwrap().ends_with(".cap"),
            "{data}"
        );
        for time in ["beganAt", "endedAt"] {
            assert!(capture[time].is_string(), "{time}: {data}");
        }
        assert!(
            data["links"]["target"]
                .as_str()
                .unwrap()
                .contains(samples::WEB_01)
        );
        assert_eq!(story.names(), [NAME], "the session stays listed by default");
        story.world.end().await;
    }
}

#[tokio::test]
async fn a_capture_of_five_hours_is_followed_as_well() {
    let story = Story::with(&[("PacketCapture__TimeLimitInSeconds", "18000")]).await;
    story.capture(samples::WEB_01).await;
    story.world.azure.complete_operations();
    story.until_called("POST packetCaptures", 2).await;
    assert_eq!(story.told.notices().len(), 1, "it is still running");
    story.world.azure.finish_sessions();
    assert_eq!(event(&story.notice(2).await).0, "completed");
    story.world.end().await;
}

#[tokio::test]
async fn a_failed_capture_reads_stopped_and_is_reported_as_failed() {
    for story in Story::on_both(&[]).await {
        story.capture(samples::WEB_01).await;
        let azure = &story.world.azure;
        azure.complete_operations();
        azure.finish_session_with(
            WATCHER,
            NAME,
            "Error",
            &["LocalFileFailed", "StorageFailed"],
        );
        let notice = story.notice(2).await;
        assert_eq!(event(&notice).0, "failed");
        let data = &notice["data"];
        assert_eq!(data["failure"]["code"], "LocalFileFailed");
        let errors = data["capture"]["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 2);
        assert!(
            errors[1].as_str().unwrap().contains("shared keys"),
            "{errors:?}"
        );
        story.world.end().await;
    }
}

#[tokio::test]
async fn a_create_that_azure_accepts_and_then_fails_is_reported() {
    let story = Story::with(&[]).await;
    story
        .world
        .azure
        .fail_next_operation("InternalServerError", "An error occurred.");
    story.capture(samples::WEB_01).await;
    story.world.azure.complete_operations();
    let notice = story.notice(2).await;
    assert_eq!(event(&notice).0, "failed");
    assert_eq!(notice["data"]["failure"]["code"], "InternalServerError");
    story.world.end().await;
}

#[tokio::test]
async fn who_joins_a_capture_is_notified_of_its_end_too() {
    let story = Story::with(&[]).await;
    story.capture(samples::WEB_01).await;
    let joined = story.world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(joined.body["outcome"], "joined");
    story.world.run_out();
    story.notice(3).await;
    let mut told: Vec<(Value, Value)> = story.told.notices()[1..]
        .iter()
        .map(|notice| {
            (
                notice["data"]["event"].clone(),
                notice["data"]["joined"].clone(),
            )
        })
        .collect();
    told.sort_by_key(|(_, joined)| joined.as_bool());
    let completed = Value::from("completed");
    assert_eq!(
        told,
        [(completed.clone(), false.into()), (completed, true.into())]
    );
    assert_eq!(story.world.count("PUT packetCaptures"), 1);
    story.world.end().await;
}

#[tokio::test]
async fn what_is_skipped_or_refused_is_reported() {
    let story = Story::with(&[("PacketCapture__Limit", "1")]).await;
    story
        .world
        .azure
        .add_capture(existing("another-program", samples::WEB_02, 3));
    story.world.post(&common_alert(&[samples::WEB_01])).await;
    let notice = story.notice(1).await;
    let (what, message) = event(&notice);
    assert_eq!(what, "skipped");
    assert!(message.contains("PacketCapture__Limit"), "{message}");
    let write = "Microsoft.Network/networkWatchers/packetCaptures/write";
    story.world.azure.deny(write);
    story.world.post(&common_alert(&[samples::SQL_01])).await;
    let notice = story.notice(2).await;
    let (what, message) = event(&notice);
    assert_eq!(what, "failed");
    assert!(message.contains(write), "{message}");
    assert_eq!(notice["data"]["failure"]["code"], "AuthorizationFailed");
    assert!(notice["data"]["failure"]["requestId"].is_string());
    story.world.end().await;
}

#[tokio::test]
async fn a_look_that_fails_is_repeated() {
    let story = Story::with(&[]).await;
    story.capture(samples::WEB_01).await;
    story.world.azure.fault(Fault {
        on: Call::QueryStatus,
        times: 6,
        what: What::Status {
            code: 500,
            retry_after: None,
            body: FaultBody::Html,
        },
    });
    story.world.run_out();
    assert_eq!(event(&story.notice(2).await).0, "completed");
    story.world.end().await;
}

#[tokio::test]
async fn a_deleted_session_is_reported_by_when_that_was() {
    let story = Story::with(&[("PacketCapture__TimeLimitInSeconds", "600")]).await;
    story.capture(samples::WEB_01).await;
    story.world.azure.complete_operations();
    story.until_called("POST packetCaptures", 1).await;
    story.world.azure.remove_capture(WATCHER, NAME);
    let notice = story.notice(2).await;
    let (what, message) = event(&notice);
    assert_eq!(what, "failed");
    assert_eq!(notice["data"]["failure"]["code"], "SessionRemoved");
    assert!(message.contains("deleted by another user"), "{message}");
    assert!(message.contains(".cap"), "{message}");
    story.world.end().await;
}

#[tokio::test]
async fn a_receiver_that_is_down_for_a_while_is_notified_once() {
    for story in Story::on_both(&[]).await {
        story.capture(samples::WEB_01).await;
        story.notice(1).await;
        story.told.down(3);
        story.world.run_out();
        assert_eq!(event(&story.notice(2).await).0, "completed");
        assert_eq!(story.told.came(), 5);
        assert_eq!(story.world.count("PUT packetCaptures"), 1);
        story.world.end().await;
    }
}

/// Azure says that the session ended with an error and names none.
#[tokio::test]
async fn an_error_without_a_name_is_reported_as_capture_failed() {
    let story = Story::with(&[]).await;
    story.capture(samples::WEB_01).await;
    story.world.azure.complete_operations();
    story
        .world
        .azure
        .finish_session_with(WATCHER, NAME, "Error", &[]);
    let notice = story.notice(2).await;
    assert_eq!(event(&notice).0, "failed");
    assert_eq!(notice["data"]["failure"]["code"], "CaptureFailed");
    story.world.end().await;
}
