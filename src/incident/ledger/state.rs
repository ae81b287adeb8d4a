//! The ledger's maps, and what is forgotten when: memory has limits.

use super::known::{Kind, Known};
use crate::incident::job::{Job, JobId};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

/// How long a finished job is remembered.
pub const REMEMBERED: Duration = Duration::from_secs(3600);
/// Maximum number of finished jobs in the list of those in progress before they are taken out of it.
const MOST_ENTRIES: usize = 20_000;
/// Maximum number of jobs remembered, those in progress included; finished ones give way first. A job takes some 2 KB.
pub(super) const MOST_JOBS: usize = 4_000;
/// Finished jobs remembered however many are in progress: callers still wait for their answers.
const FEWEST_FINISHED: usize = 1_000;
/// Jobs not updated for this long are assumed to run on another instance. The longest capture takes 5 h.
pub(super) const SILENT: Duration = Duration::from_secs(6 * 3600);

/// The maps behind the ledger's lock.
#[derive(Default)]
pub(super) struct State {
    pub jobs: HashMap<JobId, Known>,
    /// How many of them wait for their create.
    pub urgent: usize,
    /// How many of them follow a running capture.
    pub running: usize,
    /// How many of them are finished, or run on another instance.
    over_count: usize,
    /// With the time of each one's last update, looked up late. Finished and forgotten jobs are taken out late, too.
    pub under_way: VecDeque<(Instant, JobId)>,
    /// With the time when each finished.
    over: VecDeque<(Instant, JobId)>,
}

impl State {
    pub fn insert(&mut self, now: Instant, job: &Arc<Job>) {
        self.forget(now);
        // The same alert again, more than an hour later.
        self.remove(&job.job_id);
        let known = Known::new(job);
        self.count(known.kind, usize::saturating_add);
        self.jobs.insert(job.job_id, known);
        self.under_way.push_back((now, job.job_id));
    }

    pub fn remove(&mut self, job: &JobId) {
        if let Some(known) = self.jobs.remove(job) {
            self.count(known.kind, usize::saturating_sub);
            self.over_count = self.over_count.saturating_sub(usize::from(known.over));
        }
    }

    pub fn set_kind(&mut self, job: &JobId, kind: Kind) {
        if let Some(known) = self.jobs.get_mut(job) {
            let before = std::mem::replace(&mut known.kind, kind);
            self.count(before, usize::saturating_sub);
            self.count(kind, usize::saturating_add);
        }
    }

    fn count(&mut self, kind: Kind, change: fn(usize, usize) -> usize) {
        let count = match kind {
            Kind::Waiting => &mut self.urgent,
            Kind::Running => &mut self.running,
            Kind::Other => return,
        };
        *count = change(*count, 1);
    }

    pub fn set_over(&mut self, now: Instant, job: &JobId, over: bool) {
        match self.jobs.get_mut(job) {
            Some(known) if known.over != over => {
                known.over = over;
                match over {
                    true => {
                        known.followed = None;
                        self.over_count = self.over_count.saturating_add(1);
                    }
                    false => self.over_count = self.over_count.saturating_sub(1),
                }
            }
            _ => return,
        }
        match over {
            true => self.over.push_back((now, *job)),
            false => self.under_way.push_back((now, *job)),
        }
    }

    /// Forgets finished jobs first.
    pub fn forget(&mut self, now: Instant) {
        while let Some((at, _)) = self.over.front() {
            let room = self.jobs.len() < MOST_JOBS || self.over_count <= FEWEST_FINISHED;
            if now.saturating_duration_since(*at) < REMEMBERED && room {
                break;
            }
            if let Some((_, job)) = self.over.pop_front()
                && self.jobs.get(&job).is_some_and(|known| known.over)
            {
                self.remove(&job);
            }
        }
        while let Some((heard, _)) = self.under_way.front() {
            if now.saturating_duration_since(*heard) < SILENT {
                break;
            }
            let Some((_, job)) = self.under_way.pop_front() else {
                break;
            };
            match self.jobs.get(&job).filter(|known| !known.over) {
                Some(known) if now.saturating_duration_since(known.updated) < SILENT => {
                    self.under_way.push_back((known.updated, job));
                }
                Some(_) => self.remove(&job),
                None => {}
            }
        }
        if self.under_way.len() > self.in_progress().saturating_mul(2).max(MOST_ENTRIES) {
            let jobs = &self.jobs;
            let goes_on = |job: &JobId| jobs.get(job).is_some_and(|known| !known.over);
            self.under_way.retain(|(_, job)| goes_on(job));
        }
    }

    /// How many jobs are in progress in this process. [`super::Ledger::open`] limits them, so none is forgotten for room:
    /// its place would be given away a second time.
    pub fn in_progress(&self) -> usize {
        self.jobs.len().saturating_sub(self.over_count)
    }
}
