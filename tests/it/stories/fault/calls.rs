//! Single calls that fail: retried, replaced by another try, or reported.

use super::*;

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
    // Refused for good: asked once; the answer says so and never asks the callers to repeat.
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
    // The same alert again is answered with what became of the first.
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
async fn a_missing_right_on_the_storage_account_is_a_502_with_advice() {
    let world = World::start().await;
    let message = "The client has no permission to use the linked storage account.";
    let refused = What::arm_error(403, "LinkedAuthorizationFailed", message);
    world.azure.fault(fault(Call::PutCapture, 1, refused));
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.status, 502);
    let error = &reply.body["error"];
    assert_eq!(error["code"], "LinkedAuthorizationFailed");
    let said = error["message"].as_str().unwrap();
    assert!(
        said.contains(message) && said.contains("assign the function's identity a role"),
        "{said}"
    );
    world.end().await;
}

/// The operation is forgotten by then, and the capture itself says that its create failed.
#[tokio::test]
async fn a_create_whose_operation_is_gone_is_judged_by_its_provisioning_state() {
    let world = World::start().await;
    world
        .azure
        .fail_next_operation("StorageFailed", "no access");
    let gone = What::arm_error(404, "NotFound", "no such operation");
    let alert = common_alert(&[samples::WEB_01]);
    assert_eq!(world.post(&alert).await.body["outcome"], "created");
    world.azure.fault(fault(Call::OperationStatus, 1, gone));
    world.azure.complete_operations();
    // The same alert again is answered with what became of the first.
    loop {
        let again = world.post(&alert).await;
        let entry = &again.body["captures"][0];
        if entry["status"] == "failed" {
            assert_eq!(entry["reason"], "ProvisioningFailed");
            break;
        }
        tokio::task::yield_now().await;
    }
    world.end().await;
}
