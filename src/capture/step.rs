//! One step of a job: look at Azure, act at most once, say when to come back. A step can be taken twice
//! without harm, by any instance, since it looks before it acts.

use super::{
    job::{Job, Phase, Report},
    outcome,
    parameters::{Parameters, covers},
    places::Places,
    plan::{self, Plan, Verdict},
};
use crate::azure::{
    client::ArmClient,
    error::{self, AzureError, ErrorBody, Failure},
    network_watcher::{Accepted, NetworkWatcherClient, PacketCapture},
    operation::{self, Progress},
    resource_id::ResourceId,
};
use std::time::Duration;
use time::OffsetDateTime;

/// When the worker shall take the next step.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    AtOnce,
    After(Duration),
    /// The job has ended; its report says how.
    Never,
}

/// A step that failed: the job's phase is as it was, so the step can be taken again if that makes sense.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct StepError(#[from] AzureError);

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

/// Takes the steps.
pub struct Capturer {
    pub(super) client: NetworkWatcherClient,
    pub(super) parameters: Parameters,
    pub(super) places: Places,
}

/// Time between polls when Azure does not say.
const USUAL_POLL: Duration = Duration::from_secs(10);

impl Capturer {
    pub fn new(arm: ArmClient, parameters: Parameters) -> Self {
        Self {
            client: NetworkWatcherClient::new(arm),
            parameters,
            places: Places::default(),
        }
    }

    /// Takes the next step and writes what came of it into the job.
    ///
    /// # Errors
    /// When Azure could not be asked or refused. [`AzureError::is_temporary`] says whether to come back.
    pub async fn step(&self, job: &mut Job) -> Result<Next, StepError> {
        match job.phase.clone() {
            Phase::Prepare => self.prepare(job).await,
            Phase::Deleting { watcher, operation } => {
                match operation::poll(self.client.arm(), &watcher, &operation).await? {
                    Progress::Running { retry_after } => Ok(self.poll_after(retry_after)),
                    // Whatever became of it, the list shows.
                    Progress::Succeeded | Progress::Unknown => {
                        job.phase = Phase::Prepare;
                        Ok(Next::AtOnce)
                    }
                    // Counted as a failure: it must not go on for ever.
                    Progress::Failed(error) => {
                        job.phase = Phase::Prepare;
                        Err(StepError(AzureError {
                            operation: "delete the stale packet capture",
                            resource: watcher.to_string(),
                            failure: Failure::OperationFailed {
                                code: error.code,
                                message: error.message,
                            },
                        }))
                    }
                }
            }
            Phase::Starting { watcher, operation } => {
                let progress = match &operation {
                    Some(url) => operation::poll(self.client.arm(), &watcher, url).await?,
                    None => Progress::Unknown,
                };
                let progress = match progress {
                    Progress::Unknown => self.look_at_capture(&watcher).await?,
                    known => known,
                };
                Ok(self.start_progressed(job, progress))
            }
        }
    }

    fn start_progressed(&self, job: &mut Job, progress: Progress) -> Next {
        let report = std::mem::take(&mut job.report);
        let (report, next) = match progress {
            Progress::Running { retry_after } => (report, self.poll_after(retry_after)),
            Progress::Succeeded | Progress::Unknown => (outcome::started(report), Next::Never),
            Progress::Failed(error) => (
                outcome::create_failed(report, &error.code, &error.message),
                Next::Never,
            ),
        };
        job.report = report;
        next
    }

    /// Without an operation to follow, the resource's provisioning state tells the same.
    async fn look_at_capture(&self, watcher: &ResourceId) -> Result<Progress, AzureError> {
        let failed = |code: &str, message: &str| {
            Progress::Failed(ErrorBody {
                code: code.to_owned(),
                message: message.to_owned(),
            })
        };
        let name = &self.parameters.name;
        Ok(match self.client.get_packet_capture(watcher, name).await? {
            None => failed("NotFound", "the capture is no longer there"),
            Some(capture) => match capture.provisioning_state.to_ascii_lowercase().as_str() {
                "succeeded" => Progress::Succeeded,
                "failed" | "canceled" | "deleting" => {
                    failed("ProvisioningFailed", &capture.provisioning_state)
                }
                _ => Progress::Running { retry_after: None },
            },
        })
    }

