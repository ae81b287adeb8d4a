//! One alert is one trace, from the caller's span to each call to Azure, and nothing secret goes with it.
#![cfg(unix)]

use crate::support::azure::Azure;
use crate::support::world::common_alert;
use axum::{Router, body::Bytes, http::HeaderMap, routing::post};
use azure_sandbox::{Options, samples};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::Span,
};
use prost::Message;
use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

type Received = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// A collector that keeps what it gets, and its address.
async fn collector() -> (Received, String) {
    let received = Received::default();
    let kept = received.clone();
    let take = async move |headers: HeaderMap, body: Bytes| {
        kept.lock().unwrap().push((headers, body));
        Bytes::new()
    };
    let router = Router::new().route("/v1/traces", post(take));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, router).into_future());
    (received, address)
}

fn text<'a>(attributes: &'a [KeyValue], name: &str) -> Option<&'a str> {
    let found = attributes.iter().find(|attribute| attribute.key == name)?;
    match &found.value {
        Some(AnyValue {
            value: Some(Value::StringValue(text)),
        }) => Some(text),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn an_alert_its_job_and_its_calls_are_one_trace() {
    let (received, collector) = collector().await;
    let ca_file = std::env::temp_dir().join(format!("apc-trace-{}.pem", std::process::id()));
    let azure = Azure::with(Options {
        ca_file: Some(ca_file.clone()),
        ..Options::default()
    })
    .await;
    let mut child = Command::new(env!("CARGO_BIN_EXE_handler"))
        .env_clear()
        .envs(azure.app_settings())
        // The story counts the spans of an alert's own calls.
        .env("Changes__Enabled", "false")
        .env("SSL_CERT_FILE", &ca_file)
        .env("FUNCTIONS_CUSTOMHANDLER_PORT", "0")
        .env("RUST_LOG", "warn,handler=info")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector)
        .env(
            "OTEL_EXPORTER_OTLP_HEADERS",
            "x-collector-key=c0llect0r-k3y",
        )
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stdout.take().unwrap());
    let (address, mut log) = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        let address = line
            .trim_end()
            .rsplit_once("listening on ")
            .expect("it listens")
            .1;
        (address.to_owned(), log)
    })
    .await
    .unwrap();
    let request = reqwest::Client::new()
        .post(format!(
            "{address}/api/AlertPacketCapture?code=k3y-in-query"
        ))
        .header("content-type", "application/json")
        .header("x-functions-key", "k3y-in-header")
        .header("traceparent", format!("00-{TRACE}-{CALLER}-01"))
        .header("tracestate", "vendor=7");
    let alert = common_alert(&[samples::WEB_01]);
    let answer =
        crate::support::world::reply(request.body(alert.to_string()).send().await.unwrap()).await;
    assert_eq!(answer.body["outcome"], "created", "{:?}", answer.body);
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    let (status, log) = tokio::task::spawn_blocking(move || {
        let mut lines = String::new();
        std::io::Read::read_to_string(&mut log, &mut lines).unwrap();
        (child.wait().unwrap(), lines)
    })
    .await
    .unwrap();
    let _ = std::fs::remove_file(&ca_file);
    assert_eq!(status.code(), Some(0), "{log}");

    let received = std::mem::take(&mut *received.lock().unwrap());
    let mut spans: Vec<Span> = Vec::new();
    for (headers, body) in &received {
        assert_eq!(headers["x-collector-key"], "c0llect0r-k3y");
        let request = ExportTraceServiceRequest::decode(body.clone()).expect("OTLP");
        for resource in request.resource_spans {
            let attributes = resource.resource.unwrap().attributes;
            assert_eq!(
                text(&attributes, "service.name"),
                Some("alert-packet-capture")
            );
            assert_eq!(
                text(&attributes, "service.version"),
                Some(env!("CARGO_PKG_VERSION"))
            );
            spans.extend(
                resource
                    .scope_spans
                    .into_iter()
                    .flat_map(|scope| scope.spans),
            );
        }
        for secret in [
            samples::CLIENT_SECRET,
            "k3y-in",
            "c0llect0r",
            "Bearer ",
            "access_token",
            "eyJ",
            "&s=",
        ] {
            let found = body
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is exported");
        }
    }
    let all: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert!(
        all.iter()
            .all(|name| ["request", "job", "step", "arm"].contains(name)),
        "{all:?}"
    );
    assert!(
        spans.iter().all(|span| hex(&span.trace_id) == TRACE),
        "{all:?}"
    );
    let named = |name: &str| {
        let found = spans.iter().filter(|span| span.name == name);
        let found: Vec<&Span> = found.collect();
        assert!(!found.is_empty(), "{name} is not among {all:?}");
        found
    };
    let request = named("request")[0];
    assert_eq!(hex(&request.parent_span_id), CALLER);
    assert_eq!(text(&request.attributes, "alert.rule"), Some("tcp-burst"));
    let job_id = answer.body["captures"][0]["jobId"].as_str();
    for job in named("job") {
        assert_eq!(job.parent_span_id, request.span_id);
        assert_eq!(text(&job.attributes, "job.id"), job_id);
        assert_eq!(text(&job.attributes, "resource.id"), Some(samples::WEB_01));
        let alert_id = alert["data"]["essentials"]["alertId"].as_str();
        assert_eq!(text(&job.attributes, "alert.id"), alert_id);
    }
    let is_child = |span: &Span, of: &str| {
        named(of)
            .iter()
            .any(|parent| parent.span_id == span.parent_span_id)
    };
    assert!(named("step").iter().all(|step| is_child(step, "job")));
    let calls = named("arm");
    assert!(calls.iter().all(|call| is_child(call, "step")));
    let operations: Vec<&str> = calls
        .iter()
        .filter_map(|call| text(&call.attributes, "operation"))
        .collect();
    for operation in ["list packet captures", "create the packet capture"] {
        assert!(operations.contains(&operation), "{operations:?}");
    }
}

