//! No percentage of a few: "2 of 3" says what it is, "67 %" sounds like more.

use std::fs;
use std::path::Path;

use first_look::{Context, Look, NamePolicy, Options, Seen};

use super::findings::{seen, troubles};
use super::generator::mixed;

/// The bases of all percentages in a text: `198 of 214 (93 %)`. Shares of sizes (`of 1.8 MiB`) have more than a few bytes.
fn bases(text: &str) -> Vec<u64> {
    let before = text.match_indices(" %)").map(|(at, _)| &text[..at]);
    before
        .filter_map(|before| {
            let (shares, percent) = before.rsplit_once(" (").expect("a parenthesis");
            let is_percent = percent.trim_start_matches(|c: char| !c.is_ascii_digit());
            assert!(is_percent.parse::<u64>().is_ok(), "{percent} in {text}");
            let base = shares.rsplit_once(" of ").expect("a base").1;
            match base.split_once(' ') {
                Some((_, unit)) => {
                    assert!(["KiB", "MiB", "GiB"].contains(&unit), "{base} in {text}");
                    None
                }
                None => Some(base.replace(',', "").parse().expect(base)),
            }
        })
        .collect()
}

/// How many percentages are in everything that is said; none of them is of fewer than 20.
fn checked(seen: &Seen) -> usize {
    let mut said = seen.notice_lines(NamePolicy::Full);
    said.extend(seen.notice_lines(NamePolicy::Counts));
    for finding in seen.findings() {
        said.extend([finding.sentence.clone(), finding.plain.clone()]);
    }
    let bases: Vec<u64> = said.iter().flat_map(|text| bases(text)).collect();
    assert!(
        bases.iter().all(|base| *base >= 20),
        "{bases:?} of {said:#?}"
    );
    bases.len()
}

#[test]
fn percentages_begin_with_a_base_of_20() {
    for (tried, count) in [
        (3, 3),
        (5, 4),
        (10, 8),
        (19, 6),
        (20, 6),
        (21, 11),
        (60, 30),
    ] {
        let seen = seen(&mut troubles(tried, count), &Context::default());
        checked(&seen);
        let database = &seen.findings()[0];
        let text = &database.sentence;
        assert!(text.contains("10.1.2.3:1433"), "{text}");
        assert_eq!(database.base, Some(u64::from(tried)));
        assert_eq!(text.contains('%'), tried >= 20, "{text}");
    }
}

#[test]
fn generated_and_public_captures_have_none_of_a_few() {
    let mut captures: Vec<Vec<u8>> = (0..60).map(mixed::capture).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/captures");
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("a folder that can be listed").path();
        if path.is_file() {
            captures.push(fs::read(path).expect("a file that can be read"));
        }
    }
    let mut percentages = 0;
    for capture in &captures {
        let mut look = Look::new(Options::default());
        look.feed(capture);
        percentages += checked(&look.finish(&Context::default()));
    }
    assert!(percentages > 20, "{percentages}");
}
