//! `handler drill`: the built executable runs a drill by itself, or at a function over HTTP, and prints what came of it.

use crate::support::{practice::Practice, receiver::Receiver, world::World};
use azure_sandbox::samples;
use serde_json::Value;
use std::{
    process::{Output, Stdio},
    time::Duration,
};
use tokio::{io::AsyncWriteExt, process::Command};

const GUARD: Duration = Duration::from_secs(60);

/// Runs the command while Azure is moved on.
async fn drill(practice: &Practice, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handler"));
    command
        .env_clear()
        .envs(practice.settings.iter().cloned())
        .arg("drill")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).await.unwrap();
    drop(stdin);
    let mut ended = Box::pin(child.wait_with_output());
    let mut calls = practice.azure.subscribe();
    let moved = async {
        loop {
            practice.azure.complete_operations();
            practice.azure.finish_sessions();
            tokio::select! {
                output = &mut ended => return output.unwrap(),
                _ = tokio::time::timeout(Duration::from_millis(50), calls.recv()) => {}
            }
        }
    };
    tokio::time::timeout(GUARD, moved)
        .await
        .expect("the drill ends")
}

fn text(output: &Output) -> String {
    let err = String::from_utf8_lossy(&output.stderr);
    format!("{}{err}", String::from_utf8_lossy(&output.stdout))
}

#[tokio::test]
async fn a_drill_in_this_process_prints_each_step_and_the_verdict() {
    let mut practice = Practice::open().await;
    let receiver = Receiver::start().await;
    for (name, value) in receiver.settings() {
        practice.set(&name, &value);
    }
    let output = drill(&practice, &["--vm", samples::WEB_01], "").await;
    let text = text(&output);
    println!("{text}");
    assert_eq!(output.status.code(), Some(0), "{text}");
    for words in [
        "Drill on web-01:",
        "alert accepted",
        "capture created  apc-drill-web-01-",
        "notified",
        "session removed",
        "Drill passed: from alert to notification ",
        "left: the file https://",
    ] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    assert!(
        practice
            .azure
            .captures(samples::WATCHER_WESTEUROPE)
            .is_empty()
    );
    // Jobs of the function that uses this queue are none of this process's.
    assert!(
        practice
            .azure
            .queue_messages("packet-capture-jobs")
            .is_empty()
    );
}

#[tokio::test]
async fn a_drill_that_fails_says_what_to_do() {
    let practice = Practice::open().await;
    practice.azure.remove_agent(samples::WEB_01);
    let output = drill(&practice, &["--vm", samples::WEB_01], "").await;
    let said = text(&output);
    println!("{said}");
    assert_eq!(output.status.code(), Some(1), "{said}");
    for words in [
        "FAILED: capture failed",
        "Drill failed (create): ",
        "extension is not installed",
        "fix: handler doctor --vm /subscriptions/",
    ] {
        assert!(said.contains(words), "{words} is not in\n{said}");
    }
    let output = drill(&practice, &["--vm", samples::WEB_01, "--json"], "").await;
    let drill: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (output.status.code(), &drill["passed"]),
        (Some(1), &false.into())
    );
    assert!(
        drill["steps"]
            .as_array()
            .unwrap()
            .iter()
            .any(|it| it["failed"] == true)
    );
}

#[tokio::test]
async fn a_function_that_makes_no_captures_names_its_setting() {
    let mut practice = Practice::open().await;
    practice.set("PacketCapture__DryRun", "true");
    let output = drill(&practice, &["--vm", samples::WEB_01], "").await;
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("set PacketCapture__DryRun=false"), "{said}");
}

#[tokio::test]
async fn a_drill_at_a_function_elsewhere_sends_the_key_in_a_header() {
    let practice = Practice::open().await;
    let world = World::on(practice.azure.clone(), &[("FirstLook__Enabled", "true")]).await;
    let arguments = ["--vm", samples::WEB_01, "--url", &world.url, "--code", "-"];
    let output = drill(&practice, &arguments, "k3y\n").await;
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("no receiver gets the notification"), "{said}");
    assert!(
        said.contains(&format!("incident: {}/api/PacketCaptures/2", world.url)),
        "{said}"
    );
    assert!(!said.contains("k3y"), "{said}");
    world.end().await;
}

#[tokio::test]
async fn what_cannot_be_started_is_said() {
    let practice = Practice::open().await;
    for (arguments, code, words) in [
        (
            &["--vm", samples::API_SET][..],
            2,
            "expected the resource id of a virtual machine",
        ),
        (
            &[
                "--vm",
                samples::WEB_01,
                "--url",
                "http://a.example",
                "--code",
                "x",
            ],
            2,
            "needs an https address",
        ),
        (
            &[
                "--vm",
                samples::WEB_01,
                "--url",
                "http://127.0.0.1:1",
                "--code",
                "x",
            ],
            2,
            "could not reach the function at 127.0.0.1",
        ),
        (
            &["--vm", samples::WEB_01, "--url", "https://a.example"],
            2,
            "--code",
        ),
    ] {
        let output = drill(&practice, arguments, "").await;
        let said = text(&output);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(words), "{words} is not in\n{said}");
    }
}
