//! While the store does not answer, nothing waits for it: after a first failure calls are left out, but for one every few
//! seconds that checks.

use super::StoreError;
use std::{
    sync::{Mutex, MutexGuard},
    time::Duration,
};
use tokio::time::Instant;

/// Interval between two log lines about a store that does not answer.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// Whether the store answers.
pub(super) struct Breaker {
    // Held for a few assignments, never over an await.
    state: Mutex<State>,
    /// Interval between two checks of a store that did not answer.
    pub probe_every: Duration,
}

#[derive(Default)]
struct State {
    /// When it may be called again; `None`: it answers.
    probe_at: Option<Instant>,
    logged_at: Option<Instant>,
    answered_at: Option<Instant>,
}

impl State {
    /// Whether it is time for another log line, which is then written.
    fn may_log(&mut self, now: Instant) -> bool {
        let due = self
            .logged_at
            .is_none_or(|at| now.saturating_duration_since(at) >= LOG_EVERY);
        if due {
            self.logged_at = Some(now);
        }
        due
    }
}

impl Breaker {
    pub fn new(probe_every: Duration) -> Self {
        Self {
            state: Mutex::default(),
            probe_every,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics with this lock")
    }

    /// Whether calls are left out.
    pub fn is_open(&self) -> bool {
        self.state().probe_at.is_some()
    }

    /// Whether a call may be made. While the store does not answer, one caller gets a yes in each interval.
    pub fn allows(&self) -> bool {
        let mut state = self.state();
        let now = Instant::now();
        match state.probe_at {
            None => true,
            Some(at) if at <= now => {
                state.probe_at = Some(now + self.probe_every);
                true
            }
            Some(_) => false,
        }
    }

    /// When the next check is due.
    pub fn next_probe(&self) -> Option<Instant> {
        self.state().probe_at
    }

    /// The store has answered.
    pub fn answered(&self) {
        let mut state = self.state();
        state.answered_at = Some(Instant::now());
        let was_open = state.probe_at.take().is_some();
        drop(state);
        if was_open {
            tracing::info!("the incident record can be written again");
        }
    }

    /// A caller has waited this long without an answer. If no other call was answered meanwhile either, the next callers do
    /// not wait.
    pub fn overdue(&self, waited: Duration) {
        let mut state = self.state();
        let now = Instant::now();
        let silent = state
            .answered_at
            .is_none_or(|at| now.saturating_duration_since(at) >= waited);
        if silent && state.probe_at.is_none() {
            state.probe_at = Some(now + self.probe_every);
        }
        let log = state.may_log(now);
        drop(state);
        if log {
            tracing::warn!(
                "the incident record did not answer within {} s; captures continue, and duplicates may be recognized only by \
                 what Azure lists",
                waited.as_secs()
            );
        }
    }

    /// The store has not answered, or refuses.
    pub fn failed(&self, error: &StoreError) {
        let mut state = self.state();
        let now = Instant::now();
        state.probe_at = Some(now + self.probe_every);
        let log = state.may_log(now);
        drop(state);
        if log {
            let cause = std::error::Error::source(error);
            let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
            let fix = error.fix().map(|fix| format!("; what to do: {fix}"));
            let fix = fix.unwrap_or_default();
            tracing::warn!(
                "could not reach the incident record: {error}{cause}; captures continue, duplicates may be recognized only by \
                 what Azure lists, and the record is written later{fix}"
            );
        }
    }
}
