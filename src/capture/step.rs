//! One step of a job: look at Azure, act at most once, say when to come back. A step can be taken twice
//! without harm, by any instance, since it looks before it acts.

use super::{outcome, parameters::Parameters, places::Places};
use crate::azure::{
    client::ArmClient,
    error::{self, AzureError},
    network_watcher::NetworkWatcherClient,
};
use crate::incident::job::{Action, Job, Phase, Report};
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

/// A step that failed: the job's phase is as it was, so the step can be taken again if that makes sense.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct StepError(#[from] pub(super) AzureError);

impl StepError {
    /// Whether the same step may succeed later without anybody changing anything.
    pub fn is_temporary(&self) -> bool {
        self.0.is_temporary()
    }

    /// How long Azure asked to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after()
    }

    /// A short code, Azure's where it gave one.
    pub fn code(&self) -> &str {
        self.0.code()
    }

    /// The whole chain of causes, for the log.
    pub fn chain(&self) -> String {
        error::chain(&self.0)
    }
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
}

/// Time between polls when Azure does not say.
const USUAL_POLL: Duration = Duration::from_secs(10);

impl Capturer {
    pub fn new(arm: ArmClient, parameters: Parameters) -> Self {
        Self {
            patient: NetworkWatcherClient::new(arm.patient()),
            client: NetworkWatcherClient::new(arm),
            parameters,
            places: Places::default(),
        }
    }

    /// Takes the next step and writes what came of it into the job.
    ///
    /// # Errors
    /// When Azure could not be asked or refused. [`StepError::is_temporary`] says whether to come back.
    pub async fn step(
        &self,
        job: &mut Job,
        checkpoint: &mut dyn Checkpoint,
    ) -> Result<Next, StepError> {
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
            Phase::Telling => Ok(Next::Decided),
            Phase::Removing { session } => self.removing(&session).await,
        }
    }

    /// The phase after people were told: the session goes where it is ours and that is wished.
    pub fn after_notice(&self, job: &Job) -> Option<Phase> {
        self.parameters
            .removed_after(job)
            .map(|session| Phase::Removing { session })
    }

    pub(super) fn poll_after(&self, asked: Option<Duration>) -> Next {
        let (shortest, longest) = self.parameters.poll;
        Next::After(asked.unwrap_or(USUAL_POLL).clamp(shortest, longest))
    }
}

/// The report of a job that failed for good, or too often.
pub fn failed(report: Report, error: &StepError) -> Report {
    Report {
        given_up: error.is_temporary(),
        ..outcome::failed(report, &error.0)
    }
}
