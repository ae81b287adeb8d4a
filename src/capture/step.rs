//! One step of a job: read Azure, make at most one change, say when to come back. A step can be taken twice without
//! harm, by any instance, since it reads before it writes.

use super::times::until;
use super::{
    ahead::Urgent,
    drill,
    job_parameters::JobParameters,
    looks::Looks,
    outcome,
    parameters::{Parameters, Polling},
    places::Places,
};
use crate::azure::{
    client::ArmClient, compute::ComputeClient, error::AzureError,
    network_watcher::NetworkWatcherClient,
};
use crate::incident::{Action, Job, Phase, Retry, deadline::deadline};
use crate::resource_id::ResourceId;
use std::{borrow::Cow, time::Duration};
use time::OffsetDateTime;
use tokio::{sync::OwnedSemaphorePermit, time::Instant};

/// When the worker is to take the next step.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    AtOnce,
    After(Duration),
    /// The job's end is decided; its report says how.
    Decided,
    /// Nothing is left to do.
    Done,
    /// Another instance of the function has the job.
    NotOurs,
}

/// Where a job is saved before something is done that must not be done twice.
#[async_trait::async_trait]
pub trait Checkpoint: Send {
    /// Saves the job. `false`: another instance has it by now, so this one must stop.
    async fn write(&mut self, job: &Job) -> bool;

    /// Gives the job's place at the worker back: it waits for its turn at a network watcher, perhaps one that hangs.
    fn yield_place(&mut self);

    /// Waits for a place again. `false`: this process stops.
    async fn take_place(&mut self) -> bool;
}

/// Takes the steps.
pub struct Capturer {
    /// The client for calls up to the create.
    pub(super) client: NetworkWatcherClient,
    /// The client for calls after the create, whose concurrency limit is a separate one.
    pub(super) patient: NetworkWatcherClient,
    pub(super) compute: ComputeClient,
    /// The clients for reads ahead of alerts.
    pub(super) ahead: NetworkWatcherClient,
    pub(super) ahead_compute: ComputeClient,
    pub(super) profiles: JobParameters,
    pub(super) polling: Polling,
    pub(super) places: Places,
    pub(super) looks: Looks,
    pub(super) urgent: Urgent,
    pub(super) retry: Retry,
}

/// How often a job may come back to the beginning without a pause: once after a stale capture is gone, once more when
/// the list was older than the status.
const FREE_ROUNDS: u32 = 2;
/// Interval between polls when Azure does not say.
const USUAL_POLL: Duration = Duration::from_secs(10);

impl Capturer {
    pub fn new(arm: ArmClient, profiles: JobParameters, polling: Polling, retry: Retry) -> Self {
        Self {
            retry,
            patient: NetworkWatcherClient::new(arm.patient()),
            ahead: NetworkWatcherClient::new(arm.ahead()),
            ahead_compute: ComputeClient::new(arm.ahead()),
            compute: ComputeClient::new(arm.clone()),
            client: NetworkWatcherClient::new(arm),
            profiles,
            polling,
            places: Places::default(),
            looks: Looks::new(Instant::now()),
            urgent: Urgent::default(),
        }
    }

    /// Takes the next step, writes its result into the job, and says when to come back: after a failure too.
    pub async fn step(&self, job: &mut Job, checkpoint: &mut dyn Checkpoint) -> Next {
        let mut cause = None;
        let next = match self.take_step(job, checkpoint).await {
            Ok(next) => {
                if job.phase.patience().success_resets_failures {
                    job.failures = 0;
                }
                next
            }
            Err(error) => self.failed(job, cause.insert(error)),
        };
        self.bounded(job, next, cause.as_ref(), OffsetDateTime::now_utc())
    }

