//! What changed around an alert, gathered beside its capture: when the capture is created, again when it ends, and once more
//! when the activity log and Resource Graph have caught up. Each round is a task of its own; the notification waits for one
//! a bounded time, and takes what is known by then. What is known is beside the incident record, so that a later round
//! completes it after a restart, too.

use crate::{
    changes::{ACTIVITY_LOG, Cause, ChangesNote, ControlPlane, RESOURCE_CHANGES, RuleNote, Silent},
    gather::{Around, Gatherer, Subject},
    incident::{Action, Job, JobId, Phase, Status},
    record::{Incidents, LookPart},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};
use tokio::{
    sync::{Semaphore, watch},
    task::AbortHandle,
    time::Instant,
};

/// Maximum number of jobs whose surroundings are being gathered, at up to 500 KB each and typically 20.
const MOST_KEPT: usize = 100;
/// Maximum number of rounds that ask Azure at the same time.
const AT_ONCE: usize = 16;
/// Maximum number of jobs of this process that wait for their last round, at some 3 KB each. In a larger storm the others
/// are finished without it.
const MOST_LATER: usize = 1_000;
/// How long a round may take.
const MOST_TIME: Duration = Duration::from_secs(90);
/// How long a notification waits for what an earlier round has written.
const MOST_READ: Duration = Duration::from_secs(2);
/// An alert that says it fired longer ago than this, or later than it was accepted, is taken to have fired when it was
/// accepted.
const OLDEST_ALERT: time::Duration = time::Duration::hours(6);

/// How what changed around an alert is gathered.
pub struct Surroundings {
    pub gatherer: Gatherer,
    /// How long after the end of a capture its notification waits for what changed.
    pub notify_within: Duration,
    /// How long after the end of a capture Azure is asked for the last time.
    pub complete_after: Duration,
    pub incidents: Arc<Incidents>,
    pub running: Rounds,
}

/// The rounds in progress, and those whose results no job has taken.
pub struct Rounds {
    // Both are held for a few operations, never over an await.
    jobs: Mutex<HashMap<JobId, InProgress>>,
    /// When the jobs that wait for their last round have it.
    later: Mutex<Vec<OffsetDateTime>>,
    places: Arc<Semaphore>,
}

