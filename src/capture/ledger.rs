//! What became of each job and of each alert, remembered for an hour in bounded memory: callers wait here for
//! the outcome, and a repeated alert is answered from here.

use super::job::{Action, Job, JobId, Report, Status};
use crate::azure::resource_id::ResourceId;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

/// A repeated alert is known as such for so long.
pub const REMEMBERED: Duration = Duration::from_secs(3600);
/// Jobs and alerts remembered at most, each; the oldest give way.
const MOST_ENTRIES: usize = 10_000;

/// See the file's head.
#[derive(Default)]
pub struct Ledger {
    // Held for a few map operations, never over an await.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    jobs: HashMap<JobId, Known>,
    job_ages: VecDeque<(Instant, JobId)>,
    alerts: HashMap<Arc<str>, Vec<JobId>>,
    alert_ages: VecDeque<(Instant, Arc<str>)>,
    /// When each target's last capture was taken up, and by which job.
    targets: HashMap<ResourceId, (Instant, JobId)>,
}

struct Known {
    target: ResourceId,
    report: watch::Sender<Report>,
}

impl Known {
    fn new(job: &Job) -> Self {
        Self {
            target: job.target.id.clone(),
            report: watch::Sender::new(job.report.clone()),
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
            let id = job.job_id;
            state.jobs.insert(id, Known::new(job));
            state.job_ages.push_back((now, id));
            if job.action == Action::Capture {
                let target = job.target.id.clone();
                state.targets.insert(target, (now, id));
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
            let at = state.job_ages.iter().rposition(|(_, it)| *it == job.job_id);
            at.and_then(|at| state.job_ages.remove(at));
            state.release(job);
        }
    }

    /// Writes down how far a job is. One that another process has left is known from now on.
    pub fn record(&self, job: &Job) {
        let mut state = self.state();
        match state.jobs.get(&job.job_id) {
            Some(known) => {
                known.report.send_replace(job.report.clone());
            }
            None => {
                let now = Instant::now();
                state.forget(now);
                state.jobs.insert(job.job_id, Known::new(job));
                state.job_ages.push_back((now, job.job_id));
            }
        }
        if matches!(job.report.status, Status::Failed | Status::Skipped) {
            state.release(job);
        }
    }

    /// The jobs of an alert that is known already.
    pub fn known(&self, key: &str) -> Option<Vec<JobId>> {
        let mut state = self.state();
        state.forget(Instant::now());
        state.alerts.get(key).cloned()
    }

    /// Whether a capture of this target was taken up less than `cooldown` ago and has not failed.
    pub fn cools_down(&self, target: &ResourceId, cooldown: Duration) -> bool {
        let state = self.state();
        state
            .targets
            .get(target)
            .is_some_and(|(at, _)| at.elapsed() < cooldown)
    }

    /// How far a job is, if it is remembered.
    pub fn report(&self, job: &JobId) -> Option<Report> {
        self.state()
            .jobs
            .get(job)
            .map(|known| known.report.borrow().clone())
    }

    /// Follows a job's report.
    pub fn follow(&self, job: &JobId) -> Option<watch::Receiver<Report>> {
        self.state()
            .jobs
            .get(job)
            .map(|known| known.report.subscribe())
    }

    /// The target of a job, if it is remembered.
    pub fn target(&self, job: &JobId) -> Option<ResourceId> {
        self.state().jobs.get(job).map(|known| known.target.clone())
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

    fn forget(&mut self, now: Instant) {
        while let Some((at, _)) = self.job_ages.front() {
            if now - *at < REMEMBERED && self.job_ages.len() < MOST_ENTRIES {
                break;
            }
            if let Some((_, job)) = self.job_ages.pop_front() {
                self.jobs.remove(&job);
            }
        }
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
mod tests {
    use super::*;
    use crate::alert;

    fn job(machine: usize) -> Job {
        let id = format!(
            "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/m{machine}"
        );
        let body = serde_json::json!({
            "schemaId": "azureMonitorCommonAlertSchema",
            "data": { "essentials": { "monitorCondition": "Fired", "alertTargetIDs": [id] }, "alertContext": {} }
        });
        let alert = alert::read(body.to_string().as_bytes()).unwrap();
        Job::new(Action::Capture, alert.targets[0].clone(), &alert)
    }

    #[tokio::test(start_paused = true)]
    async fn an_alert_is_known_for_an_hour() {
        let ledger = Ledger::default();
        let (first, second) = (job(1), job(1));
        assert_eq!(ledger.open(Some("k"), std::slice::from_ref(&first)), Ok(()));
        let known = Err(vec![first.job_id]);
        assert_eq!(ledger.open(Some("k"), std::slice::from_ref(&second)), known);
        tokio::time::advance(REMEMBERED).await;
        assert_eq!(
            ledger.open(Some("k"), std::slice::from_ref(&second)),
            Ok(())
        );
        assert!(ledger.report(&first.job_id).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_target_cools_down_unless_its_capture_failed() {
        let ledger = Ledger::default();
        let mut job = job(1);
        let minute = Duration::from_secs(60);
        assert!(!ledger.cools_down(&job.target.id, minute));
        ledger.open(None, std::slice::from_ref(&job)).unwrap();
        assert!(ledger.cools_down(&job.target.id, minute));
        assert!(!ledger.cools_down(&job.target.id, Duration::ZERO));
        job.report.status = Status::Failed;
        ledger.record(&job);
        assert!(!ledger.cools_down(&job.target.id, minute));
    }

    #[tokio::test(start_paused = true)]
    async fn alerts_that_are_sent_away_push_nothing_out() {
        let ledger = Ledger::default();
        let kept = job(1);
        ledger
            .open(Some("kept"), std::slice::from_ref(&kept))
            .unwrap();
        for _ in 0..MOST_ENTRIES + 50 {
            let away = [job(2)];
            ledger.open(Some("away"), &away).unwrap();
            ledger.withdraw(Some("away"), &away);
        }
        assert_eq!(ledger.known("kept"), Some(vec![kept.job_id]));
        assert!(ledger.report(&kept.job_id).is_some() && ledger.known("away").is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded() {
        let ledger = Ledger::default();
        for n in 0..MOST_ENTRIES + 50 {
            ledger.open(Some(&n.to_string()), &[job(n)]).unwrap();
        }
        let state = ledger.state();
        assert!(state.jobs.len() <= MOST_ENTRIES && state.alerts.len() <= MOST_ENTRIES);
        assert!(state.targets.len() <= MOST_ENTRIES + 1);
    }
}
