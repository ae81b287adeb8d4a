//! What became of each job and of each alert, in bounded memory: an alert and a job that is over are remembered for
//! an hour, a job under way as long as it goes. Callers wait here for the outcome, a repeated alert is answered
//! from here, and the status page shows it.

use super::{
    job::{Action, Job, JobId},
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

/// A repeated alert is known as such for so long.
pub const REMEMBERED: Duration = Duration::from_secs(3600);
/// Jobs and alerts remembered at most, each; the oldest give way.
const MOST_ENTRIES: usize = 10_000;
/// The phase of a job with which nothing is left to do.
pub const DONE: &str = "done";
/// The phase of a job that another instance of the function has taken over.
pub const ELSEWHERE: &str = "elsewhere";
/// A job under way that nothing was heard of for so long goes on in another process. The longest capture takes 5 h.
const SILENT: Duration = Duration::from_secs(6 * 3600);

/// See the file's head.
#[derive(Default)]
pub struct Ledger {
    // Held for a few map operations, never over an await.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    jobs: HashMap<JobId, Known>,
    /// With the time when each was last heard of, looked up late. Jobs that are over or gone are taken out late, too.
    under_way: VecDeque<(Instant, JobId)>,
    /// With the time when each was over.
    over: VecDeque<(Instant, JobId)>,
    alerts: HashMap<Arc<str>, Vec<JobId>>,
    alert_ages: VecDeque<(Instant, Arc<str>)>,
    /// When each target's last capture was taken up, and by which job.
    targets: HashMap<ResourceId, (Instant, JobId)>,
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
    /// Created for callers that wait, and dropped when the job is finished: it takes as much memory as all the rest.
    followed: Option<watch::Sender<Report>>,
}

impl Known {
    fn new(job: &Job) -> Self {
        Self {
            record: job.into(),
            updated: Instant::now(),
            over: false,
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
        if let Some(followed) = &self.followed {
            followed.send_replace(job.report.clone());
        }
    }
}

impl Ledger {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics with this lock")
    }

    /// Writes down an alert and its jobs, unless the key is known: then it gives the jobs of the first one.
    pub fn open(&self, key: Option<&str>, jobs: &[Job]) -> Result<(), Vec<JobId>> {
        let mut state = self.state();
        let now = Instant::now();
        state.forget(now);
        if let Some(key) = key {
            if let Some(first) = state.alerts.get(key) {
                return Err(first.clone());
            }
            let key: Arc<str> = key.into();
            let jobs = jobs.iter().map(|job| job.job_id).collect();
            state.alerts.insert(key.clone(), jobs);
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
            state.jobs.remove(&job.job_id);
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
        state.set_over(Instant::now(), job, true);
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
        state.alerts.get(key).cloned()
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
        self.jobs.insert(job.job_id, Known::new(job));
        self.under_way.push_back((now, job.job_id));
    }

    fn set_over(&mut self, now: Instant, job: &JobId, over: bool) {
        match self.jobs.get_mut(job) {
            Some(known) if known.over != over => {
                known.over = over;
                if over {
                    known.followed = None;
                }
            }
            _ => return,
        }
        match over {
            true => self.over.push_back((now, *job)),
            false => self.under_way.push_back((now, *job)),
        }
    }

    /// Jobs that are over go first.
    fn forget_jobs(&mut self, now: Instant) {
        while let Some((at, _)) = self.over.front() {
            if now - *at < REMEMBERED && self.jobs.len() < MOST_ENTRIES {
                break;
            }
            if let Some((_, job)) = self.over.pop_front()
                && self.jobs.get(&job).is_some_and(|known| known.over)
            {
                self.jobs.remove(&job);
            }
        }
        while let Some((heard, _)) = self.under_way.front() {
            let full = self.jobs.len() >= MOST_ENTRIES;
            if now - *heard < SILENT && !full {
                break;
            }
            let Some((_, job)) = self.under_way.pop_front() else {
                break;
            };
            match self.jobs.get(&job).filter(|known| !known.over) {
                Some(known) if now - known.updated < SILENT && !full => {
                    self.under_way.push_back((known.updated, job));
                }
                Some(_) => {
                    self.jobs.remove(&job);
                }
                None => {}
            }
        }
        if self.under_way.len() > 2 * MOST_ENTRIES {
            let jobs = &self.jobs;
            let goes_on = |job: &JobId| jobs.get(job).is_some_and(|known| !known.over);
            self.under_way.retain(|(_, job)| goes_on(job));
        }
    }

    fn forget(&mut self, now: Instant) {
        self.forget_jobs(now);
        if self.targets.len() > MOST_ENTRIES {
            self.targets.retain(|_, (at, _)| now - *at < REMEMBERED);
            if self.targets.len() > MOST_ENTRIES {
                self.targets.clear();
            }
        }
        while let Some((at, _)) = self.alert_ages.front() {
            if now - *at < REMEMBERED && self.alert_ages.len() < MOST_ENTRIES {
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
