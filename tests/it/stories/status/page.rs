//! The page for browsers, and the metrics for Prometheus.

use super::*;
use alert_packet_capture::telemetry;

#[tokio::test]
async fn the_pages_of_a_real_incident_escape_what_alerts_say_and_hold_no_key() {
    let receiver = Receiver::start().await;
    let settings = receiver.settings();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (&**n, &**v)).collect();
    let world = World::with(&settings).await;
    let rule = "<script>alert(\"1\")</script> & 'more'";
    let answer = world.post(&alert_of(rule, samples::WEB_01)).await;
    let incident = answer.body["captures"][0]["incidentId"].as_str().unwrap();
    world.run_out();
    world
        .job_that(&job_id(&answer), |job| job["phase"] == "done")
        .await;
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let escaped = "&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62; &#38; &#39;more&#39;";
    let job = job_id(&answer);
    for path in [
        &format!("{STATUS}?code=k3y&$top=1"),
        &format!("{STATUS}/?code=k3y"),
        &format!("{STATUS}/{incident}?code=k3y"),
        &format!("{STATUS}/{}?code=k3y", job.as_str().unwrap()),
    ] {
        let page = world.get(path, browser).await;
        let kind = &page.headers()["content-type"];
        assert_eq!(kind, "text/html; charset=utf-8", "{path}");
        let policy = page.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("script-src 'sha256-"), "{policy}");
        assert_eq!(page.headers()["cache-control"], "no-store");
        let html = page.text().await.unwrap();
        assert!(html.contains(escaped) && !html.contains("k3y"), "{html}");
        assert_eq!(html.matches("<script").count(), 1);
        // A report of a fault can name the build.
        assert!(html.contains(telemetry::version()), "{html}");
    }
    let story = world.get(&format!("{STATUS}/{incident}"), browser).await;
    let story = story.text().await.unwrap();
    for shown in [
        "<svg class=\"wide\"",
        "Alert fired",
        "Notified",
        "accepted the notification",
        "az storage blob download",
        samples::WEB_01,
    ] {
        assert!(story.contains(shown), "{shown}: {story}");
    }
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
    // The third job leaves the queue a moment after its caller has the answer.
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
