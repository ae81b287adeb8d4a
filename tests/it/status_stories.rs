//! What people and Prometheus see of the jobs afterwards.

use crate::world::{Reply, World, common_alert, reply};
use azure_sandbox::{Call, Fault, FaultBody, What, samples};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

const STATUS: &str = "/api/PacketCaptures";

impl World {
    async fn get(&self, path: &str, accept: &str) -> reqwest::Response {
        let request = self.http.get(format!("{}{path}", self.url));
        request.header("accept", accept).send().await.unwrap()
    }

    async fn get_json(&self, path: &str) -> Reply {
        reply(self.get(path, "application/json").await).await
    }

    /// One job as soon as it is as the story wants it.
    async fn job_that(&self, id: &Value, good: impl Fn(&Value) -> bool) -> Value {
        let path = format!("{STATUS}/{}", id.as_str().unwrap());
        let seen = async {
            loop {
                let job = self.get_json(&path).await.body;
                if good(&job) {
                    return job;
                }
            }
        };
        let seen = tokio::time::timeout(Duration::from_secs(30), seen);
        seen.await.expect("the job gets there")
    }

    /// The metrics as soon as they are as the story wants them.
    async fn metrics_that(
        &self,
        good: impl Fn(&BTreeMap<String, f64>) -> bool,
    ) -> BTreeMap<String, f64> {
        let seen = async {
            loop {
                let metrics = self.metrics().await;
                if good(&metrics) {
                    return metrics;
                }
            }
        };
        let seen = tokio::time::timeout(Duration::from_secs(30), seen);
        seen.await.expect("the metrics get there")
    }

    /// Metrics by name and labels.
    async fn metrics(&self) -> BTreeMap<String, f64> {
        let response = self.get(&format!("{STATUS}/metrics"), "*/*").await;
        assert_eq!(response.status(), 200);
        let kind = response.headers()["content-type"].to_str().unwrap();
        assert!(
            kind.starts_with("application/openmetrics-text; version=1.0.0"),
            "{kind}"
        );
        let text = response.text().await.unwrap();
        assert!(text.ends_with("# EOF\n"), "{text}");
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let sample = |line: &str| {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            (name.to_owned(), value.parse().expect("a number"))
        };
        samples.map(sample).collect()
    }
}

fn job_id(answer: &Reply) -> Value {
    answer.body["captures"][0]["jobId"].clone()
}

fn alert_of(rule: &str, target: &str) -> Value {
    let mut alert = common_alert(&[target]);
    alert["data"]["essentials"]["alertRule"] = rule.into();
    alert
}

