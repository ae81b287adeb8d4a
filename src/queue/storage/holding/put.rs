//! Puts the messages of one alert into the queue: all of them, or none.

use super::{CLEANING, Holding};
use crate::queue::{
    Message, Payload, QueueError,
    storage::{told, wire::CALLS},
};
use std::sync::Arc;
use tokio::{task::JoinSet, time::Instant};

impl Holding {
    /// Puts the messages of one alert in, no more of them at once than there are calls: another alert's wait for one
    /// call, not for all of these.
    pub async fn put_all(self: Arc<Self>, jobs: Vec<(String, Payload)>) -> Result<(), QueueError> {
        let start = Instant::now();
        let hidden = self.options.visibility_timeout;
        let mut jobs = jobs.into_iter().enumerate();
        let mut puts = JoinSet::new();
        let (mut messages, mut failure) = (Vec::with_capacity(jobs.len()), None);
        loop {
            while failure.is_none() && puts.len() < CALLS {
                let Some((number, (text, job))) = jobs.next() else {
                    break;
                };
                let holding = self.clone();
                puts.spawn(async move {
                    let put = holding.jobs.put(&text, hidden).await;
                    (number, put.map(|place| place.message(0, job)))
                });
            }
            match puts.join_next().await {
                None => break,
                Some(Ok((number, Ok(message)))) => messages.push((number, message)),
                Some(Ok((_, Err(error)))) => failure = Some(error),
                Some(Err(panic)) => std::panic::resume_unwind(panic.into_panic()),
            }
        }
        if let Some(error) = failure {
            let messages = messages.into_iter().map(|(_, message)| message);
            self.take_back(messages.collect()).await;
            return Err(error);
        }
        messages.sort_by_key(|(number, _)| *number);
        let mut state = self.state();
        let alert = state.schedule.new_group();
        for (_, message) in messages {
            let hidden_until = start + hidden;
            state.schedule.wait_in(alert, message, start, hidden_until);
        }
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// The others of a put that failed in part are deleted again, as well as that goes.
    async fn take_back(self: &Arc<Self>, messages: Vec<Message>) {
        let mut deletions = JoinSet::new();
        for message in messages {
            let holding = self.clone();
            deletions.spawn(async move { holding.jobs.delete(&message).await });
        }
        let deleted = async {
            while let Some(deleted) = deletions.join_next().await {
                if let Ok(Err(error)) = deleted {
                    tracing::warn!(
                        "could not delete a message of a rejected alert; it may be processed later: {}",
                        told(&error)
                    );
                }
            }
        };
        if tokio::time::timeout(CLEANING, deleted).await.is_err() {
            tracing::warn!(
                "timed out deleting messages of a rejected alert; they may be processed later"
            );
        }
    }
}
