//! What became of each job and of each alert, in bounded memory: an alert and a finished job are remembered for
//! an hour, a job in progress as long as it lasts. Callers wait here for the outcome, a repeated alert is answered
//! from here, and the status page shows it.

// Numbers of its own entries and times of its own clock; nothing foreign is calculated with.
#![allow(clippy::arithmetic_side_effects)]

use super::{
    job::{Action, Job, JobId, Phase},
    report::{Report, Status},
};
use crate::resource_id::ResourceId;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use time::OffsetDateTime;
use tokio::{sync::watch, time::Instant};

/// How long an alert is remembered, so that a repeated one is known as such.
pub const REMEMBERED: Duration = Duration::from_secs(3600);
/// Maximum number of alerts, and of targets, remembered; the oldest give way.
const MOST_ENTRIES: usize = 10_000;
/// Maximum number of jobs remembered, those in progress included; finished ones give way first. A job takes some 3 KB.
const MOST_JOBS: usize = 4_000;
/// Finished jobs remembered however many are in progress: callers still wait for their answers.
const FEWEST_FINISHED: usize = 1_000;
/// Maximum number of running captures that one process follows: memory stays below 64 MiB with them.
const MOST_RUNNING: usize = 5_000;
/// Maximum number of jobs in progress, those that only wait for their receiver included.
const MOST_UNDER_WAY: usize = 12_000;
/// Jobs remembered at most, those in progress included.
const MAX_ENTRIES: usize = 24_000;
/// The phase of a job with which nothing is left to do.
pub const DONE: &str = "done";
/// The phase of a job that another instance of the function has taken over.
pub const ELSEWHERE: &str = "elsewhere";
/// Jobs not updated for this long are assumed to run on another instance. The longest capture takes 5 h.
const SILENT: Duration = Duration::from_secs(6 * 3600);

/// The alerts and jobs that this process knows, in bounded memory.
#[derive(Default)]
pub struct Ledger {
    // Held for a few map operations, never over an await.
    state: Mutex<State>,
}

/// The first delivery of an alert.
struct Delivery {
    jobs: Vec<JobId>,
    /// The jobs are in the queue.
    queued: bool,
}

#[derive(Default)]
struct State {
    jobs: HashMap<JobId, Known>,
    /// How many of them wait for their create.
    urgent: usize,
    /// How many of them follow a running capture.
    running: usize,
    /// How many of them are finished, or run on another instance.
    over_count: usize,
    /// With the time of each one's last update, looked up late. Finished and forgotten jobs are taken out late, too.
    under_way: VecDeque<(Instant, JobId)>,
    /// With the time when each finished.
    over: VecDeque<(Instant, JobId)>,
    alerts: HashMap<Arc<str>, Delivery>,
    alert_ages: VecDeque<(Instant, Arc<str>)>,
    /// When each target's last capture was accepted, and by which job.
    targets: HashMap<ResourceId, (Instant, JobId)>,
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

/// A job as this process last saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRecord {
    pub job_id: JobId,
    pub target: ResourceId,
    /// The alert rule's name.
    pub rule: Option<Box<str>>,
    pub action: Action,
    /// [`super::job::Phase::as_str`], [`DONE`] or [`ELSEWHERE`].
    pub phase: &'static str,
    /// Failed attempts in this phase.
    pub failures: u32,
    pub taken_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
    pub report: Box<Report>,
}

impl From<&Job> for JobRecord {
    fn from(job: &Job) -> Self {
        Self {
            job_id: job.job_id,
            target: job.target.id.clone(),
            rule: job.rule().map(Into::into),
            action: job.action,
            phase: job.phase.as_str(),
            failures: job.failures,
            taken_at: job.taken_at,
            updated_at: job.taken_at,
            report: Box::new(job.report.clone()),
        }
    }
}

struct Known {
    record: JobRecord,
    updated: Instant,
    over: bool,
    /// Whether the job waits for its create: such jobs are counted against the capacity.
    kind: Kind,
    /// Its alert is resolved.
    resolved: bool,
    /// Created for callers that wait, and dropped when the job is finished: it takes as much memory as all the rest.
    followed: Option<watch::Sender<Report>>,
}

/// What a job is counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It waits for its create.
    Waiting,
    /// It follows a running capture.
    Running,
    /// It only has a notification or a removal left, or is finished.
    Other,
}

impl Kind {
    fn of(job: &Job) -> Self {
        match job.phase {
            _ if job.report.finished => Self::Other,
            Phase::Prepare | Phase::Deleting { .. } => Self::Waiting,
            Phase::Starting { .. } | Phase::Running { .. } => Self::Running,
            Phase::Notifying | Phase::Removing { .. } => Self::Other,
        }
    }
}

impl Known {
    fn new(job: &Job) -> Self {
        Self {
            record: job.into(),
            updated: Instant::now(),
            over: false,
            kind: Kind::of(job),
            resolved: false,
            followed: None,
        }
    }

