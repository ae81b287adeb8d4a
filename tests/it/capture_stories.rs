//! From an alert to a capture: the usual course, and what lies in the way.

use crate::world::{World, classic_alert, common_alert};
use azure_sandbox::{
    Call, ExistingCapture, Fault, FaultBody, Options, SessionStatus, What, samples,
};
use time::{Duration, OffsetDateTime};

const PUT: &str = "PUT packetCaptures/PSAzureFunction";

fn existing(
    target: &str,
    status: SessionStatus,
    started: Option<OffsetDateTime>,
) -> ExistingCapture {
    ExistingCapture {
        watcher: samples::WATCHER_WESTEUROPE.to_owned(),
        name: "psazurefunction".to_owned(),
        target: target.to_owned(),
        status,
        started,
        time_limit_seconds: 10,
        stop_reason: None,
    }
}

fn ago(seconds: f64) -> Option<OffsetDateTime> {
    Some(OffsetDateTime::now_utc() - Duration::seconds_f64(seconds))
}

#[tokio::test]
async fn a_classic_alert_becomes_a_capture() {
    let world = World::start().await;
    let reply = world
        .post(&classic_alert(samples::WEB_01, "West Europe"))
        .await;
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    assert_eq!(reply.headers["content-type"], "application/json");
    assert_eq!(reply.body["outcome"], "created");
    assert_eq!(reply.body["message"], "Packet capture created on web-01");
    assert_eq!(reply.body["alert"]["schema"], "classic");
    assert_eq!(reply.body["alert"]["region"], "westeurope");
    let entry = &reply.body["captures"][0];
    assert_eq!(entry["status"], "created");
    assert_eq!(entry["name"], "PSAzureFunction");
    assert!(entry["storagePath"].as_str().unwrap().ends_with(".cap"));
    let captures = world.azure.captures(samples::WATCHER_WESTEUROPE);
    assert_eq!(captures.len(), 1);
    assert_eq!(captures[0].time_limit_seconds, 10);
    world.end().await;
}

#[tokio::test]
async fn a_cold_alert_asks_for_the_region_and_a_warm_one_takes_two_calls() {
    let world = World::start().await;
    let cold = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(cold.body["outcome"], "created", "{:?}", cold.body);
    let mut calls: Vec<String> = world.calls();
    calls.retain(|line| !line.contains("operation"));
    // These two go out side by side.
    calls[..2].sort();
    let expected = [
        "GET networkWatchers 200",
        "GET virtualMachines/web-01 200",
        "GET packetCaptures 200",
        "PUT packetCaptures/PSAzureFunction 201",
    ];
    assert_eq!(calls, expected);
    let before = world.calls().len();
    let warm = world
        .post(&classic_alert(samples::SQL_01, "northeurope"))
        .await;
    assert_eq!(warm.body["outcome"], "created", "{:?}", warm.body);
    let mut calls = world.calls().split_off(before);
    calls.retain(|line| !line.contains("operation"));
    assert_eq!(calls, expected[2..]);
    world.end().await;
}

#[tokio::test]
async fn the_connection_is_open_before_the_first_alert() {
    let world = World::start().await;
    world
        .until(|lines| {
            lines
                .iter()
                .any(|line| line == "GET metadata/endpoints 200")
        })
        .await;
    let asked = world.azure.journal();
    let asked = asked.iter().find(|entry| entry.short.contains("endpoints"));
    assert!(!asked.unwrap().authorized, "it needs no token");
    world.end().await;
}

/// Each machine has a capture of its own, so a burst of alerts needs the list once.
#[tokio::test]
async fn a_list_that_was_just_read_is_enough_for_the_next_machine() {
    let world = World::with(&[("PacketCapture__Name", "PSAzureFunction-{vm}")]).await;
    let targets = [samples::WEB_01, samples::WEB_02];
    let reply = world.post(&common_alert(&targets)).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    assert_eq!(world.count("GET packetCaptures 200"), 1);
    assert_eq!(world.count("PUT packetCaptures/"), 2);
    assert_eq!(world.azure.captures(samples::WATCHER_WESTEUROPE).len(), 2);
    world.end().await;
}

/// A list that is not from this moment may start a capture, never refuse one: that takes a look.
#[tokio::test]
async fn a_remembered_list_refuses_nothing() {
    let world = World::with(&[
        ("PacketCapture__Name", "PSAzureFunction-{vm}"),
        ("PacketCapture__Limit", "1"),
    ])
    .await;
    let targets = [samples::WEB_01, samples::WEB_02];
    let reply = world.post(&common_alert(&targets)).await;
    let statuses = [0, 1].map(|n| reply.body["captures"][n]["status"].clone());
    assert!(statuses.contains(&"created".into()) && statuses.contains(&"skipped".into()));
    assert_eq!(world.count("GET packetCaptures 200"), 2);
    assert_eq!(world.count("PUT packetCaptures/"), 1);
    world.end().await;
}

