//! Receives jobs from the queue and takes them step by step until their result is delivered. What a step does is the
//! capture room's business; the worker knows when to take the next one, how failures count, and whom to notify.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod changed;
mod delivery;
mod ended;
mod held;
mod looks;
mod poisoned;
mod received;
mod silent;
mod surroundings;
mod walk;
mod write_back;

use crate::{
    capture::{Capturer, turns::Turns},
    incident::{IncidentId, Job, Ledger, Phase, Profiles, Retry},
    notify::Receivers,
    queue::{JobQueue, Message},
    record::Incidents,
    resource_id::ResourceId,
    telemetry::{Metrics, continue_trace, describe},
    write_back::WriteBack,
};
use held::{Held, Places};
pub use looks::{Looks, Running};
use received::Received;
use std::{sync::Arc, time::Duration};
pub use surroundings::{Rounds, Surroundings};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
};
use tracing::Instrument;

/// Maximum number of jobs in progress up to the create: twice as many as calls to Azure. With more of them, each call of
/// a new alert would only wait behind theirs.
const CREATES_AT_ONCE: usize = 64;
/// Maximum number of jobs in progress after it, and of notifications. Calls to Azure have limits of their own.
const JOBS_AT_ONCE: usize = 256;
/// Maximum number of jobs that wait for their turn at a network watcher without a place, at 10 KB each.
const JOBS_WAITING: usize = 4_096;

/// Receives jobs from the queue and takes them step by step until their result is delivered.
pub struct Worker {
    pub queue: Arc<dyn JobQueue>,
    pub capturer: Capturer,
    pub ledger: Arc<Ledger>,
    pub receivers: Arc<Receivers>,
    pub incidents: Arc<Incidents>,
    /// `None` when files of captures are not read.
    pub looks: Option<Arc<Looks>>,
    /// Who is notified of the captures of each.
    pub profiles: Arc<Profiles>,
    /// `None` when it is not read what changed around alerts.
    pub surroundings: Option<Arc<Surroundings>>,
    /// `None` when outcomes are not written to Azure alerts.
    pub write_back: Option<WriteBack>,
    pub metrics: Arc<Metrics>,
    pub retry: Retry,
    /// Interval between checks of the poison queue.
    pub poison_interval: Duration,
    /// How long the delivery of a drill's notification is retried. Its session is removed afterwards, and a receiver that is
    /// down for longer is what the drill has found.
    pub drill_period: Duration,
}

impl Worker {
    /// Works until `stop` is set, then lets the steps in progress finish.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let lanes = Arc::new(Lanes::new(stop.clone()));
        let mut jobs = JoinSet::new();
        let watch = self.watch_poison_queue(self.poison_interval);
        tokio::pin!(watch);
        loop {
            let received = async {
                let place = lanes.urgent.working.clone().acquire_owned().await;
                (place, self.queue.receive().await)
            };
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                (Ok(place), message) = received => {
                    jobs.spawn(self.clone().take_up(message, place, lanes.clone()));
                }
                () = &mut watch, if self.queue.is_durable() => {}
                Some(ended) = jobs.join_next() => {
                    if let Err(error) = ended {
                        tracing::error!("internal error while a job was processed; it becomes visible again when its visibility timeout expires: {error}");
                    }
                }
            }
        }
        lanes.close();
        while jobs.join_next().await.is_some() {}
        if let Some(looks) = &self.looks {
            looks.stop();
        }
        if let Some(surroundings) = &self.surroundings {
            surroundings.stop();
        }
    }

    async fn take_up(
        self: Arc<Self>,
        message: Message,
        place: OwnedSemaphorePermit,
        lanes: Arc<Lanes>,
    ) {
        let mut job = match message.job.job() {
            Ok(job) => job,
            Err(error) => {
                tracing::error!("moved an invalid job message to the poison queue: {error}");
                let text = message.job.clone();
                return held::settle(self.queue.poison(&message, text).await);
            }
        };
        let created = match self.received(&mut job, &message).await {
            Received::Ours { created } => created,
            Received::Later(wait) => {
                let job = job.into();
                return held::settle(self.queue.put_back(&message, job, wait).await);
            }
            Received::Over => return held::settle(self.queue.delete(&message).await),
        };
        let (queue, delivered) = (self.queue.as_ref(), message.delivered);
        let urgent = job.phase.patience().urgent;
        let (places, place, turn) = match urgent {
            true => (lanes.urgent.clone(), Some(place), None),
            // It gives its place back before it waits for another, or in a storm the polls of running captures would
            // keep new alerts out.
            false => {
                drop(place);
                let (turn, place) = lanes.follow(&job).await;
                (lanes.of(&job).clone(), place, turn)
            }
        };
        let stopping = place.is_none();
        let held = Held::new(queue, message, places, &lanes, place, turn);
        if stopping {
            return held.put_back(&job, Duration::ZERO).await;
        }
        let span = tracing::info_span!(
            "job",
            job.id = %job.job_id,
            resource.id = %job.target.id,
            alert.rule = job.rule(),
            incident.id = job.incident.as_ref().map(IncidentId::as_str),
            attempt = job.failures.saturating_add(1),
        );
        continue_trace(&span, job.trace_parent.as_deref(), None);
        describe(&span, "alert.id", job.alert.id());
        let incident = job.incident.as_ref().map(IncidentId::as_str);
        describe(&span, "incident.id", incident);
        // Boxed: the runtime moves a task several times, and this one has 10 KB.
        let walk = Box::pin(self.walk(held, job, delivered, created));
        walk.instrument(span).await;
    }
}

