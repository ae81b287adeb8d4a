//! The progress of reading a large file, as one line at a terminal. Small enough that a crate would only add size.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

/// How long reading takes before its progress is shown, and the interval between updates.
const UPDATE: Duration = Duration::from_millis(200);
/// Characters of the bar.
const WIDTH: u64 = 30;

/// The line on standard error; it is removed at the end. Nothing is printed where standard error is not a terminal.
pub struct Progress {
    whole: Option<u64>,
    read: u64,
    /// When the line was updated last, at a terminal.
    updated: Option<Instant>,
    /// Characters that are on the line.
    printed: usize,
}

impl Progress {
    pub fn start(whole: Option<u64>) -> Self {
        Self {
            whole,
            read: 0,
            updated: io::stderr().is_terminal().then(Instant::now),
            printed: 0,
        }
    }

    pub fn add(&mut self, bytes: u64) {
        self.read += bytes;
        if self.updated.is_some_and(|last| last.elapsed() >= UPDATE) {
            self.updated = Some(Instant::now());
            let line = line(self.read, self.whole);
            // A line that is shorter than the one before would leave its end.
            let width = self.printed;
            self.printed = line.chars().count();
            let _ = write!(io::stderr(), "\r{line:<width$}");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.printed > 0 {
            let _ = write!(io::stderr(), "\r{:1$}\r", "", self.printed);
        }
    }
}

/// `Reading [######------] 120 of 300 MiB (40 %)`, or without the size of the whole.
fn line(read: u64, whole: Option<u64>) -> String {
    let mib = |bytes: u64| bytes >> 20;
    // A file that grows while it is read is no more than whole.
    let Some(whole) = whole.filter(|whole| *whole > 0) else {
        return format!("Reading: {} MiB", mib(read));
    };
    let read = read.min(whole);
    let share = |of: u64| (u128::from(read) * u128::from(of) / u128::from(whole)) as u64;
    let done = share(WIDTH);
    let bar = "#".repeat(done as usize) + &"-".repeat((WIDTH - done) as usize);
    let (part, all, percent) = (mib(read), mib(whole), share(100));
    format!("Reading [{bar}] {part} of {all} MiB ({percent} %)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_follow_the_table() {
        let bar = |done: usize| format!("[{}{}]", "#".repeat(done), "-".repeat(30 - done));
        for (read, whole, expected) in [
            (
                0,
                Some(300 << 20),
                format!("Reading {} 0 of 300 MiB (0 %)", bar(0)),
            ),
            (
                120 << 20,
                Some(300 << 20),
                format!("Reading {} 120 of 300 MiB (40 %)", bar(12)),
            ),
            (
                300 << 20,
                Some(300 << 20),
                format!("Reading {} 300 of 300 MiB (100 %)", bar(30)),
            ),
            (
                310 << 20,
                Some(300 << 20),
                format!("Reading {} 300 of 300 MiB (100 %)", bar(30)),
            ),
            (
                u64::MAX / 2,
                Some(u64::MAX),
                format!(
                    "Reading {} 8796093022207 of 17592186044415 MiB (49 %)",
                    bar(14)
                ),
            ),
            (5 << 20, Some(0), "Reading: 5 MiB".into()),
            (5 << 20, None, "Reading: 5 MiB".into()),
        ] {
            assert_eq!(line(read, whole), expected, "{read} of {whole:?}");
        }
    }
}
