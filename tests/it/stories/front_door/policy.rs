//! What the settings say of an alert: repeated, allowed, cooling down, beyond the capacity, a dry run.

use super::*;

#[tokio::test]
async fn a_repeated_alert_captures_once() {
    let world = World::start().await;
    let alert = common_alert(&[samples::WEB_01]);
    let first = world.post(&alert).await;
    let second = world.post(&alert).await;
    assert_eq!(
        (
            second.status,
            &second.body["outcome"],
            &second.body["reason"]
        ),
        (200, &"ignored".into(), &"duplicate".into())
    );
    assert_eq!(
        second.body["captures"][0]["jobId"],
        first.body["captures"][0]["jobId"]
    );
    assert_eq!(second.body["captures"][0]["status"], "created");
    assert_eq!(world.count("PUT"), 1);
    world.end().await;
}

#[tokio::test]
async fn the_owner_says_what_may_be_captured() {
    let group = samples::SQL_01.split("/providers/").next().unwrap();
    let world = World::with(&[
        ("PacketCapture__AllowedScopes", group),
        ("PacketCapture__AllowedRules", "tcp-*"),
    ])
    .await;
    let outside = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(
        (outside.status, &outside.body["reason"]),
        (200, &"scope_not_allowed".into())
    );
    let both = world
        .post(&common_alert(&[samples::WEB_01, samples::SQL_01]))
        .await;
    assert_eq!(both.body["outcome"], "created", "{:?}", both.body);
    let entries = both.body["captures"].as_array().unwrap();
    let statuses: Vec<_> = entries
        .iter()
        .map(|entry| entry["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["created", "ignored"]);
    assert_eq!(entries[1]["reason"], "scope_not_allowed");
    let mut other = common_alert(&[samples::SQL_01]);
    other["data"]["essentials"]["alertRule"] = "cpu".into();
    assert_eq!(world.post(&other).await.body["reason"], "rule_not_allowed");
    assert!(world.calls().iter().all(|line| !line.contains("web-01")));
    world.end().await;
}

#[tokio::test]
async fn a_machine_cools_down() {
    let world = World::with(&[("PacketCapture__CooldownSeconds", "600")]).await;
    assert_eq!(
        world.post(&common_alert(&[samples::WEB_01])).await.body["outcome"],
        "created"
    );
    let again = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(
        (again.status, &again.body["reason"]),
        (200, &"cooldown".into())
    );
    assert_eq!(
        world.post(&common_alert(&[samples::SQL_01])).await.body["outcome"],
        "created"
    );
    world.end().await;
}

#[tokio::test]
async fn beyond_the_capacity_alerts_are_sent_away_and_may_come_again() {
    let world = World::with(&[
        ("JobQueue__Capacity", "1"),
        ("PacketCapture__ReplyWaitSeconds", "0"),
    ])
    .await;
    world.azure.fault(Fault {
        on: Call::ListWatchers,
        times: 1,
        what: What::Hang,
    });
    assert_eq!(
        world.post(&common_alert(&[samples::WEB_01])).await.status,
        202
    );
    let alert = common_alert(&[samples::SQL_01]);
    for _ in 0..2 {
        // The second time it is no duplicate either, since it was never taken.
        let full = world.post(&alert).await;
        assert_eq!(
            (full.status, &full.body["error"]["code"]),
            (503, &"NotTaken".into())
        );
        assert!(full.headers.contains_key("retry-after"));
        assert!(
            full.body["error"]["message"]
                .as_str()
                .unwrap()
                .contains("JobQueue__Capacity")
        );
    }
    let many = world
        .post(&common_alert(&[samples::WEB_01, samples::WEB_02]))
        .await;
    assert_eq!(
        (many.status, &many.body["error"]["code"]),
        (400, &"TooManyTargets".into())
    );
    world
        .until(|lines| {
            lines
                .iter()
                .any(|line| line == "GET networkWatchers (hangs)")
        })
        .await;
}

#[tokio::test]
async fn an_alert_with_more_targets_than_any_of_azures_is_refused_whatever_is_asked() {
    let world = World::start().await;
    let targets: Vec<String> = (0..=1_000)
        .map(|n| samples::WEB_01.replace("web-01", &format!("web-{n}")))
        .collect();
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    for (count, status) in [(1_000, 200), (1_001, 400)] {
        let alert = common_alert(&targets[..count]);
        let dry = world
            .post_to("/api/AlertPacketCapture?dryRun=true", &alert)
            .await;
        assert_eq!(dry.status, status, "{count}");
        if status == 400 {
            assert_eq!(dry.body["error"]["code"], "TooManyTargets");
        }
    }
    world.end().await;
}

#[tokio::test]
async fn a_dry_run_reads_all_and_writes_nothing() {
    let world = World::start().await;
    let alert = common_alert(&[samples::WEB_01]);
    let dry = world
        .post_to("/api/AlertPacketCapture?code=x&dryRun=true", &alert)
        .await;
    assert_eq!(
        (dry.status, &dry.body["outcome"], &dry.body["wouldCapture"]),
        (200, &"dry_run".into(), &true.into())
    );
    let read = &dry.body["alert"];
    for (member, expected) in [
        ("schema", json!("common")),
        ("state", json!("fired")),
        ("rule", json!("tcp-burst")),
        ("signal", json!("Metric")),
        ("severity", json!("Sev2")),
        ("firedAt", json!("2026-11-23T01:02:03.4567891Z")),
        ("region", Value::Null),
        ("targets", json!([{ "id": samples::WEB_01, "type": "vm" }])),
    ] {
        assert_eq!(read[member], expected, "{member}");
    }
    assert!(read["dedupeKey"].is_string());
    let mut resolved = alert.clone();
    resolved["data"]["essentials"]["monitorCondition"] = "Resolved".into();
    let dry = world
        .post_to("/api/AlertPacketCapture?dryRun=true", &resolved)
        .await;
    assert_eq!(
        (&dry.body["wouldCapture"], &dry.body["reason"]),
        (&false.into(), &"resolved".into())
    );
    assert!(world.calls().is_empty());
    // It left no trace: the real alert is no duplicate.
    assert_eq!(world.post(&alert).await.body["outcome"], "created");
    world.end().await;
}

#[tokio::test]
async fn what_an_alert_names_in_place_of_a_machine_is_in_the_answer() {
    let world = World::start().await;
    let mut alert = common_alert(&[samples::STORAGE_ACCOUNT]);
    alert["data"]["essentials"]["signalType"] = "Log".into();
    alert["data"]["alertContext"]["condition"]["allOf"] = json!([{
        "dimensions": [{ "name": "Computer", "value": "web-01\u{202e}\nforged" }],
    }]);
    let reply = world.post(&alert).await;
    assert_eq!(reply.body["reason"], "no_vm_target", "{:?}", reply.body);
    let named = &reply.body["alert"]["named"];
    assert_eq!(named["dimensions"], json!(["Computer=web-01 forged"]));
    let resource = named["resources"][0].as_str().unwrap();
    assert!(resource.ends_with("storageAccounts stcaptures"), "{named}");
    let message = reply.body["message"].as_str().unwrap();
    assert!(message.contains("Computer=web-01 forged"), "{message}");
    assert!(message.ends_with("_ResourceId"), "{message}");
    let machine = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(machine.body["alert"].get("named"), None);
    world.end().await;
}

#[tokio::test]
async fn an_alert_that_asks_for_no_capture_is_answered_with_the_reason() {
    let world = World::with(&[("PacketCapture__AllowedSignals", "Log, Activity Log")]).await;
    let metric = common_alert(&[samples::WEB_01]);
    let mut unknown = metric.clone();
    unknown["data"]["essentials"]["monitorCondition"] = "Paused".into();
    let nowhere = common_alert(&[samples::STORAGE_ACCOUNT]);
    let sample = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
    for (alert, reason) in [
        (metric, "signal_not_allowed"),
        (unknown, "state_unknown"),
        (nowhere, "no_vm_target"),
        (
            sample(include_str!("../../../alerts/autoscale.json")),
            "autoscale_notification",
        ),
        (
            sample(include_str!(
                "../../../alerts/common-test-subscription.json"
            )),
            "test_payload",
        ),
    ] {
        let reply = world.post(&alert).await;
        assert_eq!(
            (reply.status, &reply.body["outcome"], &reply.body["reason"]),
            (200, &"ignored".into(), &reason.into())
        );
    }
    assert!(world.calls().is_empty());
    let mut log = common_alert(&[samples::WEB_01]);
    log["data"]["essentials"]["signalType"] = "Log".into();
    assert_eq!(world.post(&log).await.body["outcome"], "created");
    world.end().await;
}

#[tokio::test]
async fn one_alert_captures_no_more_machines_than_the_owner_allows() {
    let world = World::with(&[("PacketCapture__MaxTargets", "1")]).await;
    let alert = common_alert(&[samples::WEB_01, samples::SQL_01]);
    let dry = world
        .post_to("/api/AlertPacketCapture?dryRun=true", &alert)
        .await;
    assert_eq!(dry.body["wouldCapture"], true, "{:?}", dry.body);
    let real = world.post(&alert).await;
    assert_eq!(real.body["outcome"], "created", "{:?}", real.body);
    for (captures, at) in [(&dry.body["captures"], 0), (&real.body["captures"], 1)] {
        assert_eq!(captures.as_array().unwrap().len(), at + 1);
        let skipped = &captures[at];
        for (member, expected) in [
            ("target", json!(samples::SQL_01)),
            ("status", json!("skipped")),
            ("reason", json!("max_targets_reached")),
            ("jobId", Value::Null),
        ] {
            assert_eq!(skipped[member], expected, "{member}");
        }
        let message = skipped["message"].as_str().unwrap();
        assert!(
            message.starts_with("sql-01 ") && message.contains("PacketCapture__MaxTargets"),
            "{message}"
        );
    }
    assert_eq!(world.count("PUT"), 1);
    world.end().await;
}
