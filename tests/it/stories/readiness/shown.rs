//! What operators see of runs: the page and its JSON, notifications of what changed and once a week, metrics, and the script.

use super::{HOST, healthy, insights};
use crate::support::{
    azure::Azure,
    receiver::Receiver,
    world::{Reply, World},
};
use alert_packet_capture::app::{Pace, ReadinessPace};
use azure_sandbox::samples;
use serde_json::{Value, json};
use std::time::Duration;

/// A function whose machines an alert rule names, and a receiver of its notifications.
struct Story {
    world: World,
    receiver: Receiver,
}

/// The host's envelope when the timer is due.
fn due() -> Value {
    json!({
        "Data": { "timer": {
            "Schedule": { "AdjustForDST": true },
            "ScheduleStatus": { "Last": "0001-01-01T00:00:00+00:00", "Next": "2026-11-29T16:00:00+00:00", "LastUpdated": "0001-01-01T00:00:00+00:00" },
            "IsPastDue": false,
        }},
        "Metadata": { "sys": { "MethodName": "PacketCaptureReadiness", "UtcNow": "2026-11-28T16:00:00.1234560Z" } },
    })
}

impl Story {
    async fn with(settings: &[(&str, &str)]) -> Self {
        Self::among(settings, &[]).await
    }

    /// The same with further machines.
    async fn among(settings: &[(&str, &str)], more: &[(&str, &str)]) -> Self {
        let azure = Azure::start().await;
        for (machine, region) in more {
            azure.add_vm(machine, region);
        }
        let mut scopes = vec![
            samples::WEB_01,
            samples::WEB_02,
            samples::SQL_01,
            samples::API_SET,
        ];
        scopes.extend(more.iter().map(|(machine, _)| machine));
        let uri = format!("https://{HOST}/api/AlertPacketCapture");
        azure.add_alert_resource(
            &insights("actionGroups", "capture"),
            "microsoft.insights/actiongroups",
            json!({ "enabled": true, "webhookReceivers": [{ "serviceUri": uri }] }),
        );
        azure.add_alert_resource(
            &insights("metricAlerts", "burst"),
            "microsoft.insights/metricalerts",
            json!({
                "enabled": true,
                "scopes": scopes,
                "targetResourceType": "",
                "actions": [{ "actionGroupId": insights("actionGroups", "capture") }],
            }),
        );
        let receiver = Receiver::start().await;
        let url = receiver.settings();
        let mut all = vec![
            ("WEBSITE_HOSTNAME", HOST),
            ("PacketCapture__Limit", "100"),
            (&url[0].0, &url[0].1),
        ];
        all.extend(settings);
        let pace = Pace {
            readiness: ReadinessPace {
                between_calls: Duration::ZERO,
                continue_after: Duration::ZERO,
                abandoned_after: Duration::ZERO,
            },
            ..World::pace()
        };
        let world = World::paced(azure, &all, pace).await;
        Self { world, receiver }
    }

    /// A run by the timer; what the host's log of it says.
    async fn run(&self) -> String {
        let reply = self.world.post_to("/PacketCaptureReadiness", &due()).await;
        assert_eq!(reply.status, 200, "{:?}", reply.body);
        assert!(reply.body["Outputs"].is_object(), "{:?}", reply.body);
        reply.body["Logs"][0].as_str().unwrap().to_owned()
    }

    async fn get(&self, below: &str, accept: &str) -> String {
        let url = format!("{}/api/PacketCaptures/{below}", self.world.url);
        let request = self.world.http.get(url).header("accept", accept);
        request.send().await.unwrap().text().await.unwrap()
    }

    async fn last(&self) -> Value {
        let text = self.get("readiness", "application/json").await;
        let value: Value = serde_json::from_str(&text).unwrap();
        value["last"].clone()
    }

