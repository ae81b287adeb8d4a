//! Takes jobs from the queue and walks them step by step until people know how they ended. Jobs for different
//! network watchers run side by side.

mod held;
mod notice;

use crate::{
    capture::{Capturer, Next, StepError, step},
    incident::{Action, Job, Ledger, Phase, Report, Status, ledger},
    notify::{Event, NoticeError, Notifier},
    queue::{JobQueue, Message},
    telemetry::{Metrics, continue_trace, describe},
};
use held::Held;
use std::{sync::Arc, time::Duration};
use time::OffsetDateTime;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
};
use tracing::Instrument;

/// Jobs in progress at once, up to the create and after it, each. Most wait for their turn at a watcher; calls to Azure
/// are bounded on their own.
const JOBS_AT_ONCE: usize = 256;
/// Steps that follow one another without a pause. More than any good course has.
const STEPS_AT_ONCE: u32 = 20;
/// The longest pause before something that failed is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// Once the capture is made, nothing is lost by patience: pauses are longer by so much.
const PATIENCE: u32 = 10;
/// A receiver of notices may be down for so long.
const TELL_FOR: Duration = Duration::from_secs(24 * 3600);

/// See the file's head.
pub struct Worker {
    pub queue: Arc<dyn JobQueue>,
    pub capturer: Capturer,
    pub ledger: Arc<Ledger>,
    pub notifier: Arc<dyn Notifier>,
    pub metrics: Arc<Metrics>,
    /// Failures until a job is given up; counted anew once Azure has accepted the capture.
    pub max_attempts: u32,
    /// The pause after a first failure; it doubles with each further one.
    pub first_pause: Duration,
}

