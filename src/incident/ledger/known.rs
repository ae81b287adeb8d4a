//! What the ledger keeps of one job.

use crate::{
    alert::{Alert, Target},
    incident::{
        job::{Job, Phase},
        machine::{First, Stage},
        record::IncidentId,
        report::Status,
    },
};
use std::{ops::Deref, sync::Arc};
use time::OffsetDateTime;
use tokio::{sync::watch, time::Instant};

/// A job as this process last saw it: shared with the queue, so that it is in memory once.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRecord {
    job: Arc<Job>,
    /// [`Phase::as_str`], [`super::DONE`] or [`super::ELSEWHERE`].
    pub phase: &'static str,
    pub updated_at: OffsetDateTime,
}

impl From<Arc<Job>> for JobRecord {
    fn from(job: Arc<Job>) -> Self {
        Self {
            phase: job.phase.as_str(),
            updated_at: job.taken_at,
            job,
        }
    }
}

impl JobRecord {
    /// The same in the incident that the record knows.
    pub fn of_incident(mut self, incident: Option<&IncidentId>) -> Self {
        if self.job.incident.is_none() || self.job.phase == Phase::Prepare {
            let known = incident.or(self.job.incident.as_ref()).cloned();
            if known != self.job.incident {
                Arc::make_mut(&mut self.job).incident = known;
            }
        }
        self
    }

    /// The job of an alert's first delivery, as the record has it.
    pub fn of_first(alert: &Alert, target: Target, first: First) -> Self {
        let mut job = Job::new(first.action, target, alert);
        job.job_id = first.job_id;
        job.incident = first.incident;
        job.taken_at = first.at;
        job.report.status = first.status;
        job.report.message = match (first.status, first.outcome.is_empty()) {
            (Status::Created, true) => {
                format!("Packet capture created on {}", job.target.id.short_name())
            }
            _ => first.outcome.into(),
        };
        job.report.finished = first.stage >= Stage::Ended;
        Self {
            updated_at: first.updated_at,
            phase: match first.stage {
                Stage::Done => super::DONE,
                _ => super::ELSEWHERE,
            },
            ..Self::from(Arc::new(job))
        }
    }
}

impl Deref for JobRecord {
    type Target = Job;

    fn deref(&self) -> &Job {
        &self.job
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
    /// Created for callers that wait, and dropped as soon as the job is decided.
    pub followed: Option<watch::Sender<Status>>,
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
            Phase::Notifying
            | Phase::Looking { .. }
            | Phase::NotifyingFirst
            | Phase::LookingOn
            | Phase::NotifyingLook
            | Phase::Removing { .. }
            | Phase::Completing { .. } => Self::Other,
        }
    }
}

impl Known {
    pub fn new(job: &Arc<Job>) -> Self {
        Self {
            record: job.clone().into(),
            updated: Instant::now(),
            over: false,
            kind: Kind::of(job),
            followed: None,
        }
    }

    pub fn update(&mut self, now: Instant, job: &Arc<Job>) {
        self.updated = now;
        self.record = JobRecord {
            updated_at: OffsetDateTime::now_utc(),
            ..job.clone().into()
        };
        let status = job.report.status;
        if let Some(followed) = &self.followed {
            followed.send_replace(status);
            // Those who wait read the last value all the same.
            if status != Status::Accepted || followed.receiver_count() == 0 {
                self.followed = None;
            }
        }
    }
}