/// Places of the jobs that work, and of those that wait.
struct Lanes {
    /// Jobs up to the create.
    urgent: Places,
    /// Jobs after it: polls, removals.
    following: Places,
    /// Jobs that only notify: a receiver that hangs keeps no poll and no create waiting.
    notifying: Places,
    /// Jobs that wait for a look, which is a task of its own.
    looking: Places,
    /// Turns of the jobs after the create, by network watcher, so that polls of one that hangs leave places to the
    /// others.
    watchers: Turns<ResourceId>,
    stop: watch::Receiver<bool>,
}

impl Lanes {
    fn new(stop: watch::Receiver<bool>) -> Self {
        let places = |at_once| Places {
            working: Arc::new(Semaphore::new(at_once)),
            waiting: Arc::new(Semaphore::new(JOBS_WAITING)),
        };
        Self {
            urgent: places(CREATES_AT_ONCE),
            following: places(JOBS_AT_ONCE),
            notifying: places(JOBS_AT_ONCE),
            looking: places(JOBS_WAITING),
            watchers: Turns::new(JOBS_AT_ONCE / 4),
            stop,
        }
    }

    /// The turn at the job's watcher and a place; no place: this process stops.
    async fn follow(
        &self,
        job: &Job,
    ) -> (Option<OwnedSemaphorePermit>, Option<OwnedSemaphorePermit>) {
        let working = self.of(job).working.clone();
        let mut stop = self.stop.clone();
        let turn = match &job.report.network_watcher {
            Some(watcher)
                if !job.phase.is_notifying()
                    && !job.phase.is_looking()
                    && !matches!(job.phase, Phase::Completing { .. }) =>
            {
                tokio::select! {
                    turn = self.watchers.take(watcher) => turn,
                    _ = stop.wait_for(|stop| *stop) => return (None, None),
                }
            }
            _ => None,
        };
        (turn, working.acquire_owned().await.ok())
    }

    /// The places of a job that is not urgent.
    fn of(&self, job: &Job) -> &Places {
        match &job.phase {
            phase if phase.is_notifying() => &self.notifying,
            Phase::Completing { .. } => &self.looking,
            phase if phase.is_looking() => &self.looking,
            _ => &self.following,
        }
    }

    /// This process stops: jobs that wait for a place are released at once.
    fn close(&self) {
        self.urgent.working.close();
        self.following.working.close();
        self.notifying.working.close();
        self.looking.working.close();
    }
}
