//! Where jobs wait: put in, received one at a time, hidden while a worker has them. The words are those
//! of Azure Storage queues (visibility timeout, pop receipt), which one of the two queues is.

mod memory;
mod payload;
mod storage;
mod turns;

pub use memory::MemoryQueue;
pub use payload::Payload;
pub use storage::{StorageOptions, StorageQueue};

use std::{error::Error, time::Duration};

/// Maximum size of a message's text: what Queue Storage takes, less its base64.
/// <https://learn.microsoft.com/en-us/rest/api/storageservices/put-message>
pub const MAX_BODY_BYTES: usize = 64 * 1024 / 4 * 3;

/// A message that was received and is hidden from others until its visibility timeout ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Stays the same as long as the message lives.
    pub message_id: String,
    /// Proves that this receiver has the message; another receipt comes with each receive and each writing.
    pub pop_receipt: String,
    /// How often the queue has delivered it, this time included; 0 for one that this process put in and still holds.
    pub delivered: u32,
    pub job: Payload,
    /// The message that this one replaces, which was deleted while this process held it.
    pub replaces: Option<Box<str>>,
}

/// Why a call to a queue failed.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    #[error("the message is gone, or another receiver has it")]
    NotFound,
    /// No receiver can have had it: the queue was deleted or cleared.
    #[error("the message was deleted while this process held it")]
    Vanished,
    #[error("a message of {bytes} bytes does not go into the queue, which takes {limit}")]
    TooLarge { bytes: usize, limit: usize },
    #[error("could not serialize a job: {0}")]
    NotWritten(#[from] serde_json::Error),
    #[error("could not {tried} (queue {queue})")]
    Unavailable {
        /// What was tried, such as `put a message`.
        tried: &'static str,
        /// The address of the queue, without any secret.
        queue: String,
        /// The HTTP status, if there was an answer.
        status: Option<u16>,
        source: Box<dyn Error + Send + Sync>,
    },
}

impl QueueError {
    /// The HTTP status of a refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Unavailable { status, .. } => *status,
            _ => None,
        }
    }

    /// Whether the same may go well later.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// A queue of jobs, delivered at least once.
#[async_trait::async_trait]
pub trait JobQueue: Send + Sync {
    /// Puts all jobs of one alert in, or none of them. This process holds them: [`JobQueue::receive`] gives them
    /// to it at once, in turn with those of other alerts; other processes see them when the visibility timeout has
    /// passed. A queue has no capacity of its own: how much new work is accepted is decided before
    /// (`incident::Ledger::open`), and what was accepted once always gets in.
    ///
    /// # Errors
    /// [`QueueError::TooLarge`] where jobs leave the process; [`QueueError::Unavailable`].
    async fn put(&self, jobs: Vec<Payload>) -> Result<(), QueueError>;

    /// Waits for a message whose time has come. At least half of its visibility timeout is left then.
    async fn receive(&self) -> Message;

    /// Replaces what a message carries and keeps holding it, for the whole visibility timeout. Gives the message with its
    /// new receipt.
    ///
    /// # Errors
    /// [`QueueError::NotFound`] when the message is no longer this receiver's; else as [`JobQueue::put`].
    async fn keep(&self, message: &Message, job: Payload) -> Result<Message, QueueError>;

    /// Replaces what a message carries; [`JobQueue::receive`] gives it again after `wait`.
    ///
    /// # Errors
    /// As [`JobQueue::keep`].
    async fn put_back(
        &self,
        message: &Message,
        job: Payload,
        wait: Duration,
    ) -> Result<(), QueueError>;

    /// Removes a message for good.
    ///
    /// # Errors
    /// As [`JobQueue::keep`].
    async fn delete(&self, message: &Message) -> Result<(), QueueError>;

    /// Removes an invalid job message: into the poison queue where there is one.
    ///
    /// # Errors
    /// As [`JobQueue::keep`].
    async fn poison(&self, message: &Message, job: Payload) -> Result<(), QueueError>;

    /// Messages in the poison queue, about; none where there is no such queue.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`].
    async fn poisoned(&self) -> Result<usize, QueueError> {
        Ok(0)
    }

    /// Messages of the poison queue, hidden from other receivers for a minute.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`].
    async fn receive_poisoned(&self) -> Result<Vec<Message>, QueueError> {
        Ok(Vec::new())
    }

    /// Makes a message of the poison queue visible again, with another job if there is one.
    ///
    /// # Errors
    /// As [`JobQueue::keep`].
    async fn show_poisoned(
        &self,
        _message: &Message,
        _job: Option<&Payload>,
    ) -> Result<(), QueueError> {
        Err(QueueError::NotFound)
    }

    /// Messages in the queue, hidden ones too. Queue Storage gives an approximation.
    async fn waiting(&self) -> usize;

    /// Hands back what this process holds, so that others see it when it is due. For the stop.
    async fn close(&self);

    /// Whether messages outlive the process.
    fn is_durable(&self) -> bool;
}
