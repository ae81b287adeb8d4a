//! What the Network Watcher lists already: captures to join, to wait for, to delete, and the limit.

use super::*;

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

/// Another program fills the watcher within the second: Azure says so, and so does the answer.
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
    assert_eq!(reply.body["captures"][0]["reason"], "already_running");
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
        message.contains("lists 2 packet captures") && message.contains("PacketCapture__Limit"),
        "{message}"
    );
    assert_eq!(world.count("PUT") + world.count("DELETE"), 0);
    world.end().await;
}