    fn update(&mut self, now: Instant, job: &Job) {
        self.updated = now;
        let record = &mut self.record;
        record.updated_at = OffsetDateTime::now_utc();
        record.phase = job.phase.as_str();
        record.failures = job.failures;
        *record.report = job.report.clone();
        match &self.followed {
            // Its caller was answered. In a storm of running captures these would take a third of all memory.
            Some(followed) if followed.receiver_count() == 0 => self.followed = None,
            Some(followed) => drop(followed.send_replace(job.report.clone())),
            None => {}
        }
    }
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
    pub fn open(&self, key: Option<&str>, jobs: &[Job], capacity: usize) -> Result<(), NotOpened> {
        let mut state = self.state();
        let now = Instant::now();
        state.forget(now);
        if let Some(first) = key.and_then(|key| state.alerts.get(key)) {
            return Err(NotOpened::Repeated(first.jobs.clone()));
        }
        let waiting = state.urgent;
        let under_way = state.jobs.len().saturating_sub(state.over_count);
        if waiting.saturating_add(jobs.len()) > capacity
            || state.running.saturating_add(jobs.len()) > MOST_RUNNING
            || under_way.saturating_add(jobs.len()) > MOST_UNDER_WAY.max(capacity)
        {
            return Err(NotOpened::Full { waiting });
        }
        if let Some(key) = key {
            let key: Arc<str> = key.into();
            let jobs = jobs.iter().map(|job| job.job_id).collect();
            let queued = false;
            state.alerts.insert(key.clone(), Delivery { jobs, queued });
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
        if let Some(first) = self.state().alerts.get_mut(key) {
            first.queued = true;
        }
    }

    /// Whether the jobs of this alert are being put into the queue, which may still fail.
    pub fn is_being_queued(&self, key: &str) -> bool {
        let state = self.state();
        state.alerts.get(key).is_some_and(|first| !first.queued)
    }

    /// Takes an alert back that could not be queued after all.
    pub fn withdraw(&self, key: Option<&str>, jobs: &[Job]) {
        let mut state = self.state();
        if let Some(key) = key {
            state.alerts.remove(key);
            // Looked for from the youngest: it came a moment ago. Left there, it would push out an older one.
            let at = state.alert_ages.iter().rposition(|(_, it)| **it == *key);
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
    pub fn record(&self, job: &Job) {
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

    /// The alert of this key is resolved: jobs of it that have not created their capture end without one.
    pub fn resolve(&self, key: &str) {
        let mut state = self.state();
        let first = state.alerts.get(key);
        for job in first.map(|it| it.jobs.clone()).unwrap_or_default() {
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
        state.alerts.get(key).map(|first| first.jobs.clone())
    }

    /// When the last capture of this target was accepted, unless it failed.
    pub fn accepted_at(&self, target: &ResourceId) -> Option<Instant> {
        self.state().targets.get(target).map(|(at, _)| *at)
    }

    /// How far a job is, if it is remembered.
    pub fn report(&self, job: &JobId) -> Option<Report> {
        self.state()
            .jobs
            .get(job)
            .map(|known| Report::clone(&known.record.report))
    }

    /// How a job ended in this process, and whether nothing is left to do for it; `None` while it has not ended.
    pub fn end(&self, job: &JobId) -> Option<(Report, bool)> {
        let state = self.state();
        let record = &state.jobs.get(job)?.record;
        let ended = record.report.finished;
        ended.then(|| (Report::clone(&record.report), record.phase == DONE))
    }

    /// Follows a job's report.
    pub fn follow(&self, job: &JobId) -> Option<watch::Receiver<Report>> {
        let mut state = self.state();
        let known = state.jobs.get_mut(job)?;
        let sender = || watch::Sender::new(Report::clone(&known.record.report));
        Some(match known.over {
            // Its value is still read.
            true => sender().subscribe(),
            false => known.followed.get_or_insert_with(sender).subscribe(),
        })
    }

    /// The target of a job, if it is remembered.
    pub fn target(&self, job: &JobId) -> Option<ResourceId> {
        self.state()
            .jobs
            .get(job)
            .map(|known| known.record.target.clone())
    }
}

impl State {
    /// A job that captured nothing does not cool its target down.
    fn release(&mut self, job: &Job) {
        if self
            .targets
            .get(&job.target.id)
            .is_some_and(|(_, by)| *by == job.job_id)
        {
            self.targets.remove(&job.target.id);
        }
    }

    fn insert(&mut self, now: Instant, job: &Job) {
        self.forget(now);
        let known = Known::new(job);
        self.count(known.kind, usize::saturating_add);
        self.jobs.insert(job.job_id, known);
        self.under_way.push_back((now, job.job_id));
    }

    fn remove(&mut self, job: &JobId) {
        if let Some(known) = self.jobs.remove(job) {
            self.count(known.kind, usize::saturating_sub);
            self.over_count = self.over_count.saturating_sub(usize::from(known.over));
        }
    }

    fn set_kind(&mut self, job: &JobId, kind: Kind) {
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

    fn set_over(&mut self, now: Instant, job: &JobId, over: bool) {
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
    fn forget_jobs(&mut self, now: Instant) {
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
            let full = self.jobs.len() >= MAX_ENTRIES;
            if now.saturating_duration_since(*heard) < SILENT && !full {
                break;
            }
            let Some((_, job)) = self.under_way.pop_front() else {
                break;
            };
            match self.jobs.get(&job).filter(|known| !known.over) {
                Some(known) if now.saturating_duration_since(known.updated) < SILENT && !full => {
                    self.under_way.push_back((known.updated, job));
                }
                Some(_) => self.remove(&job),
                None => {}
            }
        }
        if self.under_way.len() > MAX_ENTRIES {
            let jobs = &self.jobs;
            let goes_on = |job: &JobId| jobs.get(job).is_some_and(|known| !known.over);
            self.under_way.retain(|(_, job)| goes_on(job));
        }
    }

    fn forget(&mut self, now: Instant) {
        self.forget_jobs(now);
        if self.targets.len() > MOST_ENTRIES {
            self.targets
                .retain(|_, (at, _)| now.saturating_duration_since(*at) < REMEMBERED);
            if self.targets.len() > MOST_ENTRIES {
                self.targets.clear();
            }
        }
        while let Some((at, _)) = self.alert_ages.front() {
            if now.saturating_duration_since(*at) < REMEMBERED
                && self.alert_ages.len() < MOST_ENTRIES
            {
                break;
            }
            if let Some((_, key)) = self.alert_ages.pop_front() {
                self.alerts.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests;
