//! Runs of the function itself: kept in the record, after the calls of alerts, and continued by another process.

use super::{HOST, insights};
use crate::support::{
    azure::Azure,
    receiver::Receiver,
    world::{World, common_alert},
};
use alert_packet_capture::app::{Pace, ReadinessPace};
use azure_sandbox::{Call, Entry, samples};
use serde_json::{Value, json};
use std::time::Duration;

const GROUP: &str = "/subscriptions/6d1f3a58-27c4-4e0b-9b5d-0a8e4c7f1b32/resourceGroups/rg-shop";

/// Azure with a rule over a subscription of this many more machines.
async fn azure(machines: usize) -> Azure {
    let azure = Azure::start().await;
    azure.add_vms(GROUP, "vm", "westeurope", machines);
    let uri = format!("https://{HOST}/api/AlertPacketCapture");
    azure.add_alert_resource(
        &insights("actionGroups", "capture"),
        "microsoft.insights/actiongroups",
        json!({ "enabled": true, "webhookReceivers": [{ "serviceUri": uri }] }),
    );
    azure.add_alert_resource(
        &insights("metricAlerts", "all"),
        "microsoft.insights/metricalerts",
        json!({
            "enabled": true,
            "scopes": [format!("/subscriptions/{}", samples::SUBSCRIPTION_ID)],
            "targetResourceType": "Microsoft.Compute/virtualMachines",
            "actions": [{ "actionGroupId": insights("actionGroups", "capture") }],
        }),
    );
    azure
}

fn pace() -> Pace {
    Pace {
        readiness: ReadinessPace {
            between_calls: Duration::ZERO,
            continue_after: Duration::ZERO,
            abandoned_after: Duration::ZERO,
        },
        ..World::pace()
    }
}

async fn instance(azure: &Azure, more: &[(String, String)]) -> World {
    let mut settings = vec![("WEBSITE_HOSTNAME", HOST)];
    settings.extend(more.iter().map(|(n, v)| (n.as_str(), v.as_str())));
    World::paced(azure.clone(), &settings, pace()).await
}

fn count(entries: &[Entry], kind: Call) -> usize {
    entries.iter().filter(|it| it.kind == kind).count()
}

fn written(entries: &[Entry], name: &str) -> usize {
    let put = |it: &&Entry| {
        it.kind == Call::PutBlob && it.short.ends_with(name) && it.status == Some(201)
    };
    entries.iter().filter(put).count()
}

#[tokio::test]
async fn a_run_that_a_process_left_is_continued_by_another() {
    const MACHINES: usize = 120;
    let azure = azure(MACHINES).await;
    let storage = azure.queue_settings();
    let first = instance(&azure, &storage).await;
    first.start.ask();
    // The progress is written when the run begins, and after 50 machines.
    azure
        .wait_for(|entries| written(entries, "running.json") >= 2)
        .await;
    azure.hold(Call::GetInstanceView);
    first.kill().await;
    azure.release(Call::GetInstanceView);
    let before = count(&azure.journal(), Call::GetInstanceView);
    assert!((50..MACHINES).contains(&before), "{before} machines");

    let second = instance(&azure, &storage).await;
    azure
        .wait_for(|entries| written(entries, "last.json") == 1)
        .await;
    let after = count(&azure.journal(), Call::GetInstanceView) - before;
    // Three of the sample's machines, too.
    assert!(
        after <= MACHINES + 3 - 50,
        "{after} machines were read by the second process"
    );
    let run = second.record.last_run().await.unwrap().unwrap();
    assert_eq!(
        run.sentence(),
        format!("{0} of {0} machines ready.", MACHINES + 6)
    );
    assert!(second.record.run_in_progress().await.unwrap().is_none());
    second.end().await;
}

/// A request for a run comes before the progress of the killed process is old enough.
#[tokio::test]
async fn a_run_that_was_left_is_continued_after_a_request_that_came_too_early() {
    let azure = azure(60).await;
    let storage = azure.queue_settings();
    azure.hold(Call::GetInstanceView);
    let first = instance(&azure, &storage).await;
    first.start.ask();
    azure
        .wait_for(|entries| written(entries, "running.json") >= 1)
        .await;
    first.kill().await;
    azure.release(Call::GetInstanceView);

    let mut patient = pace();
    patient.readiness.abandoned_after = Duration::from_secs(2);
    let mut settings = vec![("WEBSITE_HOSTNAME", HOST)];
    settings.extend(storage.iter().map(|(n, v)| (n.as_str(), v.as_str())));
    let second = World::paced(azure.clone(), &settings, patient).await;
    second.start.ask();
    azure
        .wait_for(|entries| written(entries, "last.json") == 1)
        .await;
    second.end().await;
}

/// The host makes up for the timer's call that was cut, as soon as it starts.
#[tokio::test]
async fn news_that_a_killed_process_did_not_deliver_are_not_lost_by_the_next_run() {
    let azure = azure(0).await;
    let receiver = Receiver::start().await;
    let mut settings = azure.queue_settings();
    settings.extend(receiver.settings_for("readiness.degraded"));
    let first = instance(&azure, &settings).await;
    first.start.ask();
    azure
        .wait_for(|entries| written(entries, "notified.json") == 1)
        .await;
    azure.deallocate_vm(samples::WEB_01);
    receiver.down(1_000);
    first.start.ask();
    receiver.until_came(1).await;
    first.kill().await;
    receiver.up();

    let mut late = pace();
    late.readiness.continue_after = Duration::from_secs(3_600);
    let mut named = vec![("WEBSITE_HOSTNAME", HOST)];
    named.extend(settings.iter().map(|(n, v)| (n.as_str(), v.as_str())));
    let second = World::paced(azure.clone(), &named, late).await;
    second.start.ask();
    azure
        .wait_for(|entries| written(entries, "last.json") == 3)
        .await;
    let degraded = |it: &Value| it["type"] == "alert-packet-capture.readiness.degraded";
    receiver.until(|all| all.iter().any(degraded)).await;
    second.end().await;
}

#[tokio::test]
async fn an_alert_during_a_run_costs_the_calls_that_it_costs_without_one() {
    let mut counts = Vec::new();
    for runs in [false, true] {
        let azure = azure(20).await;
        let world = instance(&azure, &[]).await;
        if runs {
            azure.hold(Call::GetInstanceView);
            world.start.ask();
            azure
                .wait_for(|entries| count(entries, Call::ListUsages) >= 2)
                .await;
        }
        let since = azure.journal().len();
        let alert = common_alert(&[samples::WEB_01]);
        let posted = world.post_later(&alert);
        world
            .until(|lines| lines.iter().any(|it| it.starts_with("PUT packetCaptures")))
            .await;
        azure.complete_operations();
        assert_eq!(posted.await.unwrap().body["outcome"], "created");
        let journal = azure.journal();
        let own = journal[since..].iter().filter(|it| {
            matches!(
                it.kind,
                Call::ListWatchers
                    | Call::GetVirtualMachine
                    | Call::ListCaptures
                    | Call::PutCapture
            )
        });
        let own: Vec<String> = own.map(Entry::line).collect();
        let put = own.iter().position(|it| it.starts_with("PUT")).unwrap();
        counts.push(own[..=put].to_vec());
        azure.release(Call::GetInstanceView);
        if runs {
            let record = world.record.clone();
            azure
                .wait_for(|entries| count(entries, Call::GetInstanceView) >= 23)
                .await;
            drop(record);
        }
        world.end().await;
    }
    assert_eq!(counts[0], counts[1]);
}