impl Default for Rounds {
    fn default() -> Self {
        Self {
            jobs: Mutex::default(),
            later: Mutex::default(),
            places: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

/// When Azure is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    /// The capture is created.
    First,
    /// It has ended.
    End,
    /// What comes late has come.
    Last,
}

/// What a round has found.
#[derive(Clone)]
struct Found {
    all: Arc<ControlPlane>,
    around: Option<Around>,
    kept: bool,
}

struct InProgress {
    round: Round,
    /// What the sources have answered so far.
    known: watch::Receiver<ControlPlane>,
    done: watch::Receiver<Option<Found>>,
    /// What the round before has found.
    earlier: Option<Found>,
    /// When the notification is sent with what is known.
    notify_at: Instant,
    task: AbortHandle,
}

impl Drop for InProgress {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl InProgress {
    /// What is known now, whether the round is finished or not.
    fn so_far(&self) -> Found {
        if let Some(found) = &*self.done.borrow() {
            return found.clone();
        }
        let known = self.known.borrow();
        match &self.earlier {
            Some(earlier) => {
                let mut all = ControlPlane::clone(&earlier.all);
                all.changes.extend(known.changes.iter().cloned());
                Found {
                    all: Arc::new(all.bounded()),
                    ..earlier.clone()
                }
            }
            None => Found {
                all: Arc::new(known.clone()),
                around: None,
                kept: false,
            },
        }
    }
}

impl Found {
    fn note(&self) -> ChangesNote {
        ChangesNote {
            kept: self.kept,
            ..ChangesNote::of(&self.all)
        }
    }
}

impl Surroundings {
    /// Whether a job is to know what changed: its capture was created by it, and no notification of its end was sent.
    pub fn wants(&self, job: &Job) -> bool {
        let report = &job.report;
        let captured = matches!(
            report.status,
            Status::Created | Status::Completed | Status::Failed | Status::Stopped
        );
        let before_notification = !matches!(
            job.phase,
            Phase::Notifying
                | Phase::LookingOn
                | Phase::NotifyingLook
                | Phase::Removing { .. }
                | Phase::Completing { .. }
        );
        // What changed around a drill explains nothing.
        job.action == Action::Capture
            && !job.is_drill()
            && captured
            && before_notification
            && report.name.is_some()
            && !report.joined
            && report.changes.is_none()
    }

    /// The capture is created: Azure is asked for the first time.
    pub fn begin(self: &Arc<Self>, job: &Arc<Job>) {
        self.start(job, Round::First);
    }

    /// The capture has ended: Azure is asked again, and the time runs that the notification waits.
    pub fn ask_again(self: &Arc<Self>, job: &Arc<Job>) {
        self.start(job, Round::End);
    }

    /// What the notification says, when it is known or the time is up.
    pub async fn note(&self, job: &JobId) -> ChangesNote {
        let waiting = {
            let running = self.lock();
            running.get(job).map(|it| (it.done.clone(), it.notify_at))
        };
        if let Some((mut done, notify_at)) = waiting {
            // An error: the task panicked, and what it had found is known.
            let known = done.wait_for(Option::is_some);
            drop(tokio::time::timeout_at(notify_at, known).await);
        }
        self.note_now(job)
    }

    /// The same without waiting.
    pub fn note_now(&self, job: &JobId) -> ChangesNote {
        let mut running = self.lock();
        let Some(known) = running.get(job) else {
            return busy();
        };
        let note = known.so_far().note();
        if known.task.is_finished() {
            running.remove(job);
        }
        note
    }

    /// The phase of a job that is notified of and whose record is not complete; `None`: nothing is left to ask, or too many
    /// wait for that already.
    pub fn completing(&self, job: &Job) -> Option<Phase> {
        let asked = job.report.changes.as_ref()?;
        let done = asked.complete || job.report.given_up;
        let at = (!done).then(|| {
            let ended = job.report.ended_at.unwrap_or(asked.at).max(asked.at);
            let after = time::Duration::try_from(self.complete_after);
            ended.saturating_add(after.unwrap_or(time::Duration::HOUR))
        })?;
        let mut later = (self.running.later.lock()).expect("no code panics with this lock");
        let now = OffsetDateTime::now_utc();
        later.retain(|at| *at >= now);
        (later.len() < MOST_LATER).then(|| {
            later.push(at);
            Phase::Completing { at }
        })
    }

    /// Asks Azure for the last time. `None`: too many incidents at the same time.
    pub async fn complete(self: &Arc<Self>, job: &Arc<Job>) -> Option<ChangesNote> {
        self.start(job, Round::Last);
        let done = self.lock().get(&job.job_id).map(|it| it.done.clone());
        if let Some(mut done) = done {
            // Until its task has ended: what it has found is written by then.
            while done.changed().await.is_ok() {}
        }
        let found = self.lock().remove(&job.job_id)?.so_far();
        Some(ChangesNote {
            complete: true,
            ..found.note()
        })
    }

    /// What the effective rules that were read say of endpoints that did not answer.
    pub async fn rules_about(&self, job: &Job, silent: Vec<Silent>) -> Vec<RuleNote> {
        let here = self.lock().get(&job.job_id).map(|it| it.so_far().all);
        let kept = match here.is_none() && job.report.changes.as_ref().is_some_and(|it| it.kept) {
            true => tokio::time::timeout(MOST_READ, self.kept(job)).await,
            false => Ok(None),
        };
        let known = here.or_else(|| kept.ok().flatten().map(Arc::new));
        known.map_or_else(Vec::new, |known| known.rules_about(silent))
    }

    /// Nothing is left to do for the job.
    pub fn forget(&self, job: &JobId) {
        self.lock().remove(job);
    }

    /// The process ends.
    pub fn stop(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, InProgress>> {
        self.running
            .jobs
            .lock()
            .expect("no code panics with this lock")
    }

    fn start(self: &Arc<Self>, job: &Arc<Job>, round: Round) {
        let mut running = self.lock();
        let before = running.get(&job.job_id);
        if before.is_some_and(|it| it.round == round) {
            return;
        }
        let earlier = before.map(InProgress::so_far);
        if before.is_none() && running.len() >= MOST_KEPT {
            // What they have found is beside the record.
            running.retain(|_, known| !known.task.is_finished());
            if running.len() >= MOST_KEPT {
                tracing::warn!(
                    "not reading what changed around an alert: too many incidents at the same time"
                );
                return;
            }
        }
        let subject = subject(job);
        let unknown = Gatherer::unknown(&subject, OffsetDateTime::now_utc());
        let (into, known) = watch::channel(unknown);
        let (sender, done) = watch::channel(None);
        let (surroundings, asked) = (self.clone(), job.clone());
        let found_before = earlier.clone();
        let task = tokio::spawn(async move {
            let found = surroundings
                .ask(&asked, &subject, round, found_before, into)
                .await;
            // Before it is written: no notification waits for a store that does not answer.
            sender.send_replace(Some(found.clone()));
            if surroundings.keep(&asked, &found.all).await {
                let kept = Found {
                    kept: true,
                    ..found
                };
                sender.send_replace(Some(kept));
            }
        });
        let notify_at = Instant::now()
            .checked_add(self.notify_within)
            .unwrap_or_else(Instant::now);
        let in_progress = InProgress {
            round,
            known,
            done,
            earlier,
            notify_at,
            task: task.abort_handle(),
        };
        running.insert(job.job_id, in_progress);
    }

    async fn ask(
        &self,
        job: &Job,
        subject: &Subject,
        round: Round,
        earlier: Option<Found>,
        into: watch::Sender<ControlPlane>,
    ) -> Found {
        // Never closed.
        let _place = self.running.places.acquire().await;
        let (known_before, around, kept) = match earlier {
            Some(found) => (Some(found.all), found.around, found.kept),
            None if round == Round::First => (None, None, false),
            None => {
                let read = self.kept(job).await.map(Arc::new);
                let found = read.as_ref().filter(|read| read.resources.len() > 2);
                let machine = &subject.machine;
                let around = found.map(|read| Around::known(machine, &read.resources));
                let kept = read.is_some();
                (read, around, kept)
            }
        };
        // Azure takes seconds for effective rules: a short capture may end before they are read.
        let at_alert = known_before
            .as_ref()
            .is_some_and(|it| it.health.is_some() && self.gatherer.knows_rules(it));
        let again = at_alert || round == Round::Last;
        let asked = self.gatherer.gather(subject, around, again, &into);
        let around = tokio::time::timeout(MOST_TIME, asked).await.ok();
        let gathered = into.borrow().clone();
        let mut all = match known_before {
            Some(before) => ControlPlane::clone(&before).completed_by(gathered),
            None => gathered.bounded(),
        };
        all.complete = round == Round::Last;
        Found {
            all: Arc::new(all),
            around,
            kept,
        }
    }

    /// What an earlier round has written.
    async fn kept(&self, job: &Job) -> Option<ControlPlane> {
        let incident = job.incident.as_ref()?;
        let part = LookPart::Changes;
        let read = self.incidents.look(incident, &job.job_id, part).await;
        match read {
            Ok(text) => ControlPlane::parse(text?.as_bytes()).ok(),
            Err(error) => {
                tracing::warn!("could not read what changed around an alert: {error}");
                None
            }
        }
    }

    async fn keep(&self, job: &Job, all: &ControlPlane) -> bool {
        let Some(incident) = &job.incident else {
            return false;
        };
        let kept =
            self.incidents
                .keep_part(incident, &job.job_id, LookPart::Changes, all.to_json());
        match kept.await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!("could not write what changed around an alert: {error}");
                false
            }
        }
    }
}

/// What is asked about a job's alert.
fn subject(job: &Job) -> Subject {
    let facts = job.alert.read();
    let written = facts.fired_at.as_deref();
    let fired_at = written.and_then(|written| {
        let at = OffsetDateTime::parse(written, &Rfc3339).ok()?;
        at.checked_to_offset(UtcOffset::UTC)
    });
    let accepted_at = job.taken_at;
    let oldest = accepted_at.saturating_sub(OLDEST_ALERT);
    let plausible = fired_at.filter(|at| (oldest..=accepted_at).contains(at));
    Subject {
        machine: job.target.id.clone(),
        alert_at: plausible.unwrap_or(accepted_at),
        metrics: facts
            .conditions
            .into_iter()
            .filter_map(|condition| condition.metric)
            .collect(),
    }
}

/// The note where nothing could be asked.
fn busy() -> ChangesNote {
    let now = OffsetDateTime::now_utc();
    let mut unknown = ControlPlane::new(now, now, now);
    unknown.missing = [ACTIVITY_LOG, RESOURCE_CHANGES]
        .map(|source| crate::changes::Missing::new(source, "", Cause::Busy, None))
        .into();
    ChangesNote::of(&unknown)
}
