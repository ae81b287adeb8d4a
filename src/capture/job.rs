//! A job: one capture of one target, small enough to lie in a queue, complete enough for any instance of the
//! function to take the next step.

use crate::{
    alert::Target,
    azure::{operation::OperationUrl, resource_id::ResourceId},
};
use serde::{Deserialize, Serialize};
use std::fmt;
use time::OffsetDateTime;

/// Names a job in logs, answers and notices.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(String);

impl JobId {
    /// A new one, unlike all others.
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().to_string())
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// See the file's head. No member may be called `id` or `dequeueCount`: the Functions host would take it for
/// the queue message's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    pub job_id: JobId,
    pub target: Target,
    /// The region that the alert named, normalised.
    pub region: Option<String>,
    /// The alert rule's name.
    pub rule: Option<String>,
    pub phase: Phase,
    /// Attempts that failed; counted anew once Azure has accepted the capture.
    pub failures: u32,
    /// A create was sent and its answer was lost: a capture like ours may be ours.
    pub create_unconfirmed: bool,
    /// When a capture that is in the way was first seen running, should Azure not say since when it runs.
    #[serde(with = "time::serde::rfc3339::option", default)]
    pub in_the_way_since: Option<OffsetDateTime>,
    pub report: Report,
}

impl Job {
    pub fn new(target: Target, region: Option<String>, rule: Option<String>) -> Self {
        Self {
            job_id: JobId::random(),
            target,
            region,
            rule,
            phase: Phase::Prepare,
            failures: 0,
            create_unconfirmed: false,
            in_the_way_since: None,
            report: Report::default(),
        }
    }
}

/// Where a job stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "name")]
pub enum Phase {
    /// Nothing is decided: look at the watcher's captures.
    Prepare,
    /// A stale capture is being deleted.
    Deleting {
        watcher: ResourceId,
        operation: OperationUrl,
    },
    /// Azure has accepted the create.
    Starting {
        watcher: ResourceId,
        /// `None` when the answer with the poll URL was lost: the resource itself tells.
        operation: Option<OperationUrl>,
    },
}

/// What became of a job so far, for the caller and for people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub status: Status,
    /// Why it is so, in snake_case, or Azure's error code when it failed.
    pub reason: Option<String>,
    /// A sentence.
    pub message: String,
    /// The capture's name.
    pub name: Option<String>,
    pub network_watcher: Option<ResourceId>,
    pub storage_path: Option<String>,
    /// Azure's request id of a failure.
    pub request_id: Option<String>,
    /// Nothing more will happen.
    pub finished: bool,
}

/// The statuses that an entry of `captures` can have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Taken, not decided.
    #[default]
    Accepted,
    /// Azure has accepted the create.
    Created,
    /// A capture of this machine was running already.
    Joined,
    /// Not captured, since there is no room.
    Skipped,
    /// Not to be captured.
    Ignored,
    Failed,
}
