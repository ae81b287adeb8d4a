//! No job is without an end: whatever Azure keeps saying, a notification says what stood in the way, and Resource
//! Manager is not flooded meanwhile.

use crate::support::{
    azure::Azure,
    receiver::Receiver,
    world::{World, common_alert},
};
use alert_packet_capture::app::Pace;
use azure_sandbox::{
    Call, ExistingCapture, Fault, FaultBody, Oddity, SessionStatus, What, samples,
};
use serde_json::Value;
use std::time::Duration;
use time::{OffsetDateTime, macros::datetime};

const NAME: &str = "PSAzureFunction";

fn existing(
    target: &str,
    status: SessionStatus,
    started: Option<OffsetDateTime>,
    limit: i32,
) -> ExistingCapture {
    ExistingCapture {
        watcher: samples::WATCHER_WESTEUROPE.to_owned(),
        name: NAME.to_owned(),
        target: target.to_owned(),
        status,
        started,
        time_limit_seconds: limit,
        stop_reason: None,
    }
}

fn stale() -> ExistingCapture {
    let long_ago = OffsetDateTime::now_utc() - time::Duration::hours(1);
    existing(samples::WEB_01, SessionStatus::Stopped, Some(long_ago), 10)
}

/// A function whose deadlines pass in no time, beside the one second of its captures.
async fn impatient(azure: Azure, receiver: &Receiver, more: &[(&str, &str)]) -> World {
    let settings = receiver.settings();
    let mut settings: Vec<(&str, &str)> = settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    settings.push(("PacketCapture__TimeLimitInSeconds", "1"));
    settings.extend(more);
    let pace = Pace {
        create_within: Some(Duration::ZERO),
        start_within: Duration::ZERO,
        ..World::pace()
    };
    World::paced(azure, &settings, pace).await
}

/// The one notification of an alert that met this Azure.
async fn told(arrange: impl FnOnce(&Azure)) -> (World, Value) {
    let azure = Azure::start().await;
    arrange(&azure);
    let receiver = Receiver::start().await;
    let world = impatient(azure, &receiver, &[]).await;
    world.post(&common_alert(&[samples::WEB_01])).await;
    let failed = |event: &&Value| event["data"]["event"] == "failed";
    receiver
        .until(|events| events.iter().any(|event| failed(&event)))
        .await;
    let events = receiver.notices();
    let data = events.iter().find(failed).unwrap()["data"].clone();
    (world, data)
}

fn assert_told(data: &Value, code: &str, what: &str) {
    assert_eq!(data["failure"]["code"], code, "{data}");
    let message = data["message"].as_str().unwrap();
    assert!(message.contains(what), "{message}");
}

#[tokio::test]
async fn a_create_that_stays_in_progress_is_given_up() {
    let (world, data) = told(|_| {}).await;
    assert_told(
        &data,
        "StartDeadlineExceeded",
        "has not finished creating it",
    );
    world.end().await;
}

#[tokio::test]
async fn a_stale_capture_whose_deletion_never_ends_is_reported() {
    let (world, data) = told(|azure| azure.add_capture(stale())).await;
    assert_told(&data, "CreateDeadlineExceeded", "is being deleted");
    assert_eq!(world.count("PUT"), 0);
    world.end().await;
}

#[tokio::test]
async fn a_capture_that_is_listed_as_deleting_for_ever_is_reported() {
    let (world, data) = told(|azure| {
        azure.add_capture(stale());
        azure.delete_for_ever(samples::WATCHER_WESTEUROPE, NAME);
    })
    .await;
    assert_told(&data, "CreateDeadlineExceeded", "Azure is deleting");
    assert_eq!(world.count("DELETE"), 0);
    world.end().await;
}

/// A capture of tomorrow is no evidence of tonight, and people have to know tonight.
#[tokio::test]
async fn a_pause_of_a_day_that_azure_asks_for_ends_at_the_deadline() {
    let (world, data) = told(|azure| {
        azure.fault(Fault {
            on: Call::PutCapture,
            times: 1,
            what: What::Status {
                code: 429,
                retry_after: Some("86400".to_owned()),
                body: FaultBody::Empty,
            },
        });
    })
    .await;
    let what = "Last state: could not create the packet capture";
    assert_told(&data, "CreateDeadlineExceeded", what);
    assert_eq!(world.count("PUT"), 1, "{:?}", world.calls());
    world.end().await;
}

