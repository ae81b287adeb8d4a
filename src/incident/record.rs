//! The record of an incident: what happened to one machine, from the first alert to the last notification. The value
//! that is stored, listed and shown; what is added to it, and what gives way, are pure functions.

mod id;
mod packed;
mod shared;
mod state;
mod upsert;

pub use id::InvalidIncidentId;
pub use shared::SharedReport;
pub use upsert::{Addition, Resolved};

use super::{
    ChosenProfile,
    facts::PackedFacts,
    job::{Action, JobId},
    notification::{Event, Thread},
};
use crate::resource_id::ResourceId;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use time::OffsetDateTime;

/// The version of the stored form. A reader refuses a newer one.
pub const VERSION: u32 = 1;

/// Names an incident in answers, logs, notifications and addresses: when it was opened, then eight hexadecimal digits:
/// three of the part of the second, five of a digest of the machine and of the job that opened it (`20261128-073012-3fa9c2d1`). Sorts by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IncidentId(Arc<str>);

/// What happened to one machine. Alerts for it join as long as the incident is open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Incident {
    pub version: u32,
    pub id: IncidentId,
    pub machine: ResourceId,
    #[serde(with = "time::serde::rfc3339")]
    pub opened_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
    /// One for each alert and action, in the order in which they were accepted; the newest, when there are many.
    pub entries: Vec<Entry>,
    /// How many entries have given way to newer ones.
    #[serde(default)]
    pub entries_left_out: u32,
    /// In the order of their time; the newest thousand.
    pub steps: Vec<Step>,
    /// How many steps have given way to newer ones.
    #[serde(default)]
    pub steps_left_out: u32,
    /// The messages about it that later notifications update and answer, one a receiver.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub threads: Vec<Thread>,
}

/// One alert and what it led to on this machine: a job, as it was last seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    pub job_id: JobId,
    pub action: Action,
    pub alert: PackedFacts,
    /// The profile that chose the capture's parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Arc<ChosenProfile>>,
    #[serde(with = "time::serde::rfc3339")]
    pub accepted_at: OffsetDateTime,
    /// When its alert was resolved.
    #[serde(with = "time::serde::rfc3339::option", default)]
    pub resolved_at: Option<OffsetDateTime>,
    /// [`super::Phase::as_str`], or [`super::ledger::DONE`].
    pub phase: Box<str>,
    /// Failed attempts in this phase.
    #[serde(default)]
    pub failures: u32,
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
    pub report: SharedReport,
    /// Size of the capture's file in bytes, once it was read.
    #[serde(default)]
    pub file_bytes: Option<u64>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The job that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
    pub what: What,
    /// A sentence.
    pub text: Box<str>,
}

impl Step {
    /// How the text of a notification begins that is not sent again.
    pub const GIVEN_UP: &str = "Notification not delivered; giving up: ";

    /// Whether a receiver never got a notification.
    pub fn is_given_up(&self) -> bool {
        matches!(self.what, What::NotNotified(_)) && self.text.starts_with(Self::GIVEN_UP)
    }
}

/// The kinds of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// By the alert's own time.
    AlertFired,
    AlertResolved,
    /// The alert was accepted.
    Accepted,
    /// The alert was not captured: cool-down, budget, limit.
    HeldBack,
    /// Something is in the way and is waited for.
    Waiting,
    /// A call to Azure failed.
    Failed,
    /// Azure accepted the create of a drill's capture.
    Created,
    /// The capture is running, by Azure's clock.
    Running,
    /// A running capture of this machine serves the alert, too.
    Joined,
    /// The capture ended.
    Ended,
    /// The file was read.
    Analyzed,
    /// A receiver accepted a notification.
    Notified(Event),
    /// A receiver did not accept a notification; it is retried or was given up.
    NotNotified(Event),
    /// The Azure alert has a comment with the outcome.
    WrittenBack,
    /// The comment could not be written; it is retried or was given up.
    NotWrittenBack,
    /// The finished session of a drill was removed.
    Removed,
}

/// Whether something is in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A job is in progress.
    InProgress,
    /// All jobs are finished; an alert that comes soon joins.
    Quiet,
    /// Closed, and a capture was made.
    Captured,
    /// Closed, and evidence is missing.
    Failed,
    /// Closed; nothing was to be captured or there was no room.
    NotCaptured,
}

/// A row of the list of incidents. It is stored beside the record, so that a list reads no record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    pub id: IncidentId,
    pub machine: ResourceId,
    /// The rule of the alert that opened it.
    pub rule: Option<Box<str>>,
    #[serde(with = "time::serde::rfc3339")]
    pub opened_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
    pub state: State,
    /// How it ended, or how far it is: one sentence.
    pub outcome: Box<str>,
    /// How many alerts it has.
    pub alerts: u32,
    /// Size of the captures' files together.
    pub file_bytes: Option<u64>,
    /// It is a drill.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drill: bool,
}
