//! Puts an alert's jobs into the queue: all of them, or none.

use super::{
    super::{answer::Answer, entry::Entry, refusal::Refusal},
    Intake, QUEUE_FULL_RETRY_AFTER, Taken,
    claims::{Claimed, Claims},
    entries,
    held_back::Budgeted,
};
use crate::{
    alert::{Alert, Target},
    incident::{
        Action, ChosenProfile, CommentState, Full, IncidentId, Job, JobId, JobRecord, LeftOut,
        PackedFacts, Plan, Reason,
        machine::{First, Verdict},
    },
    queue::QueueError,
    telemetry::{describe, trace_parent},
};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tracing::Span;

/// Putting an alert's jobs into the queue succeeds or fails within this time.
const FIRST_DELIVERY_RETRY_AFTER: Duration = Duration::from_secs(5);

/// What became of an alert's jobs, once they are in the queue.
struct Sorted {
    /// Those that run.
    jobs: Vec<Arc<Job>>,
    /// Machines for which another delivery of the alert was first.
    firsts: Vec<(Target, First)>,
    /// Machines that the store holds back.
    held: Vec<LeftOut>,
}

impl Intake {
    /// A job for each target into the queue: all of them, or none. Each is claimed beside that, so that of several
    /// instances with the same alert one captures.
    pub(super) async fn put(&self, alert: Alert, plan: Plan) -> Result<Taken, Refusal> {
        let Plan {
            action,
            targets,
            left_out,
        } = plan;
        let jobs = self.jobs_of(&alert, action, targets, &left_out);
        let mut left_out = self.held_back(&alert, left_out);
        let Budgeted { jobs, taken } = self.within_budget(jobs, &mut left_out).await;
        self.check_room(&jobs, &taken)?;
        let mut claims = Claims::of(&self.incidents, jobs);
        if claims.is_being_put() {
            self.take_back(&claims, &taken);
            return Err(first_not_queued());
        }
        let new = claims.accepted_here();
        self.ledger.open(&new, usize::MAX).ok();
        if let Err(error) = self.put_and_confirm(&mut claims).await {
            self.take_back(&claims, &taken);
            return Err(not_put(error));
        }
        let Sorted {
            mut jobs,
            firsts,
            held,
        } = self.sort(claims, &taken);
        left_out.extend(self.held_back(&alert, held));
        // The notification of machines beyond the maximum is no capture of the answer's.
        jobs.retain(|job| !job.report.finished);
        let incident = jobs.first().and_then(|job| job.incident.as_ref());
        describe(
            &Span::current(),
            "incident.id",
            incident.map(IncidentId::as_str),
        );
        log_accepted(&alert, &jobs, &left_out);
        let others = firsts
            .into_iter()
            .map(|(target, first)| Entry::Job(JobRecord::of_first(&alert, target, first)));
        let others: Vec<Entry> = others.chain(entries(left_out)).collect();
        if jobs.is_empty() {
            let answer = Answer::not_accepted(alert, others);
            return Ok(Taken::Answered(Box::new(answer)));
        }
        Ok(Taken::Queued {
            alert: Box::new(alert),
            jobs,
            others,
        })
    }

    /// The jobs of an alert; of one that fired also the notification of machines beyond the maximum.
    fn jobs_of(
        &self,
        alert: &Alert,
        action: Action,
        targets: Vec<Target>,
        left_out: &[LeftOut],
    ) -> Vec<Job> {
        let trace = trace_parent(&Span::current());
        let facts = PackedFacts::from(&alert.facts);
        let mut chosen = Vec::new();
        let job = |target: Target| Job {
            trace_parent: trace.clone(),
            alert: facts.clone(),
            profile: match action {
                Action::Capture => self.profile_of(alert, &target, &mut chosen),
                Action::Stop => self.profile_of_firing(alert, &target),
            },
            incident: match action {
                Action::Capture => None,
                // That of its firing, which it may close.
                Action::Stop => self.fired(alert, &target),
            },
            ..Job::new(action, target, alert)
        };
        let mut jobs: Vec<Job> = targets.into_iter().map(job).collect();
        if action == Action::Capture {
            let machines = jobs.len();
            if let Some(first) = jobs.first_mut() {
                first.write_back = CommentState::of_first(machines);
            }
            jobs.extend(Job::skipped(alert, left_out, self.policy.max_targets));
        }
        jobs
    }

    /// The profile of this target's capture. The jobs of an alert share it where it is the same.
    fn profile_of(
        &self,
        alert: &Alert,
        target: &Target,
        chosen: &mut Vec<Arc<ChosenProfile>>,
    ) -> Option<Arc<ChosenProfile>> {
        let profile = self.policy.choose(alert, target).chosen?;
        match chosen.iter().find(|known| **known == profile) {
            Some(known) => Some(known.clone()),
            None => {
                chosen.push(profile.clone());
                Some(profile)
            }
        }
    }

