//! The printed timeline: a line for each thing that happens, and a bar for each session in progress where stdout
//! is a terminal.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{collections::HashMap, io::Write, time::Duration};
use time::OffsetDateTime;

/// Interval between lines about a session in progress where stdout is no terminal.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

pub struct Timeline {
    started: OffsetDateTime,
    /// None where stdout is no terminal.
    bars: Option<MultiProgress>,
    sessions: HashMap<String, Session>,
}

/// A session in progress.
struct Session {
    title: String,
    length: Duration,
    bar: Option<ProgressBar>,
    printed: Duration,
}

impl Timeline {
    pub fn start(bars: bool) -> Self {
        let bars =
            bars.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stdout_with_hz(10)));
        Self {
            started: OffsetDateTime::now_utc(),
            bars,
            sessions: HashMap::new(),
        }
    }

    /// Something happened just now.
    pub fn print(&self, who: &str, what: &str) {
        self.print_at(OffsetDateTime::now_utc(), who, what);
    }

    pub fn print_at(&self, at: OffsetDateTime, who: &str, what: &str) {
        let since = (at - self.started).as_seconds_f64().max(0.0);
        let since = format!("+{since:.2} s");
        self.line(&format!("{since:>9}  {who:<8}  {what}"));
    }

    /// A line without a time.
    pub fn line(&self, text: &str) {
        match &self.bars {
            // Printed above the bars.
            Some(bars) if !self.sessions.is_empty() => {
                let _ = bars.println(text);
            }
            // A reader who has left (`| head`) is no reason to fail.
            _ => {
                let _ = writeln!(std::io::stdout(), "{text}");
            }
        }
    }

    pub fn session_began(&mut self, key: String, title: String, length: Duration) {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = ProgressBar::new(length.as_millis() as u64).with_message(title.clone());
            if let Ok(style) = ProgressStyle::with_template("{msg:>30}  [{bar:40}] {prefix}") {
                bar.set_style(style.progress_chars("=> "));
            }
            bars.add(bar)
        });
        let session = Session {
            title,
            length,
            bar,
            printed: Duration::ZERO,
        };
        self.sessions.insert(key, session);
    }

    pub fn session_continues(&mut self, key: &str, ran: Duration) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let ran = ran.min(session.length);
        let clock = format!("{} of {} s", ran.as_secs(), session.length.as_secs());
        if let Some(bar) = &session.bar {
            bar.set_prefix(clock);
            bar.set_position(ran.as_millis() as u64);
        } else if ran >= session.printed + PLAIN_EVERY && ran < session.length {
            session.printed = ran;
            let line = format!("{}: {clock}", session.title);
            self.print("Azure", &line);
        }
    }

    pub fn session_ended(&mut self, key: &str) {
        if let Some(Session { bar: Some(bar), .. }) = self.sessions.remove(key) {
            bar.finish_and_clear();
        }
    }

    /// Leaves no half bar behind.
    pub fn end(&mut self) {
        for (_, session) in self.sessions.drain() {
            if let Some(bar) = session.bar {
                bar.finish_and_clear();
            }
        }
    }
}
