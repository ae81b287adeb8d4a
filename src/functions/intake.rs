//! An alert on its way in: read it, decide, queue its jobs, answer with what became of them by then.

use super::{answer::Answer, entry::Entry, refusal::Refusal, request, stop::Stop};
use crate::{
    alert::{self, Alert},
    incident::{
        Action, Decision, Job, JobId, JobRecord, Known, Ledger, LeftOut, NotOpened, PackedFacts,
        Plan, Policy, Reason, Status, decide, dedupe_key,
    },
    queue::{JobQueue, QueueError},
    telemetry::{Metrics, describe, trace_parent},
};
use axum::body::Bytes;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;
use tracing::{Instrument, Span};

/// When the queue is full, its oldest jobs are usually finished after this time.
const QUEUE_FULL_RETRY_AFTER: Duration = Duration::from_secs(15);

/// Putting an alert's jobs into the queue succeeds or fails within this time.
const FIRST_DELIVERY_RETRY_AFTER: Duration = Duration::from_secs(5);

/// Takes alerts in.
pub struct Intake {
    pub queue: Arc<dyn JobQueue>,
    pub ledger: Arc<Ledger>,
    pub metrics: Arc<Metrics>,
    pub policy: Policy,
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
        let mut counted = Counted::new(&self.metrics);
        let now = Instant::now();
        let deadline = now.checked_add(self.reply_wait).unwrap_or(now);
        let taken = self.clone().take_in(body, dry_run);
        // The host drops this future when the caller disconnects; what was read is queued all the same.
        let taken = match tokio::spawn(taken.in_current_span()).await {
            Ok(taken) => taken,
            Err(panic) => Err(internal_error(&panic)),
        };
        let answer = match taken {
            Ok(taken) => {
                counted.schema = taken.alert().schema.as_str();
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
        let decision = self.decide(&alert, dry_run);
        self.carry_out(alert, decision).await
    }

    async fn read(&self, body: Bytes) -> Result<Alert, Refusal> {
        let alert = request::read(body, alert::read).await;
        let alert = alert.map_err(Refusal::BadBody)?;
        let span = Span::current();
        describe(&span, "alert.rule", alert.facts.rule.as_deref());
        describe(&span, "alert.id", alert.facts.id.as_deref());
        Ok(alert)
    }

    fn decide(&self, alert: &Alert, dry_run: bool) -> Decision {
        let policy = Policy {
            dry_run: dry_run || self.policy.dry_run,
            ..self.policy.clone()
        };
        let known = Known::of(alert, &self.ledger);
        decide(alert, &policy, &known, Instant::now())
    }

    async fn carry_out(&self, alert: Alert, decision: Decision) -> Result<Taken, Refusal> {
        let answer = match decision {
            Decision::Queue(plan) => return self.put(alert, plan).await,
            Decision::Ignore(reason, left_out) => {
                Answer::ignored(alert, reason, entries(left_out).collect())
            }
            Decision::Repeat(first) => self.repeat(alert, &first)?,
            Decision::DryRun(reason, left_out) => Answer::dry_run(alert, reason, left_out),
            Decision::Refuse { targets, limit } => {
                let capacity = limit;
                return Err(Refusal::TooManyTargets { targets, capacity });
            }
        };
        Ok(Taken::Answered(Box::new(answer)))
    }

    /// A job for each target into the queue: all of them, or none.
    async fn put(&self, alert: Alert, plan: Plan) -> Result<Taken, Refusal> {
        let trace = trace_parent(&Span::current());
        let facts = PackedFacts::from(&alert.facts);
        let job = |target| Job {
            trace_parent: trace.clone(),
            alert: facts.clone(),
            ..Job::new(plan.action, target, &alert)
        };
        let mut jobs: Vec<Arc<Job>> = plan.targets.into_iter().map(job).map(Arc::new).collect();
        let captures = jobs.len();
        if plan.action == Action::Capture {
            let max_targets = self.policy.max_targets;
            let skipped = Job::skipped(&alert, &plan.left_out, max_targets);
            jobs.extend(skipped.map(Arc::new));
        }
        let key = plan.key.as_deref();
        if plan.action == Action::Stop {
            self.ledger.resolve(alert.dedupe_key.as_deref(), &jobs);
        }
        let capacity = self.policy.capacity;
        match self.ledger.open(key, &jobs, capacity) {
            Ok(()) => {}
            Err(NotOpened::Repeated(first)) => {
                return Ok(Taken::Answered(Box::new(self.repeat(alert, &first)?)));
            }
            Err(NotOpened::Full { waiting }) => {
                return Err(Refusal::NotTaken {
                    message: match waiting.saturating_add(jobs.len()) > capacity {
                        true => format!(
                            "alert not accepted: {waiting} jobs are waiting already and JobQueue__Capacity is {capacity}"
                        ),
                        false => "alert not accepted: this instance follows as many packet captures as it can; it accepts alerts again when some have finished".to_owned(),
                    },
                    retry_after: QUEUE_FULL_RETRY_AFTER,
                });
            }
        }
        let put = jobs.iter().cloned().map(Into::into).collect();
        if let Err(error) = self.queue.put(put).await {
            self.ledger.withdraw(key, &jobs);
            return Err(match error {
                // The same alert never fits, so its sender must not repeat it.
                QueueError::TooLarge { .. } => Refusal::JobTooLarge,
                error => Refusal::NotTaken {
                    message: format!("alert not accepted: {error}"),
                    retry_after: QUEUE_FULL_RETRY_AFTER,
                },
            });
        }
        if let Some(key) = key {
            self.ledger.queued(key);
        }
        jobs.truncate(captures);
        log_accepted(&alert, &jobs, &plan.left_out);
        Ok(Taken::Queued {
            alert: Box::new(alert),
            jobs,
            left_out: plan.left_out,
        })
    }

    /// The answer, once each job is decided or the deadline has passed.
    async fn answer(
        &self,
        taken: Taken,
        deadline: Instant,
        stop: &Stop,
    ) -> Result<Answer, Refusal> {
        let (alert, jobs, left_out) = match taken {
            Taken::Answered(answer) => return Ok(*answer),
            Taken::Queued {
                alert,
                jobs,
                left_out,
            } => (alert, jobs, left_out),
        };
        let mut captures = Vec::with_capacity(jobs.len().saturating_add(left_out.len()));
        for job in &jobs {
            captures.push(Entry::Job(self.job_by(job, deadline, stop).await));
        }
        let undecided = |entry: &Entry| entry.status() == Status::Accepted;
        if stop.is_over() && !self.queue.is_durable() && captures.iter().any(undecided) {
            return Err(Refusal::NotTaken {
                message: "alert not accepted: the function is stopping".to_owned(),
                retry_after: super::stop::RETRY_AFTER,
            });
        }
        captures.extend(entries(left_out));
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
        remembered.unwrap_or_else(|| JobRecord::from(job.clone()))
    }

    /// # Errors
    /// The jobs of the first delivery are not in the queue yet, and may never be: the sender has to come back.
    fn repeat(&self, alert: Alert, first: &[JobId]) -> Result<Answer, Refusal> {
        let key = dedupe_key(&alert);
        if key.is_some_and(|key| self.ledger.is_being_queued(&key)) {
            return Err(Refusal::NotTaken {
                message: "alert not accepted: its first delivery is not in the queue yet"
                    .to_owned(),
                retry_after: FIRST_DELIVERY_RETRY_AFTER,
            });
        }
        let remembered = first.iter().filter_map(|job| self.ledger.job(job));
        let captures = remembered.map(Entry::Job).collect();
        Ok(Answer::ignored(alert, Reason::Duplicate, captures))
    }
}

/// How far an alert came without waiting for Azure.
enum Taken {
    Answered(Box<Answer>),
    Queued {
        alert: Box<Alert>,
        jobs: Vec<Arc<Job>>,
        left_out: Vec<LeftOut>,
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

fn log_accepted(alert: &Alert, jobs: &[Arc<Job>], left_out: &[LeftOut]) {
    let rule = alert.facts.rule.as_deref();
    for job in jobs {
        tracing::info!(alert.rule = rule, job.id = %job.job_id, resource.id = %job.target.id, "alert accepted");
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

fn internal_error(panic: &tokio::task::JoinError) -> Refusal {
    tracing::error!("internal error: could not read an alert: {panic}");
    Refusal::NotTaken {
        message: "internal error; check the function's log".to_owned(),
        retry_after: QUEUE_FULL_RETRY_AFTER,
    }
}
