//! Which finished sessions are deleted, which ones stay, and which are stopped.

use super::*;

#[tokio::test]
async fn machines_have_captures_of_their_own_where_the_name_says_so() {
    let story = Story::with(&[BY_MACHINE]).await;
    let both = [samples::WEB_01, samples::WEB_02];
    let reply = story.world.post(&common_alert(&both)).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    let mut names = story.names();
    names.sort();
    assert_eq!(names.len(), 2);
    assert!(names[0].starts_with("PSAzureFunction-web-01-"), "{names:?}");
    assert!(names[1].starts_with("PSAzureFunction-web-02-"), "{names:?}");
    story.world.run_out();
    story.notice(4).await;
    story.world.end().await;
}

#[tokio::test]
async fn a_created_session_is_removed_after_its_notification_if_set() {
    for story in Story::on_both(&[
        BY_MACHINE,
        ("PacketCapture__RemoveFinished", "after_notice"),
    ])
    .await
    {
        let foreign = existing("PSAzureFunction", samples::WEB_02, 1);
        story.world.azure.add_capture(foreign);
        story.capture(samples::WEB_01).await;
        story.world.run_out();
        story.notice(2).await;
        story.until_called("DELETE packetCaptures", 1).await;
        story.world.azure.complete_operations();
        assert_eq!(story.names(), ["PSAzureFunction"], "another's stays");
        story.world.end().await;
    }
}

#[tokio::test]
async fn another_alerts_capture_in_its_place_stays() {
    let story = Story::with(&[("PacketCapture__RemoveFinished", "after_notice")]).await;
    let events = story.told.clone();
    story.capture(samples::WEB_01).await;
    story.notice(1).await;
    // The receiver is down for a while, and meanwhile the next alert takes the name.
    events.down(3);
    story.world.run_out();
    events.until_came(2).await;
    let second = story.world.post_later(&common_alert(&[samples::WEB_01]));
    story.until_called("DELETE packetCaptures", 1).await;
    story.world.azure.complete_operations();
    let reply = second.await.unwrap();
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    story.world.azure.complete_operations();
    let completed = |notices: &[Value]| notices.iter().any(|it| event(it).0 == "completed");
    events.until(completed).await;
    assert_eq!(story.names(), [NAME]);
    story.world.azure.finish_sessions();
    let both = |notices: &[Value]| {
        notices
            .iter()
            .filter(|it| event(it).0 == "completed")
            .count()
            == 2
    };
    events.until(both).await;
    story.world.end().await;
}

#[tokio::test]
async fn the_oldest_of_our_finished_sessions_makes_room() {
    let settings = [
        BY_MACHINE,
        ("PacketCapture__RemoveFinished", "to_make_room"),
        ("PacketCapture__Limit", "3"),
    ];
    let story = Story::with(&settings).await;
    let azure = &story.world.azure;
    let name = |id: &str| {
        let target = Target::of(id.parse().unwrap()).unwrap();
        let template = CaptureName::parse("PSAzureFunction-{vm}").unwrap();
        template.of(&target, None)
    };
    let (old, older) = (name(samples::WEB_02), name(samples::SQL_01));
    // Eight digits at the end look like a hash; the target's own hash is another one.
    let look_alike = "PSAzureFunction-incident-20261120";
    azure.add_capture(existing(&old, samples::WEB_02, 1));
    azure.add_capture(existing(&older, samples::SQL_01, 2));
    azure.add_capture(existing(look_alike, samples::WEB_02, 9));
    let posted = story.world.post_later(&common_alert(&[samples::WEB_01]));
    story.until_called("DELETE packetCaptures", 1).await;
    azure.complete_operations();
    let reply = posted.await.unwrap();
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    let names = story.names();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names.contains(&old) && !names.contains(&older), "{names:?}");
    assert!(names.contains(&look_alike.to_owned()), "{names:?}");
    story.world.run_out();
    story.notice(2).await;
    story.world.end().await;
}

#[tokio::test]
async fn without_a_finished_session_of_this_function_the_limit_holds() {
    let settings = [
        ("PacketCapture__RemoveFinished", "to_make_room"),
        ("PacketCapture__Limit", "1"),
    ];
    let story = Story::with(&settings).await;
    let foreign = existing("PSAzureFunction-web-02", samples::WEB_02, 9);
    story.world.azure.add_capture(foreign);
    let reply = story.world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.body["outcome"], "skipped", "{:?}", reply.body);
    assert_eq!(story.world.count("DELETE"), 0);
    story.world.end().await;
}

#[tokio::test]
async fn a_resolved_alert_stops_its_capture_where_that_is_wished() {
    let story = Story::with(&[("PacketCapture__StopOnResolved", "true")]).await;
    let mut alert = common_alert(&[samples::WEB_01]);
    let fired = story.world.post(&alert).await;
    assert_eq!(fired.body["outcome"], "created", "{:?}", fired.body);
    story.world.azure.complete_operations();
    story.until_called("POST packetCaptures", 1).await;
    alert["data"]["essentials"]["monitorCondition"] = "Resolved".into();
    let resolved = story.world.post(&alert).await;
    assert_eq!(resolved.body["outcome"], "stopped", "{:?}", resolved.body);
    assert_eq!(resolved.status, 200);
    story.world.azure.complete_operations();
    let notice = story.notice(2).await;
    assert_eq!(event(&notice).0, "completed");
    assert_eq!(notice["data"]["capture"]["stopReason"], "Manual");
    // Nothing runs any more: the next one finds nothing, and sends no notification of that.
    alert["data"]["essentials"]["alertId"] = "another".into();
    let again = story.world.post(&alert).await;
    assert_eq!(again.body["outcome"], "ignored", "{:?}", again.body);
    assert_eq!(again.body["reason"], "resolved");
    assert_eq!(story.told.notices().len(), 2);
    story.world.end().await;
}
