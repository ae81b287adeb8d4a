//! The lines about what changed, as they travel with a job: small, while the whole is in the record.

use super::ControlPlane;
use crate::text;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Maximum characters of a line.
const MAX_LINE: usize = 400;
/// Maximum number of lines.
const MOST_LINES: usize = 8;

/// What a job knows of the changes around its alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangesNote {
    /// When Azure was last asked.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The lines of a notification.
    #[serde(default)]
    pub lines: Vec<Box<str>>,
    /// How many changes are known.
    #[serde(default)]
    pub count: u32,
    /// Whether the whole is in the incident record.
    #[serde(default)]
    pub kept: bool,
    /// Azure was asked for the last time.
    #[serde(default)]
    pub complete: bool,
}

impl ChangesNote {
    /// The note of what was gathered.
    pub fn of(gathered: &ControlPlane) -> Self {
        let lines = gathered.told().into_iter().take(MOST_LINES);
        let count = gathered.changes.len().try_into().unwrap_or(u32::MAX);
        Self {
            at: gathered.asked_at,
            lines: lines
                .map(|line| text::clean(&line, MAX_LINE).into())
                .collect(),
            count: gathered.changes_left_out.saturating_add(count),
            kept: false,
            complete: gathered.complete,
        }
    }

    /// Puts a line before the others. `false`: it is there already.
    pub fn put_first(&mut self, line: &str) -> bool {
        let line: Box<str> = text::clean(line, MAX_LINE).into();
        if self.lines.contains(&line) {
            return false;
        }
        self.lines.insert(0, line);
        self.lines.truncate(MOST_LINES);
        true
    }

    /// Drops the line that is missed least, to make a message shorter; `false`: none is left.
    pub fn shed(&mut self) -> bool {
        self.lines.pop().is_some()
    }
}
