//! The messages of recent incidents that this process posted, and whose turn it is to post to one. The record of an
//! incident has its message too, but two jobs of one process may report within the time that writing it takes.

use crate::incident::Thread;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Maximum number of incidents whose messages are kept; an older one's is in the record.
const MOST: usize = 1_000;

/// The messages of recent incidents, the newest last.
#[derive(Default)]
pub(super) struct Threads {
    // Held for a few steps through a list, never over an await.
    known: Mutex<VecDeque<(Box<str>, Arc<Place>)>>,
}

struct Place {
    turn: Arc<Semaphore>,
    thread: Mutex<Option<Thread>>,
}

/// The turn of one notification at the message of its incident; the next one waits until it is dropped.
pub(super) struct Turn {
    place: Arc<Place>,
    thread: Option<Thread>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Threads {
    /// Waits for the turn at the message of an incident.
    pub async fn turn(&self, incident: &str) -> Turn {
        let place = self.place(incident);
        // Nothing closes it.
        let permit = place.turn.clone().acquire_owned().await.ok();
        let thread = lock(&place.thread).clone();
        Turn {
            place,
            thread,
            _permit: permit,
        }
    }

    fn place(&self, incident: &str) -> Arc<Place> {
        let mut known = lock(&self.known);
        if let Some((_, place)) = known.iter().rev().find(|(it, _)| **it == *incident) {
            return place.clone();
        }
        if known.len() >= MOST {
            known.pop_front();
        }
        let place = Arc::new(Place {
            turn: Arc::new(Semaphore::new(1)),
            thread: Mutex::default(),
        });
        known.push_back((incident.into(), place.clone()));
        place
    }
}

impl Turn {
    /// The incident's message, if this process knows it.
    pub fn thread(&self) -> Option<&Thread> {
        self.thread.as_ref()
    }

    /// The incident's message from now on.
    pub fn keep(&mut self, thread: Thread) {
        *lock(&self.place.thread) = Some(thread);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no code panics with this lock")
}
