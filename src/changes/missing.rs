//! What could not be read around an alert: a line in the record, never a failure.

use crate::text;
use serde::{Deserialize, Serialize};

/// One source that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Missing {
    /// What is not known without it, as people call it: `activity log`.
    pub source: Box<str>,
    /// The action that its call needs, such as `Microsoft.Insights/metrics/read`.
    pub action: Box<str>,
    pub cause: Cause,
    /// Azure's code, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Box<str>>,
}

/// Why a source could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// The identity may not.
    Right,
    /// Azure asks for a pause.
    Throttled,
    /// Not answered in time.
    NoAnswer,
    /// Too many incidents at once.
    Busy,
    /// Azure refused for another reason.
    #[serde(other)]
    Refused,
}

impl Missing {
    /// A source that could not be read; `code` is Azure's.
    pub fn new(source: &str, action: &str, cause: Cause, code: Option<&str>) -> Self {
        Self {
            source: source.into(),
            action: action.into(),
            cause,
            code: code
                .and_then(|code| text::cleaned(code, text::WORD))
                .map(Into::into),
        }
    }

    /// The line for the record.
    pub fn sentence(&self) -> String {
        let Self { source, action, .. } = self;
        let code = match &self.code {
            Some(code) => format!(" ({code})"),
            None => String::new(),
        };
        match self.cause {
            Cause::Right => {
                format!("Could not read the {source}: the identity lacks the permission {action}.")
            }
            Cause::Throttled => {
                format!("Could not read the {source}: Azure asks for a pause{code}.")
            }
            Cause::NoAnswer => format!("Could not read the {source}: no answer in time{code}."),
            Cause::Busy => {
                format!("Did not read the {source}: too many incidents at the same time.")
            }
            Cause::Refused => format!("Could not read the {source}: Azure refused{code}."),
        }
    }
}
