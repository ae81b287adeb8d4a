//! Which alert gets which capture: the profile's parameters are in the create, and answer, notification and page say which
//! profile it is and why.

use crate::support::{
    azure::Azure,
    people::People,
    receiver::Receiver,
    world::{World, common_alert},
};
use azure_sandbox::{Call, ExistingCapture, SessionStatus, samples};
use serde_json::{Value, json};
use time::OffsetDateTime;

const PROFILES: [(&str, &str); 9] = [
    ("PacketCapture__Profiles__probe__Order", "1"),
    (
        "PacketCapture__Profiles__probe__Metrics",
        "ChecksFailedPercent",
    ),
    (
        "PacketCapture__Profiles__probe__Filters",
        r#"[{"protocol":"TCP","remoteIPAddress":"{DestinationAddress}","remotePort":"{DestinationPort}"}]"#,
    ),
    ("PacketCapture__Profiles__sql__Order", "2"),
    ("PacketCapture__Profiles__sql__Rules", "sql-*"),
    ("PacketCapture__Profiles__sql__TimeLimitInSeconds", "300"),
    ("PacketCapture__Profiles__sql__Name", "sql-{vm}"),
    ("PacketCapture__Profiles__deep__AllowByProperty", "true"),
    (
        "PacketCapture__Profiles__deep__BytesToCapturePerPacket",
        "64",
    ),
];

fn alert(rule: &str) -> Value {
    let mut alert = common_alert(&[samples::WEB_01]);
    alert["data"]["essentials"]["alertRule"] = rule.into();
    alert
}

/// The alert of a test of Connection Monitor with this destination.
fn probe(address: Value, port: Value) -> Value {
    let mut alert = alert("probe");
    alert["data"]["alertContext"]["condition"]["allOf"] = json!([{
        "metricName": "ChecksFailedPercent",
        "metricNamespace": "Microsoft.Network/networkWatchers/connectionMonitors",
        "dimensions": [
            { "name": "DestinationAddress", "value": address },
            { "name": "DestinationPort", "value": port },
        ],
    }]);
    alert
}

async fn world(more: &[(&str, &str)]) -> World {
    World::with(&[&PROFILES[..], more].concat()).await
}

/// The `properties` of the last create's body.
fn put(world: &World) -> Value {
    let journal = world.azure.journal();
    let put = journal.iter().rev().find(|it| it.kind == Call::PutCapture);
    put.expect("a create").body["properties"].clone()
}

#[tokio::test]
async fn the_first_profile_that_matches_decides_what_is_captured() {
    let mut asked = alert("sql-down");
    asked["data"]["customProperties"] = json!({ "packetCaptureProfile": "deep" });
    for (alert, profile, seconds, bytes) in [
        (alert("sql-down"), "sql", 300, Value::Null),
        (alert("web-down"), "default", 10, Value::Null),
        (asked, "deep", 10, 64.into()),
    ] {
        let world = world(&[]).await;
        let reply = world.post(&alert).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        let capture = &reply.body["captures"][0];
        assert_eq!(capture["profile"]["name"], profile, "{capture}");
        let name = capture["name"].as_str().unwrap();
        assert_eq!(name.starts_with("sql-web-01-"), profile == "sql", "{name}");
        let body = put(&world);
        assert_eq!(body["timeLimitInSeconds"], seconds);
        assert_eq!(body["bytesToCapturePerPacket"], bytes);
        assert_eq!(body["filters"], Value::Null);
        world.end().await;
    }
}

#[tokio::test]
async fn a_property_that_no_profile_allows_is_named_and_not_followed() {
    for (wanted, words) in [
        ("sql", "does not allow it (AllowByProperty)"),
        ("quux", "is not set"),
    ] {
        let world = world(&[]).await;
        let mut alert = alert("web-down");
        alert["data"]["customProperties"] = json!({ "packetCaptureProfile": wanted });
        let reply = world.post(&alert).await;
        let profile = &reply.body["captures"][0]["profile"];
        assert_eq!(profile["name"], "default", "{profile}");
        let note = profile["notes"][0].as_str().unwrap();
        assert!(note.contains(wanted) && note.contains(words), "{note}");
        assert_eq!(put(&world)["timeLimitInSeconds"], 10);
        world.end().await;
    }
}

#[tokio::test]
async fn filters_have_the_destination_of_the_test_that_fails() {
    let world = world(&[]).await;
    world.post(&probe("10.1.2.3".into(), "1433".into())).await;
    assert_eq!(
        put(&world)["filters"],
        json!([{ "protocol": "TCP", "remoteIPAddress": "10.1.2.3", "remotePort": "1433" }])
    );
    world.end().await;
}

