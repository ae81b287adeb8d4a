//! Hostile texts from all sides, through the built executable: they neither forge a line of the log nor fill the disk.

use crate::support::{azure::Azure, world::common_alert, world::reply};
use azure_sandbox::{Call, Fault, FaultBody, Options, What, samples};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::{path::PathBuf, process::Stdio};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};

const MIB: usize = 1024 * 1024;
const FORGED: &str = "x\r\n2026-01-01T00:00:00Z ERROR forged\u{1b}[2J\u{202e}";
/// What is left of it.
const ONE_LINE: &str = "x 2026-01-01T00:00:00Z ERROR forged [2J";

/// The built executable, and all that it logs after its start.
struct Handler {
    address: String,
    child: Child,
    log: JoinHandle<String>,
    ca_file: PathBuf,
}

impl Handler {
    async fn start(settings: &[(String, String)]) -> (Self, Azure) {
        let ca_file =
            std::env::temp_dir().join(format!("apc-hostile-{}.pem", uuid::Uuid::new_v4()));
        let azure = Azure::with(Options {
            ca_file: Some(ca_file.clone()),
            ..Options::default()
        })
        .await;
        let queue = settings.iter().any(|(name, _)| name == "JobQueue__Receive");
        let queue = queue.then(|| azure.queue_settings());
        let mut child = Command::new(env!("CARGO_BIN_EXE_handler"))
            .env_clear()
            .envs(azure.app_settings())
            .envs(queue.into_iter().flatten())
            .env("SSL_CERT_FILE", &ca_file)
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", "0")
            .envs(settings.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stdout.take().unwrap());
        let address = loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).await.unwrap() > 0, "it listens");
            if let Some((_, address)) = line.trim_end().rsplit_once("listening on ") {
                break address.to_owned();
            }
        };
        let log = tokio::spawn(async move {
            let mut text = String::new();
            log.read_to_string(&mut text).await.unwrap();
            text
        });
        let handler = Self {
            address,
            child,
            log,
            ca_file,
        };
        (handler, azure)
    }

    async fn post(&self, alert: &Value) -> crate::support::world::Reply {
        let request = reqwest::Client::new()
            .post(format!("{}/api/AlertPacketCapture", self.address))
            .header("content-type", "application/json");
        reply(request.body(alert.to_string()).send().await.unwrap()).await
    }

    /// Stops it. Its log, in which no line is forged or long.
    async fn end(mut self) -> String {
        let pid = self.child.id().unwrap().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().await;
        assert!(asked.unwrap().success());
        assert_eq!(self.child.wait().await.unwrap().code(), Some(0));
        let log = self.log.await.unwrap();
        let _ = std::fs::remove_file(&self.ca_file);
        assert!(log.len() < MIB, "{} bytes of log", log.len());
        for line in log.lines() {
            assert!(line.len() < 8_192, "{} bytes: {line:.300}", line.len());
            assert!(
                !line.starts_with("forged") && !line.starts_with("2026-01-01T00:00:00Z"),
                "{line}"
            );
            assert!(!line.contains(['\u{202e}', '\u{1b}']), "{line:?}");
        }
        log
    }
}

/// A rule's name of 800 KB, and more machines than an alert may name.
fn body() -> Value {
    let rule = format!("cpu{}{}", &FORGED[1..], "x".repeat(800_000));
    let targets: Vec<String> = (0..400)
        .map(|n| samples::WEB_01.replace("web-01", &format!("gone-{n}")))
        .collect();
    json!({"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": {
        "alertId": "/subscriptions/x/alerts/1\nforged", "alertRule": rule, "monitorCondition": "Fired",
        "alertTargetIDs": targets, "firedDateTime": "2026-02-11T08:15:30Z\nforged", "description": "\u{202e}",
    }}})
}

