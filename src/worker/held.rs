//! A job's message while this instance works on it: saved at checkpoints, released, or deleted from the queue.

use super::Lanes;
use crate::{
    capture::Checkpoint,
    incident::Job,
    queue::{JobQueue, Message, QueueError},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// The places at the worker for one kind of jobs.
#[derive(Clone)]
pub(super) struct Places {
    /// Jobs whose steps are in progress.
    pub working: Arc<Semaphore>,
    /// Jobs that wait for their turn at a network watcher. They hold memory only.
    pub waiting: Arc<Semaphore>,
}

/// A job in progress: its message, and its place at the worker.
pub(super) struct Held<'a> {
    queue: &'a dyn JobQueue,
    message: Message,
    places: Places,
    /// The places for notifications.
    notifying: Places,
    /// The places for looks.
    looking: Places,
    place: Option<OwnedSemaphorePermit>,
    /// The job's turn at its network watcher, as long as it may call it.
    turn: Option<OwnedSemaphorePermit>,
    waiting: Option<OwnedSemaphorePermit>,
    stop: watch::Receiver<bool>,
}

impl<'a> Held<'a> {
    pub fn new(
        queue: &'a dyn JobQueue,
        message: Message,
        places: Places,
        lanes: &Lanes,
        place: Option<OwnedSemaphorePermit>,
        turn: Option<OwnedSemaphorePermit>,
    ) -> Self {
        Self {
            queue,
            message,
            places,
            notifying: lanes.notifying.clone(),
            looking: lanes.looking.clone(),
            place,
            turn,
            waiting: None,
            stop: lanes.stop.clone(),
        }
    }

    /// Exchanges the job's place for one of those for notifications, whose receiver may hang. The turn at the network watcher
    /// goes to another job.
    pub async fn begin_notifying(&mut self) {
        self.turn = None;
        self.places = self.notifying.clone();
        self.yield_place();
        // None: this process stops, and the notification in progress is sent all the same.
        self.take_place().await;
    }

    /// Exchanges the job's place for one of those for looks, which hold memory only. The turn at the network watcher goes to
    /// another job: a look may take minutes.
    pub fn begin_looking(&mut self) {
        self.turn = None;
        self.places = self.looking.clone();
        if let Ok(place) = self.places.working.clone().try_acquire_owned() {
            self.place = Some(place);
        }
    }

    /// Waits until this process stops.
    pub async fn stopping(&mut self) {
        // An error: the worker is gone.
        let _ = self.stop.wait_for(|stop| *stop).await;
    }

    /// Releases the job for `wait`.
    pub async fn put_back(self, job: &Arc<Job>, wait: Duration) {
        let job = job.clone().into();
        settle(self.queue.put_back(&self.message, job, wait).await);
    }

    /// Deletes the message of a copy that does not count.
    pub async fn discard(self) {
        settle(self.queue.delete(&self.message).await);
    }

    /// Deletes the job's message; one that was given up goes to the poison queue.
    pub async fn finish(self, job: &Arc<Job>) {
        settle(match job.report.given_up {
            true => self.queue.poison(&self.message, job.clone().into()).await,
            false => self.queue.delete(&self.message).await,
        });
    }
}

#[async_trait::async_trait]
impl Checkpoint for Held<'_> {
    fn yield_place(&mut self) {
        // With too many waiting, this one keeps its place: memory has a limit too.
        self.waiting = self.places.waiting.clone().try_acquire_owned().ok();
        if self.waiting.is_some() {
            self.place = None;
        }
    }

    async fn take_place(&mut self) -> bool {
        if self.waiting.take().is_some() {
            self.place = self.places.working.clone().acquire_owned().await.ok();
        }
        self.place.is_some()
    }

    async fn write(&mut self, job: &Job) -> bool {
        // A memory queue is lost with the process, so the next one has nothing to know.
        if !self.queue.is_durable() {
            return true;
        }
        match self.queue.keep(&self.message, job.clone().into()).await {
            Ok(message) => {
                self.message = message;
                true
            }
            Err(QueueError::NotFound) => false,
            // Evidence comes first: a second capture after a crash does less harm than none.
            Err(error) => {
                tracing::warn!(
                    "could not save the job before creating the capture; continuing without a checkpoint: {error}"
                );
                true
            }
        }
    }
}

/// A message that could not be updated is redelivered when its visibility timeout expires.
pub(super) fn settle(result: Result<(), QueueError>) {
    if let Err(error) = result {
        tracing::warn!("could not update the job's queue message; it will be redelivered: {error}");
    }
}
