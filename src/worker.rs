//! Takes jobs from the queue and walks them step by step until they are done or given up. Jobs for different
//! network watchers run side by side.

use crate::{
    capture::{Capturer, Job, Ledger, Next, Phase, Status, StepError, step},
    notify::{Event, Failure, Notice},
    queue::{JobQueue, Message},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
};
use tracing::Instrument;

/// Jobs in progress at once. Most wait for their turn at a watcher; calls to Azure are bounded on their own.
const JOBS_AT_ONCE: usize = 256;
/// Steps that follow one another without a pause. More than any good course has.
const STEPS_AT_ONCE: u32 = 20;
/// The longest pause before a job that failed is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// See the file's head.
pub struct Worker {
    pub queue: Arc<dyn JobQueue>,
    pub capturer: Capturer,
    pub ledger: Arc<Ledger>,
    /// Failures until a job is given up; counted anew once Azure has accepted the capture.
    pub max_attempts: u32,
    /// The pause after a first failure; it doubles with each further one.
    pub first_pause: Duration,
}

impl Worker {
    /// Works until `stop` says so, then lets the steps under way end.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let places = Arc::new(Semaphore::new(JOBS_AT_ONCE));
        let mut jobs = JoinSet::new();
        loop {
            let received = async {
                let place = places.clone().acquire_owned().await;
                (place, self.queue.receive().await)
            };
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                (place, message) = received => {
                    let worker = self.clone();
                    jobs.spawn(async move {
                        worker.take_up(message).await;
                        drop(place);
                    });
                }
                Some(ended) = jobs.join_next() => {
                    if let Err(error) = ended {
                        // The message comes back when its visibility timeout ends.
                        tracing::error!("a step of a job panicked: {error}");
                    }
                }
            }
        }
        while jobs.join_next().await.is_some() {}
    }

    async fn take_up(&self, message: Message) {
        match serde_json::from_str::<Job>(&message.body) {
            Ok(job) => {
                let span =
                    tracing::info_span!("job", job.id = %job.job_id, resource.id = %job.target.id);
                self.walk(message, job).instrument(span).await;
            }
            Err(error) => {
                tracing::error!("a message that is no job was removed from the queue: {error}");
                self.settle(self.queue.delete(&message).await);
            }
        }
    }

    /// Takes steps until the job has to wait or has ended.
    async fn walk(&self, message: Message, mut job: Job) {
        for _ in 0..STEPS_AT_ONCE {
            let told = job.report.clone();
            let next = match self.capturer.step(&mut job).await {
                Ok(next) => {
                    // Before that, steps that succeed and fail in turn would never end.
                    if matches!(job.phase, Phase::Starting { .. }) {
                        job.failures = 0;
                    }
                    next
                }
                Err(error) => self.failed(&mut job, &error),
            };
            self.ledger.record(&job);
            if job.report != told && !job.report.finished {
                tracing::info!("{}", job.report.message);
            }
            match next {
                Next::AtOnce => {}
                Next::After(wait) => return self.put_back(&message, &job, wait).await,
                Next::Never => {
                    self.settle(self.queue.delete(&message).await);
                    return self.tell(&job);
                }
            }
        }
        self.put_back(&message, &job, Duration::from_secs(1)).await;
    }

    fn failed(&self, job: &mut Job, error: &StepError) -> Next {
        job.failures += 1;
        if !error.is_temporary() || job.failures >= self.max_attempts {
            job.report = step::given_up(error);
            tracing::debug!("{}", error.chain());
            return Next::Never;
        }
        let pause = self
            .first_pause
            .saturating_mul(1 << (job.failures - 1).min(16))
            .max(error.retry_after().unwrap_or_default())
            .min(LONGEST_PAUSE);
        tracing::warn!(
            attempt = job.failures,
            wait_ms = pause.as_millis() as u64,
            error.code = error.code(),
            "{}; trying again",
            error.chain()
        );
        Next::After(pause)
    }

    async fn put_back(&self, message: &Message, job: &Job, wait: Duration) {
        match serde_json::to_string(job) {
            Ok(body) => self.settle(self.queue.update(message, body, wait).await),
            Err(error) => tracing::error!("a job cannot be written down: {error}"),
        }
    }

    fn settle(&self, result: Result<(), crate::queue::QueueError>) {
        if let Err(error) = result {
            tracing::warn!("the queue did not take a job back: {error}");
        }
    }

    fn tell(&self, job: &Job) {
        let report = &job.report;
        let message = match report.status {
            Status::Created => format!(
                "Packet Capture {} is running on {}{}",
                report.name.as_deref().unwrap_or_default(),
                job.target.id,
                match &report.storage_path {
                    Some(path) => format!("; its file will be {path}"),
                    None => String::new(),
                }
            ),
            _ => report.message.clone(),
        };
        let event = match report.status {
            Status::Failed => Event::Failed,
            Status::Skipped | Status::Ignored => Event::Skipped,
            _ => Event::Created,
        };
        let mut notice = Notice::new(
            event,
            job.job_id.to_string(),
            job.target.id.to_string(),
            time::OffsetDateTime::now_utc(),
            message,
        );
        notice.failure = (event == Event::Failed).then(|| Failure {
            code: report.reason.clone().unwrap_or_default(),
            request_id: report.request_id.clone(),
        });
        notice.log();
    }
}