/// The alert's values are foreign: what is no address or port gets neither into the create nor into a log line.
#[tokio::test]
async fn hostile_values_leave_the_filters_out_and_the_notification_says_so() {
    for (address, port) in [
        (json!("10.1.2.3\",\"protocol\":\"Any"), json!("1433")),
        (json!("10.1.2.3\r\nforged: 1"), json!("1433")),
        (json!("0.0.0.0/0"), json!("1433")),
        (json!({ "a": ["10.1.2.3"] }), json!("1433")),
        (json!("x".repeat(200_000)), json!("1433")),
        (json!("10.1.2.3"), json!("{DestinationPort}")),
        (json!("10.1.2.3"), json!(-1)),
        (json!("10.1.2.3"), Value::Null),
    ] {
        let receiver = Receiver::start().await;
        let settings = receiver.settings_for("completed");
        let settings: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (&**n, &**v)).collect();
        let world = world(&settings).await;
        let reply = world.post(&probe(address.clone(), port)).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        assert_eq!(put(&world)["filters"], Value::Null, "{address:.100}");
        world.run_out();
        receiver.until(|notices| !notices.is_empty()).await;
        let notification = receiver.notices().remove(0);
        let profile = &notification["data"]["profile"];
        assert_eq!(profile["name"], "probe", "{notification}");
        let note = profile["notes"][0].as_str().unwrap();
        assert!(
            note.starts_with("All packets are captured, without the filters of the profile probe"),
            "{note}"
        );
        assert!(
            !notification.to_string().contains("forged"),
            "{notification}"
        );
        world.end().await;
    }
}

#[tokio::test]
async fn each_profile_leaves_a_machine_alone_for_its_own_time() {
    let world = world(&[
        ("PacketCapture__CooldownSeconds", "3600"),
        ("PacketCapture__Profiles__sql__CooldownSeconds", "0"),
    ])
    .await;
    for (rule, expected) in [
        ("web-down", "created"),
        ("web-down", "ignored"),
        ("sql-down", "created"),
        ("web-down", "ignored"),
    ] {
        let reply = world.post(&alert(rule)).await;
        assert_eq!(reply.body["outcome"], expected, "{rule}: {:?}", reply.body);
    }
    world.end().await;
}

#[tokio::test]
async fn a_resolved_alert_stops_the_capture_of_its_own_profile() {
    let world = world(&[("PacketCapture__Profiles__sql__StopOnResolved", "true")]).await;
    for (rule, stopped) in [("web-down", 0), ("sql-down", 1)] {
        let mut alert = alert(rule);
        let reply = world.post(&alert).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        world.azure.complete_operations();
        alert["data"]["essentials"]["monitorCondition"] = "Resolved".into();
        let reply = world.post(&alert).await;
        let expected = if stopped == 1 { "stopped" } else { "ignored" };
        assert_eq!(reply.body["outcome"], expected, "{:?}", reply.body);
        let stop = "POST packetCaptures/sql-web-01-";
        let stops = world.calls().into_iter();
        let stops = stops.filter(|it| it.starts_with(stop) && it.contains("/stop "));
        assert_eq!(stops.count(), stopped, "{:#?}", world.calls());
    }
    world.end().await;
}

/// Azure Monitor leaves values out of some resolutions.
#[tokio::test]
async fn a_resolution_that_says_less_stops_the_capture_of_its_firing() {
    let world = world(&[
        ("PacketCapture__StopOnResolved", "true"),
        ("PacketCapture__Profiles__probe__Name", "probe-{vm}"),
    ])
    .await;
    let mut alert = probe("10.1.2.3".into(), "1433".into());
    let reply = world.post(&alert).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    world.azure.complete_operations();
    alert["data"]["essentials"]["monitorCondition"] = "Resolved".into();
    alert["data"]["alertContext"]["condition"]["allOf"][0]["metricName"] = Value::Null;
    let reply = world.post(&alert).await;
    assert_eq!(reply.body["outcome"], "stopped", "{:?}", reply.body);
    let stop = "POST packetCaptures/probe-web-01-";
    let stopped = |line: &String| line.starts_with(stop) && line.contains("/stop ");
    assert!(world.calls().iter().any(stopped), "{:#?}", world.calls());
    world.end().await;
}

#[tokio::test]
async fn what_a_joined_capture_does_in_another_way_is_said() {
    let receiver = Receiver::start().await;
    let settings = receiver.settings_for("completed");
    let mut settings: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (&**n, &**v)).collect();
    settings.push(("PacketCapture__Profiles__probe__TimeLimitInSeconds", "60"));
    let world = world(&settings).await;
    world.azure.add_capture(ExistingCapture {
        watcher: samples::WATCHER_WESTEUROPE.to_owned(),
        name: "PSAzureFunction".to_owned(),
        target: samples::WEB_01.to_owned(),
        status: SessionStatus::Running,
        started: Some(OffsetDateTime::now_utc()),
        time_limit_seconds: 10,
        stop_reason: None,
    });
    let reply = world.post(&probe("10.1.2.3".into(), "1433".into())).await;
    assert_eq!(reply.body["outcome"], "joined", "{:?}", reply.body);
    let message = reply.body["message"].as_str().unwrap();
    assert!(
        message.ends_with("It captures in another way than the profile probe asks for: its time limit is 10 s instead of 60 s; it captures all packets"),
        "{message}"
    );
    assert_eq!(world.count("PUT") + world.count("DELETE"), 0);
    world.run_out();
    receiver.until(|notices| notices.len() == 1).await;
    let data = receiver.notices().remove(0)["data"].take();
    let note = data["profile"]["notes"][0].as_str().unwrap();
    assert!(message.ends_with(note), "{data}");
    world.end().await;
}

