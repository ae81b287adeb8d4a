//! How long the tests run that are long by nature: storms and random kills. `cargo test` runs a short form of each;
//! `FULL_TESTS=1`, as in `.ci/run`, runs them in full.

/// The first number with `FULL_TESTS=1`, otherwise the second.
pub fn full_or_short(full: usize, short: usize) -> usize {
    match std::env::var("FULL_TESTS").as_deref() {
        Ok("1") => full,
        _ => short,
    }
}
