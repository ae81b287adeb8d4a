//! An alert on its way in: read it, decide, put its jobs into the queue, wait a little for what comes of them.

use super::{
    answer::{Answer, Entry, Refusal},
    request,
};
use crate::{
    alert::{self, Alert, ResourceId, Target},
    incident::{
        Action, Allowed, Decision, Job, JobId, Ledger, Report, Status, allowed::SCOPE_NOT_ALLOWED,
    },
    queue::JobQueue,
    telemetry::{Metrics, describe, trace_parent},
};
use axum::body::Bytes;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;
use tracing::{Instrument, Span};

/// When the queue is full, its oldest jobs are done within about so long.
const WHEN_FULL: Duration = Duration::from_secs(15);
/// An answer lists all targets of its alert, and is written while everybody else waits. No alert of Azure's has as many.
const MOST_TARGETS: usize = 1_000;

/// See the file's head.
pub struct Intake {
    pub queue: Arc<dyn JobQueue>,
    pub ledger: Arc<Ledger>,
    pub metrics: Arc<Metrics>,
    pub allowed: Allowed,
    pub cooldown: Duration,
    /// Jobs that the queue holds at most.
    pub capacity: usize,
    pub reply_wait: Duration,
    /// Every request is a dry run.
    pub dry_run: bool,
    /// A resolved alert stops the capture that its firing started.
    pub stop_on_resolved: bool,
}

impl Intake {
    /// Takes an alert's body and says what became of it within the reply wait. The work goes on when the
    /// caller does not wait.
    ///
    /// # Errors
    /// A bad body, a full queue, or Azure's refusal for every target.
    pub async fn take(self: &Arc<Self>, body: Bytes, dry_run: bool) -> Result<Answer, Refusal> {
        let mut counted = Counted {
            metrics: &self.metrics,
            schema: "unknown",
            outcome: "caller_left",
        };
        let answer = self.answer(body, dry_run, &mut counted).await;
        counted.outcome = match &answer {
            Ok(answer) => answer.outcome.as_str(),
            Err(refusal) => refusal.as_str(),
        };
        answer
    }

    async fn answer(
        self: &Arc<Self>,
        body: Bytes,
        dry_run: bool,
        counted: &mut Counted<'_>,
    ) -> Result<Answer, Refusal> {
        let deadline = Instant::now() + self.reply_wait;
        // The host drops this future when the caller leaves; what is read shall be put into the queue.
        let intake = self.clone();
        let taken = async move { intake.put(body, dry_run).await };
        match tokio::spawn(taken.in_current_span()).await {
            Ok(Ok(Taken::Answered(answer))) => {
                counted.schema = answer.alert.schema.as_str();
                Ok(*answer)
            }
            Ok(Ok(Taken::Queued {
                alert,
                jobs,
                others,
            })) => {
                counted.schema = alert.schema.as_str();
                let rule = alert.rule.as_deref();
                for job in &jobs {
                    tracing::info!(alert.rule = rule, job.id = %job.job_id, resource.id = %job.target.id, "alert taken");
                }
                let mut entries = Vec::with_capacity(jobs.len() + others.len());
                for job in &jobs {
                    entries.push({
                        let report = self.report_by(job, deadline).await;
                        Entry::of_job(&job.job_id, &job.target.id, &report)
                    });
                }
                entries.extend(others);
                Answer::of_captures(&alert, entries)
            }
            Ok(Err(refusal)) => Err(refusal),
            Err(panic) => {
                tracing::error!("reading an alert failed: {panic}");
                Err(Refusal::NotTaken {
                    message: "the function is in trouble; see its log".to_owned(),
                    retry_after: WHEN_FULL,
                })
            }
        }
    }

