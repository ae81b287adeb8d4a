//! How far the comment on a job's Azure alert is. It is stored with the job before each attempt, so that a process that ends
//! in one leads to one more comment at most.

use serde::{Deserialize, Serialize};

/// Maximum attempts, over all processes: one, and one more.
const MOST_ATTEMPTS: u8 = 2;

/// The comment of a job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CommentState {
    /// How many other machines the alert names. `None`: another job of the alert writes the comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub others: Option<u16>,
    /// Attempts that were begun.
    pub attempts: u8,
    /// Written or given up.
    pub done: bool,
}

impl CommentState {
    /// Of the first job of an alert with this number of machines.
    pub fn of_first(machines: usize) -> Self {
        let others = machines.saturating_sub(1);
        Self {
            others: Some(u16::try_from(others).unwrap_or(u16::MAX)),
            ..Self::default()
        }
    }

    /// Whether nothing is to be stored.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Counts an attempt that is about to be made. `false`: there were enough.
    pub fn begin(&mut self) -> bool {
        if self.done || self.attempts >= MOST_ATTEMPTS {
            return false;
        }
        self.attempts = self.attempts.saturating_add(1);
        true
    }

    /// Whether a further attempt may be made.
    pub fn may_try_again(&self) -> bool {
        !self.done && self.attempts < MOST_ATTEMPTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_attempted_twice_at_most() {
        let mut comment = CommentState::of_first(1);
        assert_eq!(comment.others, Some(0));
        assert!(comment.begin() && comment.may_try_again());
        // What another process reads after this one was killed.
        let stored = serde_json::to_string(&comment).unwrap();
        let mut comment: CommentState = serde_json::from_str(&stored).unwrap();
        assert!(comment.begin() && !comment.may_try_again());
        assert!(!comment.begin());
        let mut written = CommentState::of_first(70_000);
        assert_eq!(written.others, Some(u16::MAX));
        written.done = true;
        assert!(!written.begin());
        assert!(CommentState::default().is_default());
    }
}
