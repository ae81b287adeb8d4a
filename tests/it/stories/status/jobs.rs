//! The list of incidents, single incidents and jobs, as JSON.

use super::*;

#[tokio::test]
async fn incidents_are_listed_newest_first_in_pages() {
    let world = World::start().await;
    for (rule, target) in [
        ("first", samples::WEB_01),
        ("second", samples::SQL_01),
        // Joins the first one's incident.
        ("third", samples::WEB_01),
    ] {
        world.post(&alert_of(rule, target)).await;
    }
    let all = world.get_json("/API/packetcaptures/").await;
    assert_eq!((all.status, &all.body["nextLink"]), (200, &Value::Null));
    let listed = |page: &Value| -> Vec<String> {
        let incidents = page["value"].as_array().unwrap().iter();
        incidents
            .map(|it| it["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let ids = listed(&all.body);
    assert_eq!(ids.len(), 2);
    // To the second in which they were opened.
    let second = |id: &String| id[..15].to_owned();
    assert!(
        ids.is_sorted_by_key(|id| std::cmp::Reverse(second(id))),
        "{ids:?}"
    );
    let web = format!("{STATUS}?machine=web-01");
    let web = world.get_json(&web).await.body["value"].clone();
    assert_eq!(web.as_array().unwrap().len(), 1);
    for (member, expected) in [
        ("machine", json!(samples::WEB_01)),
        ("rule", json!("first")),
        ("state", json!("in_progress")),
        ("alerts", json!(2)),
        ("fileBytes", Value::Null),
    ] {
        assert_eq!(web[0][member], expected, "{member}");
    }
    // A page after the other: nothing is missed and nothing comes twice.
    let first = world.get_json(&format!("{STATUS}?code=k3y&$top=1")).await;
    assert_eq!(listed(&first.body), ids[..1]);
    let next = first.body["nextLink"].as_str().unwrap();
    assert!(
        next.starts_with("?$top=1&$skiptoken=") && !next.contains("k3y"),
        "{next}"
    );
    let second = world.get_json(&format!("{STATUS}{next}")).await;
    assert_eq!(
        (listed(&second.body), &second.body["nextLink"]),
        (ids[1..].to_vec(), &Value::Null)
    );
    for wrong in [
        "$top=0",
        "$top=201",
        "$top=ten",
        "$skiptoken=!",
        "state=gone",
    ] {
        let refused = world.get_json(&format!("{STATUS}?{wrong}")).await;
        assert_eq!(
            (refused.status, &refused.body["error"]["code"]),
            (400, &"InvalidQuery".into())
        );
    }
    world.end().await;
}

#[tokio::test]
async fn an_incident_has_its_alerts_captures_and_steps() {
    let world = World::start().await;
    let first = world.post(&alert_of("first", samples::WEB_01)).await;
    let second = world.post(&alert_of("second", samples::WEB_01)).await;
    world
        .job_that(&job_id(&second), |job| job["status"] == "joined")
        .await;
    let id = first.body["captures"][0]["incidentId"].as_str().unwrap();
    world.run_out();
    world
        .job_that(&job_id(&first), |job| job["phase"] == "done")
        .await;
    let incident = world.get_json(&format!("{STATUS}/{id}")).await.body;
    assert_eq!(
        (&incident["id"], &incident["alerts"]),
        (&id.into(), &2.into())
    );
    let entries = incident["entries"].as_array().unwrap();
    let rules: Vec<&Value> = entries.iter().map(|it| &it["alert"]["rule"]).collect();
    assert_eq!(rules, ["first", "second"]);
    assert_eq!(entries[0]["report"]["status"], "completed", "{incident:#}");
    assert_eq!(entries[1]["report"]["joined"], true);
    let steps: Vec<String> = incident["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["what"].to_string())
        .collect();
    for what in ["alert_fired", "accepted", "running", "joined", "ended"] {
        assert!(
            steps.contains(&format!("\"{what}\"")),
            "{what} of {steps:?}"
        );
    }
    // The id of a job leads to it.
    let job = world
        .get_json(&format!("{STATUS}/{}", job_id(&first).as_str().unwrap()))
        .await;
    assert_eq!(job.body["incidentId"], id);
    world.end().await;
}

#[tokio::test]
async fn a_job_is_followed_to_its_evidence() {
    let world = World::start().await;
    let answer = world.post(&alert_of("tcp-burst", samples::WEB_01)).await;
    let id = job_id(&answer);
    world.azure.complete_operations();
    let running = world.job_that(&id, |job| job["phase"] == "running").await;
    assert_eq!(running["status"], "created", "{running}");
    for (member, expected) in [
        ("target", json!(samples::WEB_01)),
        ("rule", json!("tcp-burst")),
        ("action", json!("capture")),
        ("name", json!("PSAzureFunction")),
        (
            "storagePath",
            answer.body["captures"][0]["storagePath"].clone(),
        ),
        ("joined", json!(false)),
        ("failures", json!(0)),
        ("errors", json!([])),
        ("endedAt", Value::Null),
    ] {
        assert_eq!(running[member], expected, "{member}");
    }
    world.azure.finish_sessions();
    let over = world.job_that(&id, |job| job["phase"] == "done").await;
    assert_eq!(over["status"], "completed", "{over}");
    assert_eq!(over["stopReason"], "TimeExceeded", "{over}");
    assert!(over["takenAt"].as_str().unwrap() < over["updatedAt"].as_str().unwrap());
    world.end().await;
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let world = World::start().await;
    let unknown = world
        .get_json(&format!("{STATUS}/11111111-2222-4333-8444-555555555555"))
        .await;
    assert_eq!(
        (unknown.status, &unknown.body["error"]["code"]),
        (404, &"IncidentNotFound".into())
    );
    let deeper = world.get_json(&format!("{STATUS}/a/b")).await;
    assert_eq!(
        (deeper.status, &deeper.body["error"]["code"]),
        (404, &"NotFound".into())
    );
    for path in [STATUS, "/PacketCaptures", "/api/PacketCaptures/metrics"] {
        let posted = world.post_to(path, &json!({})).await;
        assert_eq!(posted.status, 405, "{path}");
        assert_eq!(posted.headers["allow"], "GET", "{path}");
    }
    assert_eq!(
        world.get("/api/PacketCapturesToo", "*/*").await.status(),
        404
    );
    world.end().await;
}

#[tokio::test]
async fn the_wrapped_form_shows_the_same() {
    let world = World::start().await;
    let id = job_id(&world.post(&alert_of("tcp-burst", samples::WEB_01)).await);
    world.post(&alert_of("second", samples::SQL_01)).await;
    let asked = |path: &str, accept: &str| {
        json!({
            "Data": { "req": {
                "Url": format!("https://apc.example{path}?code=k3y"), "Method": "GET",
                "Query": { "code": "k3y", "$top": "1" }, "Headers": { "Accept": [accept] },
                "Params": { "path": "x" }
            } },
            "Metadata": { "sys": { "MethodName": "PacketCaptures" } }
        })
    };
    let ask = async |path: &str, accept: &str| {
        let answer = world.post_to("/PacketCaptures", &asked(path, accept)).await;
        assert_eq!(answer.status, 200, "the host throws everything else away");
        assert!(!answer.body.to_string().contains("k3y"));
        answer.body["Outputs"]["res"].clone()
    };
    let list = ask(STATUS, "application/json").await;
    assert_eq!(list["statusCode"], 200);
    let body: Value = serde_json::from_str(list["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["value"].as_array().unwrap().len(), 1);
    assert!(body["nextLink"].as_str().unwrap().contains("$skiptoken"));
    for (name, value, status, shown) in [
        ("state", "gone", 400, None),
        ("day", "28.11.2026", 400, None),
        ("Day", "2001-09-09", 200, Some(0)),
        ("machine", "other", 200, Some(0)),
    ] {
        let mut narrowed = asked(STATUS, "application/json");
        narrowed["Data"]["req"]["Query"][name] = json!(value);
        let answer = world.post_to("/PacketCaptures", &narrowed).await;
        let answer = &answer.body["Outputs"]["res"];
        assert_eq!(answer["statusCode"], status, "{name}={value}");
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert_eq!(
            body["value"].as_array().map(Vec::len),
            shown,
            "{name}={value}"
        );
    }
    let one = ask(&format!("{STATUS}/{}/", id.as_str().unwrap()), "*/*").await;
    let body: Value = serde_json::from_str(one["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["jobId"], id);
    let missing = ask(&format!("{STATUS}/none"), "*/*").await;
    assert_eq!(missing["statusCode"], 404);
    let page = ask(STATUS, "text/html").await;
    assert_eq!(page["headers"]["Content-Type"], "text/html; charset=utf-8");
    let page = page["body"].as_str().unwrap();
    assert!(
        page.contains("Packet captures") && page.contains("Older incidents"),
        "{page}"
    );
    let metrics = ask(&format!("{STATUS}/metrics"), "*/*").await;
    assert!(
        metrics["body"]
            .as_str()
            .unwrap()
            .contains("apc_jobs_waiting")
    );
    world.end().await;
}
