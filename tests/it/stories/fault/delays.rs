//! Callers that leave, stops, and an Azure that is slow or has changed meanwhile.

use super::*;

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
    // Once the port is closed, the stop has arrived; the stale capture is still being deleted then.
    let address = url.trim_start_matches("http://");
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    azure.complete_operations();
    let reply = crate::support::world::reply(sent.await.unwrap().unwrap()).await;
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
    let reply = crate::support::world::reply(sent.await.unwrap().unwrap()).await;
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
    let second = world
        .post(&classic_alert(samples::SQL_01, "northeurope"))
        .await;
    assert_eq!(second.body["outcome"], "created", "{:?}", second.body);
    assert_eq!(world.count("GET networkWatchers"), 2, "asked again");
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

/// More jobs than a worker receives at once wait for polls that hang, all of them of captures that run already.
#[tokio::test]
async fn a_create_does_not_wait_behind_the_polls_of_other_captures() {
    const FOLLOWED: usize = 300;
    // A quarter of the places of polls is all that one network watcher gets.
    const PLACES: usize = 8;
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
        .fault(fault(Call::OperationStatus, PLACES, What::Hang));
    let (last, followed) = machines.split_last().unwrap();
    for machine in followed {
        let reply = world.post(&common_alert(&[machine])).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    }
    let hangs = |entry: &&Entry| entry.kind == Call::OperationStatus && entry.fault.is_some();
    let all_places = |entries: &[Entry]| entries.iter().filter(hangs).count() == PLACES;
    world.azure.wait_for(all_places).await;
    let reply = world.post(&common_alert(&[last])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    assert_eq!(world.azure.captures_made().len(), FOLLOWED + 1);
    // As many polls hang as may be sent at once; the others wait for them.
    world.azure.withdraw_faults();
    // Not ended: the stop would wait for calls that get no answer.
}

/// The VM was deleted and made again since it was cached.
#[tokio::test]
async fn a_remembered_machine_that_azure_does_not_know_is_found_again() {
    let world = World::start().await;
    let first = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(first.body["outcome"], "created", "{:?}", first.body);
    world
        .azure
        .remove_capture(samples::WATCHER_WESTEUROPE, "PSAzureFunction");
    let unknown = What::arm_error(400, "InvalidResourceReference", "the VM is not found");
    world.azure.fault(fault(Call::PutCapture, 1, unknown));
    let second = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(second.body["outcome"], "created", "{:?}", second.body);
    assert_eq!(world.count("GET virtualMachines/web-01"), 2);
    world.end().await;
}
