//! `handler verify` through the built executable: a capture file beside its manifest.

use crate::support::folder::Folder;
use aws_lc_rs::digest::{SHA256, digest};
use first_look::{AlertEntry, Digest, Manifest};
use serde_json::json;
use std::{
    fs,
    io::Write,
    process::{Command, Output, Stdio},
};

/// More than is read at a time, so that the digest is of several parts.
fn capture() -> Vec<u8> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
    file.resize(3 << 20, 7);
    file
}

fn manifest(content: &[u8]) -> Manifest {
    let sha256 = digest(&SHA256, content).as_ref().try_into().unwrap();
    let mut manifest = Manifest::new("web-01.cap", content.len() as u64, Digest(sha256));
    manifest.capture.target = Some("/subscriptions/s/virtualMachines/web-01".to_owned());
    manifest.capture.parameters = json!({"timeLimitInSeconds": 10});
    manifest.capture.stop_reason = Some("TimeExceeded".to_owned());
    manifest.identity = Some("b3c6a1d2-5e4f-4708-9a1b-6c7d8e9f0a12".to_owned());
    manifest.alert = Some({
        let mut alert = AlertEntry::default();
        alert.rule = Some("TCP_Segments_Sent_Exceeded".to_owned());
        alert
    });
    manifest
}

fn verify(folder: &Folder, arguments: &[&str], input: &[u8]) -> (Option<i32>, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_handler"))
        .arg("verify")
        .args(arguments)
        .current_dir(&folder.0)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without reading.
    let _ = child.stdin.take().unwrap().write_all(input);
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn an_unchanged_file_is_confirmed_with_where_it_came_from() {
    let folder = Folder::new();
    let content = capture();
    folder.file("web-01.cap", &content);
    folder.file("web-01.json", manifest(&content).text());
    let (code, text, error) = verify(&folder, &["web-01.cap", "web-01.json"], b"");
    assert_eq!((code, error.as_str()), (Some(0), ""), "{text}");
    let first = format!(
        "ok       web-01.cap is unchanged: 3145728 bytes, SHA-256 {}",
        manifest(&content).file.sha256
    );
    assert_eq!(text.lines().next(), Some(first.as_str()));
    for line in [
        "machine    /subscriptions/s/virtualMachines/web-01",
        "stopped by TimeExceeded",
        "alert      TCP_Segments_Sent_Exceeded",
        "identity   b3c6a1d2-5e4f-4708-9a1b-6c7d8e9f0a12",
        concat!(
            "tool       alert-packet-capture ",
            env!("CARGO_PKG_VERSION")
        ),
    ] {
        assert!(text.lines().any(|it| it == line), "{line}: {text}");
    }
    let (code, text, _) = verify(&folder, &["-", "web-01.json"], &content);
    assert_eq!(code, Some(0));
    assert!(
        text.starts_with("ok       standard input is unchanged"),
        "{text}"
    );
}

#[test]
fn a_changed_file_is_named_with_what_differs() {
    let folder = Folder::new();
    let mut content = capture();
    folder.file("web-01.json", manifest(&content).text());
    folder.file("cut.cap", &content[..content.len() - 1]);
    folder.file("empty.cap", "");
    // One bit, in the last part that is read.
    *content.last_mut().unwrap() ^= 1;
    folder.file("bit.cap", &content);
    for (file, expected) in [
        ("bit.cap", "CHANGED  bit.cap has SHA-256 "),
        (
            "cut.cap",
            "CHANGED  cut.cap has 3145727 bytes; the manifest says 3145728\n",
        ),
        (
            "empty.cap",
            "CHANGED  empty.cap has 0 bytes; the manifest says 3145728\n",
        ),
    ] {
        let (code, text, error) = verify(&folder, &[file, "web-01.json"], b"");
        assert_eq!((code, error.as_str()), (Some(1), ""));
        assert!(text.starts_with(expected), "{text}");
        assert!(
            text.contains("alert      TCP_Segments_Sent_Exceeded\n"),
            "{text}"
        );
    }
}

#[test]
fn what_cannot_be_compared_is_an_error_of_its_own() {
    let folder = Folder::new();
    let content = capture();
    folder.file("web-01.cap", &content);
    let good = manifest(&content).text();
    folder.file("web-01.json", &good);
    folder.file("later.json", good.replace("manifest/1", "manifest/9"));
    folder.file("short.json", &good[..good.len() / 2]);
    fs::write(folder.0.join("large.json"), vec![b' '; 2 << 20]).unwrap();
    for (arguments, expected) in [
        (&["web-01.cap"][..], "<MANIFEST>"),
        (
            &["missing.cap", "web-01.json"],
            "could not read missing.cap: ",
        ),
        (
            &["web-01.cap", "missing.json"],
            "could not read missing.json: ",
        ),
        (&["web-01.cap", "."], "could not read .: "),
        (
            &["web-01.json", "web-01.cap"],
            "web-01.cap is not a manifest: it is not JSON",
        ),
        (
            &["web-01.cap", "later.json"],
            "its format is alert-packet-capture/manifest/9",
        ),
        (
            &["web-01.cap", "short.json"],
            "short.json is not a manifest: it is not JSON",
        ),
        (
            &["web-01.cap", "large.json"],
            "large.json is not a manifest: it is not JSON",
        ),
    ] {
        let (code, text, error) = verify(&folder, arguments, b"");
        assert_eq!((code, text.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
}

/// A manifest comes with its file from anywhere: it must not move the cursor or forge the result.
#[test]
fn a_hostile_manifest_forges_no_result() {
    let folder = Folder::new();
    let content = capture();
    let mut manifest = manifest(&content);
    manifest.file.name = "x\r\nok       all is well\u{1b}[2J\u{202e}".to_owned();
    manifest.file.size += 1;
    folder.file("web-01.cap", &content);
    folder.file("web-01.json", manifest.text());
    folder.file("odd.json", "{\"format\": \"a\\u001b[2J\\nok   \"}");
    for manifest in ["web-01.json", "odd.json"] {
        let (code, text, error) = verify(&folder, &["web-01.cap", manifest], b"");
        assert_ne!(code, Some(0));
        for printed in [text, error] {
            assert!(
                !printed.lines().any(|line| line.starts_with("ok")),
                "{printed}"
            );
            let bad = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
            assert!(!printed.contains(bad), "{printed:?}");
        }
    }
}
