//! What is remembered of one alert on one machine: its job, and which copy of it counts.

use crate::incident::{
    job::{Action, JobId},
    record::IncidentId,
    report::Status,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use time::OffsetDateTime;

/// By which the copies of one job differ: each one that is put into a queue has another number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct CopyId(u64);

impl CopyId {
    /// Of these random bits.
    pub fn new(bits: u64) -> Self {
        Self(bits)
    }
}

impl fmt::Display for CopyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// As text: JSON's numbers hold 53 bits.
impl Serialize for CopyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CopyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map(Self).map_err(|_| {
            serde::de::Error::custom("a copy's id is not a number of 16 hexadecimal digits")
        })
    }
}

/// How far a job is, as far as other copies of it have to know. In this order.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// A process has claimed the alert.
    #[default]
    Claimed,
    /// Azure has accepted the create, or another alert's capture serves this one too.
    Created,
    /// Its end is decided; the notification may not be delivered.
    Ended,
    /// Nothing is left to do.
    Done,
}

/// An alert that was accepted for a machine, and its job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// A function of the alert's key, the action and the machine.
    pub job_id: JobId,
    pub action: Action,
    /// The incident that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    /// The copy that counts.
    pub copy: CopyId,
    /// One that the queue trigger was about to put in the copy's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<CopyId>,
    /// The queue message that carries it. A put that was repeated, since its answer was lost, makes two messages with one
    /// copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Box<str>>,
    /// When the alert was accepted first.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
    /// A copy is in the queue.
    #[serde(default)]
    pub queued: bool,
    /// It counts in the machine's budget of its day.
    #[serde(default)]
    pub counts: bool,
    /// An earlier copy may have created the capture.
    #[serde(default)]
    pub superseded: bool,
    pub stage: Stage,
    /// Its alert is resolved.
    #[serde(default)]
    pub resolved: bool,
    /// The alert rule's name, for the classic schema: its resolutions have another key than the alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Box<str>>,
    /// How it ended.
    #[serde(default)]
    pub status: Status,
    /// The same in one sentence.
    #[serde(default)]
    pub outcome: Box<str>,
}

impl Seen {
    /// Whether its job is in the queue or further: it cannot be lost any more.
    pub fn is_accepted(&self) -> bool {
        self.queued || self.stage > Stage::Claimed
    }
}

/// What became of an alert's first delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct First {
    pub job_id: JobId,
    pub action: Action,
    pub incident: Option<IncidentId>,
    pub rule: Option<Box<str>>,
    pub at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
    pub stage: Stage,
    pub status: Status,
    pub outcome: Box<str>,
}

impl From<&Seen> for First {
    fn from(seen: &Seen) -> Self {
        Self {
            job_id: seen.job_id,
            action: seen.action,
            incident: seen.incident.clone(),
            rule: seen.rule.clone(),
            at: seen.at,
            updated_at: seen.updated_at,
            stage: seen.stage,
            status: seen.status,
            outcome: seen.outcome.clone(),
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