#[tokio::test]
async fn jobs_are_listed_newest_first_in_pages() {
    let world = World::start().await;
    let mut ids = Vec::new();
    for (rule, target) in [
        ("first", samples::WEB_01),
        ("second", samples::SQL_01),
        ("third", samples::WEB_01),
    ] {
        ids.push(job_id(&world.post(&alert_of(rule, target)).await));
    }
    ids.reverse();
    let all = world.get_json("/API/packetcaptures/").await;
    assert_eq!(all.status, 200);
    let listed = |page: &Value| -> Vec<Value> {
        let jobs = page["value"].as_array().unwrap().iter();
        jobs.map(|job| job["jobId"].clone()).collect()
    };
    assert_eq!(
        (listed(&all.body), &all.body["nextLink"]),
        (ids.clone(), &Value::Null)
    );
    assert_eq!(all.body["value"][0]["rule"], "third");
    assert_eq!(all.body["value"][0]["status"], "joined");
    // A page, then a new job, then the page after: nothing is missed and nothing comes twice.
    let first = world.get_json(&format!("{STATUS}?code=k3y&$top=2")).await;
    assert_eq!(listed(&first.body), ids[..2]);
    let next = first.body["nextLink"].as_str().unwrap();
    assert!(
        next.starts_with("?$top=2&$skiptoken=") && !next.contains("k3y"),
        "{next}"
    );
    let newest = job_id(&world.post(&alert_of("fourth", samples::SQL_01)).await);
    let second = world.get_json(&format!("{STATUS}{next}")).await;
    assert_eq!(
        (listed(&second.body), &second.body["nextLink"]),
        (ids[2..].to_vec(), &Value::Null)
    );
    assert_eq!(listed(&world.get_json(STATUS).await.body)[0], newest);
    for wrong in ["$top=0", "$top=201", "$top=ten", "$skiptoken=b2xk"] {
        let refused = world.get_json(&format!("{STATUS}?{wrong}")).await;
        assert_eq!(
            (refused.status, &refused.body["error"]["code"]),
            (400, &"InvalidQuery".into())
        );
    }
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
        (404, &"JobNotFound".into())
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
async fn the_page_escapes_what_alerts_say_and_holds_no_key() {
    let world = World::start().await;
    let rule = "<script>alert(\"1\")</script> & 'more'";
    let id = job_id(&world.post(&alert_of(rule, samples::WEB_01)).await);
    world.post(&alert_of("second", samples::SQL_01)).await;
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let job_path = format!("{STATUS}/{}?code=k3y", id.as_str().unwrap());
    for path in [
        &format!("{STATUS}?code=k3y&$top=1"),
        &format!("{STATUS}/?code=k3y"),
        &job_path,
    ] {
        let page = world.get(path, browser).await;
        assert_eq!(
            page.headers()["content-type"],
            "text/html; charset=utf-8",
            "{path}"
        );
        let policy = page.headers()["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; style-src 'unsafe-inline'"),
            "{policy}"
        );
        assert_eq!(page.headers()["cache-control"], "no-store");
        let html = page.text().await.unwrap();
        assert!(!html.contains("<script") && !html.contains("k3y"), "{html}");
    }
    let list = world
        .get(&format!("{STATUS}/"), browser)
        .await
        .text()
        .await
        .unwrap();
    let escaped = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;more&#39;";
    assert!(list.contains(escaped), "{list}");
    // Each link leads where it says, from either way to write the address.
    let link = |html: &str, label: &str| {
        let (before, _) = html.split_once(label).expect("the link");
        before
            .rsplit_once("href=\"")
            .unwrap()
            .1
            .replace("&amp;", "&")
    };
    for path in [STATUS.to_owned(), format!("{STATUS}/")] {
        let address = reqwest::Url::parse(&format!("{}{path}?$top=1", world.url)).unwrap();
        let fetch = async |address: &reqwest::Url| {
            let request = world.http.get(address.clone()).header("accept", browser);
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 200, "{address}");
            response.text().await.unwrap()
        };
        let first = fetch(&address).await;
        assert!(first.contains("second") && !first.contains(escaped));
        let older = address.join(&link(&first, "\">Older jobs")).unwrap();
        let second = fetch(&older).await;
        assert!(second.contains(escaped) && !second.contains("Older jobs"));
        let one = older.join(&link(&second, "\">20")).unwrap();
        assert!(fetch(&one).await.contains(id.as_str().unwrap()));
        let back = one.join(&link(&fetch(&one).await, "\">All jobs")).unwrap();
        assert!(fetch(&back).await.contains(escaped));
    }
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
    let one = ask(&format!("{STATUS}/{}/", id.as_str().unwrap()), "*/*").await;
    let body: Value = serde_json::from_str(one["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["jobId"], id);
    let missing = ask(&format!("{STATUS}/none"), "*/*").await;
    assert_eq!(missing["statusCode"], 404);
    let page = ask(STATUS, "text/html").await;
    assert_eq!(page["headers"]["Content-Type"], "text/html; charset=utf-8");
    assert!(page["body"].as_str().unwrap().contains("second"));
    let metrics = ask(&format!("{STATUS}/metrics"), "*/*").await;
    assert!(
        metrics["body"]
            .as_str()
            .unwrap()
            .contains("apc_jobs_waiting")
    );
    world.end().await;
}

#[tokio::test]
async fn metrics_count_alerts_captures_and_calls() {
    let world = World::with(&[
        ("PacketCapture__Name", "apc-{vm}"),
        ("PacketCapture__Limit", "1"),
    ])
    .await;
    world.azure.fault(Fault {
        on: Call::ListCaptures,
        times: 1,
        what: What::Status {
            code: 503,
            retry_after: None,
            body: FaultBody::Empty,
        },
    });
    let answers = [
        world.post(&common_alert(&[samples::WEB_01])).await,
        world.post(&common_alert(&[samples::WEB_01])).await,
        world.post(&common_alert(&[samples::WEB_02])).await,
    ];
    let outcomes = answers
        .each_ref()
        .map(|answer| answer.body["outcome"].as_str().unwrap());
    assert_eq!(outcomes, ["created", "joined", "skipped"]);
    assert_eq!(world.post(&json!({ "text": "hello" })).await.status, 400);
    // The third job leaves the queue a moment after its caller has heard of it.
    let metrics = world
        .metrics_that(|metrics| metrics["apc_jobs_waiting"] == 2.0)
        .await;
    let count = |name: &str| metrics.get(name).copied().unwrap_or_default();
    for (name, expected) in [
        (
            r#"apc_alerts_total{schema="common",outcome="created"}"#,
            1.0,
        ),
        (r#"apc_alerts_total{schema="common",outcome="joined"}"#, 1.0),
        (
            r#"apc_alerts_total{schema="common",outcome="skipped"}"#,
            1.0,
        ),
        (
            r#"apc_alerts_total{schema="unknown",outcome="refused"}"#,
            1.0,
        ),
        (r#"apc_captures_total{end="skipped"}"#, 1.0),
        (r#"apc_captures_total{end="completed"}"#, 0.0),
        (
            r#"apc_arm_requests_total{operation="list packet captures",status="503"}"#,
            1.0,
        ),
        (
            r#"apc_arm_requests_total{operation="list packet captures",status="200"}"#,
            3.0,
        ),
        (
            r#"apc_arm_requests_total{operation="create the packet capture",status="201"}"#,
            1.0,
        ),
        (
            r#"apc_arm_retries_total{operation="list packet captures"}"#,
            1.0,
        ),
        ("apc_capture_created_after_seconds_count", 1.0),
        (
            r#"apc_capture_created_after_seconds_bucket{le="300.0"}"#,
            1.0,
        ),
        (
            concat!(
                r#"apc_build_info{version=""#,
                env!("CARGO_PKG_VERSION"),
                r#""}"#
            ),
            1.0,
        ),
    ] {
        assert_eq!(count(name), expected, "{name} of {metrics:#?}");
    }
    assert!(count("process_start_time_seconds") > 1.7e9);
    world.azure.complete_operations();
    for answer in &answers[..2] {
        world
            .job_that(&job_id(answer), |job| job["phase"] == "running")
            .await;
    }
    world.azure.finish_sessions();
    for answer in &answers[..2] {
        world
            .job_that(&job_id(answer), |job| job["status"] == "completed")
            .await;
    }
    let metrics = world.metrics().await;
    assert_eq!(metrics[r#"apc_captures_total{end="completed"}"#], 1.0);
    assert_eq!(metrics[r#"apc_captures_total{end="joined"}"#], 1.0);
    world.end().await;
}
