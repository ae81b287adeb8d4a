//! What the caller meets before Azure is asked: routes, forms, limits, what is allowed, repeated alerts.

use crate::world::{World, common_alert, reply};
use azure_sandbox::{Call, Fault, What, samples};
use serde_json::{Value, json};

const FUNCTION: &str = "/api/AlertPacketCapture";

#[tokio::test]
async fn the_route_is_found_however_it_is_written() {
    let world = World::with(&[("PacketCapture__DryRun", "true")]).await;
    let alert = common_alert(&[samples::WEB_01]);
    for path in [
        FUNCTION,
        "/api/alertpacketcapture",
        "/API/ALERTPACKETCAPTURE/",
        "/api/AlertPacketCapture?code=k3y",
    ] {
        let reply = world.post_to(path, &alert).await;
        assert_eq!(reply.status, 200, "{path}");
    }
    for path in ["/api/Other", "/api", "/x/api/AlertPacketCapture"] {
        assert_eq!(world.post_to(path, &alert).await.status, 404, "{path}");
    }
    let probe = world
        .http
        .get(format!("{}/", world.url))
        .send()
        .await
        .unwrap();
    assert_eq!(probe.status(), 200);
    world.end().await;
}

#[tokio::test]
async fn methods_content_types_and_sizes_are_checked() {
    let world = World::start().await;
    let url = format!("{}{FUNCTION}", world.url);
    let alert = common_alert(&[samples::WEB_01]).to_string();
    let get = reply(world.http.get(&url).send().await.unwrap()).await;
    assert_eq!(
        (get.status, get.headers["allow"].to_str().unwrap()),
        (405, "POST")
    );
    let text = world
        .http
        .post(&url)
        .header("content-type", "text/plain")
        .body(alert.clone());
    assert_eq!(text.send().await.unwrap().status(), 415);
    let big = world
        .http
        .post(&url)
        .header("content-type", "application/json")
        .body(vec![b' '; (1 << 20) + 1]);
    let big = reply(big.send().await.unwrap()).await;
    assert_eq!(
        (big.status, &big.body["error"]["code"]),
        (413, &"AlertTooLarge".into())
    );
    let bare = reply(
        world
            .http
            .post(&url)
            .body(format!("\u{feff}{alert}"))
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(
        bare.body["outcome"], "created",
        "without a content type: {:?}",
        bare.body
    );
    world.end().await;
}

#[tokio::test]
async fn a_hostile_id_reaches_no_url() {
    let world = World::start().await;
    for id in [
        format!("{}/../../x", samples::WEB_01),
        format!("{}%2f..%2fx", samples::WEB_01),
        format!("{}?api-version=1", samples::WEB_01),
        format!("{}//extensions/x", samples::WEB_01),
        format!("{}\\x", samples::WEB_01),
    ] {
        let reply = world.post(&common_alert(&[samples::WEB_02, &id])).await;
        assert_eq!(reply.status, 400, "{id}");
        assert_eq!(
            reply.body["error"]["target"],
            "$.data.essentials.alertTargetIDs[1]"
        );
    }
    assert!(world.calls().is_empty(), "{:?}", world.calls());
    world.end().await;
}

#[tokio::test]
async fn the_wrapped_form_carries_the_answer_inside() {
    let world = World::start().await;
    let envelope = |alert: &Value| {
        json!({
            "Data": { "req": {
                "Url": "http://localhost:7071/api/AlertPacketCapture?code=k3y", "Method": "POST",
                "Query": { "code": "k3y" }, "Headers": { "Content-Type": ["application/json"] },
                "Params": {}, "Body": alert.to_string()
            } },
            "Metadata": { "sys": { "MethodName": "AlertPacketCapture" } }
        })
    };
    let good = world
        .post_to(
            "/AlertPacketCapture",
            &envelope(&common_alert(&[samples::WEB_01])),
        )
        .await;
    assert_eq!(good.status, 200);
    let response = &good.body["Outputs"]["res"];
    assert_eq!(
        (
            &response["statusCode"],
            &response["headers"]["Content-Type"]
        ),
        (&json!(200), &json!("application/json"))
    );
    let inner: Value = serde_json::from_str(response["body"].as_str().unwrap()).unwrap();
    assert_eq!(inner["outcome"], "created");
    assert!(
        good.body["Logs"]
            .as_array()
            .unwrap()
            .iter()
            .all(Value::is_string)
    );
    assert!(!good.body.to_string().contains("k3y"));
    // The host would throw a 400 away, so it goes inside too.
    let bad = world
        .post_to(
            "/AlertPacketCapture",
            &envelope(&json!({ "text": "hello" })),
        )
        .await;
    assert_eq!(
        (bad.status, &bad.body["Outputs"]["res"]["statusCode"]),
        (200, &json!(400))
    );
    world.end().await;
}

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

/// The sample bodies whole, cut off and with bytes changed, the same ones in every run.
#[tokio::test]
async fn no_body_makes_the_function_answer_5xx() {
    let world = World::with(&[("PacketCapture__DryRun", "true")]).await;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/alerts");
    let mut seed: u64 = 1;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize % below
    };
    let mut statuses = std::collections::BTreeMap::new();
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        let whole = std::fs::read(file).unwrap();
        let mut bodies = vec![whole.clone(), whole[..next(whole.len())].to_vec()];
        for _ in 0..4 {
            let mut changed = whole.clone();
            for _ in 0..=next(3) {
                changed[next(whole.len())] = next(256) as u8;
            }
            bodies.push(changed);
        }
        for body in bodies {
            let request = world.http.post(format!("{}{FUNCTION}", world.url));
            let request = request.header("content-type", "application/json");
            let status = request
                .body(body.clone())
                .send()
                .await
                .unwrap()
                .status()
                .as_u16();
            assert!(
                status == 200 || status == 400,
                "{status} for {}",
                String::from_utf8_lossy(&body)
            );
            *statuses.entry(status).or_insert(0) += 1;
        }
    }
    assert!(statuses[&200] > 50 && statuses[&400] > 50, "{statuses:?}");
    world.end().await;
}
