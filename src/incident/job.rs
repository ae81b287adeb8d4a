//! A job: one capture of one target, small enough for a queue, complete enough for any instance of the
//! function to take the next step.

use super::{
    ChosenProfile, CommentState, Delivered, decide, facts::PackedFacts, machine::CopyId,
    record::IncidentId, report::Report,
};
use crate::{
    alert::{Alert, Target},
    resource_id::{OperationUrl, ResourceId},
};
use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};
use time::OffsetDateTime;

/// Names a job in logs, answers and notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(uuid::Uuid);

impl JobId {
    /// Reads an id as a caller wrote it; perhaps no job has it.
    pub fn parse(text: &str) -> Option<Self> {
        uuid::Uuid::parse_str(text).ok().map(Self)
    }

    /// The id of the job that an alert with this key has on this machine, whichever process makes it.
    pub fn of(action: Action, key: &str, machine: &ResourceId) -> Self {
        let machine = machine.to_string().to_ascii_lowercase();
        let text = format!("{}\n{machine}\n{key}", action.as_str());
        let mut bytes = [0; 16];
        for (byte, of_digest) in bytes
            .iter_mut()
            .zip(digest(&SHA256, text.as_bytes()).as_ref())
        {
            *byte = *of_digest;
        }
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// A new one, unlike all others.
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4())
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One capture of one target, as the queue stores it. No member may be called `id` or `dequeueCount`: the Functions
/// host would take it for the queue message's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    pub job_id: JobId,
    pub action: Action,
    pub target: Target,
    /// The region that the alert named, normalised.
    pub region: Option<String>,
    /// Shared by all jobs of the alert.
    pub alert: PackedFacts,
    /// The profile whose parameters its capture has; `None`: the settings have no profiles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Arc<ChosenProfile>>,
    /// When the alert was taken.
    #[serde(with = "time::serde::rfc3339")]
    pub taken_at: OffsetDateTime,
    pub phase: Phase,
    /// Attempts that failed; counted from 0 once Azure has accepted the capture, and again once the job is decided.
    pub failures: u32,
    /// A create was about to be sent, and nothing proves that Azure refused it: a capture like ours is ours.
    pub create_unconfirmed: bool,
    /// How often the job came back to the beginning: rounds that changed nothing wait ever longer.
    #[serde(default)]
    pub rounds: u32,
    /// Deliveries of the job's queue message since a step was last completed: each of them ended with its process.
    #[serde(default)]
    pub unfinished: Deliveries,
    /// When a capture that is in the way was first seen running, should Azure not state its start.
    #[serde(with = "time::serde::rfc3339::option", default)]
    pub in_the_way_since: Option<OffsetDateTime>,
    /// The number of this copy of the job, in which it differs from others.
    #[serde(default)]
    pub copy: CopyId,
    /// The incident that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    /// An earlier copy was lost, and may have created the capture: one that began since the alert was accepted is this
    /// job's.
    #[serde(default)]
    pub superseded: bool,
    /// Its final notification is delivered; what is left is to be recorded.
    #[serde(default)]
    pub notified: bool,
    /// The trace of the request that brought the alert, as W3C's `traceparent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_parent: Option<String>,
    /// Which receivers have the final notification.
    #[serde(default, skip_serializing_if = "Delivered::is_empty")]
    pub delivered: Delivered,
    /// How far the comment on its Azure alert is.
    #[serde(default, skip_serializing_if = "CommentState::is_default")]
    pub write_back: CommentState,
    pub report: Report,
}

impl Job {
    /// A job that was taken just now.
    pub fn new(action: Action, target: Target, alert: &Alert) -> Self {
        let job_id = decide::job_id(alert, action, &target.id).unwrap_or_else(JobId::random);
        Self {
            action,
            region: alert.region.clone(),
            alert: (&alert.facts).into(),
            phase: Phase::Prepare,
            ..Self::of_notification(job_id, target, Report::default())
        }
    }

