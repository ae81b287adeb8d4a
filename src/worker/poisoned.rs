//! Jobs that the Functions host gave up. It moves a message to the poison queue when its trigger was refused too often or
//! the process ended each time, and says so to no process: this one checks, and notifies people.
//! <https://learn.microsoft.com/en-us/azure/azure-functions/functions-bindings-storage-queue-trigger#poison-messages>

use super::Worker;
use crate::{
    incident::{CopyId, Deliveries, Job, Phase},
    queue::{Message, Payload, QueueError},
};
use std::{sync::Arc, time::Duration};

const MOVED: &str =
    "the Functions host moved its message to the poison queue after several attempts";
/// Maximum number of reads of the poison queue in one check, of 32 messages each.
const READS: usize = 16;

impl Worker {
    /// Checks the poison queue from time to time. Never ends.
    pub(super) async fn watch_poison_queue(&self, interval: Duration) {
        let mut known = 0;
        loop {
            tokio::time::sleep(interval).await;
            // What is there was seen already, unless there is more of it.
            let checked = match self.queue.poisoned().await {
                Ok(count) if count > known => self.check_poisoned().await.map(|()| count),
                counted => counted,
            };
            match checked {
                Ok(count) => known = count,
                Err(error) => tracing::warn!("could not check the poison queue; retrying: {error}"),
            }
        }
    }

    /// Notifies of each job in the poison queue, once.
    async fn check_poisoned(&self) -> Result<(), QueueError> {
        let mut seen = Vec::new();
        for _ in 0..READS {
            match self.queue.receive_poisoned().await? {
                messages if messages.is_empty() => break,
                messages => seen.extend(messages),
            }
        }
        let mut result = Ok(());
        for message in &seen {
            let checked = match self.notify_poisoned(message).await {
                Ok(written) => self.queue.show_poisoned(message, written.as_ref()).await,
                Err(error) => Err(error),
            };
            match checked {
                // Another instance is faster, or an operator has removed it.
                Ok(()) | Err(QueueError::NotFound | QueueError::Vanished) => {}
                failed => result = failed,
            }
        }
        result
    }

    /// Puts a job into the job queue that only notifies of this one's end. Returns what the poison queue keeps, so that no
    /// other check notifies again; `None`: it is no job, or people were notified.
    async fn notify_poisoned(&self, message: &Message) -> Result<Option<Payload>, QueueError> {
        let Ok(mut shared) = message.job.job() else {
            return Ok(None);
        };
        let looked = shared.phase.is_looking();
        if shared.report.finished && !looked {
            return Ok(None);
        }
        let copy = CopyId::new(rand::random());
        let (id, machine) = (shared.job_id, shared.target.id.clone());
        if !self.incidents.replace(&machine, id, copy).await {
            return Ok(None);
        }
        let job: &mut Job = Arc::make_mut(&mut shared);
        job.copy = copy;
        if looked {
            self.end_look(job);
        } else {
            self.capturer.abandon(job, MOVED);
            job.phase = Phase::Notifying;
        }
        job.failures = 0;
        job.unfinished = Deliveries::default();
        tracing::error!(job.id = %job.job_id, resource.id = %job.target.id, "{}", job.report.message);
        let kept = Payload::from(job.clone());
        // Its message is in the poison queue already.
        job.report.given_up = false;
        self.ledger.record(&shared);
        self.queue.put(vec![shared.into()]).await?;
        Ok(Some(kept))
    }
}