    async fn put(&self, body: Bytes, dry_run: bool) -> Result<Taken, Refusal> {
        let alert = request::read(body, alert::read).await;
        let alert = alert.map_err(Refusal::BadBody)?;
        self.refuse_more_than(self.capacity.max(MOST_TARGETS), alert.targets.len())?;
        let span = Span::current();
        describe(&span, "alert.rule", alert.rule.as_deref());
        describe(&span, "alert.id", alert.id.as_deref());
        let dry_run = dry_run || self.dry_run;
        let answered = |answer: Answer| Ok(Taken::Answered(Box::new(answer)));
        if self.stop_on_resolved && !dry_run {
            let targets = self.allowed.stops(&alert);
            if !targets.is_empty() {
                // Azure gives an alert's resolution the id of its firing.
                let key = alert
                    .dedupe_key
                    .as_ref()
                    .map(|key| format!("resolved|{key}"));
                return self
                    .put_jobs(alert, key, Action::Stop, targets, Vec::new())
                    .await;
            }
        }
        let (targets, outside) = match self.allowed.decide(&alert) {
            Decision::Capture { targets, outside } => (targets, outside),
            Decision::Ignore(reason) if dry_run => {
                return answered(Answer::dry_run(&alert, Some(reason), Vec::new()));
            }
            Decision::Ignore(reason) => {
                let targets = if reason == SCOPE_NOT_ALLOWED {
                    alert.targets.as_slice()
                } else {
                    &[]
                };
                let entries = targets
                    .iter()
                    .map(|target| Entry::ignored(target, reason))
                    .collect();
                return answered(Answer::ignored(&alert, reason, entries));
            }
        };
        let cools = |target: &ResourceId| self.ledger.cools_down(target, self.cooldown);
        let (cooling, targets): (Vec<_>, Vec<_>) =
            targets.into_iter().partition(|target| cools(&target.id));
        let key = alert.dedupe_key.as_deref();
        let known = key.and_then(|key| self.ledger.known(key));
        let mut others: Vec<Entry> = outside
            .iter()
            .map(|target| Entry::ignored(target, SCOPE_NOT_ALLOWED))
            .collect();
        others.extend(
            cooling
                .iter()
                .map(|target| Entry::ignored(target, "cooldown")),
        );
        if dry_run {
            let reason = match (known, targets.is_empty()) {
                (Some(_), _) => Some("duplicate"),
                (None, true) => Some("cooldown"),
                (None, false) => None,
            };
            return answered(Answer::dry_run(&alert, reason, others));
        }
        if let Some(first) = known {
            return answered(self.duplicate(&alert, &first));
        }
        if targets.is_empty() {
            return answered(Answer::ignored(&alert, "cooldown", others));
        }
        let key = alert.dedupe_key.clone();
        self.put_jobs(alert, key, Action::Capture, targets, others)
            .await
    }

    fn refuse_more_than(&self, most: usize, targets: usize) -> Result<(), Refusal> {
        match targets > most {
            true => Err(Refusal::TooManyTargets {
                targets,
                capacity: self.capacity,
            }),
            false => Ok(()),
        }
    }

    /// A job for each target into the queue, unless the alert is known. `others` are the entries of targets
    /// without a job.
    async fn put_jobs(
        &self,
        alert: Alert,
        key: Option<String>,
        action: Action,
        targets: Vec<Target>,
        others: Vec<Entry>,
    ) -> Result<Taken, Refusal> {
        self.refuse_more_than(self.capacity, targets.len())?;
        let jobs: Vec<Job> = targets
            .into_iter()
            .map(|target| Job {
                trace_parent: trace_parent(&Span::current()),
                ..Job::new(action, target, &alert)
            })
            .collect();
        let key = key.as_deref();
        if let Err(first) = self.ledger.open(key, &jobs) {
            return Ok(Taken::Answered(Box::new(self.duplicate(&alert, &first))));
        }
        let bodies = jobs
            .iter()
            .filter_map(|job| serde_json::to_string(job).ok())
            .collect();
        match self.queue.put(bodies).await {
            Ok(()) => Ok(Taken::Queued {
                alert: Box::new(alert),
                jobs,
                others,
            }),
            Err(error) => {
                self.ledger.withdraw(key, &jobs);
                Err(Refusal::NotTaken {
                    message: format!("the alert was not taken: {error}"),
                    retry_after: WHEN_FULL,
                })
            }
        }
    }

    /// The report of a job once it is decided, or as it stands at the deadline.
    async fn report_by(&self, job: &Job, deadline: Instant) -> Report {
        let Some(mut receiver) = self.ledger.follow(&job.job_id) else {
            return job.report.clone();
        };
        let decided = receiver.wait_for(|report| report.status != Status::Accepted);
        match tokio::time::timeout_at(deadline, decided).await {
            Ok(Ok(report)) => report.clone(),
            _ => self.ledger.report(&job.job_id).unwrap_or_default(),
        }
    }

    fn duplicate(&self, alert: &Alert, first: &[JobId]) -> Answer {
        let entry = |job: &JobId| {
            let (target, report) = (self.ledger.target(job)?, self.ledger.report(job)?);
            Some(Entry::of_job(job, &target, &report))
        };
        let entries = first.iter().filter_map(entry).collect();
        Answer::ignored(alert, "duplicate", entries)
    }
}

/// Counts an alert whatever happens: the host drops the future of a caller who leaves.
struct Counted<'a> {
    metrics: &'a Metrics,
    schema: &'static str,
    outcome: &'static str,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.metrics.alert(self.schema, self.outcome);
    }
}

/// How far an alert came without waiting.
enum Taken {
    Answered(Box<Answer>),
    Queued {
        alert: Box<Alert>,
        jobs: Vec<Job>,
        /// Entries of targets without a job.
        others: Vec<Entry>,
    },
}
