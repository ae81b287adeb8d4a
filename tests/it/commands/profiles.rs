//! `handler explain` and `handler profiles suggest` through the built executable: which profile an alert gets, and which one
//! it should have.

use crate::support::world::common_alert;
use azure_sandbox::samples;
use serde_json::{Value, json};
use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

fn handler(arguments: &[&str], settings: &[(&str, &str)], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_handler"))
        .env_clear()
        .envs(settings.iter().copied())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn alert(metric: &str) -> String {
    let mut alert = common_alert(&[samples::WEB_01]);
    alert["data"]["alertContext"]["condition"]["allOf"] = json!([{ "metricName": metric }]);
    alert.to_string()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn what_is_suggested_is_what_explain_then_chooses() {
    let alert = alert("TCP Segments Retransmitted/sec");
    let suggested = handler(&["profiles", "suggest"], &[], &alert);
    let printed = text(&suggested);
    assert_eq!(suggested.status.code(), Some(0), "{suggested:?}");
    assert!(
        printed.starts_with("# Retransmissions, windows"),
        "{printed}"
    );
    let settings = printed.lines().filter(|line| !line.starts_with('#'));
    let mut settings: Vec<(&str, &str)> = settings.map(|it| it.split_once('=').unwrap()).collect();
    let json = handler(&["profiles", "suggest", "--json"], &[], &alert);
    let json: Vec<Value> = serde_json::from_slice(&json.stdout).unwrap();
    let names = json.iter().map(|it| (&it["name"], &it["value"]));
    let names: Vec<_> = names
        .map(|(n, v)| (n.as_str().unwrap(), v.as_str().unwrap()))
        .collect();
    assert_eq!(names, settings);

    let explained = text(&handler(&["explain"], &settings, &alert));
    let line = "  profile     segments (a metric matches TCP Segments Retransmitted/sec)\n";
    assert!(explained.contains(line), "{explained}");
    settings.push(("PacketCapture__Profiles__segments__Rule", "x"));
    let wrong = handler(&["explain"], &settings, &alert);
    let error = String::from_utf8(wrong.stderr.clone()).unwrap();
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    let hint = "did you mean PacketCapture__Profiles__segments__Rules?";
    assert!(error.contains(hint), "{error}");
}

#[test]
fn an_alert_that_counts_no_packets_gets_no_suggestion() {
    let other = handler(
        &["profiles", "suggest"],
        &[],
        &alert("Percentage CPU\u{1b}[2J"),
    );
    assert_eq!(other.status.code(), Some(0));
    let printed = text(&other);
    assert!(
        printed.starts_with("# The alert counts Percentage CPU"),
        "{printed}"
    );
    assert!(!printed.contains('\u{1b}'));
    for (arguments, input, code) in [
        (&["profiles", "suggest"][..], "{\"text\":1}", 1),
        (&["profiles", "suggest", "no-such-file.json"], "", 2),
        (&["profiles"], "", 2),
    ] {
        let output = handler(arguments, &[], input);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
    }
}

#[test]
fn explain_says_what_was_not_followed() {
    let mut alert = common_alert(&[samples::WEB_01]);
    alert["data"]["customProperties"] = json!({ "packetCaptureProfile": "deep" });
    let explained = text(&handler(&["explain"], &[], &alert.to_string()));
    assert!(
        explained.contains("  profile     default (no profile matches)\n"),
        "{explained}"
    );
    assert!(explained.contains("  note        The alert rule's property packetCaptureProfile names the profile deep, which is not set"), "{explained}");
}
