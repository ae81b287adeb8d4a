//! Where in a job's walk it is asked what changed around its alert: after the create, at the end, and once more later.

use super::{Worker, held::Held};
use crate::{capture::times::until, incident::Job};
use std::{sync::Arc, time::Duration};
use time::OffsetDateTime;

impl Worker {
    /// The capture is created: what changed is gathered beside it.
    pub(super) fn begin_surroundings(&self, job: &Arc<Job>) {
        if let Some(surroundings) = &self.surroundings
            && surroundings.wants(job)
        {
            surroundings.begin(job);
        }
    }

    /// The job's end is decided: what changed is gathered again, while its file is read.
    pub(super) fn ask_again_what_changed(&self, job: &Arc<Job>) {
        if let Some(surroundings) = &self.surroundings
            && surroundings.wants(job)
        {
            surroundings.ask_again(job);
        }
    }

    /// Writes what changed into the job, for its notification, when it is known or the time is up.
    pub(super) async fn add_what_changed(&self, job: &mut Arc<Job>, held: &mut Held<'_>) {
        let Some(surroundings) = &self.surroundings else {
            return;
        };
        if !surroundings.wants(job) {
            return;
        }
        held.begin_looking();
        let note = tokio::select! {
            biased;
            note = surroundings.note(&job.job_id) => note,
            () = held.stopping() => surroundings.note_now(&job.job_id),
        };
        for line in &note.lines {
            tracing::info!("what changed: {line}");
        }
        Arc::make_mut(job).report.changes = Some(Box::new(note));
        self.ledger.record(job);
        self.incidents.record(job);
        self.add_rules(job).await;
    }

    /// The job is notified of: where its record is to be completed later, it waits for that. `None`: nothing is left to do.
    pub(super) fn begin_completing(&self, job: &mut Arc<Job>) -> Option<Duration> {
        let surroundings = self.surroundings.as_ref()?;
        let Some(phase) = surroundings.completing(job) else {
            surroundings.forget(&job.job_id);
            never_again(job);
            return None;
        };
        let crate::incident::Phase::Completing { at } = phase else {
            return None;
        };
        let changed = Arc::make_mut(job);
        changed.phase = phase;
        changed.failures = 0;
        self.ledger.record(job);
        self.incidents.record(job);
        Some(until(at, OffsetDateTime::now_utc()))
    }

    /// Azure is asked for the last time, and the record is complete.
    pub(super) async fn complete(
        &self,
        mut held: Held<'_>,
        mut job: Arc<Job>,
        delivered: u32,
        at: OffsetDateTime,
    ) {
        let exhausted = self.retry.is_exhausted(job.unfinished.count(delivered));
        let left = until(at, OffsetDateTime::now_utc());
        if !left.is_zero() {
            Arc::make_mut(&mut job).unfinished.step_completed(delivered);
            return held.put_back(&job, left).await;
        }
        match &self.surroundings {
            Some(surroundings) if !exhausted => {
                held.begin_looking();
                let before = job.report.changes.as_ref().map_or(0, |it| it.count);
                let note = tokio::select! {
                    biased;
                    note = surroundings.complete(&job) => note,
                    () = held.stopping() => return held.put_back(&job, Duration::ZERO).await,
                };
                if note.is_none() {
                    never_again(&mut job);
                }
                if let Some(note) = note {
                    let more = note.count.saturating_sub(before);
                    if more > 0 {
                        tracing::info!(
                            "{more} more changes around the alert are known since its notification"
                        );
                    }
                    Arc::make_mut(&mut job).report.changes = Some(Box::new(note));
                    // The lines of the notification are read from what is kept; those about endpoints are joined again.
                    self.add_rules(&mut job).await;
                }
            }
            // Each process that asked was killed, or it is switched off by now: what is known stays.
            _ => never_again(&mut job),
        }
        self.conclude(held, job).await;
    }
}

/// Azure is not asked again what changed around the alert: the page must not promise it.
fn never_again(job: &mut Arc<Job>) {
    if job.report.changes.as_ref().is_some_and(|it| !it.complete)
        && let Some(note) = &mut Arc::make_mut(job).report.changes
    {
        note.complete = true;
    }
}
