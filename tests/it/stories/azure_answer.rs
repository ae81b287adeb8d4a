//! Azure's answers as they really come: conflicts that pass, reasons in the details, statuses without content, lists with
//! odd elements, poll URLs elsewhere. An alert gets its capture nevertheless, or people get the reason.

use crate::support::{
    receiver::Receiver,
    world::{World, common_alert},
};
use azure_sandbox::{
    Call, ExistingCapture, Fault, FaultBody, PollUrls, SessionStatus, What, samples,
};
use serde_json::{Value, json};

fn fault(on: Call, times: usize, what: What) -> Fault {
    Fault { on, times, what }
}

fn answer(code: u16, body: Value) -> What {
    What::Status {
        code,
        retry_after: None,
        body: FaultBody::Json(body),
    }
}

fn empty(code: u16) -> What {
    What::Status {
        code,
        retry_after: None,
        body: FaultBody::Empty,
    }
}

/// A finished session that has the name of the new one.
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

/// The events of all notifications, once `number` came.
async fn events(told: &Receiver, number: usize) -> Vec<(String, String)> {
    told.until(|notices| notices.len() >= number).await;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let event = |it: &Value| (text(&it["data"]["event"]), text(&it["data"]["message"]));
    told.notices().iter().map(event).collect()
}

/// A world and a receiver of its notifications.
async fn notified_world() -> (World, Receiver) {
    notified_world_with(&[]).await
}

async fn notified_world_with(more: &[(&str, &str)]) -> (World, Receiver) {
    let told = Receiver::start().await;
    let settings = told.settings();
    let mut settings: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (&**n, &**v)).collect();
    settings.extend(more);
    (World::with(&settings).await, told)
}

#[tokio::test]
async fn a_conflict_with_another_write_is_repeated() {
    for (status, code) in [
        (409, "Conflict"),
        (409, "ConflictingConcurrentWriteNotAllowed"),
        (409, "CanceledAndSupersededDueToAnotherOperation"),
        (409, "HeardOfNowhere"),
        // The list says that the name is free: Azure has still to forget, or to show, the capture that has it.
        (409, "PacketCaptureAlreadyExists"),
        (400, "PacketCaptureAlreadyExists"),
    ] {
        let world = World::start().await;
        let conflict = || What::arm_error(status, code, "Another write is in progress.");
        world.azure.fault(fault(Call::PutCapture, 2, conflict()));
        let reply = world.post(&common_alert(&[samples::WEB_01])).await;
        assert_eq!(reply.body["outcome"], "created", "{code}: {:?}", reply.body);
        assert_eq!(world.count("PUT"), 3, "{code}: {:?}", world.calls());
        world.end().await;
    }
}

#[tokio::test]
async fn a_conflict_at_a_delete_is_repeated() {
    let world = World::start().await;
    world.azure.add_capture(stale_capture());
    let conflict = What::arm_error(409, "Conflict", "Another write is in progress.");
    world.azure.fault(fault(Call::DeleteCapture, 5, conflict));
    let reply = world.post_later(&common_alert(&[samples::WEB_01]));
    world
        .until(|lines| {
            let last = lines.last();
            last.is_some_and(|line| line.starts_with("GET operation"))
        })
        .await;
    world.azure.complete_operations();
    let reply = reply.await.unwrap();
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    world.end().await;
}

/// More conflicts than one call has tries, so the job itself comes back.
#[tokio::test]
async fn a_conflict_at_a_stop_is_repeated() {
    let (world, told) = notified_world_with(&[("PacketCapture__StopOnResolved", "true")]).await;
    let mut alert = common_alert(&[samples::WEB_01]);
    let fired = world.post(&alert).await;
    assert_eq!(fired.body["outcome"], "created", "{:?}", fired.body);
    world.azure.complete_operations();
    world
        .until(|lines| lines.iter().any(|it| it.contains("queryStatus")))
        .await;
    let conflict = What::arm_error(409, "Conflict", "Another write is in progress.");
    world.azure.fault(fault(Call::StopCapture, 5, conflict));
    alert["data"]["essentials"]["monitorCondition"] = "Resolved".into();
    let resolved = world.post(&alert).await;
    assert_eq!(resolved.body["outcome"], "stopped", "{:?}", resolved.body);
    world.azure.complete_operations();
    let events = events(&told, 2).await;
    assert_eq!(events[1].0, "completed", "{events:?}");
    world.end().await;
}

#[tokio::test]
async fn a_conflict_at_a_removal_is_repeated() {
    let (world, told) =
        notified_world_with(&[("PacketCapture__RemoveFinished", "after_notice")]).await;
    let conflict = What::arm_error(409, "HeardOfNowhere", "Another write is in progress.");
    world.azure.fault(fault(Call::DeleteCapture, 5, conflict));
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    world.run_out();
    events(&told, 2).await;
    world
        .until(|lines| {
            let accepted = |it: &String| it.starts_with("DELETE") && it.ends_with(" 202");
            lines.iter().any(accepted)
        })
        .await;
    world.azure.complete_operations();
    assert!(world.azure.captures(samples::WATCHER_WESTEUROPE).is_empty());
    world.end().await;
}

/// Azure took the create or the delete, and gave way to another write before it was done.
#[tokio::test]
async fn an_operation_that_gave_way_to_another_is_repeated() {
    let world = World::start().await;
    world.azure.add_capture(stale_capture());
    let code = "CanceledAndSupersededDueToAnotherOperation";
    world.azure.fail_next_operation(code, "Another one came.");
    let reply = world.post_later(&common_alert(&[samples::WEB_01]));
    let deletes = |lines: &[String]| lines.iter().filter(|it| it.starts_with("DELETE")).count();
    world.until(|lines| deletes(lines) == 1).await;
    world.azure.complete_operations();
    world.until(|lines| deletes(lines) == 2).await;
    world.azure.complete_operations();
    let reply = reply.await.unwrap();
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    world.end().await;
}

