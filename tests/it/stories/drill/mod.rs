//! A drill proves the way from an alert to its notification, is marked wherever it is seen, leaves nothing but its file, and
//! stands in no alert's way. On a broken machine it says what is broken.

mod beside;
mod broken;
mod timer;

use crate::support::{
    azure::Azure,
    receiver::Receiver,
    world::{Reply, World, common_alert},
};
use alert_packet_capture::incident::{
    drill::{Drill, Verdict},
    record::{Entry, Step},
};
use azure_sandbox::{Entry as Call, Options, samples};
use serde_json::{Value, json};
use std::time::Duration;

const GUARD: Duration = Duration::from_secs(30);

/// An app whose captures are read and whose notifications arrive.
struct Story {
    world: World,
    receiver: Receiver,
}

impl Story {
    async fn with(settings: &[(&str, &str)]) -> Self {
        let azure = Azure::with(Options::default()).await;
        Self::on(azure, settings).await
    }

    async fn on(azure: Azure, settings: &[(&str, &str)]) -> Self {
        let receiver = Receiver::start().await;
        let own = receiver.settings();
        let mut all: Vec<(&str, &str)> = own.iter().map(|(n, v)| (&**n, &**v)).collect();
        all.push(("FirstLook__Enabled", "true"));
        all.extend(settings);
        let mut pace = World::pace();
        pace.drill_period = Duration::from_millis(100);
        let world = World::paced(azure, &all, pace).await;
        Self { world, receiver }
    }

    /// Starts a drill.
    async fn start(&self, vm: &str) -> Reply {
        let body = json!({ "target": vm });
        self.world.post_to("/api/PacketCaptures/drill", &body).await
    }

    /// The incident of the answer, as JSON.
    async fn incident(&self, reply: &Reply) -> Value {
        let captures = &reply.body["captures"];
        let id = captures[0]["incidentId"].as_str();
        let id = id.unwrap_or_else(|| panic!("no incident in {:?}", reply.body));
        let url = format!("{}/api/PacketCaptures/{id}", self.world.url);
        let answer = self.world.http.get(url).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// Moves Azure on until the drill of this answer has ended.
    async fn end_of(&self, reply: &Reply) -> (Drill, Value) {
        let mut calls = self.world.azure.subscribe();
        let ended = async {
            loop {
                self.world.run_out();
                let incident = self.incident(reply).await;
                let drill = read(&incident);
                if drill.verdict != Verdict::InProgress {
                    return (drill, incident);
                }
                let _ = tokio::time::timeout(Duration::from_millis(20), calls.recv()).await;
            }
        };
        match tokio::time::timeout(GUARD, ended).await {
            Ok(ended) => ended,
            Err(_) => panic!("in progress: {:#}", self.incident(reply).await),
        }
    }

    async fn drill(&self, vm: &str) -> (Drill, Value) {
        let reply = self.start(vm).await;
        self.end_of(&reply).await
    }

    async fn page(&self, below: &str) -> String {
        let url = format!("{}/api/PacketCaptures{below}", self.world.url);
        let request = self.world.http.get(url).header("accept", "text/html");
        request.send().await.unwrap().text().await.unwrap()
    }
}

fn read(incident: &Value) -> Drill {
    let entries: Vec<Entry> = serde_json::from_value(incident["entries"].clone()).unwrap();
    let steps: Vec<Step> = serde_json::from_value(incident["steps"].clone()).unwrap();
    Drill::of(&entries[0], &steps)
}

fn whats(drill: &Drill) -> Vec<&str> {
    drill.marks.iter().map(|mark| mark.what).collect()
}

#[tokio::test]
async fn a_drill_on_a_healthy_machine_passes_and_leaves_its_file_alone() {
    let story = Story::with(&[]).await;
    let reply = story.start(samples::WEB_01).await;
    assert_eq!(
        (reply.status, &reply.body["outcome"]),
        (200, &"created".into())
    );
    let created = &story.world.azure.captures(samples::WATCHER_WESTEUROPE)[0];
    assert!(
        created.name.starts_with("apc-drill-web-01-"),
        "{}",
        created.name
    );
    assert_eq!(created.time_limit_seconds, 5);
    let (drill, incident) = story.end_of(&reply).await;
    for what in [
        "alert accepted",
        "capture created",
        "capture running",
        "capture ended",
        "file there",
        "file read",
        "notified",
        "session removed",
    ] {
        assert!(whats(&drill).contains(&what), "{what} is not in {drill:#?}");
    }
    let sentence = drill.sentence();
    assert!(
        sentence.starts_with("Drill passed: from alert to notification "),
        "{sentence}"
    );
    // Its session is gone, and its file is there and named.
    assert!(
        story
            .world
            .azure
            .captures(samples::WATCHER_WESTEUROPE)
            .is_empty()
    );
    let path = incident["entries"][0]["report"]["storagePath"]
        .as_str()
        .unwrap();
    assert!(story.world.azure.blob(path).is_some());
    assert_eq!(drill.left, [format!("the file {path}")]);
    // It is marked wherever it is seen.
    assert_eq!(incident["drill"], true);
    assert_eq!(incident["entries"][0]["alert"]["signal"], "Drill");
    let received = story.receiver.notices();
    assert!(
        !received.is_empty() && received.iter().all(|it| it["data"]["drill"] == true),
        "{received:#?}"
    );
    let id = incident["id"].as_str().unwrap();
    let page = story.page(&format!("/{id}")).await;
    assert!(
        page.contains("Drill passed: from alert to notification "),
        "{page}"
    );
    assert!(story.page("").await.contains("class=\"drill\""));
    story.world.end().await;
}

#[tokio::test]
async fn a_request_that_names_no_machine_is_refused() {
    let story = Story::with(&[]).await;
    for body in [
        json!({}),
        json!([]),
        json!({ "target": samples::API_SET }),
        json!({ "target": "web-01" }),
    ] {
        let reply = story
            .world
            .post_to("/api/PacketCaptures/drill", &body)
            .await;
        assert_eq!(
            (reply.status, &reply.body["error"]["code"]),
            (400, &"InvalidDrill".into()),
            "{body}"
        );
    }
    let url = format!("{}/api/PacketCaptures/drill", story.world.url);
    let answer = story.world.http.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 405);
    assert!(story.world.calls().is_empty());
    story.world.end().await;
}

#[tokio::test]
async fn a_drill_comes_in_the_host_s_envelope_too() {
    let story = Story::with(&[]).await;
    let envelope = json!({
        "Data": { "req": {
            "Url": "http://localhost:7071/api/PacketCaptures/drill", "Method": "POST", "Query": {},
            "Headers": { "Content-Type": ["application/json"] },
            "Body": json!({ "target": samples::WEB_01 }).to_string(),
        }},
        "Metadata": {},
    });
    let reply = story.world.post_to("/PacketCaptures", &envelope).await;
    assert_eq!(
        reply.body["Outputs"]["res"]["statusCode"], 200,
        "{:?}",
        reply.body
    );
    let body = reply.body["Outputs"]["res"]["body"].as_str().unwrap();
    let answer: Value = serde_json::from_str(body).unwrap();
    assert_eq!(answer["alert"]["signal"], "Drill");
    story.world.run_out();
    story
        .receiver
        .until(|notices| notices.iter().any(|it| it["data"]["event"] == "completed"))
        .await;
    story.world.end().await;
}
