//! Messages that this process did not put in: those that others left, and those in the poison queue.

use super::{Holding, POISON};
use crate::queue::{
    Message, Payload, QueueError,
    storage::{told, wire::Received},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use rand::RngExt;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// What Queue Storage gives at once at most.
pub(super) const BATCH: usize = 32;
/// Between two polls that found nothing: the first pause, doubled up to the last.
pub(super) const POLL_PAUSE: (Duration, Duration) =
    (Duration::from_millis(100), Duration::from_secs(5));
/// How long messages of the poison queue are hidden while this process reads them.
const READING: Duration = Duration::from_secs(60);
impl Holding {
    /// See [`crate::queue::JobQueue::receive_poisoned`]. What is not base64 is left alone.
    pub async fn receive_poisoned(&self) -> Result<Vec<Message>, QueueError> {
        let received = self.poison.get(BATCH, READING).await?;
        let messages = received.into_iter();
        Ok(messages.filter_map(|it| decoded(it).ok()).collect())
    }

    /// Asks for messages that others left and holds them.
    pub(super) async fn poll(self: Arc<Self>, most: usize) {
        let start = Instant::now();
        let hidden = self.options.visibility_timeout;
        let polled = self.jobs.get(most, hidden).await;
        let received = match polled {
            Ok(received) => received,
            Err(error) => {
                tracing::warn!("could not poll the job queue; retrying: {}", told(&error));
                Vec::new()
            }
        };
        let found = received.len();
        let mut messages = Vec::with_capacity(found);
        for received in received {
            match decoded(received) {
                Ok(message) => messages.push(message),
                Err(received) => self.turn_away(received).await,
            }
        }
        let closed = {
            let mut state = self.state();
            let pause = state.poll_pause.mul_f64(rand::rng().random_range(0.8..1.2));
            state.poll_pause = match found {
                0 => (state.poll_pause * 2).min(POLL_PAUSE.1),
                _ => POLL_PAUSE.0,
            };
            state.next_poll =
                Some(Instant::now() + if found == 0 { pause } else { Duration::ZERO });
            if !state.closed {
                for message in messages.drain(..) {
                    state.schedule.wait(message, start, start + hidden);
                }
            }
            state.closed
        };
        if closed {
            self.hand_back(
                messages
                    .into_iter()
                    .map(|message| (message, start))
                    .collect(),
            )
            .await;
        }
        self.changed.notify_one();
    }

    /// What is not base64 was not put in by us nor by the Functions host.
    async fn turn_away(&self, received: Received) {
        tracing::error!(
            message.id = received.message_id,
            "moved an invalid message to the queue {POISON}: it is not base64 of a text"
        );
        let text = Payload::from(received.text.as_str());
        let message = received.message(text);
        if let Err(error) = self.move_away(&message, &message.job).await {
            tracing::warn!(
                "could not move an invalid message to the queue {POISON}; retrying when it becomes visible again: {}",
                told(&error)
            );
        }
    }
}

fn decoded(received: Received) -> Result<Message, Received> {
    let text = BASE64_STANDARD
        .decode(received.text.trim())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    match text {
        Some(text) => Ok(received.message(text.into())),
        None => Err(received),
    }
}