#[tokio::test]
async fn the_largest_body_leaves_a_small_log_without_a_forged_line() {
    let settings = [("PacketCapture__ReplyWaitSeconds", "0")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let (handler, azure) = Handler::start(&settings).await;
    let body = body();
    let length = body.to_string().len();
    assert!(length > 800_000 && length < MIB);
    let answer = handler.post(&body).await;
    assert_eq!(answer.status, 202, "{:?}", answer.body);
    assert!(answer.body.to_string().len() < MIB / 2);
    azure
        .wait_for(|journal| {
            let asked = |entry: &&azure_sandbox::Entry| entry.path.contains("gone-");
            journal.iter().filter(asked).count() >= 100
        })
        .await;
    let log = handler.end().await;
    let rule = ONE_LINE.replacen('x', "cpu", 1);
    assert!(log.contains(&format!("{rule}xxx")), "{log:.2000}");
}

/// An alert is lost here, so people can find out.
#[tokio::test]
async fn an_alert_that_was_not_read_is_logged_and_counted() {
    let (handler, _azure) = Handler::start(&[]).await;
    let http = reqwest::Client::new();
    for route in ["/api/AlertPacketCapture", "/AlertPacketCapture"] {
        let request = |kind| {
            let request = http.post(format!("{}{route}", handler.address));
            request.header("content-type", kind)
        };
        let text = request("text/plain").body("{}").send().await.unwrap();
        assert_eq!(text.status(), 415, "{route}");
        let large = request("application/json").body(" ".repeat(3 * MIB + 1));
        assert_eq!(large.send().await.unwrap().status(), 413, "{route}");
    }
    let metrics = format!("{}/api/PacketCaptures/metrics", handler.address);
    let metrics = http.get(metrics).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let counted = r#"apc_alerts_total{schema="unknown",outcome="refused"} "#;
    assert!(metrics.contains(counted), "{metrics}");
    let log = handler.end().await;
    for sentence in [
        "the body must be JSON",
        "the body of an alert has at most 1 MiB",
    ] {
        let lines = log.lines().filter(|line| line.contains(sentence));
        assert_eq!(lines.count(), 2, "{sentence}: {log}");
    }
}

/// A receiver that refuses every notification in words of its own.
async fn hostile_receiver() -> String {
    use axum::{Router, http::StatusCode};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let refuse = || async { (StatusCode::BAD_REQUEST, FORGED.repeat(100_000)) };
    let router = Router::new().fallback(refuse);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test]
async fn no_answer_and_no_queue_message_forges_a_line() {
    let receiver = hostile_receiver().await;
    let settings = [
        ("JobQueue__Receive", "poll"),
        ("Notification__WebhookUrl", &receiver),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let (handler, azure) = Handler::start(&settings).await;
    let refuse = |on: Call, code: u16| {
        let long = FORGED.repeat(100);
        let error = json!({ "code": long, "message": long, "details": [{ "code": long, "message": long }] });
        let what = What::Status {
            code,
            retry_after: None,
            body: FaultBody::Json(json!({ "error": error })),
        };
        azure.fault(Fault { on, times: 1, what });
    };
    refuse(Call::PutMessage, 403);
    let refused = handler.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(refused.status, 503, "{:?}", refused.body);
    // The poll creates the queue.
    azure
        .wait_for(|journal| {
            let created =
                |entry: &azure_sandbox::Entry| entry.line() == "PUT queue packet-capture-jobs 201";
            journal.iter().any(created)
        })
        .await;
    let forged = json!({ "jobId": uuid::Uuid::new_v4(), "action": FORGED.repeat(900) });
    azure.add_message(
        "packet-capture-jobs",
        &BASE64_STANDARD.encode(forged.to_string()),
    );
    refuse(Call::PutCapture, 400);
    let refused = handler.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(refused.status, 502, "{:?}", refused.body);
    let answered = refused.body.to_string();
    assert!(
        answered.len() < 16_384 && !answered.contains("\\n"),
        "{answered}"
    );
    azure
        .wait_for(|_| azure.queue_messages("packet-capture-jobs").is_empty())
        .await;
    let log = handler.end().await;
    for (what, words) in [
        ("Azure's refusal", "could not create the packet capture"),
        (
            "the receiver's answer",
            "notification not delivered; giving up",
        ),
        ("a queue message", "moved an invalid job message"),
        ("the queue's refusal", "alert refused"),
    ] {
        let line = log.lines().find(|line| line.contains(words));
        let line = line.unwrap_or_else(|| panic!("{what}: {log}"));
        if what != "the queue's refusal" {
            assert!(line.contains(ONE_LINE), "{what}: {line}");
        }
    }
}