    /// The types of the notifications so far.
    fn types(&self) -> Vec<String> {
        let all = self.receiver.notices();
        let types = all.iter().map(|it| it["type"].as_str().unwrap_or_default());
        types.map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn five_causes_are_shown_with_what_fixes_them_and_notified_once() {
    let far = samples::WEB_01.replace("web-01", "far-03");
    let app = samples::WEB_01.replace("web-01", "app-04");
    let more = [
        (far.as_str(), "francecentral"),
        (app.as_str(), "westeurope"),
    ];
    let story = Story::among(&[("Readiness__EffectiveRules", "true")], &more).await;
    let empty = story.get("readiness", "text/html").await;
    assert!(empty.contains("No run has finished yet"), "{empty}");
    let azure = &story.world.azure;
    azure.remove_agent(samples::WEB_01);
    azure.set_vm_agent(samples::WEB_02, "Not Ready");
    azure.deallocate_vm(samples::SQL_01);
    azure.set_instance_running(samples::API_SET, "1", false);
    azure.allow_extensions(samples::WEB_02, false);
    azure.set_agent_state(&app, "Failed");
    let said = story.run().await;
    println!("{said}");
    assert!(
        said.starts_with("2 of 8 machines ready. Not ready: "),
        "{said}"
    );
    let last = story.last().await;
    assert_eq!(last["sentence"], said);
    assert_eq!(
        last["machines"],
        json!({ "ready": 2, "notReady": 6, "unknown": 0 })
    );
    for (cause, count) in [
        ("agent_missing", 1),
        ("vm_agent_not_ready", 1),
        ("stopped", 2),
        ("extensions_forbidden", 1),
        ("agent_failed", 1),
        ("no_watcher", 1),
    ] {
        assert_eq!(last["causes"][cause], count, "{cause}: {last:#}");
    }
    let listed = last["list"].as_array().unwrap();
    assert_eq!(listed.len(), 6);
    let web = listed
        .iter()
        .find(|it| it["id"] == samples::WEB_01)
        .unwrap();
    assert_eq!(web["verdict"], "not_ready");
    assert!(
        web["fix"][0]
            .as_str()
            .unwrap()
            .starts_with("az vm extension set "),
        "{web:#}"
    );
    let page = story.get("readiness", "text/html").await;
    for words in [
        "agent not installed",
        "VM agent: Not Ready",
        "az vm start --ids",
        "Not ready",
        "reload",
    ] {
        let shown = page.contains(words);
        assert_eq!(shown, words != "reload", "{words} in {page}");
    }
    let metrics = story.get("metrics", "*/*").await;
    for line in [
        "apc_readiness_machines{verdict=\"not_ready\"} 6",
        "apc_readiness_causes{cause=\"agent_missing\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    assert_eq!(story.types(), ["alert-packet-capture.readiness.degraded"]);
    let notification = &story.receiver.notices()[0]["data"];
    assert_eq!(notification["event"], "readiness.degraded");
    assert_eq!(notification["message"], said);
    assert_eq!(notification["readiness"]["machines"]["notReady"], 6);
    story.world.end().await;
}

#[tokio::test]
async fn operators_are_notified_of_changes_alone() {
    let story = Story::with(&[]).await;
    assert_eq!(story.run().await, "6 of 6 machines ready.");
    assert!(story.types().is_empty(), "{:?}", story.types());
    story.world.azure.remove_agent(samples::WEB_01);
    story.run().await;
    story.run().await;
    assert_eq!(story.types(), ["alert-packet-capture.readiness.degraded"]);
    let title = story.receiver.notices()[0]["data"]["title"].clone();
    assert_eq!(title, "Readiness degraded: 1 machine not ready any more");
    story.world.azure.install_agent(samples::WEB_01);
    story.run().await;
    story.run().await;
    assert_eq!(
        story.types()[1..],
        ["alert-packet-capture.readiness.restored"]
    );
    let metrics = story.get("metrics", "*/*").await;
    assert!(
        !metrics.contains("apc_readiness_causes{cause=\"agent_missing\"}"),
        "{metrics}"
    );
    story.world.end().await;
}

#[tokio::test]
async fn a_receiver_that_is_down_gets_the_news_of_a_run_later() {
    let story = Story::with(&[]).await;
    story.world.azure.remove_agent(samples::WEB_01);
    story.receiver.down(2);
    story.run().await;
    assert_eq!(story.types(), ["alert-packet-capture.readiness.degraded"]);
    assert_eq!(story.receiver.came(), 3);
    story.world.end().await;
}

#[tokio::test]
async fn once_a_week_operators_are_notified_in_any_case() {
    let story = Story::with(&[("Readiness__Weekly", "true")]).await;
    story.run().await;
    story.run().await;
    assert_eq!(story.types(), ["alert-packet-capture.readiness.weekly"]);
    let data = &story.receiver.notices()[0]["data"];
    assert_eq!(data["title"], "Readiness: 6 of 6 machines ready");
    story.world.end().await;
}

#[tokio::test]
async fn an_operator_starts_a_run() {
    let story = Story::with(&[]).await;
    let mut ends = story.world.start.ends();
    let reply: Reply = story
        .world
        .post_to("/api/PacketCaptures/readiness", &Value::Null)
        .await;
    assert_eq!(reply.status, 202, "{:?}", reply.body);
    ends.changed().await.unwrap();
    assert_eq!(story.last().await["sentence"], "6 of 6 machines ready.");
    story.world.end().await;
}

#[tokio::test]
async fn the_script_has_the_commands_and_replaces_no_file() {
    let mut practice = healthy().await;
    practice.arguments.clear();
    practice.azure.remove_agent(samples::WEB_01);
    let path = std::env::temp_dir().join(format!("apc-fix-{}.sh", rand::random::<u64>()));
    let file = path.to_str().unwrap();
    let output = practice.ask(&["--all", "--script", file]).await;
    assert_eq!(output.status.code(), Some(1));
    let script = std::fs::read_to_string(&path).unwrap();
    assert!(script.starts_with("#!/usr/bin/env bash\n"), "{script}");
    assert!(
        script.contains("\n# agent not installed (1 machine)\naz vm extension set "),
        "{script}"
    );
    let again = practice.ask(&["--all", "--script", file]).await;
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    std::fs::remove_file(&path).unwrap();
    assert!(said.contains("could not write"), "{said}");
    let output = practice.ask(&["--all", "--script", "-"]).await;
    assert_eq!(String::from_utf8_lossy(&output.stdout), script);
}