    /// What was remembered may be out of date: a watcher replaced, a machine made anew elsewhere. Azure says so
    /// with a refusal, and then it is asked afresh, once.
    async fn prepare(&self, job: &mut Job) -> Result<Next, StepError> {
        let from_memory = self.places.remembers(&job.target.id);
        match self.look_and_act(job).await {
            Err(error) if error.is_not_found() || error.code() == "InvalidResourceReference" => {
                self.places.forget(&job.target.id);
                if !from_memory {
                    return Err(error.into());
                }
                tracing::info!("{error}; asking Azure again where things are");
                Ok(self.look_and_act(job).await?)
            }
            looked => Ok(looked?),
        }
    }

    async fn look_and_act(&self, job: &mut Job) -> Result<Next, AzureError> {
        let Some(watcher) = self.find_watcher(job).await? else {
            return Ok(Next::Never);
        };
        let _turn = self.places.turn(&watcher).await;
        let listed = self.client.list_packet_captures(&watcher).await?;
        let Parameters { name, limit, .. } = &self.parameters;
        match plan::plan(&listed, name, *limit) {
            Plan::Create => self.create(job, watcher).await,
            Plan::Skip { listed } => {
                job.report = outcome::limit_reached(&watcher, listed, *limit);
                Ok(Next::Never)
            }
            Plan::Examine(capture) => self.examine(job, watcher, capture).await,
        }
    }

    async fn create(&self, job: &mut Job, watcher: ResourceId) -> Result<Next, AzureError> {
        let name = &self.parameters.name;
        // Set before the call: should this process end now, the next one must know.
        job.create_unconfirmed = true;
        let body = self.parameters.body(&job.target);
        match self
            .client
            .create_packet_capture(&watcher, name, &body)
            .await
        {
            Ok(Accepted {
                operation,
                retry_after,
                capture,
            }) => {
                let storage_path = capture.and_then(|capture| capture.storage_path);
                job.report = outcome::created(&job.target, &watcher, name, storage_path);
                job.phase = Phase::Starting { watcher, operation };
                Ok(self.poll_after(retry_after))
            }
            Err(error) => {
                job.create_unconfirmed = error.may_have_been_applied();
                // Refused because another instance of the function took the name meanwhile?
                if matches!(error.status(), Some(400 | 409)) {
                    let listed = self.client.list_packet_captures(&watcher).await?;
                    if matches!(plan::plan(&listed, name, usize::MAX), Plan::Examine(_)) {
                        return Ok(self.poll_after(Some(Duration::ZERO)));
                    }
                }
                Err(error)
            }
        }
    }

    async fn examine(
        &self,
        job: &mut Job,
        watcher: ResourceId,
        capture: &PacketCapture,
    ) -> Result<Next, AzureError> {
        let name = &capture.name;
        let ours = covers(capture, &job.target);
        if ours && job.create_unconfirmed {
            // Our own create, whose answer was lost.
            let storage_path = capture.storage_path.clone();
            job.report = outcome::created(&job.target, &watcher, name, storage_path);
            job.phase = Phase::Starting {
                watcher,
                operation: None,
            };
            return Ok(Next::AtOnce);
        }
        let status = self.client.query_status(&watcher, name).await?;
        let now = OffsetDateTime::now_utc();
        let seen_since = *job.in_the_way_since.get_or_insert(now);
        let limit = Duration::from_secs(self.parameters.time_limit_seconds.into());
        match plan::judge(capture, status.as_ref(), ours, limit, seen_since, now) {
            Verdict::Gone => Ok(Next::AtOnce),
            Verdict::Join => {
                job.report =
                    outcome::joined(&job.target, &watcher, name, capture.storage_path.clone());
                Ok(Next::Never)
            }
            Verdict::Wait(wait) => {
                job.report = outcome::waiting(&watcher, name, &capture.target);
                Ok(Next::After(wait))
            }
            Verdict::Stale => {
                job.in_the_way_since = None;
                let accepted = self.client.delete_packet_capture(&watcher, name).await?;
                job.report = outcome::removing_stale(&watcher, name);
                match accepted.operation {
                    None => Ok(Next::AtOnce),
                    Some(operation) => {
                        job.phase = Phase::Deleting { watcher, operation };
                        Ok(self.poll_after(accepted.retry_after))
                    }
                }
            }
        }
    }

    fn poll_after(&self, asked: Option<Duration>) -> Next {
        let (shortest, longest) = self.parameters.poll;
        Next::After(asked.unwrap_or(USUAL_POLL).clamp(shortest, longest))
    }
}

/// The report of a job that is given up.
pub fn given_up(error: &StepError) -> Report {
    outcome::failed(&error.0)
}
