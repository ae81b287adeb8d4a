//! What became of a job so far: the one value that answers, notifications, the status page and metrics show. A new fact
//! about a capture is a member here, is set where it is found out, and is shown by the renderers that want it.

use super::look::FileLook;
use crate::{changes::ChangesNote, resource_id::ResourceId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

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
    /// When the session began to gather packets, by Azure's clock.
    #[serde(with = "time::serde::rfc3339::option", default)]
    pub began_at: Option<OffsetDateTime>,
    /// When it was seen to be over, or its time limit if it was that.
    #[serde(with = "time::serde::rfc3339::option", default)]
    pub ended_at: Option<OffsetDateTime>,
    pub time_limit_seconds: Option<u32>,
    /// Path of the file on the machine itself, if it is stored there.
    pub file_path: Option<String>,
    /// Azure's word for why the session ended.
    pub stop_reason: Option<String>,
    /// What went wrong within the session, in words.
    pub errors: Vec<String>,
    /// Another alert had started the capture.
    pub joined: bool,
    /// The finished session was removed; the file stays.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub session_removed: bool,
    /// Azure's request id of a failure.
    pub request_id: Option<String>,
    /// What is in the capture's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look: Option<Box<FileLook>>,
    /// What changed around the alert; the whole is beside the incident record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Box<ChangesNote>>,
    /// Whether the job's end is decided.
    pub finished: bool,
    /// Whether the job failed too often: it goes to the poison queue.
    pub given_up: bool,
}

impl Report {
    /// Releases unused capacity of the texts.
    pub(super) fn shrink(&mut self) {
        self.message.shrink_to_fit();
        let texts = [
            &mut self.reason,
            &mut self.name,
            &mut self.storage_path,
            &mut self.file_path,
            &mut self.stop_reason,
            &mut self.request_id,
        ];
        texts.into_iter().flatten().for_each(String::shrink_to_fit);
    }
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
    /// The capture has finished and its evidence is there.
    Completed,
    /// A running capture was stopped before its time, or was about to end anyway.
    Stopped,
    /// Not captured, since there is no room.
    Skipped,
    /// Not to be captured.
    Ignored,
    Failed,
}

impl Status {
    /// `accepted`, `created`, `joined`, `completed`, `stopped`, `skipped`, `ignored`, `failed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Accepted => "accepted",
            Status::Created => "created",
            Status::Joined => "joined",
            Status::Completed => "completed",
            Status::Stopped => "stopped",
            Status::Skipped => "skipped",
            Status::Ignored => "ignored",
            Status::Failed => "failed",
        }
    }
}
