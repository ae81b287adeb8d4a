//! Where jobs wait: put in, received one at a time, hidden while somebody works on them. The words are those
//! of Azure Storage queues (visibility timeout, pop receipt), since that is what the next queue will be.

mod memory;

pub use memory::MemoryQueue;

use std::time::Duration;

/// A message that was received and is hidden from others until its visibility timeout ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Proves that this receiver has the message; another receipt comes with each receive or update.
    pub pop_receipt: u64,
    pub body: String,
}

/// Why a queue did not do as told.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    #[error("{waiting} jobs are waiting already and JobQueue__Capacity is {capacity}")]
    Full { waiting: usize, capacity: usize },
    #[error("the message is gone, or another receiver has it")]
    NotFound,
}

/// A queue of messages, delivered at least once.
#[async_trait::async_trait]
pub trait JobQueue: Send + Sync {
    /// Puts all messages in, or none of them.
    ///
    /// # Errors
    /// [`QueueError::Full`].
    async fn put(&self, bodies: Vec<String>) -> Result<(), QueueError>;

    /// Waits for a visible message and hides it for the queue's visibility timeout.
    async fn receive(&self) -> Message;

    /// Replaces a message's body and makes it visible after `visible_in`.
    ///
    /// # Errors
    /// [`QueueError::NotFound`] when the message is no longer this receiver's.
    async fn update(
        &self,
        message: &Message,
        body: String,
        visible_in: Duration,
    ) -> Result<(), QueueError>;

    /// Removes a message for good.
    ///
    /// # Errors
    /// [`QueueError::NotFound`] when the message is no longer this receiver's.
    async fn delete(&self, message: &Message) -> Result<(), QueueError>;

    /// Messages in the queue, hidden ones too.
    async fn waiting(&self) -> usize;
}
