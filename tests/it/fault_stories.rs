//! Azure on a bad night: throttled, cut off, slow, refusing.

use crate::world::{World, common_alert};
use azure_sandbox::{Call, Entry, ExistingCapture, Fault, FaultBody, SessionStatus, What, samples};

const PUT: &str = "PUT packetCaptures/PSAzureFunction";

fn status(code: u16, retry_after: Option<&str>, body: FaultBody) -> What {
    What::Status {
        code,
        retry_after: retry_after.map(str::to_owned),
        body,
    }
}

fn fault(on: Call, times: usize, what: What) -> Fault {
    Fault { on, times, what }
}

fn stale_capture() -> ExistingCapture {
    ExistingCapture {
        watcher: samples::WATCHER_WESTEUROPE.to_owned(),
        name: "PSAzureFunction".to_owned(),
        target: samples::WEB_02.to_owned(),
        status: SessionStatus::Stopped,
        started: None,
        time_limit_seconds: 10,
        stop_reason: None,
    }
}

#[tokio::test]
async fn throttling_and_broken_answers_are_ridden_out() {
    let world = World::start().await;
    let past = "Sun, 06 Nov 1994 08:49:37 GMT";
    world.azure.fault(fault(
        Call::ListCaptures,
        1,
        status(429, Some("0"), FaultBody::Empty),
    ));
    world.azure.fault(fault(
        Call::ListCaptures,
        1,
        status(503, Some(past), FaultBody::Html),
    ));
    world.azure.fault(fault(
        Call::ListCaptures,
        1,
        status(500, None, FaultBody::TruncatedJson),
    ));
    world
        .azure
        .fault(fault(Call::ListWatchers, 1, What::DropBefore));
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    assert_eq!(world.count("GET packetCaptures 200"), 1);
    world.end().await;
}

#[tokio::test]
async fn a_put_whose_answer_was_lost_is_looked_for_before_it_is_repeated() {
    let world = World::start().await;
    world
        .azure
        .fault(fault(Call::PutCapture, 1, What::DropAfterApplying));
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    assert_eq!(world.count("PUT"), 1, "{:?}", world.calls());
    world.azure.complete_operations();
    world
        .until(|lines| {
            lines
                .iter()
                .any(|line| line == "GET packetCaptures/PSAzureFunction 200")
        })
        .await;
    world.end().await;
}

#[tokio::test]
async fn a_put_that_never_arrived_is_sent_again() {
    let world = World::start().await;
    world
        .azure
        .fault(fault(Call::PutCapture, 1, What::DropBefore));
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    assert_eq!(world.azure.captures(samples::WATCHER_WESTEUROPE).len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_token_that_ends_midway_is_replaced() {
    let world = World::start().await;
    let first = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(first.body["outcome"], "created", "{:?}", first.body);
    world.azure.expire_tokens();
    let second = world.post(&common_alert(&[samples::SQL_01])).await;
    assert_eq!(second.body["outcome"], "created", "{:?}", second.body);
    world.end().await;
}

#[tokio::test]
async fn a_missing_right_is_a_502_that_names_it() {
    let world = World::start().await;
    world
        .azure
        .deny("Microsoft.Network/networkWatchers/packetCaptures/write");
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.status, 502);
    let error = &reply.body["error"];
    assert_eq!(error["code"], "AuthorizationFailed");
    assert!(error["requestId"].is_string());
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("packetCaptures/write"),
        "{error}"
    );
    assert!(error["target"].as_str().unwrap().ends_with("web-01"));
    // Refused for good: asked once, and the callers are told, never asked to repeat.
    assert_eq!(world.count("PUT"), 1);
    world.end().await;
}

#[tokio::test]
async fn a_wrong_secret_is_said_in_words() {
    let world = World::with(&[("AZURE_CLIENT_SECRET", "wrong~value")]).await;
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.status, 502);
    assert_eq!(reply.body["error"]["code"], "AADSTS7000215");
    let message = reply.body["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("AZURE_CLIENT_SECRET") && !message.contains("wrong~value"),
        "{message}"
    );
    world.end().await;
}

#[tokio::test]
async fn a_create_that_fails_after_it_was_accepted_is_remembered_as_failed() {
    let world = World::start().await;
    world
        .azure
        .fail_next_operation("StorageFailed", "the account cannot be written");
    let alert = common_alert(&[samples::WEB_01]);
    let reply = world.post(&alert).await;
    assert_eq!(reply.body["outcome"], "created");
    world.azure.complete_operations();
    world
        .until(|lines| lines.iter().any(|line| line == "GET operations 200"))
        .await;
    // The same alert again hears what became of the first.
    loop {
        let again = world.post(&alert).await;
        assert_eq!(again.body["reason"], "duplicate");
        let entry = &again.body["captures"][0];
        if entry["status"] == "failed" {
            assert_eq!(entry["reason"], "StorageFailed");
            break;
        }
        tokio::task::yield_now().await;
    }
    world.end().await;
}

