//! Until it is done and somebody knows: captures are followed to their end, and each alert ends in a notice.

use crate::{
    receiver::Receiver,
    world::{World, common_alert},
};
use azure_sandbox::{
    Call, ExistingCapture, Fault, FaultBody, Sandbox, SessionStatus, What, samples,
};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

const NAME: &str = "PSAzureFunction";
const WATCHER: &str = samples::WATCHER_WESTEUROPE;
const BY_MACHINE: (&str, &str) = ("PacketCapture__Name", "PSAzureFunction-{vm}");

/// An app and somebody whom it tells everything.
struct Story {
    world: World,
    told: Receiver,
}

impl Story {
    async fn with(settings: &[(&str, &str)]) -> Self {
        Self::on(World::azure().await, &[], settings).await
    }

    /// Once with the memory queue, once with the storage queue.
    async fn on_both(settings: &[(&str, &str)]) -> [Self; 2] {
        let (memory, storage) = (World::azure().await, World::azure().await);
        let queue = storage.queue_settings();
        [
            Self::on(memory, &[], settings).await,
            Self::on(storage, &queue, settings).await,
        ]
    }

    async fn on(azure: Sandbox, queue: &[(String, String)], settings: &[(&str, &str)]) -> Self {
        let told = Receiver::start().await;
        let receiver = told.settings();
        let all = receiver.iter().chain(queue);
        let mut all: Vec<(&str, &str)> = all.map(|(n, v)| (n.as_str(), v.as_str())).collect();
        all.extend(settings);
        let world = World::on(azure, &all).await;
        Self { world, told }
    }

    /// An alert that is created on this machine.
    async fn capture(&self, vm: &str) {
        let reply = self.world.post(&common_alert(&[vm])).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    }

    /// The last notice, once so many came.
    async fn notice(&self, number: usize) -> Value {
        self.told.until(|notices| notices.len() >= number).await;
        let mut notices = self.told.notices();
        assert_eq!(notices.len(), number, "{notices:#?}");
        notices.remove(number - 1)
    }

    fn names(&self) -> Vec<String> {
        let captures = self.world.azure.captures(WATCHER);
        captures.into_iter().map(|capture| capture.name).collect()
    }

    async fn until_called(&self, start: &str, times: usize) {
        let seen = |lines: &[String]| lines.iter().filter(|it| it.starts_with(start)).count();
        self.world.until(|lines| seen(lines) >= times).await;
    }
}

fn existing(name: &str, target: &str, days: i64) -> ExistingCapture {
    ExistingCapture {
        watcher: WATCHER.to_owned(),
        name: name.to_owned(),
        target: target.to_owned(),
        status: SessionStatus::Stopped,
        started: Some(OffsetDateTime::now_utc() - Duration::days(days)),
        time_limit_seconds: 10,
        stop_reason: Some("TimeExceeded".to_owned()),
    }
}

fn event(notice: &Value) -> (&str, &str) {
    let text = |value: &'static str| notice["data"][value].as_str().unwrap_or_default();
    (text("event"), text("message"))
}

#[tokio::test]
async fn a_capture_is_followed_to_its_end_and_told() {
    for story in Story::on_both(&[]).await {
        story.capture(samples::WEB_01).await;
        let created = story.notice(1).await;
        assert_eq!(event(&created).0, "created");
        story.world.run_out();
        let notice = story.notice(2).await;
        let (event, message) = event(&notice);
        assert_eq!(event, "completed", "{message}");
        assert!(message.contains("TimeExceeded"), "{message}");
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
async fn a_failed_capture_reads_stopped_and_is_told_as_failed() {
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
async fn a_create_that_azure_accepts_and_then_fails_is_told() {
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
async fn who_joins_a_capture_is_told_of_its_end_too() {
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
async fn what_is_skipped_or_refused_is_told() {
    let story = Story::with(&[("PacketCapture__Limit", "1")]).await;
    story
        .world
        .azure
        .add_capture(existing("somebody-else", samples::WEB_02, 3));
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
async fn a_session_that_somebody_deletes_is_told_by_when_that_was() {
    let story = Story::with(&[("PacketCapture__TimeLimitInSeconds", "600")]).await;
    story.capture(samples::WEB_01).await;
    story.world.azure.complete_operations();
    story.until_called("POST packetCaptures", 1).await;
    story.world.azure.remove_capture(WATCHER, NAME);
    let notice = story.notice(2).await;
    let (what, message) = event(&notice);
    assert_eq!(what, "failed");
    assert!(message.contains("deleted by somebody"), "{message}");
    assert!(message.contains(".cap"), "{message}");
    story.world.end().await;
}

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
async fn a_session_of_ours_goes_after_the_notice_where_that_is_wished() {
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
    // Nobody can be told for a while, and meanwhile the next alert takes the name.
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
    azure.add_capture(existing("PSAzureFunction-old-00000001", samples::WEB_02, 1));
    azure.add_capture(existing(
        "PSAzureFunction-older-00000002",
        samples::WEB_02,
        2,
    ));
    azure.add_capture(existing("somebody-else", samples::WEB_02, 9));
    let posted = story.world.post_later(&common_alert(&[samples::WEB_01]));
    story.until_called("DELETE packetCaptures", 1).await;
    azure.complete_operations();
    let reply = posted.await.unwrap();
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    let names = story.names();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names.contains(&"PSAzureFunction-old-00000001".to_owned()));
    assert!(names.contains(&"somebody-else".to_owned()));
    story.world.run_out();
    story.notice(2).await;
    story.world.end().await;
}

#[tokio::test]
async fn without_a_finished_one_of_ours_the_limit_holds() {
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
    // Nothing runs any more: the next one finds nothing, and nobody is bothered with that.
    alert["data"]["essentials"]["alertId"] = "another".into();
    let again = story.world.post(&alert).await;
    assert_eq!(again.body["outcome"], "ignored", "{:?}", again.body);
    assert_eq!(again.body["reason"], "resolved");
    assert_eq!(story.told.notices().len(), 2);
    story.world.end().await;
}

#[tokio::test]
async fn a_receiver_that_is_down_for_a_while_hears_of_it_once() {
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
