//! The answer to a sender: what became of an alert's jobs within the reply wait, or of an earlier delivery of the alert.

use super::{
    super::{
        answer::Answer,
        entry::Entry,
        refusal::Refusal,
        stop::{self, Stop},
    },
    Intake, Taken,
};
use crate::{
    alert::{Alert, Target},
    incident::{Job, JobRecord, KnownAlert, Reason, Status, decide::action, machine::First},
};
use std::sync::Arc;
use tokio::time::Instant;

impl Intake {
    /// The answer, once each job is decided or the deadline has passed.
    pub(super) async fn answer(
        &self,
        taken: Taken,
        deadline: Instant,
        stop: &Stop,
    ) -> Result<Answer, Refusal> {
        let (alert, jobs, others) = match taken {
            Taken::Answered(answer) => return Ok(*answer),
            Taken::Queued {
                alert,
                jobs,
                others,
            } => (alert, jobs, others),
        };
        let mut captures = Vec::with_capacity(jobs.len().saturating_add(others.len()));
        for job in &jobs {
            captures.push(Entry::Job(self.job_by(job, deadline, stop).await));
        }
        let undecided = |entry: &Entry| entry.status() == Status::Accepted;
        if stop.is_over() && !self.queue.is_durable() && captures.iter().any(undecided) {
            return Err(Refusal::NotTaken {
                message: "alert not accepted: the function is stopping".to_owned(),
                retry_after: stop::RETRY_AFTER,
            });
        }
        captures.extend(others);
        Answer::of_captures(*alert, captures)
    }

    /// The job as soon as it is decided, or as it is at the deadline or when no more jobs run here.
    async fn job_by(&self, job: &Arc<Job>, deadline: Instant, stop: &Stop) -> JobRecord {
        if let Some(mut statuses) = self.ledger.follow(&job.job_id) {
            let decided = statuses.wait_for(|status| *status != Status::Accepted);
            tokio::select! {
                _ = decided => {}
                () = tokio::time::sleep_until(deadline) => {}
                () = stop.over() => {}
            }
        }
        let remembered = self.ledger.job(&job.job_id);
        let remembered = remembered.unwrap_or_else(|| JobRecord::from(job.clone()));
        remembered.of_incident(job.incident.as_ref())
    }

    /// The answer about an alert that was accepted before, with what became of it.
    pub(super) fn repeat(&self, alert: Alert, targets: &[Target]) -> Answer {
        let first = |target: &Target| {
            let job = crate::incident::job_id(&alert, action(&alert), &target.id);
            match self.incidents.known(&target.id, job.as_ref()) {
                Some(KnownAlert::Before(first)) => {
                    Some(Entry::Job(self.first(&alert, target.clone(), first)))
                }
                _ => None,
            }
        };
        let captures = targets.iter().filter_map(first).collect();
        Answer::ignored(alert, Reason::Duplicate, captures)
    }

    /// The job of an alert's first delivery: of this process, or as the record has it.
    fn first(&self, alert: &Alert, target: Target, first: First) -> JobRecord {
        let here = self.ledger.job(&first.job_id);
        here.unwrap_or_else(|| JobRecord::of_first(alert, target, first))
    }
}