#[tokio::test]
async fn a_profile_has_receivers_and_a_link_of_its_own() {
    let (webhook, people) = (Receiver::start().await, People::start().await);
    let settings = [webhook.settings_for("completed"), people.pagerduty(3)].concat();
    let mut pairs: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (&**n, &**v)).collect();
    let link = "https://wiki.example/runbooks/sql";
    pairs.extend([
        ("PacketCapture__Profiles__sql__Receivers", "webhook"),
        ("PacketCapture__Profiles__sql__Link", link),
    ]);
    let world = world(&pairs).await;
    world.post(&alert("sql-down")).await;
    world.run_out();
    webhook.until(|notices| notices.len() == 1).await;
    let notification = webhook.notices().remove(0);
    assert_eq!(notification["data"]["links"]["runbook"], link);
    assert_eq!(
        notification["data"]["profile"]["why"],
        "the rule's name matches sql-*"
    );
    // The other receiver gets that of the default settings, and nothing before.
    let mut other = alert("web-down");
    other["data"]["essentials"]["alertTargetIDs"] = json!([samples::WEB_02]);
    world.post(&other).await;
    world.run_out();
    webhook.until(|notices| notices.len() == 2).await;
    people.until(|people| !people.events().is_empty()).await;
    world.end().await;
    let events = people.events();
    assert!(
        !json!(events).to_string().contains("sql-down"),
        "{events:?}"
    );
    assert!(webhook.notices()[1]["data"]["links"]["runbook"].is_null());
}

/// The file goes to the profile's account, is read there, and finished captures of the profile's name are this function's.
#[tokio::test]
async fn a_profile_uploads_to_its_own_account_where_the_file_is_read() {
    let other = samples::STORAGE_ACCOUNT.replace("stcaptures", "stother");
    let webhook = Receiver::start().await;
    let settings = webhook.settings_for("completed");
    let mut pairs: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (&**n, &**v)).collect();
    pairs.extend([
        ("FirstLook__Enabled", "true"),
        ("PacketCapture__RemoveFinished", "after_notice"),
        ("PacketCapture__Profiles__sql__StorageAccountId", &other),
    ]);
    let azure = Azure::start().await;
    azure.add_storage_account(&other, "westeurope");
    let world = World::on(azure, &[&PROFILES[..], &pairs].concat()).await;
    world.post(&alert("sql-down")).await;
    assert_eq!(put(&world)["storageLocation"]["storageId"], other);
    world.run_out();
    webhook.until(|notices| notices.len() == 1).await;
    let data = webhook.notices().remove(0)["data"].take();
    let path = data["capture"]["storagePath"].as_str().unwrap();
    assert!(path.contains("/stother/network-watcher-logs/"), "{path}");
    assert!(
        data["look"]["lines"]
            .as_array()
            .is_some_and(|it| !it.is_empty()),
        "{data}"
    );
    world
        .until(|lines| {
            let removed = |line: &String| line.starts_with("DELETE packetCaptures/sql-web-01-");
            lines.iter().any(removed)
        })
        .await;
    world.azure.complete_operations();
    world.end().await;
}

#[tokio::test]
async fn a_dry_run_and_the_incident_say_which_profile_and_why() {
    let world = world(&[]).await;
    let dry = world
        .post_to("/api/AlertPacketCapture?dryRun=true", &alert("sql-down"))
        .await;
    assert_eq!(dry.body["outcome"], "dry_run", "{:?}", dry.body);
    assert_eq!(dry.body["profiles"][0]["name"], "sql");
    assert_eq!(
        dry.body["profiles"][0]["target"],
        samples::WEB_01,
        "{:?}",
        dry.body
    );
    let reply = world.post(&alert("sql-down")).await;
    let incident = reply.body["captures"][0]["incidentId"].as_str().unwrap();
    let url = format!("{}/api/PacketCaptures/{incident}", world.url);
    let read: Value = world
        .http
        .get(&url)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(read["entries"][0]["profile"]["name"], "sql", "{read}");
    let page = world.http.get(&url).header("accept", "text/html");
    let page = page.send().await.unwrap().text().await.unwrap();
    assert!(page.contains("<dt>Profile</dt><dd>sql (the rule"), "{page}");
    world.end().await;
}
