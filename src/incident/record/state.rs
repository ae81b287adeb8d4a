//! Whether an incident is open, how it ended, and its row in the list.

use super::{Action, Entry, Incident, State, Summary};
use crate::{incident::report::Status, text};
use std::time::Duration;
use time::OffsetDateTime;

/// A job without a change for this long was lost with its message.
const LOST: time::Duration = time::Duration::hours(36);
/// Maximum characters of a sentence in a row.
const MAX_OUTCOME: usize = 300;

impl Incident {
    /// Whether something is still in progress. `quiet`: how long after its last capture an incident takes alerts in.
    pub fn state(&self, now: OffsetDateTime, quiet: Duration) -> State {
        let in_progress =
            |entry: &Entry| !entry.report.finished && entry.updated_at.saturating_add(LOST) > now;
        if self.entries.iter().any(in_progress) {
            return State::InProgress;
        }
        match self.quiet_until(quiet).is_some_and(|until| until > now) {
            true => State::Quiet,
            false => self.closed(),
        }
    }

    /// Until when a further alert joins, once no job is in progress.
    pub fn quiet_until(&self, quiet: Duration) -> Option<OffsetDateTime> {
        let ended = |entry: &Entry| entry.report.ended_at.unwrap_or(entry.updated_at);
        let last = self.entries.iter().map(ended).max()?;
        Some(last.saturating_add(time::Duration::try_from(quiet).unwrap_or(time::Duration::MAX)))
    }

    /// What it is once it is closed.
    pub fn closed(&self) -> State {
        let any = |status: Status| self.entries.iter().any(|it| it.report.status == status);
        match (any(Status::Completed), any(Status::Failed)) {
            (true, _) => State::Captured,
            (false, true) => State::Failed,
            (false, false) => State::NotCaptured,
        }
    }

    /// How many alerts it has.
    pub fn alerts(&self) -> u32 {
        let alerts = self
            .entries
            .iter()
            .filter(|it| it.action == Action::Capture);
        u32::try_from(alerts.count())
            .unwrap_or(u32::MAX)
            .saturating_add(self.entries_left_out)
    }

    /// Whether it is a drill, which is an incident of its own.
    pub fn is_drill(&self) -> bool {
        let first = self.entries.first();
        first.is_some_and(|entry| entry.alert.is_drill())
    }

    /// Whether nothing more is expected: its captures ended and its alerts are resolved. Nothing resolves a drill's alert.
    pub fn is_over(&self) -> bool {
        let over = |entry: &Entry| {
            let resolved = entry.resolved_at.is_some() || entry.alert.is_drill();
            entry.report.finished && (entry.action != Action::Capture || resolved)
        };
        !self.entries.is_empty() && self.entries.iter().all(over)
    }

    /// Its row in the list.
    pub fn summary(&self, now: OffsetDateTime, quiet: Duration) -> Summary {
        let first = self.entries.first();
        let sizes = self.entries.iter().filter_map(|entry| entry.file_bytes);
        Summary {
            id: self.id.clone(),
            machine: self.machine.clone(),
            rule: first.and_then(|entry| entry.alert.rule().map(Into::into)),
            opened_at: self.opened_at,
            updated_at: self.updated_at,
            state: self.state(now, quiet),
            outcome: self.outcome(),
            alerts: self.alerts(),
            drill: self.is_drill(),
            file_bytes: sizes.fold(None, |sum, size| {
                Some(size.saturating_add(sum.unwrap_or_default()))
            }),
        }
    }

    /// The sentence of the entry that says most: one in progress, else a capture, a failure, the newest.
    fn outcome(&self) -> Box<str> {
        let rank = |entry: &Entry| match (entry.report.finished, entry.report.status) {
            (false, _) => 3,
            (true, Status::Completed) => 2,
            (true, Status::Failed) => 1,
            (true, _) => 0,
        };
        let told = self.entries.iter().max_by_key(|entry| rank(entry));
        let sentence = match told {
            Some(entry) if entry.report.message.is_empty() => {
                format!("Alert accepted for {}", self.machine.short_name()).into()
            }
            Some(entry) => text::clean(&entry.report.message, MAX_OUTCOME),
            None => "".into(),
        };
        sentence.into()
    }
}

#[cfg(test)]
mod tests;
