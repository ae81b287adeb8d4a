//! `handler look` with files that are no captures, that cannot be read or written, or whose names are hostile.

use super::{datagram, look, pcap, query, silent_server};
use crate::support::folder::Folder;
use serde_json::Value;
use std::fs;

#[test]
fn a_report_does_not_overwrite_a_capture() {
    let folder = Folder::new();
    let first = silent_server();
    folder.file("a.cap", &first);
    folder.file("b.cap", silent_server());
    for arguments in [["--html", "a.cap", "b.cap"], ["--html", "a.cap", "a.cap"]] {
        let (code, text, error) = look(&folder, &arguments, b"");
        assert_eq!((code, text.as_str()), (Some(2), ""));
        assert!(
            error.contains("a.cap exists and is not an HTML page"),
            "{error}"
        );
    }
    assert_eq!(fs::read(folder.0.join("a.cap")).unwrap(), first);
    let (code, _, error) = look(&folder, &["b.cap", "--html", "no-folder/report.html"], b"");
    assert_eq!(code, Some(2));
    assert!(
        error.starts_with("error: could not write no-folder/report.html: "),
        "{error}"
    );
}

#[test]
fn a_file_that_is_no_capture_gets_a_sentence_and_what_to_do() {
    let folder = Folder::new();
    let denied = "<?xml version=\"1.0\"?><Error><Code>AuthorizationFailure</Code></Error>";
    for (content, problem, fix) in [
        (
            &b"no capture, but some text"[..],
            "neither pcap nor pcapng",
            "editcap",
        ),
        (
            denied.as_bytes(),
            "error message of the storage service, AuthorizationFailure",
            "az storage blob download",
        ),
        (
            b"<!doctype html><title>Blocked</title>",
            "web page",
            "browser",
        ),
        (b"\x1f\x8b\x08\0", "packed", "handler look -"),
        (
            b"\xd4\xc3\xb2\xa1\x02\0",
            "ends within its header, after 6 bytes",
            "port 443",
        ),
    ] {
        folder.file("x.cap", content);
        let (code, text, error) = look(&folder, &["x.cap"], b"");
        assert_eq!((code, text.as_str()), (Some(1), ""), "{problem}");
        let lines: Vec<&str> = error.lines().collect();
        let [first, second] = lines[..] else {
            panic!("{error}")
        };
        assert!(
            first.starts_with("error: x.cap: The file ") && first.contains(problem),
            "{error}"
        );
        assert!(
            second.starts_with("fix: ") && second.contains(fix),
            "{error}"
        );
        let (code, text, _) = look(&folder, &["x.cap", "--json"], b"");
        let seen: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((code, &seen["file"]["complete"]), (Some(1), &false.into()));
        assert!(
            seen["file"]["problem"].as_str().unwrap().contains(problem),
            "{text}"
        );
        let (code, _, _) = look(&folder, &["x.cap", "--html", "report.html"], b"");
        assert_eq!(code, Some(1));
        assert!(!folder.0.join("report.html").exists());
    }
}

#[test]
fn a_cut_or_damaged_capture_is_still_a_capture() {
    let folder = Folder::new();
    let whole = silent_server();
    folder.file("cut.cap", &whole[..whole.len() - 5]);
    let (code, text, _) = look(&folder, &["cut.cap"], b"");
    assert_eq!(code, Some(0));
    assert!(
        text.contains(
            "The file ends in the middle of a record; the figures hold for 19 packets before."
        ),
        "{text}"
    );
    // A record that claims to be 4 GiB long, and more than is read at a time after it.
    let damaged = [&whole[..], &[0xff; 3 << 20]].concat();
    folder.file("damaged.cap", damaged);
    let (code, text, _) = look(&folder, &["damaged.cap"], b"");
    assert_eq!(code, Some(0));
    assert!(
        text.contains("The file is damaged") && text.contains("figures hold for 20 packets before"),
        "{text}"
    );
}

#[test]
fn wrong_arguments_and_unreadable_files_are_said() {
    let folder = Folder::new();
    folder.file("a.cap", silent_server());
    for (arguments, expected) in [
        (&[][..], "<FILE>"),
        (&["a.cap", "--no-such"], "--no-such"),
        (&["a.cap", "--vm", "web-01"], "web-01"),
        (
            &["a.cap", "--json", "--html", "x.html"],
            "cannot be used with",
        ),
        (&["a.cap", "b.cap"], "b.cap"),
        (&["missing.cap"], "error: could not read missing.cap: "),
        (&["."], "error: could not read .: "),
    ] {
        let (code, text, error) = look(&folder, arguments, b"");
        assert_eq!((code, text.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(error.contains(expected), "{arguments:?}: {error}");
        let is_about_a_file = error.starts_with("error: could not read");
        assert!(
            is_about_a_file || error.contains("Usage: handler look"),
            "{error}"
        );
    }
}

/// Names of hosts come from the network, names of files from anywhere: neither moves the cursor or forges a line.
#[cfg(unix)]
#[test]
fn hostile_names_are_made_harmless() {
    let folder = Folder::new();
    let label = "a\x1b]0;x\x07\r\nok: all is well\u{202e}\u{61c}".as_bytes();
    let frames: Vec<_> = (0..20)
        .flat_map(|id| {
            let mut answer = datagram(&query(id, label, true));
            // Swaps the ends: the server answers.
            let (addresses, ports) = (26..34, 34..38);
            answer[addresses].rotate_left(4);
            answer[ports].rotate_left(2);
            [datagram(&query(id, label, false)), answer]
        })
        .collect();
    let name = "a\x1b[2J\r\nok\u{202e}.cap";
    folder.file(name, pcap(&frames));
    folder.file("a\x1b[2J.txt", "no capture");
    for arguments in [
        &[name][..],
        &[name, "--html", "r\x1b.html"],
        &[name, "--html", "-"],
        &["a\x1b[2J.txt"],
        &["missing\x1b[2J\n.cap"],
        &["--html", "a\x1b[2J.txt", name],
    ] {
        let (_, text, error) = look(&folder, arguments, b"");
        for printed in [text, error] {
            let bad = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202e}' | '\u{61c}');
            assert!(!printed.contains(bad), "{arguments:?}: {printed:?}");
            let forged = printed.lines().any(|line| line.starts_with("ok"));
            assert!(!forged, "{arguments:?}: {printed}");
        }
    }
    let (code, json, _) = look(&folder, &[name, "--json"], b"");
    let seen: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (code, &seen["file"]["name"]),
        (Some(0), &"a [2J ok.cap".into())
    );
}
