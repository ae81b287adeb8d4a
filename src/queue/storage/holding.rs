//! What this process holds of the queue, and the tasks that renew the messages and hand everything back.

mod poll;
mod put;

use super::{
    JOBS, StorageOptions,
    schedule::{Schedule, Turn},
    told,
    wire::Wire,
};
use crate::queue::{Message, Payload, QueueError};
use azure_storage_queue::QueueServiceClient;
use poll::{BATCH, POLL_PAUSE};
use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{sync::Notify, task::JoinSet, time::Instant};

/// Maximum number of messages held while more of other processes are polled for.
const MAX_HELD: usize = 10_000;
/// Where the Functions host puts messages that it gives up; ours go there too.
const POISON: &str = "packet-capture-jobs-poison";
/// How long deleting the messages of a rejected alert may take, and releasing all messages at the stop.
const CLEANING: Duration = Duration::from_millis(1500);
/// Before a renewal that Queue Storage did not answer is tried again.
const RENEW_PAUSE: Duration = Duration::from_secs(1);

/// The messages that this process holds, the calls to their queues, and the limits of both.
pub(super) struct Holding {
    pub jobs: Wire,
    pub poison: Wire,
    pub options: StorageOptions,
    // Held for a few map operations, never over an await.
    pub state: Mutex<State>,
    pub changed: Notify,
}

/// What changes.
pub(super) struct State {
    pub schedule: Schedule,
    /// When to ask for messages of others next, and the pause after that; `None` while a poll is under way.
    next_poll: Option<Instant>,
    poll_pause: Duration,
    pub closed: bool,
}

impl Holding {
    /// # Errors
    /// An endpoint that no client can be made for.
    pub fn new(service: &QueueServiceClient, options: StorageOptions) -> azure_core::Result<Self> {
        let state = State {
            schedule: Schedule::default(),
            next_poll: Some(Instant::now()),
            poll_pause: POLL_PAUSE.0,
            closed: false,
        };
        Ok(Self {
            jobs: Wire::new(service, JOBS)?,
            poison: Wire::new(service, POISON)?,
            options,
            state: Mutex::new(state),
            changed: Notify::new(),
        })
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics with this lock")
    }

