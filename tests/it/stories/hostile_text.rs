//! The largest body that is accepted, full of hostile texts: it neither forges a line of the log nor fills the disk.

use crate::support::{azure::Azure, world::reply};
use azure_sandbox::{Options, samples};
use serde_json::{Value, json};
use std::process::Stdio;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::Command,
};

const MIB: usize = 1024 * 1024;

/// A rule's name of 800 KB, and more machines than an alert may name.
fn body() -> Value {
    let rule = format!(
        "cpu\r\n2026-01-01T00:00:00Z ERROR forged\u{1b}[2J\u{202e}{}",
        "x".repeat(800_000)
    );
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
    let ca_file = std::env::temp_dir().join(format!("apc-hostile-{}.pem", std::process::id()));
    let azure = Azure::with(Options {
        ca_file: Some(ca_file.clone()),
        ..Options::default()
    })
    .await;
    let mut child = Command::new(env!("CARGO_BIN_EXE_handler"))
        .env_clear()
        .envs(azure.app_settings())
        .env("SSL_CERT_FILE", &ca_file)
        .env("FUNCTIONS_CUSTOMHANDLER_PORT", "0")
        .env("PacketCapture__ReplyWaitSeconds", "0")
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
    let (reading, body) = (
        tokio::spawn(async move {
            let mut text = String::new();
            log.read_to_string(&mut text).await.unwrap();
            text
        }),
        body().to_string(),
    );
    assert!(body.len() > 800_000 && body.len() < MIB);
    let request = reqwest::Client::new()
        .post(format!("{address}/api/AlertPacketCapture"))
        .header("content-type", "application/json");
    let answer = reply(request.body(body).send().await.unwrap()).await;
    assert_eq!(answer.status, 202, "{:?}", answer.body);
    assert!(answer.body.to_string().len() < MIB / 2);
    azure
        .wait_for(|journal| {
            let asked = |entry: &&azure_sandbox::Entry| entry.path.contains("gone-");
            journal.iter().filter(asked).count() >= 100
        })
        .await;
    let pid = child.id().unwrap().to_string();
    let asked = Command::new("kill").args(["-TERM", &pid]).status().await;
    assert!(asked.unwrap().success());
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
    let log = reading.await.unwrap();
    let _ = std::fs::remove_file(&ca_file);

    assert!(log.len() < MIB, "{} bytes of log", log.len());
    assert!(
        log.contains("cpu 2026-01-01T00:00:00Z ERROR forged [2Jxxx"),
        "{log:.2000}"
    );
    for line in log.lines() {
        assert!(line.len() < 8_192, "{} bytes: {line:.300}", line.len());
        assert!(
            !line.starts_with("forged") && !line.starts_with("2026-01-01T00:00:00Z"),
            "{line}"
        );
        assert!(!line.contains(['\u{202e}', '\u{1b}']), "{line:?}");
    }
}
