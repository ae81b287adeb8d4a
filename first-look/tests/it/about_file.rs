//! Is the file what was asked for: what is said of it before anything else.

use first_look::{Alert, Context, Kind, Look, NamePolicy, Options};

use super::findings::{everything, seen};
use super::generator::file::{File, MICROSECONDS};
use super::setup::START;

#[test]
fn the_file_is_held_against_what_was_asked_for() {
    let mut packets = everything();
    let mut context = Context::default();
    context.alert = Some(Alert {
        at: START as i64 - 400_000_000_000,
        metric: None,
    });
    context.whole_size = Some(5 << 30);
    let seen = seen(&mut packets, &context);
    let about: Vec<&str> = seen
        .findings()
        .iter()
        .filter(|finding| finding.kind == Kind::File)
        .map(|finding| finding.sentence.as_str())
        .collect();
    assert_eq!(about.len(), 2, "{about:?}");
    assert!(
        about[0].starts_with("Only the first ") && about[0].ends_with(" of 5.0 GiB were read."),
        "{about:?}"
    );
    assert_eq!(about[1], "The first packet came 400 s after the alert.");
}

/// A caller that stops reading stops in the middle of a record: the file itself is not cut there.
#[test]
fn a_file_that_was_read_in_part_is_not_called_cut() {
    let mut packets = everything();
    packets.sort_by_key(|packet| packet.time);
    let file = File::of(MICROSECONDS, 262_144, &packets);
    let read = file.len() - 7;
    let mut context = Context::default();
    context.time_limit_seconds = Some(300);
    for (whole, expected) in [
        (file.len(), "Only the first "),
        (read, "The file ends in the middle of a record; "),
    ] {
        context.whole_size = Some(whole as u64);
        let mut look = Look::new(Options::default());
        look.feed(&file[..read]);
        let seen = look.finish(&context);
        let about: Vec<&str> = seen
            .findings()
            .iter()
            .filter(|finding| finding.kind == Kind::File)
            .map(|finding| finding.sentence.as_str())
            .collect();
        assert_eq!(about.len(), 1, "{about:?}");
        assert!(about[0].starts_with(expected), "{about:?}");
        assert_eq!(seen.problem().is_some(), whole == read);
        assert_eq!(seen.json()["file"]["complete"], false);
    }
}

#[test]
fn a_file_without_packets_says_why() {
    for (bytes, expected) in [
        (
            &b""[..],
            "The file is empty: the upload has not happened, or has not finished.",
        ),
        (
            b"<?xml version=\"1.0\"?><Error><Code>AuthorizationFailure</Code></Error>",
            "The file is not a capture: it holds an error message of the storage service, AuthorizationFailure.",
        ),
        (
            b"<html>proxy</html>",
            "The file is not a capture: it holds a web page, as a proxy sends it.",
        ),
        (
            b"\xd4\xc3\xb2\xa1\x02\0",
            "The file ends within its header, after 6 bytes.",
        ),
    ] {
        let mut look = Look::new(Options::default());
        look.feed(bytes);
        assert_eq!(
            look.finish(&Context::default())
                .notice_lines(NamePolicy::Counts),
            [expected]
        );
    }
}

#[test]
fn a_snap_length_without_ports_comes_first() {
    let mut packets = everything();
    packets.sort_by_key(|packet| packet.time);
    let mut look = Look::new(Options::default());
    look.feed(&File::of(MICROSECONDS, 34, &packets));
    let mut context = Context::default();
    context.bytes_per_packet = Some(34);
    context.time_limit_seconds = Some(300);
    let seen = look.finish(&context);
    let about: Vec<&str> = seen
        .findings()
        .iter()
        .map(|finding| finding.sentence.as_str())
        .collect();
    assert_eq!(
        about[0],
        "First and last packet are 60.0 s apart; the capture was asked for 300 s."
    );
    assert!(
        about[1].contains("packets end within a header (records have 34 bytes at most)"),
        "{about:?}"
    );
    // Nothing is said of TCP, of which nothing can be read.
    assert!(
        seen.findings()
            .iter()
            .all(|finding| finding.kind <= Kind::File),
        "{about:?}"
    );
}

#[test]
fn the_vm_is_found_by_the_packets_and_its_packets_are_counted_from_the_first_on() {
    let mut packets = everything();
    packets.sort_by_key(|packet| packet.time);
    let look = |vm: &[&str], repeated: usize| {
        let mut options = Options::default();
        options.vm = vm
            .iter()
            .map(|address| address.parse().expect("an address"))
            .collect();
        let mut look = Look::new(options);
        let many: Vec<_> = (0..repeated).flat_map(|_| packets.clone()).collect();
        look.feed(&File::of(MICROSECONDS, 262_144, &many));
        look.finish(&Context::default())
    };
    // Fewer packets than are looked through for the VM's address, and more.
    for repeated in [1, 8] {
        let (given, found) = (look(&["10.0.0.4"], repeated), look(&[], repeated));
        assert_eq!(found.vm(), given.vm());
        assert_eq!(
            found.json()["figures"]["tcp"]["segments"],
            given.json()["figures"]["tcp"]["segments"]
        );
        assert_eq!(
            found.json()["figures"]["per_second"],
            given.json()["figures"]["per_second"]
        );
        assert!(given.json()["figures"]["tcp"]["segments"][0].as_u64() > Some(100));
    }
}
