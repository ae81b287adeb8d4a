//! The readings of the files of finished captures: each is a task of its own, which continues while the job that waits for it
//! notifies people. The reader has two places; whatever waits for them is no create and no notification.

use crate::{
    capture::JobParameters,
    incident::{Action, FileFinding, FileLook, FileProblem, InNotice, Job, JobId, Status},
    look::{About, CaptureReader, CountedMetric, Look, LookError},
    record::Incidents,
};
use serde_json::json;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};
use tokio::{sync::watch, task::AbortHandle};

/// Maximum number of results that wait for their jobs.
const MOST_KEPT: usize = 1_000;
const SCALE_SETS: &str = "Microsoft.Compute/virtualMachineScaleSets";
const BROKEN: &str = "internal error: the reader of captures stopped at this file";
const KILLED: &str =
    "the capture's file could not be read: the function's process ended each time it read the file";
const READ_YOURSELF: &str = "read the file with `handler look`, and report it to the developers of this function if that fails, too";

/// How the files of finished captures are read.
pub struct Looks {
    pub reader: CaptureReader,
    /// How long after the end of a capture its notification waits for the look.
    pub notify_within: Duration,
    pub in_notice: InNotice,
    /// Whether the report is written beside the file, too.
    pub report_beside_capture: bool,
    /// What captures are created with.
    pub parameters: JobParameters,
    /// The client id of the function's identity.
    pub identity: Option<String>,
    pub incidents: Arc<Incidents>,
    // Held for a few map operations, never over an await.
    pub running: Running,
}

/// The looks in progress, and those that no job has taken.
#[derive(Default)]
pub struct Running(Mutex<HashMap<JobId, InProgress>>);

struct InProgress {
    result: watch::Receiver<Option<FileLook>>,
    task: AbortHandle,
}

impl Drop for InProgress {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Running {
    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, InProgress>> {
        self.0.lock().expect("no code panics with this lock")
    }
}

impl Looks {
    /// Whether the file of this job's capture is to be read. One that another job created is read by that job; a whole
    /// scale set has a file for each instance, whose places Azure does not name.
    pub fn wants(&self, job: &Job) -> bool {
        let report = &job.report;
        job.action == Action::Capture
            && report.status == Status::Completed
            && !report.joined
            && !job.target.id.is_type(SCALE_SETS)
            && report.storage_path.is_some()
            && report.look.is_none()
    }

    /// The reading of a job's file, which is begun if it is not in progress.
    pub async fn result(self: &Arc<Self>, job: &Job) -> FileLook {
        let mut result = self.start(job);
        let known = result.wait_for(Option::is_some).await;
        let known = known.ok().and_then(|known| known.clone());
        // The task panicked.
        known.unwrap_or_else(|| failed(BROKEN))
    }

    /// The job has the result.
    pub fn forget(&self, job: &JobId) {
        self.running.lock().remove(job);
    }

    /// The process ends.
    pub fn stop(&self) {
        self.running.lock().clear();
    }

    fn start(self: &Arc<Self>, job: &Job) -> watch::Receiver<Option<FileLook>> {
        let mut running = self.running.lock();
        if let Some(known) = running.get(&job.job_id) {
            return known.result.clone();
        }
        if running.len() >= MOST_KEPT {
            // Of jobs that went to another instance between their two notifications; any other one is read again.
            running.retain(|_, known| !known.task.is_finished());
        }
        let (sender, result) = watch::channel(None);
        let (looks, job_id, job) = (self.clone(), job.job_id, job.clone());
        let task = tokio::spawn(async move {
            let look = looks.look(&job).await;
            sender.send_replace(Some(look));
        });
        let in_progress = InProgress {
            result: result.clone(),
            task: task.abort_handle(),
        };
        running.insert(job_id, in_progress);
        result
    }

    async fn look(&self, job: &Job) -> FileLook {
        let path = job.report.storage_path.as_deref().unwrap_or_default();
        let about = self.about(job);
        match self.reader.look_at(path, &about).await {
            Ok(look) => self.keep(job, path, &about, &look).await,
            Err(error) => {
                let problem = problem(&error);
                tracing::warn!(
                    "could not read a capture's file: {}; what to do: {}",
                    problem.message,
                    problem.fix
                );
                FileLook::failed(OffsetDateTime::now_utc(), problem)
            }
        }
    }

