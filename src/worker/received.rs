//! Whether a job that was received from the queue is this process's: of the copies of a job one counts, and the record
//! knows which.

use super::Worker;
use crate::{
    incident::{
        Job, Phase, ledger,
        machine::{Delivery, Verdict},
    },
    queue::Message,
};
use std::{sync::Arc, time::Duration};

/// How old what other instances wrote may be when a job is tried again.
const RECENT: Duration = Duration::from_secs(5);

/// What a received job is.
pub(super) enum Received {
    /// This process's to work on. `created`: its capture was created before, and operators may have been notified of it.
    Ours { created: bool },
    /// Known after this time.
    Later(Duration),
    /// Finished, or another copy's; the message is deleted.
    Over,
}

impl Worker {
    /// Asks the record about a received job, and writes into the job what the record knows better.
    pub(super) async fn received(&self, job: &mut Arc<Job>, message: &Message) -> Received {
        let machine = job.target.id.clone();
        let held = message.delivered == 0;
        // Others may have written meanwhile, such as that the alert is resolved.
        if tried_before(job) {
            self.incidents
                .refresh_within(std::iter::once(machine.clone()), RECENT)
                .await;
        }
        let delivery = Delivery::of(job, Some(&message.message_id), message.replaces.as_deref());
        match self.incidents.receive(delivery, &machine, held).await {
            Verdict::Ours {
                incident,
                superseded,
                accepted_at,
                created,
                ended,
                ..
            } => {
                let changed = Arc::make_mut(job);
                changed.incident = incident.or(changed.incident.take());
                changed.superseded |= superseded;
                changed.taken_at = changed.taken_at.min(accepted_at);
                if ended
                    && !changed.report.finished
                    && let Some(report) = self.incidents.end_of(changed).await
                {
                    // An end that was decided is not decided again, or two different ends would be notified.
                    changed.report = report;
                    self.begin_end(changed);
                    if !changed.phase.is_looking() {
                        changed.begin_notifying();
                    }
                }
                Received::Ours { created }
            }
            Verdict::Wait(wait) => Received::Later(wait),
            verdict => {
                if self.incidents.is_elsewhere(job) {
                    // The message is of another process, or of before the job's incident was known.
                    let known = self.ledger.job(&job.job_id);
                    match known.filter(|known| known.copy == job.copy) {
                        Some(known) => {
                            self.incidents.leave(&known).await;
                            self.ledger.leave(&job.job_id, ledger::ELSEWHERE);
                        }
                        None => self.incidents.leave(job).await,
                    }
                }
                tracing::info!(
                    job.id = %job.job_id,
                    resource.id = %machine,
                    "deleted a second copy of a job: {}",
                    match verdict {
                        Verdict::Finished => "the job is finished",
                        _ => "another copy of it is in progress",
                    }
                );
                Received::Over
            }
        }
    }
}

/// Whether a job that has no capture waited or failed before.
fn tried_before(job: &Job) -> bool {
    let urgent = matches!(job.phase, Phase::Prepare | Phase::Deleting { .. });
    urgent && (job.failures > 0 || job.rounds > 0 || job.in_the_way_since.is_some())
}