impl Worker {
    /// Works until `stop` says so, then lets the steps under way end.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let places = Arc::new(Semaphore::new(JOBS_AT_ONCE));
        let following = Arc::new(Semaphore::new(JOBS_AT_ONCE));
        let mut jobs = JoinSet::new();
        loop {
            let received = async {
                let place = places.clone().acquire_owned().await;
                (place, self.queue.receive().await)
            };
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                (Ok(place), message) = received => {
                    jobs.spawn(self.clone().take_up(message, place, following.clone()));
                }
                Some(ended) = jobs.join_next() => {
                    if let Err(error) = ended {
                        // The message comes back when its visibility timeout ends.
                        tracing::error!("a step of a job panicked: {error}");
                    }
                }
            }
        }
        following.close();
        while jobs.join_next().await.is_some() {}
    }

    /// `place` is for jobs up to the create. One that comes after it gives it back before it waits for one of
    /// `following`, or in a storm the polls of captures that run would keep new alerts out.
    async fn take_up(
        self: Arc<Self>,
        message: Message,
        place: OwnedSemaphorePermit,
        following: Arc<Semaphore>,
    ) {
        match serde_json::from_str::<Job>(&message.body) {
            Ok(job) => {
                let _place = match job.phase.is_before_create() {
                    true => place,
                    false => {
                        drop(place);
                        match following.acquire_owned().await {
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
                // Boxed: the runtime moves a task about several times, and this has 10 KB.
                Box::pin(self.walk(message, job)).instrument(span).await;
            }
            Err(error) => {
                tracing::error!("a message that is no job was taken out of the queue: {error}");
                let body = message.body.clone();
                held::settle(self.queue.poison(&message, body).await);
            }
        }
    }

    /// Takes steps until the job has to wait or nothing is left to do.
    async fn walk(&self, message: Message, mut job: Job) {
        let mut held = Held::new(self.queue.as_ref(), message);
        for _ in 0..STEPS_AT_ONCE {
            let before = job.report.clone();
            let span = tracing::debug_span!("step", phase = job.phase.as_str());
            let step = self.capturer.step(&mut job, &mut held).instrument(span);
            let next = match step.await {
                Ok(next) => {
                    // Before that, steps that succeed and fail in turn would never end.
                    if matches!(job.phase, Phase::Starting { .. } | Phase::Running { .. }) {
                        job.failures = 0;
                    }
                    next
                }
                Err(error) => self.failed(&mut job, &error),
            };
            // First, since those who read the ledger may look at the metrics next.
            self.count(&job, &before);
            self.ledger.record(&job);
            if job.report != before && !job.report.finished {
                tracing::info!("{}", job.report.message);
                if job.report.status == Status::Created && before.status != Status::Created {
                    self.tell_created(&job).await;
                }
            }
            let next = match next {
                Next::Decided => self.tell(&mut job).await,
                next => next,
            };
            match next {
                Next::AtOnce => {}
                Next::After(wait) => return held.put_back(&job, wait).await,
                Next::Decided | Next::Done => {
                    self.ledger.record(&job);
                    self.ledger.leave(&job.job_id, ledger::DONE);
                    return held.finish(&job).await;
                }
                Next::NotOurs => {
                    self.ledger.leave(&job.job_id, ledger::ELSEWHERE);
                    tracing::info!("another instance of the function has taken this job over");
                    return;
                }
            }
        }
        held.put_back(&job, Duration::from_secs(1)).await;
    }

    /// Counts what this step has changed.
    fn count(&self, job: &Job, before: &Report) {
        let report = &job.report;
        if report.status == Status::Created && before.status != Status::Created {
            let after = OffsetDateTime::now_utc() - job.taken_at;
            // Clocks of two instances may differ.
            self.metrics.created(after.try_into().unwrap_or_default());
        }
        if report.finished && !before.finished {
            // A session is counted by the job that made it.
            self.metrics.ended(match report.joined {
                true => Status::Joined.as_str(),
                false => report.status.as_str(),
            });
        }
    }

    fn failed(&self, job: &mut Job, error: &StepError) -> Next {
        job.failures += 1;
        if !error.is_temporary() || job.failures >= self.max_attempts {
            if matches!(job.phase, Phase::Removing { .. }) {
                tracing::warn!("the finished capture stays listed: {}", error.chain());
                return Next::Done;
            }
            job.report = step::failed(std::mem::take(&mut job.report), error);
            tracing::debug!("{}", error.chain());
            return Next::Decided;
        }
        let first = match job.phase {
            Phase::Starting { .. } | Phase::Running { .. } => self.first_pause * PATIENCE,
            _ => self.first_pause,
        };
        let pause = pause(first, job.failures, error.retry_after());
        tracing::warn!(
            attempt = job.failures,
            wait_ms = pause.as_millis() as u64,
            error.code = error.code(),
            "{}; trying again",
            error.chain()
        );
        Next::After(pause)
    }

    /// A start is told once and not insisted on: the end is told in any case.
    async fn tell_created(&self, job: &Job) {
        if !self.notifier.tells(Event::Created) {
            return;
        }
        let notice = notice::of(job, Event::Created, OffsetDateTime::now_utc());
        let told = self.notifier.tell(&notice).await;
        self.metrics
            .notice(Event::Created.as_str(), result_of(&told));
        if let Err(error) = told {
            tracing::warn!("the start of the capture was not told: {error}");
        }
    }

    /// Tells people how the job ended, until they have heard it.
    async fn tell(&self, job: &mut Job) -> Next {
        let now = OffsetDateTime::now_utc();
        let event = match (job.action, job.report.status) {
            (Action::Capture, Status::Completed) => Event::Completed,
            (Action::Capture, Status::Skipped) => Event::Skipped,
            (Action::Capture, _) => Event::Failed,
            (Action::Stop, _) => {
                tracing::warn!("{}", job.report.message);
                return Next::Done;
            }
        };
        let ended_at = *job.report.ended_at.get_or_insert(now);
        let notice = notice::of(job, event, ended_at);
        if job.phase != Phase::Telling {
            job.phase = Phase::Telling;
            job.failures = 0;
            notice.log();
        }
        let told = match self.notifier.tells(event) {
            true => {
                let told = self.notifier.tell(&notice).await;
                self.metrics.notice(event.as_str(), result_of(&told));
                told
            }
            false => Ok(()),
        };
        if let Err(error) = told {
            if error.is_temporary() && now < ended_at + TELL_FOR {
                return self.tell_again(job, &error);
            }
            tracing::error!("nobody was told how the capture ended: {error}");
        }
        match self.capturer.after_notice(job) {
            Some(phase) => {
                job.phase = phase;
                job.failures = 0;
                Next::AtOnce
            }
            None => Next::Done,
        }
    }

    fn tell_again(&self, job: &mut Job, error: &NoticeError) -> Next {
        job.failures = job.failures.saturating_add(1);
        let pause = pause(self.first_pause, job.failures, error.retry_after());
        tracing::warn!(
            attempt = job.failures,
            wait_ms = pause.as_millis() as u64,
            "{error}; trying again"
        );
        Next::After(pause)
    }
}

/// For the metrics.
fn result_of(told: &Result<(), NoticeError>) -> &'static str {
    match told {
        Ok(()) => "told",
        Err(error) if error.is_temporary() => "failed_for_now",
        Err(_) => "failed",
    }
}

/// The pause after so many failures, or what the other side asked for if that is longer.
fn pause(first: Duration, failures: u32, asked: Option<Duration>) -> Duration {
    first
        .saturating_mul(1 << failures.saturating_sub(1).min(16))
        .max(asked.unwrap_or_default())
        .min(LONGEST_PAUSE)
}
