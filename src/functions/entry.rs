//! What became of one target of an alert, in an answer: a view of its job, or of why it got none.

use crate::{
    incident::{Action, ChosenProfile, IncidentId, JobId, JobRecord, LeftOut, Reason, Status},
    resource_id::ResourceId,
};
use serde::{Serialize, Serializer};
use std::borrow::Cow;

/// What became of one target.
#[derive(Debug, Clone)]
pub enum Entry {
    Job(JobRecord),
    LeftOut(LeftOut),
}

/// An entry of `captures` in JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    target: &'a ResourceId,
    status: Status,
    reason: Option<&'a str>,
    message: Cow<'a, str>,
    name: Option<&'a str>,
    network_watcher: Option<&'a ResourceId>,
    storage_path: Option<&'a str>,
    job_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident_id: Option<&'a IncidentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<&'a ChosenProfile>,
}

impl Entry {
    /// Whether the target got a job.
    pub fn is_job(&self) -> bool {
        matches!(self, Entry::Job(_))
    }

    /// The id of the target's job.
    pub fn job_id(&self) -> Option<JobId> {
        match self {
            Entry::Job(job) => Some(job.job_id),
            Entry::LeftOut(_) => None,
        }
    }

    pub fn target(&self) -> &ResourceId {
        match self {
            Entry::Job(job) => &job.target.id,
            Entry::LeftOut(left) => &left.target.id,
        }
    }

    pub fn status(&self) -> Status {
        match self {
            Entry::Job(job) => job.report.status,
            Entry::LeftOut(left) => match left.reason {
                Reason::MaxTargetsReached | Reason::BudgetExhausted => Status::Skipped,
                _ => Status::Ignored,
            },
        }
    }

    /// Why the target got no job.
    pub fn left_out_for(&self) -> Option<Reason> {
        match self {
            Entry::Job(_) => None,
            Entry::LeftOut(left) => Some(left.reason),
        }
    }

    /// The incident that the alert belongs to.
    pub fn incident(&self) -> Option<&IncidentId> {
        match self {
            Entry::Job(job) => job.incident.as_ref(),
            Entry::LeftOut(left) => left.incident.as_ref(),
        }
    }

    pub fn reason(&self) -> Option<&str> {
        match self {
            Entry::Job(job) => job.report.reason.as_deref(),
            Entry::LeftOut(left) => Some(left.reason.as_str()),
        }
    }

    /// A sentence with the machine's short name.
    pub fn message(&self) -> Cow<'_, str> {
        match self {
            Entry::Job(job) => job.report.message.as_str().into(),
            Entry::LeftOut(left) => {
                let name = left.target.id.short_name();
                match left.reason {
                    Reason::ScopeNotAllowed => {
                        format!(
                            "{name} is not captured: it is not within PacketCapture__AllowedScopes"
                        )
                    }
                    reason => format!("{name} is not captured: {}", reason.sentence()),
                }
                .into()
            }
        }
    }

    /// The message to the caller about the whole alert when this entry decides it.
    pub fn headline(&self) -> String {
        match self {
            Entry::Job(job) if job.report.message.is_empty() => {
                let name = job.target.id.short_name();
                match job.action {
                    Action::Capture => {
                        format!("Alert accepted; the packet capture on {name} is in progress")
                    }
                    Action::Stop => {
                        format!("Alert accepted; the packet capture on {name} is being stopped")
                    }
                }
            }
            _ => self.message().into_owned(),
        }
    }

    /// Azure's id of the request that failed.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Entry::Job(job) => job.report.request_id.as_deref(),
            Entry::LeftOut(_) => None,
        }
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let job = match self {
            Entry::Job(job) => Some(job),
            Entry::LeftOut(_) => None,
        };
        let report = job.map(|job| &job.report);
        let wire = Wire {
            target: self.target(),
            status: self.status(),
            reason: self.reason(),
            message: self.message(),
            name: report.and_then(|report| report.name.as_deref()),
            network_watcher: report.and_then(|report| report.network_watcher.as_ref()),
            storage_path: report.and_then(|report| report.storage_path.as_deref()),
            job_id: job.map(|job| job.job_id.to_string()),
            incident_id: self.incident(),
            profile: job.and_then(|job| job.profile.as_deref()),
        };
        wire.serialize(serializer)
    }
}