/// The create was accepted, then superseded, and Azure lists what is left of it as failed.
#[tokio::test]
async fn a_create_that_gave_way_to_another_write_is_repeated() {
    let world = World::start().await;
    let code = "CanceledAndSupersededDueToAnotherOperation";
    world.azure.fail_next_operation(code, "Another one came.");
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    world.azure.complete_operations();
    let calls = |start: &'static str, times: usize| {
        move |lines: &[String]| {
            let seen = lines.iter().filter(|it| it.starts_with(start)).count();
            seen >= times
        }
    };
    world.until(calls("DELETE", 1)).await;
    world.azure.complete_operations();
    world.until(calls("PUT", 2)).await;
    world.run_out();
    world.until(calls("POST packetCaptures", 2)).await;
    world.end().await;
}

#[tokio::test]
async fn a_lock_is_no_conflict_that_passes() {
    let world = World::start().await;
    let locked = What::arm_error(409, "ScopeLocked", "The scope is locked.");
    world.azure.fault(fault(Call::PutCapture, 1, locked));
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.status, 502, "{:?}", reply.body);
    assert_eq!(reply.body["error"]["code"], "ScopeLocked");
    assert_eq!(world.count("PUT"), 1);
    world.end().await;
}

#[tokio::test]
async fn the_reason_in_the_details_reaches_the_answer_and_the_notification() {
    let (world, told) = notified_world().await;
    let refusal = json!({ "error": {
        "code": "InvalidRequestFormat",
        "message": "Cannot parse the request.",
        "details": [{
            "code": "InvalidJsonReferenceWrongType",
            "message": "storageId names a subnet; a storage account was expected.",
        }],
    } });
    world
        .azure
        .fault(fault(Call::PutCapture, 1, answer(400, refusal)));
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    const REASON: &str = "InvalidJsonReferenceWrongType: storageId names a subnet";
    let message = reply.body["error"]["message"].as_str().unwrap();
    assert!(message.contains(REASON), "{message}");
    let events = events(&told, 1).await;
    assert_eq!(events[0].0, "failed");
    assert!(events[0].1.contains(REASON), "{events:?}");
    world.end().await;
}

#[tokio::test]
async fn a_status_without_content_fails_no_capture() {
    let (world, told) = notified_world().await;
    for what in [
        empty(200),
        answer(200, Value::Null),
        empty(204),
        answer(200, json!({})),
        empty(202),
        answer(202, Value::Null),
    ] {
        world.azure.fault(fault(Call::QueryStatus, 1, what));
    }
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    world.run_out();
    let events = events(&told, 2).await;
    assert_eq!(events[1].0, "completed", "{events:?}");
    world.end().await;
}

/// Without a list nothing is known of network watchers, least of all that there is none.
#[tokio::test]
async fn a_list_of_watchers_without_an_array_is_read_again() {
    for page in [json!({"value": null}), json!({})] {
        let world = World::start().await;
        let odd = answer(200, page.clone());
        world.azure.fault(fault(Call::ListWatchers, 5, odd));
        let reply = world.post(&common_alert(&[samples::WEB_01])).await;
        assert_eq!(reply.body["outcome"], "created", "{page}: {:?}", reply.body);
        world.end().await;
    }
}

#[tokio::test]
async fn odd_elements_in_a_list_cost_no_capture() {
    let world = World::start().await;
    let odd = json!({ "value": [
        null,
        { "name": "a", "properties": null },
        { "name": "b", "properties": { "timeLimitInSeconds": 10.5, "target": [] } },
        { "name": 7, "properties": {} },
    ] });
    world
        .azure
        .fault(fault(Call::ListCaptures, 1, answer(200, odd)));
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    world.end().await;
}

#[tokio::test]
async fn a_token_that_is_refused_again_costs_an_attempt_not_the_alert() {
    let world = World::start().await;
    let refused = What::arm_error(401, "InvalidAuthenticationToken", "The token is invalid.");
    world.azure.fault(fault(Call::ListCaptures, 2, refused));
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    world.end().await;
}

/// The resource itself says how far it is.
#[tokio::test]
async fn a_poll_url_elsewhere_is_not_followed_and_loses_no_capture() {
    let (world, told) = notified_world().await;
    world.azure.set_poll_urls(PollUrls::Regional);
    world.azure.add_capture(stale_capture());
    let reply = world.post_later(&common_alert(&[samples::WEB_01]));
    world
        .until(|lines| lines.iter().any(|line| line.starts_with("DELETE")))
        .await;
    world.azure.complete_operations();
    let reply = reply.await.unwrap();
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    world.run_out();
    let events = events(&told, 2).await;
    assert_eq!(events[1].0, "completed", "{events:?}");
    assert_eq!(world.count("GET operation"), 0);
    assert!(world.count("GET packetCaptures/PSAzureFunction") > 0);
    world.end().await;
}

#[tokio::test]
async fn a_poll_url_without_a_host_is_followed() {
    let (world, told) = notified_world().await;
    world.azure.set_poll_urls(PollUrls::Relative);
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    world.run_out();
    let events = events(&told, 2).await;
    assert_eq!(events[1].0, "completed", "{events:?}");
    assert!(world.count("GET operations 200") > 0, "{:?}", world.calls());
    world.end().await;
}
