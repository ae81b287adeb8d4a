//! A job's message while somebody works on it: written down at checkpoints, put back, or taken out of the queue.

use crate::{
    capture::Checkpoint,
    incident::Job,
    queue::{JobQueue, Message, QueueError},
};
use std::time::Duration;

/// See the file's head.
pub(super) struct Held<'a> {
    queue: &'a dyn JobQueue,
    message: Message,
}

impl<'a> Held<'a> {
    pub fn new(queue: &'a dyn JobQueue, message: Message) -> Self {
        Self { queue, message }
    }

    /// Lets go of the job until `wait` is over.
    pub async fn put_back(self, job: &Job, wait: Duration) {
        if let Some(body) = written(job) {
            settle(self.queue.put_back(&self.message, body, wait).await);
        }
    }

    /// Takes the job out of the queue; one that was given up goes where people look for such.
    pub async fn finish(self, job: &Job) {
        let given_up = job.report.given_up.then(|| written(job)).flatten();
        settle(match given_up {
            Some(body) => self.queue.poison(&self.message, body).await,
            None => self.queue.delete(&self.message).await,
        });
    }
}

#[async_trait::async_trait]
impl Checkpoint for Held<'_> {
    async fn write(&mut self, job: &Job) -> bool {
        // What is lost with the process need not be known to the next one.
        if !self.queue.is_durable() {
            return true;
        }
        let Some(body) = written(job) else {
            return true;
        };
        match self.queue.keep(&self.message, body).await {
            Ok(message) => {
                self.message = message;
                true
            }
            Err(QueueError::NotFound) => false,
            // Evidence comes first: a second capture after a crash does less harm than none.
            Err(error) => {
                tracing::warn!(
                    "the job could not be written down, its capture is made all the same: {error}"
                );
                true
            }
        }
    }
}

fn written(job: &Job) -> Option<String> {
    match serde_json::to_string(job) {
        Ok(body) => Some(body),
        Err(error) => {
            tracing::error!("a job cannot be written down: {error}");
            None
        }
    }
}

/// A message that the queue does not take back comes again by itself.
pub(super) fn settle(result: Result<(), QueueError>) {
    if let Err(error) = result {
        tracing::warn!("the queue did not take a job back: {error}");
    }
}
