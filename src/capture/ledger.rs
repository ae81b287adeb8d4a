//! What became of each job and of each alert, remembered for an hour in bounded memory: callers wait here for
//! the outcome, and a repeated alert is answered from here.

use super::job::{JobId, Report};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard},
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
    jobs: HashMap<JobId, watch::Sender<Report>>,
    job_ages: VecDeque<(Instant, JobId)>,
    alerts: HashMap<String, Vec<JobId>>,
    alert_ages: VecDeque<(Instant, String)>,
}

impl Ledger {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics with this lock")
    }

    /// Writes down an alert and its jobs, unless the key is known: then it gives the jobs of the first one.
    pub fn open(&self, key: Option<&str>, jobs: &[JobId]) -> Result<(), Vec<JobId>> {
        let mut state = self.state();
        let now = Instant::now();
        state.forget(now);
        if let Some(key) = key {
            if let Some(first) = state.alerts.get(key) {
                return Err(first.clone());
            }
            state.alerts.insert(key.to_owned(), jobs.to_vec());
            state.alert_ages.push_back((now, key.to_owned()));
        }
        for job in jobs {
            state.jobs.insert(job.clone(), watch::Sender::new(Report::default()));
            state.job_ages.push_back((now, job.clone()));
        }
        Ok(())
    }

    /// Takes an alert back that could not be queued after all.
    pub fn withdraw(&self, key: Option<&str>, jobs: &[JobId]) {
        let mut state = self.state();
        if let Some(key) = key {
            state.alerts.remove(key);
        }
        for job in jobs {
            state.jobs.remove(job);
        }
    }

    /// Writes down how far a job is. Jobs of another process are not known here.
    pub fn record(&self, job: &JobId, report: &Report) {
        if let Some(sender) = self.state().jobs.get(job) {
            sender.send_replace(report.clone());
        }
    }

    /// How far a job is, if it is remembered.
    pub fn report(&self, job: &JobId) -> Option<Report> {
        self.state().jobs.get(job).map(|sender| sender.borrow().clone())
    }

    /// Follows a job's report.
    pub fn follow(&self, job: &JobId) -> Option<watch::Receiver<Report>> {
        self.state().jobs.get(job).map(watch::Sender::subscribe)
    }
}

impl State {
    fn forget(&mut self, now: Instant) {
        while let Some((at, _)) = self.job_ages.front() {
            if now - *at < REMEMBERED && self.job_ages.len() < MOST_ENTRIES {
                break;
            }
            if let Some((_, job)) = self.job_ages.pop_front() {
                self.jobs.remove(&job);
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

    #[tokio::test(start_paused = true)]
    async fn an_alert_is_known_for_an_hour() {
        let ledger = Ledger::default();
        let (first, second) = (JobId::random(), JobId::random());
        assert_eq!(ledger.open(Some("k"), std::slice::from_ref(&first)), Ok(()));
        assert_eq!(
            ledger.open(Some("k"), std::slice::from_ref(&second)),
            Err(vec![first.clone()])
        );
        tokio::time::advance(REMEMBERED).await;
        assert_eq!(ledger.open(Some("k"), std::slice::from_ref(&second)), Ok(()));
        assert!(ledger.report(&first).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded() {
        let ledger = Ledger::default();
        for n in 0..MOST_ENTRIES + 50 {
            let job = JobId::random();
            ledger.open(Some(&n.to_string()), &[job]).unwrap();
        }
        let state = ledger.state();
        assert!(state.jobs.len() <= MOST_ENTRIES && state.alerts.len() <= MOST_ENTRIES);
    }
}