    /// A job that only delivers a notification.
    pub fn of_notification(job_id: JobId, target: Target, report: Report) -> Self {
        Self {
            job_id,
            action: Action::Capture,
            target,
            region: None,
            alert: PackedFacts::default(),
            profile: None,
            taken_at: OffsetDateTime::now_utc(),
            phase: Phase::Notifying,
            failures: 0,
            create_unconfirmed: false,
            rounds: 0,
            unfinished: Deliveries::default(),
            in_the_way_since: None,
            copy: CopyId::default(),
            incident: None,
            superseded: false,
            notified: false,
            trace_parent: None,
            delivered: Delivered::default(),
            write_back: CommentState::default(),
            report,
        }
    }

    /// Starts the delivery of the final notification, with a failure count of its own. `false`: it was started before.
    pub fn begin_notifying(&mut self) -> bool {
        if self.phase == Phase::Notifying {
            return false;
        }
        self.phase = Phase::Notifying;
        self.failures = 0;
        true
    }

    /// The job as a queue message of at most `limit` bytes. One that is longer sheds texts that only people read; the
    /// result can still be longer.
    ///
    /// # Errors
    /// None that a job can cause: all of its members are JSON.
    pub fn to_message(&self, limit: usize) -> serde_json::Result<String> {
        let mut text = serde_json::to_string(self)?;
        if text.len() > limit {
            let mut shorter = self.clone();
            while text.len() > limit && shorter.shed() {
                text = serde_json::to_string(&shorter)?;
            }
        }
        Ok(text)
    }

    /// Releases unused capacity of the texts, which is up to as much again as they have: a job that follows a capture is
    /// in memory for hours.
    pub fn shrink(&mut self) {
        self.report.shrink();
        if let Phase::Running { session, .. } = &mut self.phase {
            session.name.shrink_to_fit();
        }
    }

    /// Drops the text that is missed least; `false`: none is left that can be dropped.
    fn shed(&mut self) -> bool {
        let mut alert = self.alert.read();
        let (look, changes) = (&mut self.report.look, &mut self.report.changes);
        let shed = look.as_mut().is_some_and(|look| look.shed())
            || changes.as_mut().is_some_and(|changes| changes.shed())
            || alert.conditions.pop().is_some()
            || self.report.errors.pop().is_some()
            || alert.id.take().is_some();
        self.alert = (&alert).into();
        shed
    }

    /// Whether it is a drill: its capture is short, is marked, and stands in no alert's way.
    pub fn is_drill(&self) -> bool {
        self.alert.is_drill()
    }

    /// The alert rule's name.
    pub fn rule(&self) -> Option<&str> {
        self.alert.rule()
    }
}

/// Counts deliveries of a job that ended without a completed step, over all messages that carried it. The queue counts
/// those of one message; a job that is put into the queue again, as the Functions host's trigger does, gets a new one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Deliveries {
    /// Of earlier messages.
    before: u32,
    /// The present message's count when a step was last completed.
    seen: u32,
}

impl Deliveries {
    /// How many there were before this one. `delivered`: how often the queue has delivered the present message.
    pub fn count(&self, delivered: u32) -> u32 {
        let this_message = delivered.saturating_sub(self.seen).saturating_sub(1);
        self.before.saturating_add(this_message)
    }

    /// A step was completed.
    pub fn step_completed(&mut self, delivered: u32) {
        *self = Self {
            before: 0,
            seen: delivered,
        };
    }

    /// The job goes into a new message: it was delivered once more, and its process ended.
    pub fn carry_over(&mut self, delivered: u32) {
        *self = Self {
            before: self.count(delivered).saturating_add(1),
            seen: 0,
        };
    }
}

/// What a job is to bring about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A capture, followed to its end.
    Capture,
    /// The end of a capture that is still running, since its alert is resolved.
    Stop,
}

/// A packet capture of Azure's: what the steps after the create are about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    pub watcher: ResourceId,
    /// The capture's resource name.
    pub name: String,
}

