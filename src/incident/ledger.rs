//! What became of each job of this process, in bounded memory: a finished job is remembered for an hour, a job in progress
//! as long as it lasts. Callers wait here for the outcome, and capacity is counted here. What all instances know is in the
//! record.

// Numbers of its own entries and times of its own clock; nothing foreign is calculated with.
#![allow(clippy::arithmetic_side_effects)]

mod known;
mod state;

pub use known::JobRecord;
pub use state::REMEMBERED;

use super::{
    job::{Job, JobId},
    report::Status,
};
use known::Kind;
use state::State;
use std::sync::{Arc, Mutex, MutexGuard};
use time::OffsetDateTime;
use tokio::{sync::watch, time::Instant};

/// Maximum number of running captures that one process follows: as many as Azure allows in a region. Memory stays below
/// 64 MiB with them.
const MOST_RUNNING: usize = 10_000;
/// Maximum number of jobs in progress, those that only wait for their receiver included.
const MOST_UNDER_WAY: usize = 20_000;
/// The phase of a job with which nothing is left to do.
pub const DONE: &str = "done";
/// The phase of a job that another instance of the function has taken over.
pub const ELSEWHERE: &str = "elsewhere";

/// The jobs that this process knows, in bounded memory.
#[derive(Default)]
pub struct Ledger {
    // Held for a few map operations, never over an await.
    state: Mutex<State>,
}

/// The capacity is reached: as many jobs as it allows wait for their create, or more run than this process can follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full {
    /// How many jobs wait for their create.
    pub waiting: usize,
}

impl Ledger {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics with this lock")
    }

    /// Writes down jobs, unless the capacity is reached. It limits the jobs that wait for their create; running captures
    /// and notifications in delivery do not keep new alerts out.
    ///
    /// # Errors
    /// How many jobs wait.
    pub fn open(&self, jobs: &[Arc<Job>], capacity: usize) -> Result<(), Full> {
        self.has_room(jobs.len(), capacity)?;
        let mut state = self.state();
        let now = Instant::now();
        for job in jobs {
            state.insert(now, job);
        }
        Ok(())
    }

    /// Whether this number of further jobs can be written down.
    ///
    /// # Errors
    /// How many jobs wait.
    pub fn has_room(&self, more: usize, capacity: usize) -> Result<(), Full> {
        let mut state = self.state();
        state.forget(Instant::now());
        let waiting = state.urgent;
        let under_way = state.in_progress();
        if waiting.saturating_add(more) > capacity
            || state.running.saturating_add(more) > MOST_RUNNING
            || under_way.saturating_add(more) > MOST_UNDER_WAY.max(capacity)
        {
            return Err(Full { waiting });
        }
        Ok(())
    }

    /// Takes a job back that could not be queued after all.
    pub fn withdraw(&self, job: &JobId) {
        let mut state = self.state();
        state.remove(job);
        // Looked for from the youngest: it came a moment ago.
        let at = state.under_way.iter().rposition(|(_, it)| it == job);
        at.and_then(|at| state.under_way.remove(at));
    }

    /// Writes down how far a job is. One that another process has left is known from now on.
    pub fn record(&self, job: &Arc<Job>) {
        let mut state = self.state();
        let now = Instant::now();
        if !state.jobs.contains_key(&job.job_id) {
            state.insert(now, job);
        }
        if let Some(known) = state.jobs.get_mut(&job.job_id) {
            known.update(now, job);
        }
        state.set_kind(&job.job_id, Kind::of(job));
        state.set_over(now, &job.job_id, job.report.finished);
    }

    /// This process has done with a job; what is known of it stays as it is, but for the name of its phase.
    pub fn leave(&self, job: &JobId, phase: &'static str) {
        let mut state = self.state();
        if let Some(known) = state.jobs.get_mut(job) {
            known.record.phase = phase;
        }
        state.set_kind(job, Kind::Other);
        state.set_over(Instant::now(), job, true);
    }

    /// How many jobs wait for their create in this process.
    pub fn waiting_for_create(&self) -> usize {
        self.state().urgent
    }

    /// A job, if it is remembered.
    pub fn job(&self, job: &JobId) -> Option<JobRecord> {
        self.state().jobs.get(job).map(|known| known.record.clone())
    }

    /// At most `top` jobs, the newest first, from the first one older than `after`; and whether there are more.
    /// Jobs that come in between two calls change nothing for the older ones.
    pub fn page(
        &self,
        after: Option<&(OffsetDateTime, JobId)>,
        top: usize,
    ) -> (Vec<JobRecord>, bool) {
        let mut state = self.state();
        state.forget(Instant::now());
        let mut places: Vec<(OffsetDateTime, &JobId)> = state
            .jobs
            .iter()
            .map(|(id, known)| (known.record.taken_at, id))
            .filter(|(at, id)| after.is_none_or(|(last, last_id)| (*at, *id) < (*last, last_id)))
            .collect();
        places.sort_unstable_by(|one, other| other.cmp(one));
        let records = places.iter().take(top);
        let records = records.filter_map(|(_, id)| Some(state.jobs.get(id)?.record.clone()));
        (records.collect(), places.len() > top)
    }

    /// Follows a job's status until it is decided.
    pub fn follow(&self, job: &JobId) -> Option<watch::Receiver<Status>> {
        let mut state = self.state();
        let known = state.jobs.get_mut(job)?;
        let status = known.record.report.status;
        let sender = || watch::Sender::new(status);
        Some(match known.over || status != Status::Accepted {
            // Its value is still read.
            true => sender().subscribe(),
            false => known.followed.get_or_insert_with(sender).subscribe(),
        })
    }
}

#[cfg(test)]
mod tests;