    /// Writes report and manifest where they are kept. What is in the way there keeps nothing from being said.
    async fn keep(&self, job: &Job, path: &str, about: &About, look: &Look) -> FileLook {
        let now = OffsetDateTime::now_utc();
        let mut known = FileLook {
            lines: boxed(look.lines()),
            counts: boxed(look.counts()),
            findings: look.findings().into_iter().map(finding).collect(),
            file_bytes: Some(look.size),
            sha256: look.sha256.as_deref().map(Into::into),
            ..FileLook::new(now)
        }
        .bounded();
        let report = look.report();
        if let Some(incident) = &job.incident {
            let manifest = look.manifest(path, about, rfc3339(now).unwrap_or_default());
            let kept = self
                .incidents
                .keep_look(incident, &job.job_id, report.clone(), manifest);
            match kept.await {
                Ok(()) => known.report = true,
                Err(error) => {
                    tracing::warn!("could not write the report about a capture's file: {error}");
                    let fix = error
                        .fix()
                        .unwrap_or("check the incident record with `handler doctor`");
                    let message =
                        format!("could not write the report into the incident record: {error}");
                    known.problem = Some(FileProblem::new(&message, fix));
                }
            }
        }
        if self.report_beside_capture
            && let Err(error) = self.reader.write_beside(path, report).await
        {
            let message = format!("could not write the report beside the capture's file: {error}");
            let fix = match error.is_missing_role() {
                true => {
                    "assign the function's identity the role Storage Blob Data Contributor on the storage account of the captures, or remove FirstLook__ReportBesideCapture"
                }
                false => error.fix(),
            };
            tracing::warn!(
                "could not write the report beside a capture's file: {error}; what to do: {fix}"
            );
            known.problem = Some(FileProblem::new(&message, fix));
        }
        known
    }

    /// What is known of the job's capture.
    fn about(&self, job: &Job) -> About {
        let (facts, report) = (job.alert.read(), &job.report);
        let fired_at = facts.fired_at.as_deref().and_then(|written| {
            let at = OffsetDateTime::parse(written, &Rfc3339).ok()?;
            at.checked_to_offset(UtcOffset::UTC)
        });
        let metrics = facts.conditions.iter().filter_map(|it| {
            Some(CountedMetric {
                name: it.metric.clone()?,
                value: it.value.clone()?,
                aggregation: it.aggregation.clone(),
                window_seconds: it.window_seconds,
            })
        });
        let parameters = self.parameters.of(job);
        let filters = parameters.filters_of(job);
        let watcher = report.network_watcher.as_ref().map(ToString::to_string);
        About {
            machine: job.target.id.short_name(),
            machine_id: job.target.id.to_string(),
            capture_id: watcher
                .zip(report.name.as_ref())
                .map(|(watcher, name)| format!("{watcher}/packetCaptures/{name}")),
            metrics: metrics.collect(),
            fired_at,
            alert_id: facts.id,
            rule: facts.rule,
            fired: facts.fired_at,
            parameters: json!({
                "timeLimitInSeconds": report.time_limit_seconds,
                "bytesToCapturePerPacket": parameters.bytes_per_packet,
                "totalBytesPerSession": parameters.total_bytes,
                "filters": filters,
            }),
            time_limit_seconds: report.time_limit_seconds.map(Into::into),
            bytes_per_session: parameters.total_bytes.map(Into::into),
            bytes_per_packet: parameters.bytes_per_packet.map(Into::into),
            filtered: !filters.is_empty(),
            began: report.began_at.and_then(rfc3339),
            ended: report.ended_at.and_then(rfc3339),
            stop_reason: report.stop_reason.clone(),
            identity: self.identity.clone(),
        }
    }
}

/// The reading of a file that ends the process each time.
pub(super) fn killed() -> FileLook {
    failed(KILLED)
}

/// The look was switched off between a job's two notifications.
pub(super) fn switched_off() -> FileLook {
    let problem = FileProblem::new(
        "the capture's file was not read: FirstLook__Enabled is false by now",
        "read the file with `handler look`",
    );
    FileLook::failed(OffsetDateTime::now_utc(), problem)
}

fn failed(message: &str) -> FileLook {
    tracing::error!("{message}");
    let problem = FileProblem::new(message, READ_YOURSELF);
    FileLook::failed(OffsetDateTime::now_utc(), problem)
}

fn problem(error: &LookError) -> FileProblem {
    FileProblem::new(&error.to_string(), error.fix())
}

fn finding(found: crate::look::Found) -> FileFinding {
    FileFinding {
        kind: found.kind.into(),
        count: found.count,
        base: found.base,
        endpoint: found.endpoint.map(Into::into),
        is_own: found.is_own,
        filter: Some(found.filter.into()),
    }
}

fn boxed(lines: Vec<String>) -> Vec<Box<str>> {
    lines.into_iter().map(Into::into).collect()
}

fn rfc3339(at: OffsetDateTime) -> Option<String> {
    at.checked_to_offset(UtcOffset::UTC)?.format(&Rfc3339).ok()
}
