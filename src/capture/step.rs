//! One step of a job: look at Azure, act at most once, say when to come back. A step can be taken twice
//! without harm, by any instance, since it looks before it acts.

use super::{
    job::{Job, Phase, Report},
    outcome,
    places::Places,
    plan::{self, Plan, Verdict},
};
use crate::{
    alert::{Target, TargetKind},
    azure::{
        client::ArmClient,
        compute,
        error::{self, AzureError, ErrorBody},
        network_watcher::{
            Accepted, NetworkWatcher, NetworkWatcherClient, PacketCapture, PacketCaptureParameters,
            Scope, StorageLocation,
        },
        operation::{self, Progress},
        resource_id::ResourceId,
    },
};
use serde_json::Value;
use std::{borrow::Cow, sync::Arc, time::Duration};
use time::OffsetDateTime;

/// What every capture of ours is like.
#[derive(Debug, Clone)]
pub struct Parameters {
    pub name: String,
    pub storage: StorageLocation,
    pub time_limit_seconds: u32,
    pub bytes_per_packet: Option<u32>,
    pub total_bytes: Option<u32>,
    pub filters: Vec<Value>,
    pub limit: usize,
    /// The shortest and the longest time between two polls of an operation.
    pub poll: (Duration, Duration),
}

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
    client: NetworkWatcherClient,
    parameters: Parameters,
    places: Places,
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
                    Progress::Failed(error) => {
                        tracing::warn!(job.id = %job.job_id, error.code = error.code, "deleting the stale capture failed, looking again: {}", error.message);
                        job.phase = Phase::Prepare;
                        Ok(self.poll_after(None))
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

    async fn prepare(&self, job: &mut Job) -> Result<Next, StepError> {
        let result = self.look_and_act(job).await;
        if let Err(error) = &result
            && (error.is_not_found() || error.code() == "InvalidResourceReference")
        {
            self.places.forget(&job.target.id);
        }
        Ok(result?)
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

    /// The watcher of the target's region. `None` when there is none: the report says so.
    async fn find_watcher(&self, job: &mut Job) -> Result<Option<ResourceId>, AzureError> {
        let target = &job.target.id;
        let (region, watchers) = tokio::try_join!(
            self.region(&job.target, job.region.as_deref()),
            self.watchers(target)
        )?;
        let in_region = |watchers: &[NetworkWatcher]| {
            watchers
                .iter()
                .find(|watcher| watcher.location == region)
                .map(|watcher| watcher.id.clone())
        };
        let (watchers, from_memory) = watchers;
        if let Some(found) = in_region(&watchers) {
            return Ok(Some(found));
        }
        // It may have been enabled since.
        if from_memory {
            self.places.forget(target);
            let (watchers, _) = self.watchers(target).await?;
            if let Some(found) = in_region(&watchers) {
                return Ok(Some(found));
            }
        }
        job.report = outcome::no_network_watcher(&job.target, &region);
        Ok(None)
    }

    async fn region(&self, target: &Target, named: Option<&str>) -> Result<String, AzureError> {
        if let Some(region) = named {
            return Ok(region.to_owned());
        }
        if let Some(region) = self.places.region(&target.id) {
            return Ok(region);
        }
        let region = compute::location_of(self.client.arm(), &capture_target(target)).await?;
        self.places.remember_region(&target.id, &region);
        Ok(region)
    }

    async fn watchers(
        &self,
        target: &ResourceId,
    ) -> Result<(Arc<[NetworkWatcher]>, bool), AzureError> {
        if let Some(watchers) = self.places.watchers(target.subscription()) {
            return Ok((watchers, true));
        }
        let watchers: Arc<[NetworkWatcher]> = self
            .client
            .list_network_watchers(&target.subscription_id())
            .await?
            .into();
        self.places
            .remember_watchers(target.subscription(), watchers.clone());
        Ok((watchers, false))
    }

    async fn create(&self, job: &mut Job, watcher: ResourceId) -> Result<Next, AzureError> {
        let name = &self.parameters.name;
        // Set before the call: should this process end now, the next one must know.
        job.create_unconfirmed = true;
        let body = self.body(&job.target);
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
                tracing::info!(job.id = %job.job_id, resource.id = %watcher, "stale packet capture {name} is being deleted");
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

    fn body(&self, target: &Target) -> PacketCaptureParameters {
        let parameters = &self.parameters;
        let instance = (target.kind == TargetKind::ScaleSetInstance)
            .then(|| target.id.name().unwrap_or_default().to_owned());
        PacketCaptureParameters {
            target: capture_target(target).into_owned(),
            target_type: (target.kind != TargetKind::Vm).then_some("AzureVMSS"),
            scope: instance.map(|instance| Scope {
                include: vec![instance],
            }),
            storage_location: parameters.storage.clone(),
            time_limit_in_seconds: parameters.time_limit_seconds,
            bytes_to_capture_per_packet: parameters.bytes_per_packet,
            total_bytes_per_session: parameters.total_bytes,
            filters: parameters.filters.clone(),
        }
    }

    fn poll_after(&self, asked: Option<Duration>) -> Next {
        let (shortest, longest) = self.parameters.poll;
        Next::After(asked.unwrap_or(USUAL_POLL).clamp(shortest, longest))
    }
}

/// A scale set's instance is captured through its set, and lies where the set does.
fn capture_target(target: &Target) -> Cow<'_, ResourceId> {
    match (target.kind, target.id.parent()) {
        (TargetKind::ScaleSetInstance, Some(set)) => Cow::Owned(set),
        _ => Cow::Borrowed(&target.id),
    }
}

/// Whether a capture gathers the evidence that a target wants: all of it.
fn covers(capture: &PacketCapture, target: &Target) -> bool {
    let same = ResourceId::parse(&capture.target).is_ok_and(|id| id == *capture_target(target));
    let included = &capture.included;
    same && match target.kind {
        TargetKind::Vm => true,
        TargetKind::ScaleSet => included.is_empty(),
        TargetKind::ScaleSetInstance => {
            let instance = target.id.name().unwrap_or_default();
            included.is_empty()
                || included
                    .iter()
                    .any(|one| one.eq_ignore_ascii_case(instance))
        }
    }
}

/// The report of a job that is given up.
pub fn given_up(error: &StepError) -> Report {
    outcome::failed(&error.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_covers_what_it_gathers() {
        const SET: &str = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/pool";
        let machine = SET.replace("virtualMachineScaleSets/pool", "virtualMachines/m");
        let instance = format!("{SET}/virtualMachines/1");
        for (captured, included, wanted, expected) in [
            (machine.as_str(), &[][..], machine.as_str(), true),
            (&machine.to_uppercase(), &[], &machine, true),
            (&machine.replace("/m", "/n"), &[], &machine, false),
            ("", &[], &machine, false),
            (SET, &[], SET, true),
            (SET, &["1"], SET, false),
            (SET, &[], &instance, true),
            (SET, &["0", "1"], &instance, true),
            (SET, &["0"], &instance, false),
        ] {
            let capture = PacketCapture {
                target: captured.to_owned(),
                included: included.iter().map(|id| (*id).to_owned()).collect(),
                ..PacketCapture::default()
            };
            let target = Target::of(wanted.parse().unwrap()).unwrap();
            assert_eq!(
                covers(&capture, &target),
                expected,
                "{captured} {included:?} {wanted}"
            );
        }
    }
}