    /// No job is without an end: rounds that lead back to the beginning wait ever longer, and what is not finished at
    /// its deadline is given up with what stood in the way. `cause`: the step failed. No pause is longer than that, such
    /// as one of hours that Azure asked for: people would not know, and the capture would come long after the alert.
    fn bounded(
        &self,
        job: &mut Job,
        next: Next,
        cause: Option<&AzureError>,
        now: OffsetDateTime,
    ) -> Next {
        let next = match next {
            Next::AtOnce if job.phase == Phase::Prepare => {
                job.rounds = job.rounds.saturating_add(1);
                match job.rounds.checked_sub(FREE_ROUNDS) {
                    None | Some(0) => Next::AtOnce,
                    Some(more) => Next::After(self.retry.pause(1, more, None)),
                }
            }
            next => next,
        };
        if !matches!(next, Next::AtOnce | Next::After(_)) {
            return next;
        }
        let within = self.create_within(job);
        match deadline(&job.phase, job.taken_at, within, self.polling.start_within) {
            Some(deadline) if now >= deadline => {
                let report = std::mem::take(&mut job.report);
                let (target, minutes) = (&job.target.id, within.as_secs() / 60);
                job.report = match (&job.phase, job.action) {
                    (Phase::Starting { .. }, _) => outcome::not_started_in_time(report, target),
                    (_, Action::Stop) => {
                        outcome::not_stopped_in_time(report, target, cause, minutes)
                    }
                    (_, Action::Capture) => {
                        let unconfirmed = job.create_unconfirmed;
                        outcome::not_created_in_time(report, target, cause, minutes, unconfirmed)
                    }
                };
                Next::Decided
            }
            Some(deadline) => match next {
                Next::After(pause) => Next::After(pause.min(until(deadline, now))),
                next => next,
            },
            None => next,
        }
    }

    async fn take_step(
        &self,
        job: &mut Job,
        checkpoint: &mut dyn Checkpoint,
    ) -> Result<Next, AzureError> {
        match job.phase.clone() {
            Phase::Prepare => match job.action {
                Action::Capture => self.prepare(job, checkpoint).await,
                Action::Stop => self.stop(job, checkpoint).await,
            },
            Phase::Deleting { watcher, operation } => {
                self.deleting(job, &watcher, &operation).await
            }
            Phase::Starting { session, operation } => {
                self.starting(job, session, operation.as_ref()).await
            }
            Phase::Running {
                session,
                ends_at,
                looks,
            } => self.running(job, session, ends_at, looks).await,
            Phase::Notifying
            | Phase::Looking { .. }
            | Phase::NotifyingFirst
            | Phase::LookingOn
            | Phase::NotifyingLook
            | Phase::Completing { .. } => Ok(Next::Decided),
            Phase::Removing { session } => self.removing(job, &session, checkpoint).await,
        }
    }

    /// Ends a job whose alert is resolved, if it has not created its capture. One whose create may have been applied
    /// continues: the job that stops the capture finds it.
    pub fn end_resolved(&self, job: &mut Job) -> bool {
        let waits = job.action == Action::Capture
            && job.phase.patience().urgent
            && !job.create_unconfirmed
            && !job.report.finished;
        if waits {
            let now = OffsetDateTime::now_utc();
            job.report = outcome::resolved_before_create(&job.target.id, now);
        }
        waits
    }

    /// What follows the final notification: the removal of the session, where it is configured and the session was
    /// created by this job.
    pub fn after_notification(&self, job: &mut Job) -> Next {
        match self.parameters(job).removed_after(job) {
            Some(session) => {
                job.phase = Phase::Removing { session };
                job.failures = 0;
                // Its turn at the watcher was given back before the notification.
                Next::After(Duration::ZERO)
            }
            None => Next::Done,
        }
    }

    /// The parameters of this job's capture.
    pub(super) fn parameters(&self, job: &Job) -> Cow<'_, Parameters> {
        let parameters = self.profiles.of(job);
        match job.is_drill() {
            true => Cow::Owned(drill::parameters(parameters)),
            false => Cow::Borrowed(parameters),
        }
    }

    /// How long a job may take until its create: what is configured, and the time limit of one capture in the way.
    pub(super) fn create_within(&self, job: &Job) -> Duration {
        let parameters = self.parameters(job);
        let limit = Duration::from_secs(parameters.time_limit_seconds.into());
        parameters.create_within.saturating_add(limit)
    }

    /// The turn at a watcher; a job that waits for it keeps no place. `None`: this process stops.
    pub(super) async fn turn(
        &self,
        watcher: &ResourceId,
        checkpoint: &mut dyn Checkpoint,
    ) -> Option<OwnedSemaphorePermit> {
        if let Some(turn) = self.places.try_turn(watcher) {
            return Some(turn);
        }
        checkpoint.yield_place();
        let turn = self.places.turn(watcher).await;
        match checkpoint.take_place().await {
            true => turn,
            false => None,
        }
    }

    pub(super) fn poll_after(&self, asked: Option<Duration>) -> Next {
        let (shortest, longest) = self.polling.poll;
        Next::After(asked.unwrap_or(USUAL_POLL).clamp(shortest, longest))
    }
}