/// The names of the services in what the executable exports of one request, with these settings.
async fn services(settings: &[(&str, &str)]) -> Vec<String> {
    let (received, collector) = collector().await;
    let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_handler"))
        .env_clear()
        .env("FUNCTIONS_CUSTOMHANDLER_PORT", "0")
        .env("PacketCapture__DryRun", "true")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector)
        .envs(settings.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let stdout = tokio::io::BufReader::new(child.stdout.take().unwrap());
    let mut log = tokio::io::AsyncBufReadExt::lines(stdout);
    let address = loop {
        let line = log.next_line().await.unwrap().expect("it listens");
        if let Some((_, address)) = line.rsplit_once("listening on ") {
            break address.to_owned();
        }
    };
    let request = reqwest::Client::new()
        .post(format!("{address}/api/AlertPacketCapture"))
        .header("content-type", "application/json")
        .body(common_alert(&[samples::WEB_01]).to_string());
    assert_eq!(request.send().await.unwrap().status(), 200);
    let pid = child.id().unwrap().to_string();
    let killed = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(killed.unwrap().success());
    assert_eq!(child.wait().await.unwrap().code(), Some(0));

    let mut services = Vec::new();
    for (_, body) in std::mem::take(&mut *received.lock().unwrap()) {
        let request = ExportTraceServiceRequest::decode(body).expect("OTLP");
        for resource in request.resource_spans {
            let attributes = resource.resource.unwrap().attributes;
            services.extend(text(&attributes, "service.name").map(str::to_owned));
        }
    }
    services
}

#[tokio::test]
async fn the_settings_name_the_service_and_turn_traces_off() {
    let named = [
        ("OTEL_SERVICE_NAME", "packet-capture-prod"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
    ];
    assert_eq!(services(&named).await, ["packet-capture-prod"]);
    let disabled = [("OTEL_SDK_DISABLED", "true")];
    assert_eq!(services(&disabled).await, Vec::<String>::new());
}