/// Where a job stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "name")]
pub enum Phase {
    /// Nothing is decided: read the watcher's captures.
    Prepare,
    /// A finished capture is being deleted, to make room or since it has the new capture's name.
    Deleting {
        watcher: ResourceId,
        operation: OperationUrl,
    },
    /// Azure has accepted the create.
    Starting {
        session: Session,
        /// `None` when the answer with the poll URL was lost: the resource itself is read.
        operation: Option<OperationUrl>,
    },
    /// The session gathers packets until its time limit.
    Running {
        session: Session,
        /// When it must be over.
        #[serde(with = "time::serde::rfc3339")]
        ends_at: OffsetDateTime,
        /// Number of status checks so far.
        looks: u32,
    },
    /// The job's end is decided; the notification is being delivered.
    /// `telling` is what earlier versions wrote.
    #[serde(alias = "telling")]
    Notifying,
    /// The job's end is decided, and the capture's file is being read.
    Looking {
        /// When the notification is sent without what is in the file.
        #[serde(with = "time::serde::rfc3339")]
        notify_at: OffsetDateTime,
    },
    /// The file is not read yet, and the notification without it is being delivered.
    NotifyingFirst,
    /// That notification is delivered, and the file is being read.
    LookingOn,
    /// The file was read after the notification, and a second one is being delivered.
    NotifyingLook,
    /// The notification is delivered; the finished session is to be removed.
    Removing { session: Session },
    /// Azure is asked once more what changed around the alert, when what comes late has come.
    Completing {
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
}

impl Action {
    /// `capture`, `stop`.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Capture => "capture",
            Action::Stop => "stop",
        }
    }
}

/// Once the capture is created, retries are not urgent: the pauses between them are multiplied by this.
const AFTER_CREATE: u32 = 10;

/// How the worker treats a job in its present phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Packets are being lost until the capture is created: such jobs have places of their own at the worker.
    pub urgent: bool,
    /// Multiplies the pauses between retries.
    pub pause_factor: u32,
    /// A step that succeeds starts the count of failures again. Before the create, steps that succeed and fail in turn
    /// would never end.
    pub success_resets_failures: bool,
}

impl Phase {
    /// How urgent this phase is, and how failures in it count.
    pub fn patience(&self) -> Patience {
        match self {
            Phase::Prepare | Phase::Deleting { .. } => Patience {
                urgent: true,
                pause_factor: 1,
                success_resets_failures: false,
            },
            Phase::Starting { .. } | Phase::Running { .. } => Patience {
                urgent: false,
                pause_factor: AFTER_CREATE,
                success_resets_failures: true,
            },
            Phase::Notifying
            | Phase::Looking { .. }
            | Phase::NotifyingFirst
            | Phase::LookingOn
            | Phase::NotifyingLook
            | Phase::Removing { .. }
            | Phase::Completing { .. } => Patience {
                urgent: false,
                pause_factor: 1,
                success_resets_failures: false,
            },
        }
    }

    /// Whether the job's notification is being delivered.
    pub fn is_notifying(&self) -> bool {
        matches!(
            self,
            Phase::Notifying | Phase::NotifyingFirst | Phase::NotifyingLook
        )
    }

    /// Whether the capture's file is being read.
    pub fn is_looking(&self) -> bool {
        matches!(self, Phase::Looking { .. } | Phase::LookingOn)
    }

    /// The phase's name, for people and programs.
    pub fn as_str(&self) -> &'static str {
        match self {
            Phase::Prepare => "prepare",
            Phase::Deleting { .. } => "deleting",
            Phase::Starting { .. } => "starting",
            Phase::Running { .. } => "running",
            Phase::Notifying | Phase::NotifyingFirst | Phase::NotifyingLook => "notifying",
            Phase::Looking { .. } | Phase::LookingOn => "looking",
            Phase::Removing { .. } => "removing",
            Phase::Completing { .. } => "completing",
        }
    }
}

#[cfg(test)]
mod tests;
