//! What became of each job and of each alert, in bounded memory: an alert and a finished job are remembered for
//! an hour, a job in progress as long as it lasts. Callers wait here for the outcome, a repeated alert is answered
//! from here, and the status page shows it.

// Numbers of its own entries and times of its own clock; nothing foreign is calculated with.
#![allow(clippy::arithmetic_side_effects)]

mod known;
mod state;

pub use known::JobRecord;
pub use state::REMEMBERED;

use super::{
    job::{Action, Job, JobId},
    report::{Report, Status},
};
use crate::resource_id::ResourceId;
use known::{Kind, Known};
use state::{Delivery, Key, State};
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

/// The alerts and jobs that this process knows, in bounded memory.
#[derive(Default)]
pub struct Ledger {
    // Held for a few map operations, never over an await.
    state: Mutex<State>,
}

/// Why an alert was not written down.
#[derive(Debug, PartialEq, Eq)]
pub enum NotOpened {
    /// The alert was delivered before and led to these jobs.
    Repeated(Vec<JobId>),
    /// The capacity is reached: as many jobs as it allows wait for their create, or more run than this process can
    /// follow.
    Full { waiting: usize },
}

impl Ledger {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics with this lock")
    }

    /// Writes down an alert and its jobs, unless its key is known or the capacity is reached. `capacity` limits the
    /// jobs that wait for their create; running captures and notifications in delivery do not keep new alerts out.
    ///
    /// # Errors
    /// The jobs of the alert's first delivery, or how many jobs wait.
    pub fn open(
        &self,
        key: Option<&str>,
        jobs: &[Arc<Job>],
        capacity: usize,
    ) -> Result<(), NotOpened> {
        let key = key.map(Key::of);
        let mut state = self.state();
        let now = Instant::now();
        state.forget(now);
        if let Some(first) = key.and_then(|key| state.alerts.get(&key)) {
            return Err(NotOpened::Repeated(first.jobs.to_vec()));
        }
        let waiting = state.urgent;
        let under_way = state.in_progress();
        if waiting.saturating_add(jobs.len()) > capacity
            || state.running.saturating_add(jobs.len()) > MOST_RUNNING
            || under_way.saturating_add(jobs.len()) > MOST_UNDER_WAY.max(capacity)
        {
            return Err(NotOpened::Full { waiting });
        }
        if let Some(key) = key {
            let jobs = jobs.iter().map(|job| job.job_id).collect();
            let queued = false;
            state.alerts.insert(key, Delivery { jobs, queued });
            state.alert_ages.push_back((now, key));
        }
        for job in jobs {
            state.insert(now, job);
            if job.action == Action::Capture {
                let target = job.target.id.clone();
                state.targets.insert(target, (now, job.job_id));
            }
        }
        Ok(())
    }

    /// The jobs of this alert are in the queue.
    pub fn queued(&self, key: &str) {
        if let Some(first) = self.state().alerts.get_mut(&Key::of(key)) {
            first.queued = true;
        }
    }

    /// Whether the jobs of this alert are being put into the queue, which may still fail.
    pub fn is_being_queued(&self, key: &str) -> bool {
        let key = Key::of(key);
        let state = self.state();
        state.alerts.get(&key).is_some_and(|first| !first.queued)
    }

    /// Takes an alert back that could not be queued after all.
    pub fn withdraw(&self, key: Option<&str>, jobs: &[Arc<Job>]) {
        let mut state = self.state();
        if let Some(key) = key.map(Key::of) {
            state.alerts.remove(&key);
            // Looked for from the youngest: it came a moment ago. Left there, it would push out an older one.
            let at = state.alert_ages.iter().rposition(|(_, it)| *it == key);
            at.and_then(|at| state.alert_ages.remove(at));
        }
        for job in jobs {
            state.remove(&job.job_id);
            let at = state
                .under_way
                .iter()
                .rposition(|(_, it)| *it == job.job_id);
            at.and_then(|at| state.under_way.remove(at));
            state.release(job);
        }
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
        if matches!(job.report.status, Status::Failed | Status::Skipped) {
            state.release(job);
        }
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

    /// An alert is resolved: its jobs that have not created their capture end without one. `stops` are the jobs that
    /// stop its captures. An alert is known by its key; one whose resolution has another key, as in the classic schema, by
    /// its rule and targets, as its running captures are.
    pub fn resolve(&self, key: Option<&str>, stops: &[Arc<Job>]) {
        let key = key.map(Key::of);
        let mut state = self.state();
        let first = key.and_then(|key| state.alerts.get(&key));
        let jobs = match first {
            Some(first) => first.jobs.to_vec(),
            None => {
                let is_stopped = |record: &JobRecord| {
                    stops.iter().any(|stop| {
                        stop.target.id == record.target.id && stop.rule() == record.rule()
                    })
                };
                let waiting = |known: &&Known| known.kind == Kind::Waiting;
                let records = state.jobs.values().filter(waiting).map(|it| &it.record);
                let records = records.filter(|record| is_stopped(record));
                records.map(|record| record.job_id).collect()
            }
        };
        for job in jobs {
            if let Some(known) = state.jobs.get_mut(&job) {
                known.resolved = true;
            }
        }
    }

    /// Whether a job's alert is resolved.
    pub fn is_resolved(&self, job: &JobId) -> bool {
        let state = self.state();
        state.jobs.get(job).is_some_and(|known| known.resolved)
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

    /// The jobs of an alert that is known already.
    pub fn known(&self, key: &str) -> Option<Vec<JobId>> {
        let mut state = self.state();
        state.forget(Instant::now());
        let first = state.alerts.get(&Key::of(key))?;
        Some(first.jobs.to_vec())
    }

    /// When the last capture of this target was accepted, unless it failed.
    pub fn accepted_at(&self, target: &ResourceId) -> Option<Instant> {
        self.state().targets.get(target).map(|(at, _)| *at)
    }

    /// How a job ended in this process, and whether nothing is left to do for it; `None` while it has not ended.
    pub fn end(&self, job: &JobId) -> Option<(Report, bool)> {
        let state = self.state();
        let record = &state.jobs.get(job)?.record;
        let ended = record.report.finished;
        ended.then(|| (record.report.clone(), record.phase == DONE))
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
