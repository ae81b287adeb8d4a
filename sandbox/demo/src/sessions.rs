//! Detects that capture sessions begin and end by comparing what is there now with what was there before.

use azure_sandbox::{CaptureView, SessionStatus};
use std::collections::HashMap;

/// What happened to a session.
#[derive(Debug, PartialEq, Eq)]
pub enum Change {
    Began,
    Continues,
    Ended,
}

/// The sessions seen so far.
#[derive(Default)]
pub struct Sessions {
    seen: HashMap<String, SessionStatus>,
}

impl Sessions {
    /// Those that had ended before are no news.
    pub fn among(captures: &[CaptureView]) -> Self {
        let mut sessions = Self::default();
        for capture in captures {
            sessions.seen.insert(key(capture), capture.status);
        }
        sessions
    }

    /// What has happened to this one since the last look.
    pub fn change(&mut self, capture: &CaptureView) -> Option<Change> {
        let before = self.seen.insert(key(capture), capture.status);
        let running = |status: SessionStatus| status == SessionStatus::Running;
        match (before.is_some_and(running), capture.status) {
            (false, SessionStatus::Running) => Some(Change::Began),
            (true, SessionStatus::Running) => Some(Change::Continues),
            (_, SessionStatus::NotStarted) => None,
            (_, status) => (before != Some(status)).then_some(Change::Ended),
        }
    }
}

/// A capture's id is its successor's too; the file's path is not.
pub fn key(capture: &CaptureView) -> String {
    let path = capture.storage_path.as_deref().unwrap_or_default();
    format!("{} {path}", capture.id)
}
