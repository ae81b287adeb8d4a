//! Any bytes as a capture file, in chunks: read to an end, rendered, and the same for every size of chunks.
#![no_main]

use first_look::{Context, Look, NamePolicy, Options};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let mut options = Options::default();
    (options.streams, options.entries, options.seconds) = (32, 32, 32);
    let mut whole = Look::new(options.clone());
    whole.feed(file);
    let mut pieces = Look::new(options);
    file.chunks(7).for_each(|chunk| pieces.feed(chunk));
    assert_eq!(whole.packets(), pieces.packets());
    assert!(whole.held().0 <= 64 && whole.held().1 < 1 << 20);
    let seen = whole.finish(&Context::default());
    assert!(seen.html().len() < 300_000);
    assert!(seen.notice_lines(NamePolicy::Full).len() <= 8);
    assert!(!seen.text().chars().any(|character| character.is_control() && character != '\n'));
    let _ = seen.json();
});
