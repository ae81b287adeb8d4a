//! The walk of one job: step after step, until it has to wait or nothing is left to do.

use super::{Worker, held::Held};
use crate::{
    capture::{Next, times::until},
    incident::{Job, Report, Status, ledger},
};
use futures_util::FutureExt;
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use time::OffsetDateTime;
use tracing::Instrument;

const KILLED: &str = "the function's process ended each time it worked on this job";
const PANICKED: &str = "an internal error of the function";
/// Maximum number of steps without a pause, more than any good course has.
const STEPS_AT_ONCE: u32 = 20;

impl Worker {
    /// Takes steps until the job has to wait or is finished.
    pub(super) async fn walk(&self, mut held: Held<'_>, mut job: Arc<Job>, delivered: u32) {
        for _ in 0..STEPS_AT_ONCE {
            if self.recall(&mut job) {
                return held.finish(&job).await;
            }
            let before = job.clone();
            let changed = Arc::make_mut(&mut job);
            let next = if self.retry.is_exhausted(changed.unfinished.count(delivered)) {
                self.capturer.abandon(changed, KILLED)
            } else if self.ledger.is_resolved(&changed.job_id)
                && self.capturer.end_resolved(changed)
            {
                Next::Decided
            } else {
                self.step(&before, changed, &mut held).await
            };
            changed.unfinished.step_completed(delivered);
            changed.shrink();
            let before = &before.report;
            // First, since those who read the ledger may read the metrics next.
            self.count(&job, before);
            self.ledger.record(&job);
            if job.report != *before && !job.report.finished {
                tracing::info!("{}", job.report.message);
                if job.report.status == Status::Created && before.status != Status::Created {
                    held.begin_notifying().await;
                    self.notify_created(&job).await;
                }
            }
            let next = match next {
                Next::Decided => {
                    held.begin_notifying().await;
                    let next = self.notify_ended(Arc::make_mut(&mut job)).await;
                    self.ledger.record(&job);
                    next
                }
                next => next,
            };
            match next {
                Next::AtOnce => {}
                Next::After(wait) => return held.put_back(&job, wait).await,
                Next::Decided | Next::Done => {
                    self.ledger.leave(&job.job_id, ledger::DONE);
                    return held.finish(&job).await;
                }
                Next::NotOurs => {
                    self.ledger.leave(&job.job_id, ledger::ELSEWHERE);
                    tracing::info!("another instance of the function has taken over this job");
                    return;
                }
            }
        }
        held.put_back(&job, Duration::from_secs(1)).await;
    }

    /// What this process knows better than this copy of a job, whose message is in the queue twice or could not be updated:
    /// an end that was decided is not decided again, or two different ends would be notified. `true`: nothing is left to
    /// do. A job that was given up and comes back was put back by an operator.
    fn recall(&self, job: &mut Arc<Job>) -> bool {
        let Some((report, done)) = self.ledger.end(&job.job_id) else {
            return false;
        };
        if !job.report.finished {
            let job = Arc::make_mut(job);
            job.report = report;
            job.begin_notifying();
            return done;
        }
        done && !job.report.given_up
    }

    /// Takes a step. One that panics counts as a failure, and the job is as it was before it.
    async fn step(&self, before: &Job, job: &mut Job, held: &mut Held<'_>) -> Next {
        let span = tracing::debug_span!("step", phase = job.phase.as_str());
        let step = self.capturer.step(job, held).instrument(span);
        match AssertUnwindSafe(step).catch_unwind().await {
            Ok(next) => next,
            Err(_) => {
                *job = before.clone();
                tracing::error!(
                    "internal error in a step of this job; the panic is in the log above"
                );
                self.capturer.abandon_or_retry(job, PANICKED)
            }
        }
    }

    /// Counts what this step has changed.
    fn count(&self, job: &Job, before: &Report) {
        let report = &job.report;
        if report.status == Status::Created && before.status != Status::Created {
            let after = until(OffsetDateTime::now_utc(), job.taken_at);
            // Zero when the clocks of two instances differ.
            self.metrics.created(after);
        }
        if report.finished && !before.finished {
            // A session is counted by the job that created it.
            self.metrics.ended(match report.joined {
                true => Status::Joined.as_str(),
                false => report.status.as_str(),
            });
        }
    }
}
