//! Every kind of file, read in chunks of every size, gives the same packets.

use first_look::{Context, Look, Options};
use serde_json::{Value, json};

use super::compare::figures;
use super::generator::chance::Chance;
use super::generator::file::{File, Kind, MICROSECONDS};
use super::generator::{frames, mixed};

fn kinds() -> Vec<Kind> {
    let mut kinds = Vec::new();
    for big_endian in [false, true] {
        kinds.extend([
            Kind::Pcap {
                big_endian,
                nanoseconds: false,
            },
            Kind::Pcap {
                big_endian,
                nanoseconds: true,
            },
            Kind::Modified { big_endian },
        ]);
        // The last is a power of two: 2^-30 s.
        kinds.extend(
            [None, Some(6), Some(9), Some(0x80 | 30)].map(|resolution| Kind::Pcapng {
                big_endian,
                resolution,
            }),
        );
    }
    kinds
}

/// Without what differs by the kind of file.
fn comparable(mut figures: Value) -> Value {
    figures["file"] = json!(null);
    figures
}

#[test]
fn all_kinds_of_files_hold_the_same_packets() {
    let mut packets = mixed::packets(&mut Chance::new(5));
    // Multiples of 2^-9 s that are whole microseconds, so that no kind rounds.
    let base = packets[0].time / 1_000_000_000 * 1_000_000_000;
    for (index, packet) in packets.iter_mut().enumerate() {
        packet.time = base + index as u64 * 15_625_000;
    }
    let expected = comparable(figures(&File::of(MICROSECONDS, 262_144, &packets)));
    for kind in kinds() {
        let found = comparable(figures(&File::of(kind, 262_144, &packets)));
        assert!(found == expected, "{kind:?}");
    }
}

#[test]
fn the_size_of_chunks_changes_nothing() {
    for kind in [
        MICROSECONDS,
        Kind::Pcapng {
            big_endian: true,
            resolution: Some(9),
        },
    ] {
        let mut file = File::new(kind, 1, 262_144);
        for packet in mixed::packets(&mut Chance::new(9)).into_iter().take(60) {
            file.packet(packet.time, &packet.bytes);
        }
        if let Kind::Pcapng { .. } = kind {
            // A block of a type that is not known, empty; it is the file's last.
            file.block(0x0bad, |_| {});
        }
        let expected = figures(&file.bytes);
        for size in [1, 2, 3, 7, 12, 16, 100, 1_000, file.bytes.len()] {
            let mut look = Look::new(Options::default());
            file.bytes.chunks(size).for_each(|chunk| look.feed(chunk));
            assert!(
                look.finish(&Context::default()).json()["figures"] == expected,
                "chunks of {size}"
            );
        }
        assert_eq!(expected["file"]["cut_short"], false);
    }
}

#[test]
fn a_small_snap_length_changes_no_figure_of_tcp() {
    let packets = mixed::packets(&mut Chance::new(3));
    let (whole, cut) = (
        File::of(MICROSECONDS, 262_144, &packets),
        File::of(MICROSECONDS, 90, &packets),
    );
    let (whole, cut) = (figures(&whole), figures(&cut));
    assert!(cut["cut_packets"].as_u64() > Some(0));
    assert_eq!(cut["tcp"], whole["tcp"]);
    assert_eq!(cut["hosts"], whole["hosts"]);
    assert_eq!(cut["bytes"], whole["bytes"]);
}

#[test]
fn interfaces_of_one_file_can_differ() {
    let kind = Kind::Pcapng {
        big_endian: false,
        resolution: Some(9),
    };
    let mut file = File::new(kind, 1, 262_144);
    // A second interface: raw IP, whole seconds.
    file.block(1, |file| {
        file.u16(101);
        file.u16(0);
        file.u32(0);
        file.u16(9);
        file.u16(1);
        file.bytes.extend([0, 0, 0, 0]);
        file.u32(0);
    });
    let frame = frames::udp(
        frames::end("10.0.0.4", 1),
        frames::end("10.0.0.5", 2),
        b"abcd",
    );
    file.packet(1_790_000_000_000_000_000, &frame);
    let raw = &frame[14..];
    file.block(6, |file| {
        file.u32(1);
        file.u32(0);
        file.u32(1_790_000_002);
        file.u32(raw.len() as u32);
        file.u32(raw.len() as u32);
        file.bytes.extend(raw);
        file.bytes.resize(file.bytes.len().next_multiple_of(4), 0);
    });
    // A simple packet has no time; it is counted, but not in the figures per second.
    file.block(3, |file| {
        file.u32(frame.len() as u32);
        file.bytes.extend(&frame);
        file.bytes.resize(file.bytes.len().next_multiple_of(4), 0);
    });
    let figures = figures(&file.bytes);
    assert_eq!(figures["file"]["error"], json!(null));
    assert_eq!(figures["packets"], 3);
    assert_eq!(figures["udp"]["packets"], 3);
    assert_eq!(figures["duration"], "2.000000000");
    assert_eq!(figures["file"]["encapsulation"], "per-packet");
    assert_eq!(
        figures["per_second"]["rows"],
        json!([[0, 1, 46], [2, 1, 32]])
    );
}

#[test]
fn a_file_is_cut_wherever_it_ends_within_something() {
    let kind = Kind::Pcapng {
        big_endian: false,
        resolution: None,
    };
    let mut file = File::new(kind, 1, 262_144);
    let described = file.bytes.len();
    let frame = frames::udp(
        frames::end("10.0.0.4", 1),
        frames::end("10.0.0.5", 2),
        b"abcd",
    );
    file.packet(1_790_000_000_000_000_000, &frame);
    let with_packet = file.bytes.len();
    file.block(0x0bad, |file| file.bytes.extend([0; 64]));
    let end = file.bytes.len();
    // A section's header has 28 bytes here; before its end, it is not known that this is a capture.
    let whole = [0, 28, described, with_packet, end];
    for length in 0..=end {
        let figures = figures(&file.bytes[..length]);
        assert_eq!(
            figures["file"]["cut_short"],
            !whole.contains(&length),
            "{length}"
        );
        assert_eq!(figures["file"]["is_capture"], length >= 28, "{length}");
        assert_eq!(
            figures["packets"],
            u64::from(length >= with_packet),
            "{length}"
        );
    }
}