#[tokio::test]
async fn a_stop_that_azure_never_allows_is_given_up_in_its_own_words() {
    let (azure, receiver) = (Azure::start().await, Receiver::start().await);
    azure.be_odd(Oddity::StopConflicts);
    let more = [
        ("PacketCapture__StopOnResolved", "true"),
        ("JobQueue__MaxAttempts", "100"),
    ];
    let world = impatient(azure, &receiver, &more).await;
    let mut alert = common_alert(&[samples::WEB_01]);
    let fired = world.post(&alert).await;
    assert_eq!(fired.body["outcome"], "created", "{:?}", fired.body);
    world.azure.complete_operations();
    alert["data"]["essentials"]["monitorCondition"] = "Resolved".into();
    let resolved = world.post(&alert).await;
    assert_eq!(
        resolved.body["error"]["code"], "StopDeadlineExceeded",
        "{:?}",
        resolved.body
    );
    let message = resolved.body["error"]["message"].as_str().unwrap();
    assert!(message.contains("was not stopped within"), "{message}");
    world.run_out();
    world.end().await;
}

#[tokio::test]
async fn rounds_that_change_nothing_wait_ever_longer() {
    for oddity in [Oddity::StatusNotFound, Oddity::DeletesWithoutEffect] {
        let (world, data) = told(|azure| {
            azure.add_capture(stale());
            azure.be_odd(oddity);
        })
        .await;
        assert_eq!(data["failure"]["code"], "CreateDeadlineExceeded", "{data}");
        let rounds = world.count("GET packetCaptures");
        assert!(rounds <= 10, "{oddity:?}: {rounds} rounds in a second");
        world.end().await;
    }
}

#[tokio::test]
async fn a_stale_capture_that_is_deleted_at_once_costs_one_list() {
    let azure = Azure::start().await;
    azure.add_capture(stale());
    azure.be_odd(Oddity::DeletesAtOnce);
    let world = World::on(azure, &[]).await;
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    assert_eq!(world.count("GET packetCaptures"), 1);
    world.end().await;
}

#[tokio::test]
async fn a_capture_within_its_own_limit_is_joined_whatever_ours_is() {
    let minute_ago = OffsetDateTime::now_utc() - time::Duration::seconds(60);
    let azure = Azure::start().await;
    azure.add_capture(existing(
        samples::WEB_01,
        SessionStatus::Running,
        Some(minute_ago),
        300,
    ));
    let world = World::on(azure, &[]).await;
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.body["outcome"], "joined", "{:?}", reply.body);
    assert_eq!(world.count("DELETE"), 0);
    world.end().await;
}

#[tokio::test]
async fn an_impossible_start_deletes_nothing_and_blocks_nothing() {
    let tomorrow = OffsetDateTime::now_utc() + time::Duration::days(1);
    for started in [
        None,
        Some(datetime!(0001-01-01 00:00 UTC)),
        Some(datetime!(9999-12-31 23:59:59 UTC)),
        Some(tomorrow),
    ] {
        let azure = Azure::start().await;
        azure.add_capture(existing(
            samples::WEB_02,
            SessionStatus::Running,
            started,
            300,
        ));
        let world = World::on(azure, &[("PacketCapture__ReplyWaitSeconds", "0")]).await;
        let reply = world.post(&common_alert(&[samples::WEB_01])).await;
        assert_eq!(reply.body["outcome"], "accepted", "{started:?}");
        // It is checked again soon, and the new capture starts as soon as the other one has finished.
        let checked = |lines: &[String]| {
            lines
                .iter()
                .filter(|line| line.ends_with("queryStatus 202"))
                .count()
                >= 2
        };
        world.until(checked).await;
        assert_eq!(world.count("DELETE"), 0, "{started:?}");
        world.azure.finish_sessions();
        world
            .until(|lines| lines.iter().any(|line| line.starts_with("DELETE")))
            .await;
        world.azure.complete_operations();
        world
            .until(|lines| lines.iter().any(|line| line.starts_with("PUT")))
            .await;
        world.end().await;
    }
}

/// Of a capture that may take five hours, an early end is known within seconds, not at its time limit.
#[tokio::test]
async fn an_early_end_of_a_long_capture_is_reported_soon() {
    let (azure, receiver) = (Azure::start().await, Receiver::start().await);
    let settings = receiver.settings_for("completed,failed");
    let mut settings: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (&**n, &**v)).collect();
    settings.push(("PacketCapture__TimeLimitInSeconds", "18000"));
    let pace = Pace {
        first_look: Duration::from_millis(50),
        longest_look: Duration::MAX,
        ..World::pace()
    };
    let world = World::paced(azure, &settings, pace).await;
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    world.azure.complete_operations();
    world
        .until(|lines| lines.iter().any(|line| line.contains("queryStatus")))
        .await;
    let watcher = samples::WATCHER_WESTEUROPE;
    world
        .azure
        .finish_session_with(watcher, NAME, "Error", &["StorageFailed"]);
    receiver.until(|events| !events.is_empty()).await;
    let data = &receiver.notices()[0]["data"];
    assert_eq!(
        (&data["event"], &data["failure"]["code"]),
        (&"failed".into(), &"StorageFailed".into()),
        "{data}"
    );
    world.end().await;
}
