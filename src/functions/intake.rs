//! An alert on its way in: read it, decide, have its jobs queued, and answer.

mod claims;
mod closing;
mod held_back;
mod put;
mod reply;

use super::{answer::Answer, entry::Entry, refusal::Refusal, request, stop::Stop};
use crate::{
    alert::{self, Alert},
    incident::{Decision, Job, Known, KnownAlert, Ledger, LeftOut, Policy, Reason, decide::decide},
    queue::JobQueue,
    record::Incidents,
    telemetry::{Metrics, describe},
};
use axum::body::Bytes;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;
use tracing::{Instrument, Span};

/// When the queue is full, its oldest jobs are usually finished after this time.
const QUEUE_FULL_RETRY_AFTER: Duration = Duration::from_secs(15);
/// Takes alerts in.
pub struct Intake {
    pub queue: Arc<dyn JobQueue>,
    pub ledger: Arc<Ledger>,
    pub incidents: Arc<Incidents>,
    pub metrics: Arc<Metrics>,
    pub policy: Policy,
    /// A receiver of notifications is to know when an incident is closed.
    pub closes: bool,
    /// How long a caller waits for the outcome.
    pub reply_wait: Duration,
}

impl Intake {
    /// Takes an alert's body and answers within the reply wait. The work continues when the caller does not wait.
    ///
    /// # Errors
    /// A bad body, a full queue, or Azure's refusal for every target.
    pub async fn take(
        self: &Arc<Self>,
        body: Bytes,
        dry_run: bool,
        stop: &Stop,
    ) -> Result<Answer, Refusal> {
        self.take_within(body, dry_run, self.reply_wait, stop).await
    }

    /// The same, and answers within this time.
    pub(super) async fn take_within(
        self: &Arc<Self>,
        body: Bytes,
        dry_run: bool,
        reply_wait: Duration,
        stop: &Stop,
    ) -> Result<Answer, Refusal> {
        let mut counted = Counted::new(&self.metrics);
        let now = Instant::now();
        let deadline = now.checked_add(reply_wait).unwrap_or(now);
        let taken = self.clone().take_in(body, dry_run);
        // The host drops this future when the caller disconnects; what was read is queued all the same.
        let taken = match tokio::spawn(taken.in_current_span()).await {
            Ok(taken) => taken,
            Err(panic) => Err(internal_error(&panic)),
        };
        let answer = match taken {
            Ok(taken) => {
                let alert = taken.alert();
                counted.schema = match alert.is_drill() {
                    true => "drill",
                    false => alert.schema.as_str(),
                };
                self.answer(taken, deadline, stop).await
            }
            Err(refusal) => Err(refusal),
        };
        counted.outcome = match &answer {
            Ok(answer) => answer.outcome.as_str(),
            Err(refusal) => refusal.as_str(),
        };
        answer
    }

    /// Counts an alert whose body could not be read.
    pub(super) fn count_unread(&self, refusal: &Refusal) {
        Counted::new(&self.metrics).outcome = refusal.as_str();
    }

    async fn take_in(self: Arc<Self>, body: Bytes, dry_run: bool) -> Result<Taken, Refusal> {
        let alert = self.read(body).await?;
        let policy = Policy {
            dry_run: dry_run || self.policy.dry_run,
            ..self.policy.clone()
        };
        let mut decision = self.decide(&alert, &policy)?;
        // What stands against a capture may be out of date, and is read again; what stands for one is checked by the claim.
        let is_resolved = alert.state == alert::State::Resolved;
        if (is_resolved || !matches!(decision, Decision::Queue(_))) && self.incidents.is_shared() {
            let machines = alert.targets.iter().map(|target| target.id.clone());
            self.incidents.refresh(machines).await;
            decision = self.decide(&alert, &policy)?;
        }
        if alert.state == alert::State::Resolved && !alert.is_test && !policy.dry_run {
            self.resolve(&alert);
        }
        self.carry_out(alert, decision, &policy).await
    }

    async fn read(&self, body: Bytes) -> Result<Alert, Refusal> {
        let alert = request::read(body, alert::read).await;
        let alert = alert.map_err(Refusal::BadBody)?;
        let span = Span::current();
        describe(&span, "alert.rule", alert.facts.rule.as_deref());
        describe(&span, "alert.id", alert.facts.id.as_deref());
        Ok(alert)
    }

    /// # Errors
    /// The alert is being put into the queue, and may not get there: the sender has to come back.
    fn decide(&self, alert: &Alert, policy: &Policy) -> Result<Decision, Refusal> {
        let being_queued = std::cell::Cell::new(false);
        let known = Known::of(alert, |machine, job| {
            let known = self.incidents.known(machine, job);
            if matches!(known, Some(KnownAlert::BeingQueued(_))) {
                being_queued.set(true);
            }
            known
        });
        if being_queued.get() && !policy.dry_run {
            return Err(put::first_not_queued());
        }
        Ok(decide(alert, policy, &known, self.incidents.now()))
    }

    async fn carry_out(
        &self,
        alert: Alert,
        decision: Decision,
        policy: &Policy,
    ) -> Result<Taken, Refusal> {
        let answer = match decision {
            Decision::Queue(plan) => return self.put(alert, plan).await,
            Decision::Ignore(reason, left_out) => {
                if reason == Reason::Alert(alert::IgnoreReason::Resolved) && self.closes {
                    self.close(&alert).await;
                }
                let left_out = self.held_back(&alert, left_out);
                Answer::ignored(alert, reason, entries(left_out).collect())
            }
            Decision::Repeat(targets) => self.repeat(alert, &targets),
            Decision::DryRun(reason, left_out) => Answer::dry_run(alert, reason, left_out, policy),
            Decision::Refuse { targets, limit } => {
                let capacity = limit;
                return Err(Refusal::TooManyTargets { targets, capacity });
            }
        };
        Ok(Taken::Answered(Box::new(answer)))
    }
}

/// How far an alert came without waiting for Azure.
enum Taken {
    Answered(Box<Answer>),
    Queued {
        alert: Box<Alert>,
        jobs: Vec<Arc<Job>>,
        others: Vec<Entry>,
    },
}

impl Taken {
    fn alert(&self) -> &Alert {
        match self {
            Taken::Answered(answer) => &answer.alert,
            Taken::Queued { alert, .. } => alert,
        }
    }
}

/// Counts an alert whatever happens: the host drops the future of a caller that disconnects.
struct Counted<'a> {
    metrics: &'a Metrics,
    schema: &'static str,
    outcome: &'static str,
}

impl<'a> Counted<'a> {
    fn new(metrics: &'a Metrics) -> Self {
        Self {
            metrics,
            schema: "unknown",
            outcome: "caller_left",
        }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.metrics.alert(self.schema, self.outcome);
    }
}

fn entries(left_out: Vec<LeftOut>) -> impl Iterator<Item = Entry> {
    left_out.into_iter().map(Entry::LeftOut)
}

fn internal_error(panic: &tokio::task::JoinError) -> Refusal {
    tracing::error!("internal error: could not read an alert: {panic}");
    Refusal::NotTaken {
        message: "internal error; check the function's log".to_owned(),
        retry_after: QUEUE_FULL_RETRY_AFTER,
    }
}