/// Somebody else fills the watcher within the second: Azure says so, and so does the answer.
#[tokio::test]
async fn a_remembered_list_that_is_out_of_date_is_read_again() {
    let world = World::with(&[
        ("PacketCapture__Name", "PSAzureFunction-{vm}"),
        ("PacketCapture__Limit", "3"),
    ])
    .await;
    let full = What::arm_error(400, "PacketCaptureCountLimitReached", "no room");
    let first = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(first.body["outcome"], "created", "{:?}", first.body);
    for name in ["theirs-1", "theirs-2"] {
        world.azure.add_capture(ExistingCapture {
            name: name.to_owned(),
            ..existing(samples::WEB_02, SessionStatus::Running, ago(1.0))
        });
    }
    world.azure.fault(Fault {
        on: Call::PutCapture,
        times: 1,
        what: full,
    });
    let second = world
        .post(&classic_alert(samples::WEB_02, "westeurope"))
        .await;
    assert_eq!(second.body["outcome"], "skipped", "{:?}", second.body);
    assert_eq!(world.count("PUT packetCaptures/"), 2);
    world.end().await;
}

/// The capture in the way stands at the end of a list of several pages, the first of which breaks off once.
#[tokio::test]
async fn a_long_list_is_read_to_its_end() {
    let options = Options {
        capture_page_size: Some(3),
        ..Options::default()
    };
    let world = World::furnished(options, &[]).await;
    for n in 0..7 {
        world.azure.add_capture(ExistingCapture {
            name: format!("theirs-{n}"),
            ..existing(samples::WEB_02, SessionStatus::Stopped, ago(9000.0))
        });
    }
    world
        .azure
        .add_capture(existing(samples::WEB_01, SessionStatus::Running, ago(3.0)));
    world.azure.fault(Fault {
        on: Call::ListCaptures,
        times: 1,
        what: What::Status {
            code: 200,
            retry_after: None,
            body: FaultBody::TruncatedJson,
        },
    });
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.body["outcome"], "joined", "{:?}", reply.body);
    assert_eq!(world.count("GET packetCaptures 200"), 4);
    world.end().await;
}

#[tokio::test]
async fn a_stale_capture_is_removed_first() {
    let world = World::start().await;
    world.azure.add_capture(existing(
        samples::WEB_02,
        SessionStatus::Stopped,
        ago(9000.0),
    ));
    let posted = world.post_later(&common_alert(&[samples::WEB_01]));
    world
        .until(|lines| lines.iter().any(|line| line.starts_with("GET operation")))
        .await;
    assert_eq!(
        world.count(PUT),
        0,
        "nothing is created while the old one is still there"
    );
    world.azure.complete_operations();
    let reply = posted.await.unwrap();
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    let captures = world.azure.captures(samples::WATCHER_WESTEUROPE);
    assert_eq!(captures.len(), 1);
    assert!(captures[0].target.eq_ignore_ascii_case(samples::WEB_01));
    world.end().await;
}

#[tokio::test]
async fn a_fresh_capture_of_the_same_machine_is_joined() {
    let world = World::start().await;
    world
        .azure
        .add_capture(existing(samples::WEB_01, SessionStatus::Running, ago(3.0)));
    let reply = world
        .post(&common_alert(&[&samples::WEB_01.to_uppercase()]))
        .await;
    assert_eq!(
        (reply.status, &reply.body["outcome"]),
        (200, &"joined".into()),
        "{:?}",
        reply.body
    );
    assert_eq!(world.count("DELETE") + world.count("PUT"), 0);
    world.end().await;
}

#[tokio::test]
async fn evidence_of_another_machine_is_waited_for() {
    let world = World::with(&[("PacketCapture__ReplyWaitSeconds", "0")]).await;
    // It is overdue in half a second: until then it is evidence, after that it is stale.
    world
        .azure
        .add_capture(existing(samples::WEB_02, SessionStatus::Running, ago(39.5)));
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(
        (reply.status, &reply.body["outcome"]),
        (202, &"accepted".into()),
        "{:?}",
        reply.body
    );
    world
        .until(|lines| lines.iter().any(|line| line.contains("queryStatus")))
        .await;
    assert_eq!(world.count("DELETE"), 0);
    world
        .until(|lines| lines.iter().any(|line| line.starts_with("DELETE")))
        .await;
    assert_eq!(world.count("POST packetCaptures"), 2);
    world.azure.complete_operations();
    world
        .until(|lines| lines.iter().any(|line| line.starts_with(PUT)))
        .await;
    world.end().await;
}

