//! The queue of a single process: fast, needs nothing, and is lost with the process.

use super::{JobQueue, Message, QueueError};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};

/// Long enough for any step of a job; the worker of this process never comes near it.
const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(600);

/// See the file's head.
pub struct MemoryQueue {
    capacity: usize,
    // Held for a few map operations, never over an await.
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    last_receipt: u64,
    /// By the instant at which the message is visible, then by age.
    messages: BTreeMap<(Instant, u64), String>,
    /// Pop receipt to the message's place in `messages`.
    received: BTreeMap<u64, (Instant, u64)>,
}

impl State {
    fn insert(&mut self, visible_at: Instant, body: String) -> (Instant, u64) {
        self.last_receipt += 1;
        let key = (visible_at, self.last_receipt);
        self.messages.insert(key, body);
        key
    }

    fn take(&mut self, receipt: u64) -> Result<String, QueueError> {
        let key = self.received.remove(&receipt).ok_or(QueueError::NotFound)?;
        self.messages.remove(&key).ok_or(QueueError::NotFound)
    }
}

impl MemoryQueue {
    /// `capacity`: messages at most.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            state: Mutex::default(),
            changed: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics with this lock")
    }

    /// The next visible message, or when to look again.
    fn try_receive(&self, now: Instant) -> Result<Message, Option<Instant>> {
        let mut state = self.state();
        match state.messages.keys().next().copied() {
            Some(key) if key.0 <= now => {
                // A receiver that never came back loses its claim here.
                state.received.retain(|_, claimed| *claimed != key);
                let body = state.messages.remove(&key).unwrap_or_default();
                let key = state.insert(now + VISIBILITY_TIMEOUT, body.clone());
                state.received.insert(key.1, key);
                Ok(Message {
                    pop_receipt: key.1,
                    body,
                })
            }
            other => Err(other.map(|key| key.0)),
        }
    }
}

#[async_trait::async_trait]
impl JobQueue for MemoryQueue {
    async fn put(&self, bodies: Vec<String>) -> Result<(), QueueError> {
        let mut state = self.state();
        let waiting = state.messages.len();
        if waiting + bodies.len() > self.capacity {
            return Err(QueueError::Full {
                waiting,
                capacity: self.capacity,
            });
        }
        let now = Instant::now();
        for body in bodies {
            state.insert(now, body);
        }
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

    async fn update(
        &self,
        message: &Message,
        body: String,
        visible_in: Duration,
    ) -> Result<(), QueueError> {
        let mut state = self.state();
        state.take(message.pop_receipt)?;
        state.insert(Instant::now() + visible_in, body);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    async fn delete(&self, message: &Message) -> Result<(), QueueError> {
        self.state().take(message.pop_receipt).map(drop)
    }

    async fn waiting(&self) -> usize {
        self.state().messages.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn messages_come_back_when_visible_and_go_when_deleted() {
        let queue = MemoryQueue::new(2);
        queue.put(vec!["a".into(), "b".into()]).await.unwrap();
        assert!(matches!(
            queue.put(vec!["c".into()]).await,
            Err(QueueError::Full {
                waiting: 2,
                capacity: 2
            })
        ));
        let a = queue.receive().await;
        assert_eq!(a.body, "a");
        let later = Duration::from_secs(30);
        queue.update(&a, "a2".into(), later).await.unwrap();
        assert!(matches!(queue.delete(&a).await, Err(QueueError::NotFound)));
        let b = queue.receive().await;
        assert_eq!(b.body, "b");
        queue.delete(&b).await.unwrap();
        let start = Instant::now();
        let a = queue.receive().await;
        assert_eq!((a.body.as_str(), start.elapsed()), ("a2", later));
        queue.delete(&a).await.unwrap();
        assert_eq!(queue.waiting().await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn an_abandoned_message_is_delivered_again() {
        let queue = MemoryQueue::new(1);
        queue.put(vec!["a".into()]).await.unwrap();
        let first = queue.receive().await;
        let second = queue.receive().await;
        assert_eq!(second.body, "a");
        assert!(matches!(
            queue.delete(&first).await,
            Err(QueueError::NotFound)
        ));
        queue.delete(&second).await.unwrap();
    }
}
