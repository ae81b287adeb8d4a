//! The walk of one job: step after step, until it has to wait or nothing is left to do.

use super::{Worker, held::Held, write_back::Comment};
use crate::{
    capture::{Next, times::until},
    incident::{Job, Phase, Report, Status, ledger},
};
use futures_util::FutureExt;
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use time::OffsetDateTime;
use tracing::Instrument;

const KILLED: &str = "the function's process ended each time it worked on this job";
const PANICKED: &str = "an internal error of the function";
/// The pause before a finished job is recorded again, in first pauses of a retry.
const RECORD_PAUSE: u32 = 10;
/// Maximum number of steps without a pause, more than any good course has.
const STEPS_AT_ONCE: u32 = 20;

impl Worker {
    /// Takes steps until the job has to wait or is finished.
    ///
    /// `created`: its capture was created before it was received.
    pub(super) async fn walk(
        &self,
        mut held: Held<'_>,
        mut job: Arc<Job>,
        delivered: u32,
        mut created: bool,
    ) {
        if job.notified {
            return self.conclude(held, job).await;
        }
        if let Phase::Completing { at } = job.phase {
            return self.complete(held, job, delivered, at).await;
        }
        for _ in 0..STEPS_AT_ONCE {
            if self.incidents.is_elsewhere(&job) {
                self.incidents.leave(&job).await;
                self.ledger.leave(&job.job_id, ledger::ELSEWHERE);
                tracing::info!("another instance of the function has taken over this job");
                return held.discard().await;
            }
            let before = job.clone();
            let changed = Arc::make_mut(&mut job);
            let exhausted = self.retry.is_exhausted(changed.unfinished.count(delivered));
            let next = if exhausted && changed.phase.is_looking() {
                self.end_look(changed);
                Next::Decided
            } else if exhausted {
                self.capturer.abandon(changed, KILLED)
            } else if self.incidents.is_resolved(changed) && self.capturer.end_resolved(changed) {
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
            self.incidents.record(&job);
            if job.report != *before && !job.report.finished {
                tracing::info!("{}", job.report.message);
                if job.report.status == Status::Created && !std::mem::replace(&mut created, true) {
                    self.begin_surroundings(&job);
                    held.begin_notifying().await;
                    self.notify_created(&job).await;
                }
            }
            let next = match next {
                Next::Decided => {
                    let next = self.ended(&mut job, &mut held).await;
                    self.ledger.record(&job);
                    next
                }
                next => next,
            };
            match next {
                Next::AtOnce => {}
                Next::After(wait) => return held.put_back(&job, wait).await,
                Next::Decided | Next::Done => {
                    // Before the job waits for changes that come late, and before its message is deleted.
                    match self.write_back(&mut job, &mut held).await {
                        Comment::Over => {}
                        Comment::Later(pause) => return held.put_back(&job, pause).await,
                        Comment::NotOurs => {
                            self.ledger.leave(&job.job_id, ledger::ELSEWHERE);
                            return;
                        }
                    }
                    return match self.begin_completing(&mut job) {
                        Some(wait) => held.put_back(&job, wait).await,
                        None => self.conclude(held, job).await,
                    };
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

    /// Nothing is left to do for a job but to say so: its message is deleted when the record has its end, or another process
    /// would not know that a second copy of it is finished.
    pub(super) async fn conclude(&self, held: Held<'_>, mut job: Arc<Job>) {
        Arc::make_mut(&mut job).notified = true;
        if self.incidents.finish(&job).await {
            // The same value as in the record: a finished job is in memory once.
            self.ledger.record(&job);
            self.ledger.leave(&job.job_id, ledger::DONE);
            if job.report.given_up {
                // It goes to the poison queue, and is notified of again should an operator put it back.
                Arc::make_mut(&mut job).notified = false;
            }
            return held.finish(&job).await;
        }
        let pause = self.retry.pause(RECORD_PAUSE, 1, None);
        held.put_back(&job, pause).await;
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
        if job.is_drill() {
            // Figures about alerts stay figures about alerts.
            if report.finished && !before.finished {
                self.metrics.drilled(report.status.as_str());
            }
            return;
        }
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
