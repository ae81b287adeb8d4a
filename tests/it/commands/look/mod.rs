//! `handler look` through the built executable: what it prints for captures, and what it says of everything else.

mod refusals;

use crate::support::folder::Folder;
use serde_json::Value;
use std::{
    fs,
    io::Write,
    process::{Command, Output, Stdio},
};

/// An Ethernet frame with a UDP datagram from the VM to `10.0.0.2`, port 53.
fn datagram(payload: &[u8]) -> Vec<u8> {
    let length = |size: usize| (size as u16).to_be_bytes();
    let mut frame = vec![0, 34, 72, 1, 2, 3, 18, 52, 86, 120, 154, 188, 8, 0, 0x45, 0];
    frame.extend(length(28 + payload.len()));
    frame.extend([0, 0, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 4, 10, 0, 0, 2]);
    frame.extend([0x9c, 0x40, 0, 53]);
    frame.extend(length(8 + payload.len()));
    frame.extend([0, 0]);
    frame.extend(payload);
    frame
}

/// A DNS query, or the answer "server failure" to it if `failed`, for a name of one label.
fn query(id: u8, label: &[u8], failed: bool) -> Vec<u8> {
    let flags = if failed { [0x81, 0x82] } else { [1, 0] };
    let mut message = vec![
        0,
        id,
        flags[0],
        flags[1],
        0,
        1,
        0,
        0,
        0,
        0,
        0,
        0,
        label.len() as u8,
    ];
    message.extend(label);
    message.extend([0, 0, 1, 0, 1]);
    message
}

/// A pcap file with a second between the packets.
fn pcap(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    file.extend(65_535_u32.to_le_bytes());
    file.extend(1_u32.to_le_bytes());
    for (second, frame) in frames.iter().enumerate() {
        let length = (frame.len() as u32).to_le_bytes();
        file.extend((1_790_000_000 + second as u32).to_le_bytes());
        file.extend([0; 4]);
        file.extend(length);
        file.extend(length);
        file.extend(frame);
    }
    file
}

/// Twenty queries without an answer: one server stands out. The last one is too close to the end to be counted.
fn silent_server() -> Vec<u8> {
    let frames: Vec<_> = (0..20)
        .map(|id| datagram(&query(id, b"db-contoso", false)))
        .collect();
    pcap(&frames)
}

fn look(folder: &Folder, arguments: &[&str], input: &[u8]) -> (Option<i32>, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_handler"))
        .arg("look")
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
fn a_page_of_text_says_what_stands_out_and_how_to_list_it() {
    let folder = Folder::new();
    fs::create_dir(folder.0.join("night")).unwrap();
    folder.file("night/web-01.cap", silent_server());
    let (code, text, error) = look(&folder, &["night/web-01.cap", "--vm", "10.0.0.4"], b"");
    assert_eq!((code, error.as_str()), (Some(0), ""));
    for part in [
        "night/web-01.cap: pcap, 1.7 KiB",
        "20 packets",
        "The VM is 10.0.0.4: 20 packets sent, 0 received.",
        "The DNS server 10.0.0.2 left 19 of 20 (95 %) queries unanswered.",
        "tshark -r night/web-01.cap -Y 'dns && ip.addr==10.0.0.2'",
        "█",
        "What to check next",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn the_vm_is_found_or_given() {
    let folder = Folder::new();
    folder.file("a.cap", silent_server());
    for (vm, expected) in [
        (&[][..], "(found: it takes part in most packets)"),
        (
            &["--vm", "10.0.0.2"],
            "The VM is 10.0.0.2: 0 packets sent, 20 received.",
        ),
        (
            &["--vm", "fe80::1", "--vm", "10.0.0.4"],
            "The VM is fe80::1 and 10.0.0.4: 20 packets sent",
        ),
    ] {
        let (_, text, _) = look(&folder, &[&["a.cap"], vm].concat(), b"");
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn json_has_the_file_the_figures_the_findings_and_what_was_left_out() {
    let folder = Folder::new();
    folder.file("a.cap", silent_server());
    let (code, text, error) = look(&folder, &["--json", "a.cap"], b"");
    assert_eq!((code, error.as_str()), (Some(0), ""));
    let seen: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(seen["file"]["name"], "a.cap");
    assert_eq!(seen["file"]["complete"], true);
    assert_eq!(seen["figures"]["packets"], 20);
    assert_eq!(seen["figures"]["dns"]["queries"], 20);
    let finding = &seen["findings"][0];
    assert_eq!(finding["kind"], "dns");
    assert_eq!(
        (&finding["count"], &finding["base"]),
        (&19.into(), &20.into())
    );
    assert!(seen["notLookedInto"].is_array() || seen["notLookedInto"].is_object());
}

#[test]
fn standard_input_is_read_the_same_way() {
    let folder = Folder::new();
    let (code, text, error) = look(&folder, &["-"], &silent_server());
    assert_eq!((code, error.as_str()), (Some(0), ""));
    assert!(text.starts_with("standard input: pcap, 1.7 KiB"), "{text}");
    assert!(text.contains("tshark -r FILE.cap -Y"), "{text}");
    let (code, _, error) = look(&folder, &["-"], b"");
    assert_eq!(code, Some(1));
    assert!(
        error.starts_with("error: standard input: The file is empty"),
        "{error}"
    );
}

#[test]
fn the_report_is_written_and_what_stands_out_is_printed() {
    let folder = Folder::new();
    folder.file("a.cap", silent_server());
    for _ in 0..2 {
        let (code, text, error) = look(&folder, &["a.cap", "--html", "report.html"], b"");
        assert_eq!((code, error.as_str()), (Some(0), ""));
        assert!(
            text.contains("The DNS server 10.0.0.2 left 19 of 20"),
            "{text}"
        );
        assert!(text.ends_with("Report: report.html\n"), "{text}");
    }
    let page = fs::read_to_string(folder.0.join("report.html")).unwrap();
    assert!(page.contains("<svg") && page.contains("a.cap"), "{page}");
    let (code, printed, _) = look(&folder, &["a.cap", "--html", "-"], b"");
    assert_eq!((code, printed), (Some(0), page));
}
