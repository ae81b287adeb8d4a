//! What the ledger keeps of one job.

use crate::{
    incident::{
        job::{Action, Job, JobId, Phase},
        report::Report,
    },
    resource_id::ResourceId,
};
use time::OffsetDateTime;
use tokio::{sync::watch, time::Instant};

/// A job as this process last saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRecord {
    pub job_id: JobId,
    pub target: ResourceId,
    /// The alert rule's name.
    pub rule: Option<Box<str>>,
    pub action: Action,
    /// [`Phase::as_str`], [`super::DONE`] or [`super::ELSEWHERE`].
    pub phase: &'static str,
    /// Failed attempts in this phase.
    pub failures: u32,
    pub taken_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
    pub report: Box<Report>,
}

impl From<&Job> for JobRecord {
    fn from(job: &Job) -> Self {
        Self {
            job_id: job.job_id,
            target: job.target.id.clone(),
            rule: job.rule().map(Into::into),
            action: job.action,
            phase: job.phase.as_str(),
            failures: job.failures,
            taken_at: job.taken_at,
            updated_at: job.taken_at,
            report: Box::new(job.report.clone()),
        }
    }
}

/// A job as the ledger keeps it.
pub(super) struct Known {
    pub record: JobRecord,
    pub updated: Instant,
    /// Finished, or running on another instance.
    pub over: bool,
    /// What the job is counted as against the limits.
    pub kind: Kind,
    /// Its alert is resolved.
    pub resolved: bool,
    /// Created for callers that wait, and dropped when the job is finished: it takes as much memory as all the rest.
    pub followed: Option<watch::Sender<Report>>,
}

/// What a job is counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It waits for its create.
    Waiting,
    /// It follows a running capture.
    Running,
    /// It only has a notification or a removal left, or is finished.
    Other,
}

impl Kind {
    pub fn of(job: &Job) -> Self {
        match job.phase {
            _ if job.report.finished => Self::Other,
            Phase::Prepare | Phase::Deleting { .. } => Self::Waiting,
            Phase::Starting { .. } | Phase::Running { .. } => Self::Running,
            Phase::Notifying | Phase::Removing { .. } => Self::Other,
        }
    }
}

impl Known {
    pub fn new(job: &Job) -> Self {
        Self {
            record: job.into(),
            updated: Instant::now(),
            over: false,
            kind: Kind::of(job),
            resolved: false,
            followed: None,
        }
    }

    pub fn update(&mut self, now: Instant, job: &Job) {
        self.updated = now;
        let record = &mut self.record;
        record.updated_at = OffsetDateTime::now_utc();
        record.phase = job.phase.as_str();
        record.failures = job.failures;
        *record.report = job.report.clone();
        match &self.followed {
            // Its caller was answered. In a storm of running captures these would take a third of all memory.
            Some(followed) if followed.receiver_count() == 0 => self.followed = None,
            Some(followed) => drop(followed.send_replace(job.report.clone())),
            None => {}
        }
    }
}
