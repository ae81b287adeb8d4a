//! One event of a capture that people are notified of: a value that every notifier renders in its own format.

use super::{
    ChosenProfile,
    job::{Action, Job, JobId},
    record::IncidentId,
    report::{Report, Status},
};
use crate::{alert::AlertFacts, resource_id::ResourceId};
use std::{fmt, sync::Arc};
use time::OffsetDateTime;

/// What happened to a capture.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The capture is running.
    Created,
    /// The capture ended and its file is complete.
    Completed,
    /// There is no file, or only a part of it.
    Failed,
    /// No capture was created: the limit is reached, or another capture is in the way.
    Skipped,
    /// The capture's file was read after its notification was sent.
    Analyzed,
    /// All captures of the incident ended and its alerts are resolved. Only receivers that keep an incident open get it.
    Resolved,
    /// A readiness run found something worse than the one before.
    ReadinessDegraded,
    /// A readiness run found that something recovered, and nothing worse.
    ReadinessRestored,
    /// What the readiness run of a week found, changed or not.
    ReadinessWeekly,
}

impl Event {
    /// The events that a receiver can be set to get.
    pub const ALL: [Event; 8] = [
        Event::Created,
        Event::Completed,
        Event::Failed,
        Event::Skipped,
        Event::Analyzed,
        Event::ReadinessDegraded,
        Event::ReadinessRestored,
        Event::ReadinessWeekly,
    ];

    /// `created`, `completed`, `failed`, `skipped`, `analyzed`, `resolved`, and `readiness.degraded`, `readiness.restored`,
    /// `readiness.weekly`.
    pub fn as_str(self) -> &'static str {
        match self {
            Event::Created => "created",
            Event::Completed => "completed",
            Event::Failed => "failed",
            Event::Skipped => "skipped",
            Event::Analyzed => "analyzed",
            Event::Resolved => "resolved",
            Event::ReadinessDegraded => "readiness.degraded",
            Event::ReadinessRestored => "readiness.restored",
            Event::ReadinessWeekly => "readiness.weekly",
        }
    }

    /// Whether it is about all machines, and not about a capture.
    pub fn is_readiness(self) -> bool {
        matches!(
            self,
            Event::ReadinessDegraded | Event::ReadinessRestored | Event::ReadinessWeekly
        )
    }

    /// The event of a finished job; `None` for one that only stops a capture, whose end is notified by the job that
    /// created it, and for one whose alert was resolved before its create.
    pub fn of_end(action: Action, status: Status) -> Option<Self> {
        match (action, status) {
            (Action::Capture, Status::Completed) => Some(Event::Completed),
            (Action::Capture, Status::Skipped) => Some(Event::Skipped),
            (Action::Capture, Status::Ignored) => None,
            (Action::Capture, _) => Some(Event::Failed),
            (Action::Stop, _) => None,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The incident that a notification belongs to, as it was when the notification was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentContext {
    pub id: IncidentId,
    /// How many alerts it has.
    pub alerts: u32,
    /// Whether its captures ended and its alerts are resolved.
    pub closed: bool,
    /// Messages of earlier notifications that this one answers.
    pub threads: Vec<Thread>,
}

/// A receiver's message about an incident, which later ones update and answer.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Thread {
    /// The receiver's name in the settings.
    pub receiver: Box<str>,
    pub channel: Box<str>,
    /// Slack's name of the message: the time at which it was posted.
    pub ts: Box<str>,
}

/// One event of one capture, or of a readiness run. Texts are foreign: rule names and conditions come out of alerts.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    pub event: Event,
    /// When it happened.
    pub at: OffsetDateTime,
    pub job_id: JobId,
    pub alert: AlertFacts,
    /// The VM, scale set or instance.
    pub target: ResourceId,
    pub report: Report,
    /// `None` as long as the incident is not known.
    pub incident: Option<IncidentContext>,
    /// The profile that chose the capture's parameters.
    pub profile: Option<Arc<ChosenProfile>>,
    /// The profile's own link.
    pub link: Option<Box<str>>,
    /// What a readiness run found, in place of all that is about a capture.
    pub readiness: Option<Box<Readiness>>,
}

/// What a readiness run found, as notifications show it.
#[derive(Debug, Clone, PartialEq)]
pub struct Readiness {
    pub title: String,
    /// Label and value, what matters most first.
    pub facts: Vec<(&'static str, String)>,
    /// For programs.
    pub data: serde_json::Value,
    /// Nothing is left to be fixed.
    pub closes: bool,
}

impl Notification {
    /// The notification of an event of this job.
    pub fn of(job: &Job, event: Event, at: OffsetDateTime) -> Self {
        Self {
            event,
            at,
            job_id: job.job_id,
            alert: job.alert.read(),
            target: job.target.id.clone(),
            report: job.report.clone(),
            incident: None,
            profile: job.profile.clone(),
            link: None,
            readiness: None,
        }
    }

    /// `{job_id}-{event}`: the same for the same event of the same job, so that receivers can drop repeats.
    pub fn id(&self) -> String {
        format!("{}-{}", self.job_id, self.event)
    }

    /// What receivers keep together by: the incident's id, or the job's as long as the incident is not known.
    pub fn incident_key(&self) -> String {
        match &self.incident {
            _ if self.event.is_readiness() => "readiness".to_owned(),
            Some(incident) => incident.id.to_string(),
            None => self.job_id.to_string(),
        }
    }

    /// Whether nothing more is expected of the incident.
    pub fn closes(&self) -> bool {
        let closed = self.incident.as_ref().is_some_and(|it| it.closed);
        closed
            || self.readiness.as_ref().is_some_and(|it| it.closes)
            || self.event == Event::Resolved
    }

    /// What changed around the alert, for people: one line each. A notification of the file alone repeats none.
    pub fn change_lines(&self) -> Vec<String> {
        let changes = match self.event {
            Event::Analyzed | Event::Resolved => None,
            _ => self.report.changes.as_ref(),
        };
        let lines = changes.into_iter().flat_map(|it| &it.lines);
        lines.map(|line| line.to_string()).collect()
    }

    /// What is in the capture's file, for people: one line each.
    pub fn look_lines(&self) -> Vec<String> {
        let look = self.report.look.as_ref();
        look.map(|look| look.said()).unwrap_or_default()
    }

    /// Whether evidence is missing.
    pub fn is_failure(&self) -> bool {
        self.report.status == Status::Failed
    }

    /// When the capture ended; `None` as long as there is none.
    pub fn capture_ended_at(&self) -> Option<OffsetDateTime> {
        self.report.ended_at.filter(|_| self.report.name.is_some())
    }
}