    /// The profile of the capture that a resolved alert stops: as this process remembers its firing, whose body may have said
    /// more than that of the resolution.
    fn profile_of_firing(&self, alert: &Alert, target: &Target) -> Option<Arc<ChosenProfile>> {
        let fired = crate::incident::job_id(alert, Action::Capture, &target.id);
        match fired.and_then(|job| self.ledger.job(&job)) {
            Some(job) => job.profile.clone(),
            None => self.policy.choose(alert, target).chosen,
        }
    }

    /// # Errors
    /// The capacity is reached.
    fn check_room(&self, jobs: &[Job], taken: &HashSet<JobId>) -> Result<(), Refusal> {
        let capacity = self.policy.capacity;
        let Err(Full { waiting }) = self.ledger.has_room(jobs.len(), capacity) else {
            return Ok(());
        };
        for job in taken {
            self.incidents.give_back(*job);
        }
        Err(Refusal::NotTaken {
            message: match waiting.saturating_add(jobs.len()) > capacity {
                true => format!(
                    "alert not accepted: {waiting} jobs are waiting already and JobQueue__Capacity is {capacity}"
                ),
                false => "alert not accepted: this instance follows as many packet captures as it can; it accepts alerts again when some have finished".to_owned(),
            },
            retry_after: QUEUE_FULL_RETRY_AFTER,
        })
    }

    /// Puts the claimed jobs into the queue and waits for what the store says of their claims.
    async fn put_and_confirm(&self, claims: &mut Claims) -> Result<(), QueueError> {
        // With a budget a job that is not to run must not get into the queue.
        if self.incidents.has_budgets() {
            claims.confirm().await;
        }
        let put = self.queue.put(claims.put());
        match self.incidents.has_budgets() {
            true => put.await,
            false => futures_util::future::join(put, claims.confirm()).await.0,
        }
    }

    /// Records what the claims came to, and sorts the jobs by it. `taken`: from the budget of the hour.
    fn sort(&self, claims: Claims, taken: &HashSet<JobId>) -> Sorted {
        let (mut jobs, mut firsts, mut held) = (Vec::new(), Vec::new(), Vec::new());
        for Claimed {
            job,
            verdict,
            is_put,
            ..
        } in claims.claimed
        {
            self.incidents.claimed(&job, is_put, &verdict);
            let target = job.target.clone();
            match verdict {
                Verdict::New { opened, .. } => {
                    match opened {
                        true => self.incidents.open(&job),
                        false => self.incidents.record(&job),
                    }
                    jobs.push(job);
                    continue;
                }
                Verdict::Duplicate(first) | Verdict::Pending(first) => firsts.push((target, first)),
                Verdict::OverBudget { .. } => {
                    held.push(LeftOut::because(Reason::BudgetExhausted)(target))
                }
                _ => held.push(LeftOut::because(Reason::Cooldown)(target)),
            }
            if taken.contains(&job.job_id) {
                self.incidents.give_back(job.job_id);
            }
            // One that is in the queue is ended by the worker. What is known under its id from now on is the first's.
            self.ledger.withdraw(&job.job_id);
        }
        Sorted { jobs, firsts, held }
    }

    /// An alert could not be queued after all.
    fn take_back(&self, claims: &Claims, taken: &HashSet<JobId>) {
        for Claimed { job, verdict, .. } in &claims.claimed {
            self.incidents.claimed(job, false, verdict);
            if taken.contains(&job.job_id) {
                self.incidents.give_back(job.job_id);
            }
            self.ledger.withdraw(&job.job_id);
        }
    }
}

/// Another delivery of the alert is being put into the queue by this process.
pub(super) fn first_not_queued() -> Refusal {
    Refusal::NotTaken {
        message: "alert not accepted: its first delivery is not in the queue yet".to_owned(),
        retry_after: FIRST_DELIVERY_RETRY_AFTER,
    }
}

/// The queue did not take the jobs.
fn not_put(error: QueueError) -> Refusal {
    match error {
        // The same alert never fits, so its sender must not repeat it.
        QueueError::TooLarge { .. } => Refusal::JobTooLarge,
        error => Refusal::NotTaken {
            message: format!("alert not accepted: {error}"),
            retry_after: QUEUE_FULL_RETRY_AFTER,
        },
    }
}

fn log_accepted(alert: &Alert, jobs: &[Arc<Job>], left_out: &[LeftOut]) {
    let rule = alert.facts.rule.as_deref();
    for job in jobs {
        tracing::info!(alert.rule = rule, job.id = %job.job_id, incident.id = job.incident.as_ref().map(IncidentId::as_str), resource.id = %job.target.id, "alert accepted");
    }
    let skipped = left_out.iter();
    let skipped = skipped.filter(|left| left.reason == Reason::MaxTargetsReached);
    if let count @ 1.. = skipped.count() {
        tracing::warn!(
            alert.rule = rule,
            targets = count,
            "{} machines of the alert are not captured: {}",
            count,
            Reason::MaxTargetsReached.sentence()
        );
    }
}
