//! One step of a job: look at Azure, act at most once, say when to come back. A step can be taken twice
//! without harm, by any instance, since it looks before it acts.

use super::{parameters::Parameters, places::Places};
use crate::azure::{client::ArmClient, error::AzureError, network_watcher::NetworkWatcherClient};
use crate::incident::{Action, Job, Phase, Retry};
use std::time::Duration;

/// When the worker shall take the next step.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    AtOnce,
    After(Duration),
    /// It is decided how the job ends; its report says how.
    Decided,
    /// Nothing is left to do.
    Done,
    /// Another instance of the function has the job.
    NotOurs,
}

/// Where a job is written down before something is done that must not be done twice.
#[async_trait::async_trait]
pub trait Checkpoint: Send {
    /// Writes the job down. `false`: another instance has it by now, so this one must stop.
    async fn write(&mut self, job: &Job) -> bool;
}

/// Takes the steps.
pub struct Capturer {
    /// Up to the create.
    pub(super) client: NetworkWatcherClient,
    /// After it.
    pub(super) patient: NetworkWatcherClient,
    pub(super) parameters: Parameters,
    pub(super) places: Places,
    pub(super) retry: Retry,
}

/// Time between polls when Azure does not say.
const USUAL_POLL: Duration = Duration::from_secs(10);

impl Capturer {
    pub fn new(arm: ArmClient, parameters: Parameters, retry: Retry) -> Self {
        Self {
            retry,
            patient: NetworkWatcherClient::new(arm.patient()),
            client: NetworkWatcherClient::new(arm),
            parameters,
            places: Places::default(),
        }
    }

    /// Takes the next step, writes its result into the job, and says when to come back: after a failure too.
    pub async fn step(&self, job: &mut Job, checkpoint: &mut dyn Checkpoint) -> Next {
        match self.take_step(job, checkpoint).await {
            Ok(next) => {
                if job.phase.patience().success_resets_failures {
                    job.failures = 0;
                }
                next
            }
            Err(error) => self.failed(job, &error),
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
                Action::Stop => self.stop(job).await,
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
            Phase::Notifying => Ok(Next::Decided),
            Phase::Removing { session } => self.removing(&session).await,
        }
    }

    /// What follows the final notification: the removal of the session, where it is configured and the session was
    /// created by this job.
    pub fn after_notification(&self, job: &mut Job) -> Next {
        match self.parameters.removed_after(job) {
            Some(session) => {
                job.phase = Phase::Removing { session };
                job.failures = 0;
                Next::AtOnce
            }
            None => Next::Done,
        }
    }

    pub(super) fn poll_after(&self, asked: Option<Duration>) -> Next {
        let (shortest, longest) = self.parameters.poll;
        Next::After(asked.unwrap_or(USUAL_POLL).clamp(shortest, longest))
    }
}
