//! What keeps a new alert out, and what does not: only work that waits for its create counts against the capacity.

use crate::support::{
    azure::Azure,
    receiver::Receiver,
    world::{World, common_alert},
};
use azure_sandbox::{Call, samples};
use serde_json::{Value, json};
use std::time::Duration;

/// More refusals than any story has deliveries.
const DOWN: usize = 100_000;

fn machine(number: usize) -> String {
    samples::WEB_01.replace("web-01", &format!("vm-{number}"))
}

#[tokio::test]
async fn notifications_that_cannot_be_delivered_keep_no_alert_out() {
    for durable in [false, true] {
        let (azure, receiver) = (Azure::start().await, Receiver::start().await);
        let mut settings = receiver.settings_for("completed");
        if durable {
            settings.extend(azure.queue_settings());
        }
        let mut settings: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (&**n, &**v)).collect();
        settings.extend([
            ("JobQueue__Capacity", "2"),
            ("PacketCapture__Name", "PSAzureFunction-{vm}"),
        ]);
        let world = World::on(azure, &settings).await;
        receiver.down(DOWN);
        for number in 0..4 {
            world.azure.add_vm(&machine(number), "westeurope");
            let reply = world.post(&common_alert(&[&machine(number)])).await;
            assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        }
        world.run_out();
        // Each of the four was refused once and is retried.
        receiver.until_came(4).await;
        let reply = world.post(&common_alert(&[samples::SQL_01])).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        world.end().await;
    }
}

#[tokio::test]
async fn a_thousand_machines_get_into_a_slow_queue() {
    const MACHINES: usize = 1_000;
    let azure = Azure::start().await;
    azure.slow_down(Call::PutMessage, Duration::from_millis(80));
    let settings = azure.queue_settings();
    let mut settings: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (&**n, &**v)).collect();
    settings.extend([
        ("PacketCapture__MaxTargets", "1000"),
        ("PacketCapture__ReplyWaitSeconds", "0"),
    ]);
    let world = World::on(azure, &settings).await;
    let machines: Vec<String> = (0..MACHINES).map(machine).collect();
    let machines: Vec<&str> = machines.iter().map(String::as_str).collect();
    let reply = world.post(&common_alert(&machines)).await;
    assert_eq!(reply.status, 202, "{:?}", reply.body["error"]);
    assert_eq!(reply.body["captures"].as_array().unwrap().len(), MACHINES);
    // Not ended: the stop would wait for a thousand notifications in the log.
}

#[tokio::test]
async fn machines_beyond_the_maximum_are_named_in_one_notification() {
    let (azure, receiver) = (Azure::start().await, Receiver::start().await);
    let settings = receiver.settings_for("skipped");
    let mut settings: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (&**n, &**v)).collect();
    settings.push(("PacketCapture__MaxTargets", "1"));
    let world = World::on(azure, &settings).await;
    let machines = [samples::SQL_01, samples::WEB_01, samples::WEB_02];
    let reply = world.post(&common_alert(&machines)).await;
    let reasons = reply.body["captures"].as_array().unwrap().iter();
    let reasons: Vec<&Value> = reasons.map(|entry| &entry["reason"]).collect();
    let beyond = json!("max_targets_reached");
    assert_eq!(reasons, [&Value::Null, &beyond, &beyond]);
    receiver.until(|events| !events.is_empty()).await;
    world.run_out();
    world.end().await;
    let events = receiver.notices();
    assert_eq!(events.len(), 1, "{events:#?}");
    let message = events[0]["data"]["message"].as_str().unwrap();
    assert!(message.ends_with("(1): web-01, web-02"), "{message}");
}