#[tokio::test]
async fn the_limit_is_never_silent() {
    let world = World::with(&[("PacketCapture__Limit", "2")]).await;
    for name in ["left-1", "left-2"] {
        world.azure.add_capture(ExistingCapture {
            name: name.to_owned(),
            ..existing(samples::WEB_02, SessionStatus::Stopped, ago(9000.0))
        });
    }
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(
        (reply.status, &reply.body["outcome"]),
        (200, &"skipped".into())
    );
    assert_eq!(reply.body["reason"], "capture_limit_reached");
    let message = reply.body["message"].as_str().unwrap();
    assert!(
        message.contains("lists 2 captures") && message.contains("PacketCapture__Limit"),
        "{message}"
    );
    assert_eq!(world.count("PUT") + world.count("DELETE"), 0);
    world.end().await;
}

#[tokio::test]
async fn a_resolved_alert_calls_nobody() {
    let world = World::start().await;
    let mut alert = common_alert(&[samples::WEB_01]);
    alert["data"]["essentials"]["monitorCondition"] = "Resolved".into();
    let reply = world.post(&alert).await;
    assert_eq!(
        (reply.status, &reply.body["outcome"]),
        (200, &"ignored".into())
    );
    assert_eq!(reply.body["reason"], "resolved");
    assert!(world.calls().is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_region_without_a_network_watcher_is_named() {
    let world = World::start().await;
    let machine = format!("{}-far", samples::WEB_01);
    world.azure.add_vm(&machine, "westeurope3");
    let reply = world.post(&common_alert(&[&machine])).await;
    assert_eq!(reply.status, 502);
    assert_eq!(reply.body["error"]["code"], "NetworkWatcherNotFound");
    let message = reply.body["error"]["message"].as_str().unwrap();
    assert!(message.contains("--locations westeurope3"), "{message}");
    // Enabled since: the next alert finds it, although the list was remembered.
    let watcher = samples::WATCHER_WESTEUROPE.replace("westeurope", "westeurope3");
    world.azure.add_watcher(&watcher, "West Europe 3");
    let reply = world.post(&common_alert(&[&machine])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    world.end().await;
}

#[tokio::test]
async fn two_alerts_at_the_same_moment_do_not_trample_on_each_other() {
    let world = World::start().await;
    let (first, second) = (
        common_alert(&[samples::WEB_01]),
        common_alert(&[samples::WEB_01]),
    );
    let (first, second) = tokio::join!(world.post(&first), world.post(&second));
    let mut outcomes =
        [first, second].map(|reply| reply.body["outcome"].as_str().unwrap_or("none").to_owned());
    outcomes.sort();
    assert_eq!(outcomes, ["created", "joined"]);
    assert_eq!(world.count("PUT"), 1);
    world.end().await;
}

#[tokio::test]
async fn several_targets_each_have_their_own_entry() {
    let world = World::start().await;
    let gone = format!("{}-gone", samples::WEB_01);
    let reply = world
        .post(&common_alert(&[&gone, samples::WEB_01, samples::SQL_01]))
        .await;
    assert_eq!(
        (reply.status, &reply.body["outcome"]),
        (200, &"created".into()),
        "{:?}",
        reply.body
    );
    let statuses: Vec<_> = (0..3)
        .map(|n| reply.body["captures"][n]["status"].clone())
        .collect();
    assert_eq!(statuses, ["failed", "created", "created"]);
    assert_eq!(reply.body["captures"][0]["reason"], "ResourceNotFound");
    world.end().await;
}

#[tokio::test]
async fn an_instance_of_a_scale_set_is_captured_through_its_set() {
    let world = World::start().await;
    let instance = format!("{}/virtualMachines/1", samples::API_SET);
    let reply = world.post(&common_alert(&[&instance])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    assert_eq!(reply.body["alert"]["targets"][0]["type"], "vmss_instance");
    let capture = &world.azure.captures(samples::WATCHER_WESTEUROPE)[0];
    assert_eq!(capture.target_type, "AzureVMSS");
    assert_eq!(capture.scope_include, ["1"]);
    assert!(capture.target.eq_ignore_ascii_case(samples::API_SET));
    world.end().await;
}
