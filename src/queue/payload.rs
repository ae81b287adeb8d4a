//! What a message carries. A job that stays in its process is handed over as a value; it becomes text where it leaves the
//! process, and is read from text, cleaned, where it enters one. Writing and reading it at each hand-over was a fifth of
//! what an alert costs.

use super::{MAX_BODY_BYTES, QueueError};
use crate::incident::{InvalidJob, Job};
use std::{borrow::Cow, sync::Arc};

/// What a message carries.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// A job of this process.
    Job(Arc<Job>),
    /// What a message from storage holds: a job that another process or version wrote, or anything else. Boxed, since a
    /// string that was written into has room for as much again.
    Text(Box<str>),
}

impl Payload {
    /// The job that the message carries.
    ///
    /// # Errors
    /// A text that is not a job's: see [`Job::from_message`].
    pub fn job(&self) -> Result<Arc<Job>, InvalidJob> {
        match self {
            Self::Job(job) => Ok(job.clone()),
            Self::Text(text) => Job::from_message(text).map(Arc::new),
        }
    }

    /// The text that a message of a storage queue holds. A job that is too long for one sheds texts that only people
    /// read.
    ///
    /// # Errors
    /// [`QueueError::TooLarge`], and [`QueueError::NotWritten`], which no job can cause.
    pub fn text(&self) -> Result<Cow<'_, str>, QueueError> {
        let text = match self {
            Self::Job(job) => job.to_message(MAX_BODY_BYTES)?.into(),
            Self::Text(text) => Cow::from(&**text),
        };
        let limit = MAX_BODY_BYTES;
        match text.len() {
            bytes if bytes > limit => Err(QueueError::TooLarge { bytes, limit }),
            _ => Ok(text),
        }
    }
}

impl From<Arc<Job>> for Payload {
    fn from(job: Arc<Job>) -> Self {
        Self::Job(job)
    }
}

impl From<Job> for Payload {
    fn from(job: Job) -> Self {
        Self::Job(Arc::new(job))
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<&str> for Payload {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}
