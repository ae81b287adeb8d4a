//! Files that are cut, flipped or made up: every one is read to an end, and none breaks anything.

use std::fs;
use std::path::Path;

use first_look::{Context, Look, NamePolicy, Options, Seen};

use super::generator::chance::Chance;
use super::generator::mixed;

/// Changed files for each capture: some each time, more with `FULL_TESTS=1`.
const ROUNDS: [u32; 2] = [24, 400];

fn look(bytes: &[u8]) -> Seen {
    let mut options = Options::default();
    // Small ceilings, so that they are reached.
    (options.streams, options.entries, options.seconds) = (64, 64, 64);
    let mut look = Look::new(options);
    bytes.chunks(1_021).for_each(|chunk| look.feed(chunk));
    look.finish(&Context::default())
}

/// Everything that can be made of a look.
fn render(seen: &Seen) {
    assert!(!seen.text().is_empty());
    assert!(seen.html().len() < 300_000);
    assert!(seen.json().is_object());
    assert!(seen.notice_lines(NamePolicy::Full).len() <= 8);
}

/// Generated captures, and the public ones where they are there.
fn captures() -> Vec<Vec<u8>> {
    let mut captures: Vec<Vec<u8>> = (0..6).map(mixed::capture).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/captures");
    let Ok(entries) = fs::read_dir(folder) else {
        return captures;
    };
    let mut paths: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    captures.extend(
        paths
            .iter()
            .filter_map(|path| fs::read(path).ok())
            .filter(|bytes| bytes.len() < 130_000),
    );
    captures
}

#[test]
fn prefixes_are_read_to_their_end() {
    for capture in captures() {
        let whole = look(&capture).packets();
        let mut before = 0;
        // All short prefixes, and some of the others.
        let lengths =
            (0..capture.len().min(300)).chain((300..capture.len()).step_by(capture.len() / 40 + 1));
        for length in lengths {
            let seen = look(&capture[..length]);
            assert!(
                seen.packets() >= before && seen.packets() <= whole,
                "{length} bytes"
            );
            before = seen.packets();
        }
    }
}

#[test]
fn flipped_bits_break_nothing() {
    let mut chance = Chance::new(1);
    for capture in captures() {
        for round in 0..ROUNDS[usize::from(std::env::var_os("FULL_TESTS").is_some())] {
            let mut bytes = capture.clone();
            // One bit, or a few, or a run of bytes.
            for _ in 0..chance.between(1, 1 << (round % 8)) {
                if bytes.is_empty() {
                    break;
                }
                let at = chance.below(bytes.len() as u64) as usize;
                bytes[at] ^= 1 << chance.below(8);
                if chance.percent(5) {
                    let end = (at + 8).min(bytes.len());
                    bytes[at..end].fill(if chance.percent(50) { 0xff } else { 0 });
                }
            }
            let seen = look(&bytes);
            if round == 0 {
                render(&seen);
            }
        }
    }
}

#[test]
fn made_up_frames_break_nothing() {
    // The container is right, the frames are chance: the readers of the layers get everything.
    let mut chance = Chance::new(2);
    for link in [0, 1, 12, 101, 108, 113, 228, 276, 9_999] {
        let mut file =
            super::generator::file::File::new(super::generator::file::MICROSECONDS, link, 262_144);
        for number in 0..3_000 {
            let mut frame: Vec<u8> = (0..chance.below(200))
                .map(|_| chance.next() as u8)
                .collect();
            plausible_start(&mut frame, link, &mut chance);
            file.packet(number * 1_000_000, &frame);
        }
        let seen = look(&file.bytes);
        assert_eq!(seen.packets(), 3_000);
        render(&seen);
    }
}

/// Types and first bytes that lead deeper, most of the time.
fn plausible_start(frame: &mut [u8], link: u16, chance: &mut Chance) {
    let (kind_at, mut ip_at) = match link {
        1 => (12, 14),
        113 => (14, 16),
        276 => (0, 20),
        0 | 108 => (usize::MAX, 4),
        _ => (usize::MAX, 0),
    };
    let types: [[u8; 2]; 8] = [
        [8, 0],
        [8, 0],
        [0x86, 0xdd],
        [0x81, 0],
        [0x88, 0x64],
        [0x88, 0x47],
        [8, 6],
        [0x65, 0x58],
    ];
    if let Some(field) = frame.get_mut(kind_at..kind_at.saturating_add(2)) {
        let kind = types[chance.below(8) as usize];
        field.copy_from_slice(&kind);
        ip_at += if kind == [0x81, 0] { 4 } else { 0 };
    }
    let protocols = [1, 4, 6, 6, 17, 17, 41, 44, 47, 50, 58, 0, 43, 51, 60];
    let protocol = protocols[chance.below(15) as usize];
    let Some(packet) = frame.get_mut(ip_at..).filter(|packet| packet.len() > 24) else {
        return;
    };
    if chance.percent(60) {
        packet[0] = 0x45;
        packet[2..4].fill(0);
        packet[6..8].fill(0);
        packet[9] = protocol;
        let ports: [u16; 6] = [53, 443, 4_789, 6_081, 2_152, 80];
        packet[22..24].copy_from_slice(&ports[chance.below(6) as usize].to_be_bytes());
    } else {
        packet[0] = 0x60;
        packet[6] = protocol;
    }
}
