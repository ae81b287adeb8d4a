//! The built executable, as the Functions host and a person at a terminal meet it.

use crate::support::azure::Azure;
use crate::support::world::common_alert;
use alert_packet_capture::telemetry;
use azure_sandbox::{Options, samples};
use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Command, Output, Stdio},
};

const HANDLER: &str = env!("CARGO_BIN_EXE_handler");

fn handler() -> Command {
    let mut command = Command::new(HANDLER);
    command
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn with_input(arguments: &[&str], input: &str) -> Output {
    let mut child = handler()
        .args(arguments)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

/// Reads the log until the handler listens, and gives its address.
fn address(child: &mut Child) -> (String, BufReader<std::process::ChildStdout>) {
    let mut log = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while log.read_line(&mut line).unwrap() > 0 {
        if let Some((_, address)) = line.trim_end().rsplit_once("listening on ") {
            return (address.to_owned(), log);
        }
        line.clear();
    }
    panic!("the handler ended without listening");
}

#[test]
fn missing_settings_are_all_named_and_the_exit_code_is_not_zero() {
    let output = handler().output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    for name in [
        "AZURE_TENANT_ID",
        "AZURE_CLIENT_ID",
        "AZURE_CLIENT_SECRET",
        "PacketCapture__StorageAccountId",
    ] {
        assert!(error.contains(name), "{name}: {error}");
    }
    assert_eq!(error.lines().count(), 1, "{error}");
}

/// Whether the commit is the right one is checked where there is one: `deploy/check-package.sh`.
#[test]
fn the_version_names_the_commit() {
    let output = handler().arg("--version").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    let version = text.strip_prefix("handler ").expect("the program's name");
    assert_eq!(version.trim_end(), telemetry::version());
    let (number, commit) = version.split_once(" (commit ").expect("a commit");
    assert_eq!(number, env!("CARGO_PKG_VERSION"));
    assert!(commit.len() > ")\n".len(), "{text}");
}

#[test]
fn a_port_that_is_taken_is_said() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut command = handler();
    let output = command
        .env("FUNCTIONS_CUSTOMHANDLER_PORT", &port)
        .env("PacketCapture__DryRun", "true")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains(&port) && error.contains("FUNCTIONS_CUSTOMHANDLER_PORT"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn a_failure_is_one_line_in_the_log() {
    // No server listens there, so no token is available; the log says so, line by line.
    let mut child = handler()
        .env("FUNCTIONS_CUSTOMHANDLER_PORT", "0")
        .envs([
            ("AZURE_TENANT_ID", samples::TENANT_ID),
            ("AZURE_CLIENT_ID", samples::CLIENT_ID),
            ("AZURE_CLIENT_SECRET", samples::CLIENT_SECRET),
            ("AZURE_AUTHORITY_HOST", "https://127.0.0.1:1"),
            ("AZURE_RESOURCE_MANAGER_ENDPOINT", "https://127.0.0.1:1"),
            ("PacketCapture__FilePath", "/var/captures/a.cap"),
        ])
        .spawn()
        .unwrap();
    let (_, log) = address(&mut child);
    let warned = log
        .lines()
        .map(Result::unwrap)
        .find(|line| line.contains("get an access token"));
    child.kill().unwrap();
    child.wait().unwrap();
    let line = warned.expect("the failure is in the log");
    assert!(
        line.contains(" WARN ")
            && line.contains("error.code=")
            && line.contains("what to do: Microsoft Entra ID could not be reached"),
        "{line}"
    );
}

/// Settings that Azure would leave in the environment, an alert, a stop; and nothing secret in the whole log.
#[cfg(unix)]
/// On a full disk the report of a night is lost, which must not pass for success.
#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    let alert = common_alert(&[samples::WEB_01]).to_string();
    let mut capture = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
    capture.extend([0; 8]);
    capture.extend([0, 0, 4, 0, 1, 0, 0, 0]);
    for (arguments, input, code) in [
        (&["explain"][..], alert.as_bytes(), 2),
        (&["look", "-"], &capture, 2),
        (&["look", "-", "--json"], &capture, 2),
        (&["look", "-", "--html", "-"], &capture, 2),
        (&["doctor"], b"", 1),
    ] {
        let mut child = handler()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(std::fs::File::create("/dev/full").unwrap())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        let expected = "error: could not write to standard output: No space left on device";
        assert!(error.starts_with(expected), "{arguments:?}: {error}");
    }
}

#[tokio::test]
async fn the_executable_captures_stops_on_sigterm_and_logs_no_secret() {
    let ca_file = std::env::temp_dir().join(format!("apc-process-{}.pem", std::process::id()));
    let azure = Azure::with(Options {
        ca_file: Some(ca_file.clone()),
        ..Options::default()
    })
    .await;
    let mut child = handler()
        .envs(azure.app_settings())
        .env("SSL_CERT_FILE", &ca_file)
        .env("FUNCTIONS_CUSTOMHANDLER_PORT", "0")
        .env("RUST_LOG", "trace")
        .env("LOG_FORMAT", "json")
        .spawn()
        .unwrap();
    let (child, address, mut log) = tokio::task::spawn_blocking(move || {
        let mut log = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert!(
                log.read_line(&mut line).unwrap() > 0,
                "the handler ended without listening"
            );
            let event: serde_json::Value = serde_json::from_str(&line).expect("each line is JSON");
            if let Some(address) = event["message"]
                .as_str()
                .and_then(|text| text.strip_prefix("listening on "))
            {
                break address.to_owned();
            }
        };
        (child, address, log)
    })
    .await
    .unwrap();
    let http = reqwest::Client::new();
    let request = http
        .post(format!(
            "{address}/api/AlertPacketCapture?code=k3y-in-query"
        ))
        .header("content-type", "application/json")
        .header("x-functions-key", "k3y-in-header")
        .header("x-azure-functions-invocationid", "theirs, 1nv0cat10n");
    let mut alert = common_alert(&[samples::WEB_01]);
    alert["data"]["customProperties"] = serde_json::json!({ "note": "b0dy-content" });
    let reply =
        crate::support::world::reply(request.body(alert.to_string()).send().await.unwrap()).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    let (output, log) = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).unwrap();
        (child.wait_with_output().unwrap(), text)
    })
    .await
    .unwrap();
    let _ = std::fs::remove_file(&ca_file);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        log.contains("1nv0cat10n") && log.contains("Packet capture created on"),
        "{log}"
    );
    for secret in [
        samples::CLIENT_SECRET,
        "k3y-in",
        "b0dy-content",
        "Bearer ",
        "access_token",
        "&s=",
    ] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn a_dry_run_needs_no_azure() {
    let mut child = handler()
        .env("FUNCTIONS_CUSTOMHANDLER_PORT", "0")
        .env("PacketCapture__DryRun", "true")
        .spawn()
        .unwrap();
    let (address, _log) = address(&mut child);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let reply = runtime.block_on(async {
        let alert = common_alert(&[samples::WEB_01]).to_string();
        let request = reqwest::Client::new()
            .post(format!("{address}/api/AlertPacketCapture"))
            .body(alert);
        crate::support::world::reply(request.send().await.unwrap()).await
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(
        (reply.status, &reply.body["wouldCapture"]),
        (200, &true.into())
    );
}

#[test]
fn explain_reads_standard_input_and_files() {
    let alert = common_alert(&[samples::WEB_01]).to_string();
    let people = with_input(&["explain"], &alert);
    assert_eq!(people.status.code(), Some(0));
    let text = String::from_utf8(people.stdout).unwrap();
    assert!(
        text.contains("would start") && text.contains(samples::WEB_01),
        "{text}"
    );
    let machines = with_input(&["explain", "--json"], &alert);
    let answer: serde_json::Value = serde_json::from_slice(&machines.stdout).unwrap();
    assert_eq!(
        (&answer["outcome"], &answer["wouldCapture"]),
        (&"dry_run".into(), &true.into())
    );
    let bad = with_input(&["explain"], "{\"text\":1}");
    assert_eq!(bad.status.code(), Some(1));
    assert!(String::from_utf8(bad.stdout).unwrap().contains("refused"));
    let missing = with_input(&["explain", "no-such-file.json"], "");
    assert_eq!(missing.status.code(), Some(2));
}
