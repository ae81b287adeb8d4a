//! The queue of a single process: fast, needs nothing, and is lost with the process.

use super::{
    JobQueue, Message, Payload, QueueError,
    turns::{Group, Turns},
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};

/// Long enough for any step of a job; the worker of this process never comes near it.
const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(600);
/// The longest time that Azure Queue Storage hides a message, too.
const LONGEST_WAIT: Duration = Duration::from_secs(7 * 24 * 3600);

/// The queue of a single process, lost with it.
#[derive(Default)]
pub struct MemoryQueue {
    // Held for a few map operations, never over an await.
    state: Mutex<State>,
    changed: Notify,
}

/// When a message is visible, then its last receipt: the order in which messages become due.
type Place = (Instant, u64);

struct Stored {
    id: u64,
    group: Group,
    delivered: u32,
    job: Payload,
}

#[derive(Default)]
struct State {
    last_receipt: u64,
    last_id: u64,
    messages: BTreeMap<Place, Stored>,
    /// Messages that are due, by rank and receipt: the order in which they are given out.
    due: BTreeMap<(u64, u64), Stored>,
    turns: Turns,
    /// Pop receipt to the message's place in `messages`.
    received: BTreeMap<String, Place>,
}

impl State {
    fn insert(&mut self, visible_at: Instant, message: Stored) -> Place {
        self.last_receipt += 1;
        let place = (visible_at, self.last_receipt);
        self.messages.insert(place, message);
        place
    }

    /// Puts a message in as one that its receiver holds from `now` on.
    fn hold(&mut self, now: Instant, stored: Stored) -> Message {
        let (id, delivered, job) = (stored.id, stored.delivered, stored.job.clone());
        let place = self.insert(now + VISIBILITY_TIMEOUT, stored);
        let pop_receipt = place.1.to_string();
        self.received.insert(pop_receipt.clone(), place);
        Message {
            message_id: id.to_string(),
            pop_receipt,
            delivered,
            job,
            replaces: None,
        }
    }

    fn put(&mut self, jobs: Vec<Payload>) {
        let now = Instant::now();
        let group = self.turns.new_group();
        for job in jobs {
            self.last_id += 1;
            let stored = Stored {
                id: self.last_id,
                group,
                delivered: 0,
                job,
            };
            self.insert(now, stored);
        }
    }

    /// The message whose turn it is among those that are due.
    fn next(&mut self, now: Instant) -> Option<Stored> {
        while let Some(first) = self.messages.first_entry()
            && first.key().0 <= now
        {
            let ((_, receipt), stored) = first.remove_entry();
            // A receiver that never came back loses its claim here.
            self.received.remove(&receipt.to_string());
            let rank = self.turns.rank(stored.group);
            self.due.insert((rank, receipt), stored);
        }
        let ((rank, _), stored) = self.due.pop_first()?;
        self.turns.given_out(rank);
        Some(stored)
    }

    fn len(&self) -> usize {
        self.messages.len() + self.due.len()
    }

    fn take(&mut self, message: &Message) -> Result<Stored, QueueError> {
        let receipt = &message.pop_receipt;
        let place = self.received.remove(receipt).ok_or(QueueError::NotFound)?;
        self.messages.remove(&place).ok_or(QueueError::NotFound)
    }
}

impl MemoryQueue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics with this lock")
    }

    /// The next visible message, or when to look again.
    fn try_receive(&self, now: Instant) -> Result<Message, Option<Instant>> {
        let mut state = self.state();
        match state.next(now) {
            Some(stored) => {
                let delivered = stored.delivered.saturating_add(1);
                Ok(state.hold(
                    now,
                    Stored {
                        delivered,
                        ..stored
                    },
                ))
            }
            None => Err(state.messages.keys().next().map(|place| place.0)),
        }
    }
}

#[async_trait::async_trait]
impl JobQueue for MemoryQueue {
    async fn put(&self, jobs: Vec<Payload>) -> Result<(), QueueError> {
        let mut state = self.state();
        state.put(jobs);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    async fn receive(&self) -> Message {
        loop {
            match self.try_receive(Instant::now()) {
                Ok(message) => return message,
                Err(None) => self.changed.notified().await,
                Err(Some(visible_at)) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(visible_at) => {}
                        () = self.changed.notified() => {}
                    }
                }
            }
        }
    }

    async fn keep(&self, message: &Message, job: Payload) -> Result<Message, QueueError> {
        let mut state = self.state();
        let taken = state.take(message)?;
        Ok(state.hold(Instant::now(), Stored { job, ..taken }))
    }

    async fn put_back(
        &self,
        message: &Message,
        job: Payload,
        wait: Duration,
    ) -> Result<(), QueueError> {
        let mut state = self.state();
        let taken = state.take(message)?;
        let stored = Stored { job, ..taken };
        // A wait beyond what the clock can count counts as for ever.
        let now = Instant::now();
        let due = now.checked_add(wait.min(LONGEST_WAIT)).unwrap_or(now);
        state.insert(due, stored);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    async fn delete(&self, message: &Message) -> Result<(), QueueError> {
        self.state().take(message).map(drop)
    }

    /// There is no second queue in memory, and the log is the only witness.
    async fn poison(&self, message: &Message, job: Payload) -> Result<(), QueueError> {
        self.delete(message).await?;
        let bytes = job.text().map_or(0, |text| text.len());
        tracing::error!(
            message.id = message.message_id,
            "removed an invalid job message from the memory queue; it had {bytes} bytes"
        );
        Ok(())
    }

    async fn waiting(&self) -> usize {
        self.state().len()
    }

    async fn close(&self) {}

    fn is_durable(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn messages_come_back_when_visible_and_go_when_deleted() {
        let queue = MemoryQueue::default();
        queue.put(vec!["a".into(), "b".into()]).await.unwrap();
        let a = queue.receive().await;
        assert_eq!(a.job, "a".into());
        let later = Duration::from_secs(30);
        queue.put_back(&a, "a2".into(), later).await.unwrap();
        assert!(matches!(queue.delete(&a).await, Err(QueueError::NotFound)));
        let b = queue.receive().await;
        assert_eq!(b.job, "b".into());
        let kept = queue.keep(&b, "b2".into()).await.unwrap();
        assert_eq!((&kept.message_id, &kept.job), (&b.message_id, &"b2".into()));
        assert!(matches!(queue.delete(&b).await, Err(QueueError::NotFound)));
        let b = kept;
        queue.delete(&b).await.unwrap();
        let start = Instant::now();
        let a = queue.receive().await;
        assert_eq!((a.job.clone(), start.elapsed()), ("a2".into(), later));
        queue.delete(&a).await.unwrap();
        assert_eq!(queue.waiting().await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn an_abandoned_message_is_delivered_again() {
        let queue = MemoryQueue::default();
        queue.put(vec!["a".into()]).await.unwrap();
        let first = queue.receive().await;
        let second = queue.receive().await;
        assert_eq!(second.job, "a".into());
        assert!(matches!(
            queue.delete(&first).await,
            Err(QueueError::NotFound)
        ));
        queue.delete(&second).await.unwrap();
    }
}