#[tokio::test]
async fn a_caller_that_leaves_early_stops_nothing() {
    let world = World::start().await;
    world.azure.fault(fault(
        Call::ListWatchers,
        1,
        status(503, Some("1"), FaultBody::Empty),
    ));
    let mut body = common_alert(&[samples::WEB_01]).to_string();
    let request = world
        .http
        .post(format!("{}/api/AlertPacketCapture", world.url))
        .header("content-type", "application/json");
    let sent = tokio::spawn(request.body(std::mem::take(&mut body)).send());
    world
        .until(|lines| {
            lines
                .iter()
                .any(|line| line.starts_with("GET networkWatchers"))
        })
        .await;
    sent.abort();
    world
        .until(|lines| lines.iter().any(|line| line.starts_with(PUT)))
        .await;
    world.end().await;
}

#[tokio::test]
async fn a_stop_lets_the_alert_under_way_have_its_capture() {
    let world = World::start().await;
    world.azure.add_capture(stale_capture());
    let (azure, http, url) = (world.azure.clone(), world.http.clone(), world.url.clone());
    let request = http
        .post(format!("{url}/api/AlertPacketCapture"))
        .header("content-type", "application/json")
        .body(common_alert(&[samples::WEB_01]).to_string());
    let sent = tokio::spawn(request.send());
    world
        .until(|lines| lines.iter().any(|line| line.starts_with("GET operation")))
        .await;
    let ending = tokio::spawn(world.end());
    // Once nobody listens, the stop has arrived; the stale capture is still being deleted then.
    let address = url.trim_start_matches("http://");
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    azure.complete_operations();
    let reply = crate::world::reply(sent.await.unwrap().unwrap()).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    ending.await.unwrap();
}

#[tokio::test]
async fn a_stale_capture_that_cannot_be_deleted_is_given_up() {
    let world = World::with(&[("JobQueue__MaxAttempts", "2")]).await;
    world.azure.add_capture(stale_capture());
    let (http, url) = (world.http.clone(), world.url.clone());
    let body = common_alert(&[samples::WEB_01]).to_string();
    let request = http
        .post(format!("{url}/api/AlertPacketCapture"))
        .header("content-type", "application/json");
    let sent = tokio::spawn(request.body(body).send());
    for attempt in 1..=2 {
        world
            .until(|lines| {
                let deletes = lines
                    .iter()
                    .filter(|line| line.starts_with("DELETE"))
                    .count();
                deletes == attempt
                    && lines
                        .last()
                        .is_some_and(|line| line.starts_with("GET operation"))
            })
            .await;
        world
            .azure
            .fail_next_operation("InternalServerError", "the agent does not answer");
        world.azure.complete_operations();
    }
    let reply = crate::world::reply(sent.await.unwrap().unwrap()).await;
    assert_eq!(reply.status, 502, "{:?}", reply.body);
    assert_eq!(reply.body["error"]["code"], "InternalServerError");
    assert_eq!(world.count("PUT"), 0);
    world.end().await;
}

#[tokio::test]
async fn a_remembered_watcher_that_is_gone_costs_no_capture() {
    let world = World::start().await;
    let first = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(first.body["outcome"], "created", "{:?}", first.body);
    let gone = What::arm_error(404, "ParentResourceNotFound", "the watcher is gone");
    world.azure.fault(fault(Call::ListCaptures, 1, gone));
    let second = world.post(&common_alert(&[samples::SQL_01])).await;
    assert_eq!(second.body["outcome"], "created", "{:?}", second.body);
    assert_eq!(world.count("GET networkWatchers"), 2, "asked afresh");
    world.end().await;
}

#[tokio::test]
async fn a_slow_azure_is_answered_with_accepted_and_finished_later() {
    let world = World::with(&[("PacketCapture__ReplyWaitSeconds", "0")]).await;
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(
        (reply.status, &reply.body["outcome"]),
        (202, &"accepted".into())
    );
    assert!(reply.body["captures"][0]["jobId"].is_string());
    world
        .until(|lines| lines.iter().any(|line| line.starts_with(PUT)))
        .await;
    world.end().await;
}

/// More jobs than a worker takes up at once wait for polls that hang, all of them of captures that run already.
#[tokio::test]
async fn a_create_does_not_wait_behind_the_polls_of_other_captures() {
    const FOLLOWED: usize = 300;
    let world = World::with(&[
        ("PacketCapture__Name", "PSAzureFunction-{vm}"),
        ("PacketCapture__Limit", "10000"),
    ])
    .await;
    let machine = |n: usize| samples::WEB_01.replace("web-01", &format!("vm-{n:03}"));
    let machines: Vec<String> = (0..=FOLLOWED).map(machine).collect();
    for machine in &machines {
        world.azure.add_vm(machine, "westeurope");
    }
    world
        .azure
        .fault(fault(Call::OperationStatus, FOLLOWED, What::Hang));
    let (last, followed) = machines.split_last().unwrap();
    for machine in followed {
        let reply = world.post(&common_alert(&[machine])).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    }
    let hangs = |entry: &&Entry| entry.kind == Call::OperationStatus && entry.fault.is_some();
    let all_places = |entries: &[Entry]| entries.iter().filter(hangs).count() >= 32;
    world.azure.wait_for(all_places).await;
    let reply = world.post(&common_alert(&[last])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    assert_eq!(world.azure.captures_made().len(), FOLLOWED + 1);
    // Not ended: the stop would wait for calls that get no answer.
}
