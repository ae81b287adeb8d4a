//! Which delivery of an alert counts, and which copy of its job: an alert is claimed before its jobs run, and each copy that
//! comes out of the queue is compared with the claim.

use super::{super::keeper::Confirmed, Incidents};
use crate::{
    incident::{
        CopyId, Job, JobId, Machine,
        machine::{Admission, Change, Delivery, Verdict},
    },
    resource_id::ResourceId,
};
use std::{
    collections::{HashMap, HashSet},
    sync::MutexGuard,
};
use tokio::sync::{oneshot, watch};

/// Maximum number of refused copies that are remembered until they are received from the queue.
const MOST_REFUSED: usize = 10_000;

/// The claims of this process.
#[derive(Default)]
pub(super) struct Claims {
    /// Those that the store has not confirmed. The sender ends with the claim.
    pub open: HashMap<JobId, watch::Receiver<()>>,
    /// Copies that are in the queue, and whose claims the store has refused.
    refused: HashSet<CopyId>,
}

/// A claim that is being written.
pub struct Claim {
    /// What this process says of it.
    pub verdict: Verdict,
    answer: Option<oneshot::Receiver<Verdict>>,
}

impl Claim {
    /// What the store says of it or, when it does not answer, this process.
    pub async fn confirmed(self) -> Verdict {
        match self.answer {
            Some(answer) => answer.await.unwrap_or(self.verdict),
            None => self.verdict,
        }
    }
}

impl Incidents {
    pub(super) fn claims(&self) -> MutexGuard<'_, Claims> {
        self.claims.lock().expect("no code panics with this lock")
    }

    /// Claims an alert on a machine.
    pub fn claim(&self, machine: &ResourceId, admission: Admission) -> Claim {
        let name = Machine::blob_name(machine);
        let job_id = admission.job_id;
        let change = Change::Admit(admission);
        let (verdict, answer) = self.machines.submit(&name, machine, change, false, true);
        let Some(answer) = answer else {
            return Claim {
                verdict,
                answer: None,
            };
        };
        let (claiming, ends) = watch::channel(());
        let (sender, receiver) = oneshot::channel();
        self.claims().open.insert(job_id, ends);
        let limit = self.options.answer_within;
        let known = verdict.clone();
        let breaker = self.machines.breaker.clone();
        let answered = async move {
            let answer = tokio::time::timeout(limit, answer).await;
            let verdict = match answer {
                Ok(Ok(Confirmed { verdict, .. })) => verdict,
                Ok(Err(_)) => known,
                Err(_) => {
                    breaker.overdue(limit);
                    known
                }
            };
            drop(claiming);
            let _ = sender.send(verdict);
        };
        tokio::spawn(answered);
        Claim {
            verdict,
            answer: Some(receiver),
        }
    }

    /// The job of a claim is in the queue, or never will be. `accepted`: what the claim came to.
    pub fn claimed(&self, job: &Job, is_queued: bool, accepted: &Verdict) {
        {
            let mut claims = self.claims();
            let open = |ends: &watch::Receiver<()>| ends.has_changed().is_ok();
            claims.open.retain(|_, ends| open(ends));
            let refused = matches!(
                accepted,
                Verdict::Cooldown { .. } | Verdict::OverBudget { .. }
            );
            if is_queued && refused {
                if claims.refused.len() >= MOST_REFUSED {
                    claims.refused.clear();
                }
                claims.refused.insert(job.copy);
            }
        }
        let (job_id, copy) = (job.job_id, job.copy);
        if !is_queued {
            self.change(&job.target.id, Change::Withdraw { job_id, copy });
        } else if matches!(accepted, Verdict::New { .. }) {
            self.change(&job.target.id, Change::Queued { job_id, copy });
        }
    }

    /// Decides about a copy of a job that was received from the queue. `held`: this process has put it there and holds it
    /// since; the alert's claim has decided, and the rest is written beside.
    pub async fn receive(&self, delivery: Delivery, machine: &ResourceId, held: bool) -> Verdict {
        let admission = &delivery.admission;
        let waits = self.claims().open.get(&admission.job_id).cloned();
        if let Some(mut claiming) = waits {
            // An error: the claim has ended.
            while claiming.changed().await.is_ok() {}
        }
        if self.claims().refused.remove(&admission.copy) {
            return Verdict::Elsewhere;
        }
        let name = Machine::blob_name(machine);
        // As long as its claim is known here to count, or it was received before and only waited here, the store need not be
        // asked.
        let known = self
            .machines
            .with(&name, |known| match known.find(&admission.job_id) {
                None => held,
                Some(seen) if seen.copy != admission.copy => false,
                Some(seen) => held || (seen.message.is_some() && seen.message == delivery.message),
            });
        let held = known.unwrap_or(held);
        let change = Change::Receive(delivery);
        match held || !self.is_shared() {
            true => self.machines.apply(&name, machine, change, false),
            false => {
                let limit = self.options.answer_within;
                let confirmed = self.machines.confirm(&name, machine, change, limit);
                confirmed.await.verdict
            }
        }
    }

    /// Decides about a copy that the queue trigger has brought, in whose place `next` is about to be put.
    pub async fn offer(&self, delivery: Delivery, machine: &ResourceId, next: CopyId) -> Verdict {
        let name = Machine::blob_name(machine);
        let change = Change::Offer { delivery, next };
        let limit = self.options.answer_within;
        let confirmed = self.machines.confirm(&name, machine, change, limit);
        confirmed.await.verdict
    }

    /// The copy of a job that counts is in the poison queue: `copy` takes its place. `false`: the job is finished.
    pub async fn replace(&self, machine: &ResourceId, job_id: JobId, copy: CopyId) -> bool {
        let name = Machine::blob_name(machine);
        let limit = self.options.answer_within;
        let change = Change::Replace { job_id, copy };
        let confirmed = self.machines.confirm(&name, machine, change, limit);
        confirmed.await.verdict != Verdict::Finished
    }
}