    /// Hides a message for another visibility timeout, then puts it back into the schedule where it was.
    async fn renew(self: Arc<Self>, message: Message) {
        let start = Instant::now();
        let hidden = self.options.visibility_timeout;
        let renewed = self.rewrite(&message, None, hidden).await;
        let mut state = self.state();
        let due = state.schedule.due(&message.message_id).unwrap_or(start);
        match renewed {
            Ok(message) => state.schedule.wait(message, due, start + hidden),
            Err(QueueError::NotFound) => {
                tracing::info!(
                    message.id = message.message_id,
                    "another instance has taken over a job of this instance"
                );
                state.schedule.forget(&message);
            }
            Err(error) => {
                tracing::warn!(
                    "could not renew the visibility timeout of a job; retrying: {}",
                    told(&error)
                );
                // Hidden for as long as before, so that it is renewed before it is given out.
                let due = Instant::now() + RENEW_PAUSE;
                let hidden_until = state.schedule.hidden_until(&message).unwrap_or(start);
                state.schedule.wait(message, due, hidden_until);
            }
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Releases a job that Queue Storage did not take back: it may have been unavailable, or be deleting the queue, which
    /// takes 30 s at least. Tries until it does, as long as no other process can have the job.
    pub async fn put_back_later(self: Arc<Self>, message: Message, due: Instant) {
        loop {
            tokio::time::sleep(RENEW_PAUSE).await;
            let start = Instant::now();
            if !self.state().schedule.holds(&message, start) {
                return;
            }
            let wait = due.saturating_duration_since(start);
            let hidden = wait.saturating_add(self.options.visibility_timeout);
            let updated = self.rewrite(&message, Some(&message.job), hidden).await;
            match self.settled(&message, updated) {
                Ok(back) => {
                    let mut state = self.state();
                    state.schedule.wait(back, due, start + hidden);
                    drop(state);
                    return self.changed.notify_one();
                }
                Err(error) if error.is_temporary() => tracing::debug!("{}", told(&error)),
                Err(_) => return,
            }
        }
    }

    pub async fn move_away(&self, message: &Message, job: &Payload) -> Result<(), QueueError> {
        self.poison.put(&job.text()?, Duration::ZERO).await?;
        self.delete(message).await
    }

    /// Deletes a message; one that is gone already counts as deleted.
    pub async fn delete(&self, message: &Message) -> Result<(), QueueError> {
        match self.jobs.delete(message).await {
            Err(QueueError::Vanished) if self.state().schedule.holds(message, Instant::now()) => {
                Ok(())
            }
            Err(QueueError::Vanished) => Err(QueueError::NotFound),
            deleted => deleted,
        }
    }

    /// Writes a message again and hides it. One that vanished while this process held it was deleted with its queue: its
    /// job goes into the queue again, or its capture's end would not be notified.
    pub async fn rewrite(
        &self,
        message: &Message,
        job: Option<&Payload>,
        hidden: Duration,
    ) -> Result<Message, QueueError> {
        let text = job.map(Payload::text).transpose()?;
        let job = job.unwrap_or(&message.job);
        match self.jobs.update(message, text.as_deref(), hidden).await {
            Ok(pop_receipt) => Ok(Message {
                message_id: message.message_id.clone(),
                pop_receipt,
                delivered: message.delivered,
                job: job.clone(),
                replaces: message.replaces.clone(),
            }),
            Err(QueueError::Vanished) => {
                if !self.state().schedule.holds(message, Instant::now()) {
                    return Err(QueueError::NotFound);
                }
                tracing::warn!(
                    message.id = message.message_id,
                    "a job's message was deleted from the queue while this instance held it (was the queue deleted or cleared?); putting the job into the queue again"
                );
                let put = self.jobs.put(&job.text()?, hidden).await?;
                self.state().schedule.forget(message);
                // The first one's id, by which the record knows the job.
                let first = message.replaces.clone();
                Ok(Message {
                    replaces: first.or_else(|| Some(message.message_id.as_str().into())),
                    ..put.message(message.delivered, job.clone())
                })
            }
            Err(error) => Err(error),
        }
    }

    /// Makes messages visible to others when they are due.
    pub async fn hand_back(self: &Arc<Self>, held: Vec<(Message, Instant)>) {
        let now = Instant::now();
        let mut updates = JoinSet::new();
        for (message, due) in held {
            let holding = self.clone();
            let hidden = due.saturating_duration_since(now);
            updates.spawn(async move {
                match holding.rewrite(&message, None, hidden).await {
                    Ok(_) | Err(QueueError::NotFound) => {}
                    Err(error) => {
                        tracing::warn!(
                            "could not release a job; it becomes visible again when its visibility timeout expires: {}",
                            told(&error)
                        );
                    }
                }
            });
        }
        let all = async { while updates.join_next().await.is_some() {} };
        if tokio::time::timeout(CLEANING, all).await.is_err() {
            tracing::warn!(
                "timed out releasing jobs; they become visible again when their visibility timeouts expire"
            );
        }
    }

    /// Forgets a message that turned out to be another's, or that is gone.
    pub fn settled<T>(
        &self,
        message: &Message,
        result: Result<T, QueueError>,
    ) -> Result<T, QueueError> {
        if matches!(result, Err(QueueError::NotFound)) {
            self.state().schedule.forget(message);
        }
        result
    }

    /// A due message, or what to wait for. Renewals and polls are tasks of their own, since the future of
    /// `receive` may be dropped at any time.
    pub fn look(self: &Arc<Self>) -> Result<Message, Option<Instant>> {
        let now = Instant::now();
        let mut state = self.state();
        if state.closed {
            return Err(None);
        }
        let due = loop {
            match state
                .schedule
                .next(now, self.options.visibility_timeout / 2)
            {
                Turn::Take(message) => {
                    // Another receiver may be waiting for the next one.
                    self.changed.notify_one();
                    return Ok(message);
                }
                Turn::Renew(message) => {
                    tokio::spawn(self.clone().renew(message));
                }
                Turn::Wait(due) => break due,
            }
        };
        state.schedule.forget_abandoned(now);
        let room = MAX_HELD.saturating_sub(state.schedule.len());
        if !self.options.poll || room == 0 {
            return Err(due);
        }
        match state.next_poll {
            Some(at) if at <= now => {
                state.next_poll = None;
                tokio::spawn(self.clone().poll(room.min(BATCH)));
                Err(due)
            }
            at => Err([due, at].into_iter().flatten().min()),
        }
    }
}
