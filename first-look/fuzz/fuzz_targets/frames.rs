//! Any bytes as the packets of a right file. The first byte chooses the link type; then each packet has a byte for its
//! length and one for the time since the packet before.
#![no_main]

use first_look::{Context, Look, Options};
use libfuzzer_sys::fuzz_target;

const LINKS: [u8; 8] = [1, 1, 1, 101, 113, 0, 108, 228];

fuzz_target!(|bytes: &[u8]| {
    let Some((link, mut rest)) = bytes.split_first() else { return };
    let mut options = Options::default();
    (options.streams, options.entries, options.seconds) = (32, 32, 32);
    let mut look = Look::new(options);
    let mut header = [0; 24];
    header[..4].copy_from_slice(&[0xd4, 0xc3, 0xb2, 0xa1]);
    header[20] = LINKS[usize::from(link % 8)];
    look.feed(&header);
    let (mut packets, mut time) = (0, 1_790_000_000_000_000_u64);
    while let [length, pause, behind @ ..] = rest {
        let (frame, behind) = behind.split_at(behind.len().min(usize::from(*length)));
        time += u64::from(*pause) * 1_000;
        for field in [time / 1_000_000, time % 1_000_000, frame.len() as u64, frame.len() as u64] {
            look.feed(&(field as u32).to_le_bytes());
        }
        look.feed(frame);
        packets += 1;
        rest = behind;
    }
    let seen = look.finish(&Context::default());
    assert_eq!(seen.packets(), packets);
    assert!(seen.html().len() < 300_000);
    let _ = (seen.text(), seen.json());
});
