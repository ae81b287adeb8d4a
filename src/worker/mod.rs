//! Receives jobs from the queue and takes them step by step until their result is delivered. What a step does is the
//! capture room's business; the worker knows when to take the next one, how failures count, and whom to notify.

mod delivery;
mod held;
mod walk;

use crate::{
    capture::Capturer,
    incident::{Job, Ledger, Retry},
    notify::Notifier,
    queue::{JobQueue, Message},
    telemetry::{Metrics, continue_trace, describe},
};
use held::Held;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
};
use tracing::Instrument;

/// Maximum number of jobs in progress up to the create, and again after it. Most wait for their turn at a network
/// watcher; calls to Azure have limits of their own.
const JOBS_AT_ONCE: usize = 256;

/// Takes jobs step by step; see the module.
pub struct Worker {
    pub queue: Arc<dyn JobQueue>,
    pub capturer: Capturer,
    pub ledger: Arc<Ledger>,
    pub notifier: Arc<dyn Notifier>,
    pub metrics: Arc<Metrics>,
    pub retry: Retry,
}

impl Worker {
    /// Works until `stop` is set, then lets the steps in progress finish.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let urgent = Arc::new(Semaphore::new(JOBS_AT_ONCE));
        let others = Arc::new(Semaphore::new(JOBS_AT_ONCE));
        let mut jobs = JoinSet::new();
        loop {
            let received = async {
                let place = urgent.clone().acquire_owned().await;
                (place, self.queue.receive().await)
            };
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                (Ok(place), message) = received => {
                    jobs.spawn(self.clone().take_up(message, place, others.clone()));
                }
                Some(ended) = jobs.join_next() => {
                    if let Err(error) = ended {
                        tracing::error!("internal error in a step of a job; the job becomes visible again when its visibility timeout expires: {error}");
                    }
                }
            }
        }
        others.close();
        while jobs.join_next().await.is_some() {}
    }

    /// `place` is for urgent jobs. Any other gives it back before it waits for one of `others`, or in a storm the polls
    /// of running captures would keep new alerts out.
    async fn take_up(
        self: Arc<Self>,
        message: Message,
        place: OwnedSemaphorePermit,
        others: Arc<Semaphore>,
    ) {
        match serde_json::from_str::<Job>(&message.body) {
            Ok(job) => {
                let _place = match job.phase.patience().urgent {
                    true => place,
                    false => {
                        drop(place);
                        match others.acquire_owned().await {
                            Ok(place) => place,
                            // This process stops.
                            Err(_) => {
                                let held = Held::new(self.queue.as_ref(), message);
                                return held.put_back(&job, Duration::ZERO).await;
                            }
                        }
                    }
                };
                let span = tracing::info_span!(
                    "job",
                    job.id = %job.job_id,
                    resource.id = %job.target.id,
                    alert.rule = job.rule(),
                    attempt = job.failures + 1,
                );
                continue_trace(&span, job.trace_parent.as_deref(), None);
                describe(&span, "alert.id", job.alert.alert_id.as_deref());
                // Boxed: the runtime moves a task several times, and this one has 10 KB.
                Box::pin(self.walk(message, job)).instrument(span).await;
            }
            Err(error) => {
                tracing::error!("moved an invalid job message to the poison queue: {error}");
                let body = message.body.clone();
                held::settle(self.queue.poison(&message, body).await);
            }
        }
    }
}
