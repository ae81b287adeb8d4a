//! An alert on its way in: read it, decide, queue its jobs, answer with what became of them by then.

use super::{answer::Answer, entry::Entry, refusal::Refusal, request, stop::Stop};
use crate::{
    alert::{self, Alert, Target},
    incident::{
        Action, CopyId, Decision, Full, IncidentId, Job, JobId, JobRecord, Known, KnownAlert,
        Ledger, LeftOut, PackedFacts, Plan, Policy, Reason, Status,
        budget::{Hour, Spent},
        decide::{action, decide},
        machine::{Admission, First, Verdict},
    },
    queue::{JobQueue, Payload, QueueError},
    record::{Claim, Incidents},
    telemetry::{Metrics, describe, trace_parent},
};
use axum::body::Bytes;
use std::{collections::HashSet, sync::Arc, time::Duration};
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
            return Err(being_put());
        }
        Ok(decide(alert, policy, &known, self.incidents.now()))
    }

    /// The jobs of a resolved alert that have no capture yet end without one, and its incidents say that it is resolved.
    fn resolve(&self, alert: &Alert) {
        for target in &alert.targets {
            let fired = crate::incident::job_id(alert, Action::Capture, &target.id);
            let rule = alert.facts.rule.as_deref();
            self.incidents.resolve(&target.id, fired, rule);
        }
    }

    /// The incident of the firing of a resolved alert.
    fn fired(&self, alert: &Alert, target: &Target) -> Option<IncidentId> {
        let fired = crate::incident::job_id(alert, Action::Capture, &target.id);
        self.incidents.incident_of(&target.id, fired.as_ref())
    }

    /// Puts a job into the queue for each incident that a resolved alert may close. The alert is answered in any case: what
    /// fails is logged, and the receiver keeps its incident open.
    async fn close(&self, alert: &Alert) {
        let Ok((targets, _)) = self.policy.allowed.among(alert) else {
            return;
        };
        for target in targets.into_iter().take(self.policy.max_targets) {
            let Some(incident) = self.fired(alert, &target) else {
                continue;
            };
            let mut job = Job::closing(alert, target, incident);
            job.copy = CopyId::new(rand::random());
            let job = Arc::new(job);
            let claim = self.incidents.claim(&job.target.id, Admission::of(&job));
            if !matches!(claim.verdict, Verdict::New { .. }) {
                continue;
            }
            let put = self.queue.put(vec![job.clone().into()]);
            let (put, verdict) = futures_util::future::join(put, claim.confirmed()).await;
            if let Err(error) = &put {
                tracing::warn!(
                    resource.id = %job.target.id,
                    "could not queue the end of an incident: {error}; receivers keep it open"
                );
            }
            self.incidents.claimed(&job, put.is_ok(), &verdict);
        }
    }

    async fn carry_out(&self, alert: Alert, decision: Decision) -> Result<Taken, Refusal> {
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
            Decision::DryRun(reason, left_out) => Answer::dry_run(alert, reason, left_out),
            Decision::Refuse { targets, limit } => {
                let capacity = limit;
                return Err(Refusal::TooManyTargets { targets, capacity });
            }
        };
        Ok(Taken::Answered(Box::new(answer)))
    }

    /// A job for each target into the queue: all of them, or none. Each is claimed beside that, so that of several
    /// instances with the same alert one captures.
    async fn put(&self, alert: Alert, plan: Plan) -> Result<Taken, Refusal> {
        let trace = trace_parent(&Span::current());
        let facts = PackedFacts::from(&alert.facts);
        let job = |target: Target| Job {
            trace_parent: trace.clone(),
            alert: facts.clone(),
            incident: match plan.action {
                Action::Capture => None,
                // That of its firing, which it may close.
                Action::Stop => self.fired(&alert, &target),
            },
            ..Job::new(plan.action, target, &alert)
        };
        let mut jobs: Vec<Job> = plan.targets.into_iter().map(job).collect();
        if plan.action == Action::Capture {
            let max_targets = self.policy.max_targets;
            jobs.extend(Job::skipped(&alert, &plan.left_out, max_targets));
        }
        let mut left_out = self.held_back(&alert, plan.left_out);
        let Budgeted { jobs, taken } = self.within_budget(jobs, &mut left_out).await;
        self.check_room(&jobs, &taken)?;
        let mut claims = Claims::of(&self.incidents, jobs);
        if claims.is_being_put() {
            self.take_back(&claims, &taken);
            return Err(being_put());
        }
        let new = claims.accepted_here();
        self.ledger.open(&new, usize::MAX).ok();
        // With a budget a job that is not to run must not get into the queue.
        if self.incidents.has_budgets() {
            claims.confirm().await;
        }
        let put = self.queue.put(claims.put());
        let put = match self.incidents.has_budgets() {
            true => put.await,
            false => futures_util::future::join(put, claims.confirm()).await.0,
        };
        if let Err(error) = put {
            self.take_back(&claims, &taken);
            return Err(match error {
                // The same alert never fits, so its sender must not repeat it.
                QueueError::TooLarge { .. } => Refusal::JobTooLarge,
                error => Refusal::NotTaken {
                    message: format!("alert not accepted: {error}"),
                    retry_after: QUEUE_FULL_RETRY_AFTER,
                },
            });
        }
        let Claims { claimed } = claims;
        let (mut jobs, mut firsts, mut held) = (Vec::new(), Vec::new(), Vec::new());
        for Claimed {
            job,
            verdict,
            is_put,
            ..
        } in claimed
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

    /// The jobs that the budget of the hour has room for.
    async fn within_budget(&self, jobs: Vec<Job>, left_out: &mut Vec<LeftOut>) -> Budgeted {
        let (mut granted, mut taken) = (Vec::with_capacity(jobs.len()), HashSet::new());
        for mut job in jobs {
            job.copy = CopyId::new(rand::random());
            let captures = job.action == Action::Capture && !job.report.finished;
            let spent = match captures {
                true => self.incidents.take_from_budget(job.job_id).await,
                false => Spent::Again,
            };
            if spent == Spent::Granted {
                taken.insert(job.job_id);
            }
            if spent == Spent::Refused {
                let admission = Admission::of(&job);
                let held = self
                    .incidents
                    .hold_back_all(&job.target.id, admission)
                    .await;
                if let Verdict::OverBudget { incident, .. } = held {
                    self.hold_back(&job, &incident, Reason::BudgetExhausted);
                    left_out.push(LeftOut {
                        incident: Some(incident),
                        ..LeftOut::because(Reason::BudgetExhausted)(job.target)
                    });
                }
                continue;
            }
            granted.push(job);
        }
        Budgeted {
            jobs: granted,
            taken,
        }
    }

    /// Notifies operators once an hour of what the budgets held back. Never ends.
    pub async fn notify_held_back(&self, interval: Duration) {
        let mut checked = None;
        loop {
            let now = self.incidents.now();
            let hour = Hour::of(now);
            if checked.replace(hour) != Some(hour)
                && let Some(held_back) = self.incidents.held_back_before(now).await
            {
                tracing::warn!("{}", held_back.sentence());
                let jobs = held_back.job().map(Payload::from);
                if let Err(error) = self.queue.put(jobs.into_iter().collect()).await {
                    tracing::error!("notification not delivered; giving up: {error}");
                }
            }
            tokio::time::sleep(interval).await;
        }
    }

    fn hold_back(&self, job: &Job, incident: &IncidentId, reason: Reason) {
        self.metrics.held_back(reason.as_str());
        let machine = &job.target.id;
        let alert = job.alert.clone();
        self.incidents
            .hold_back(incident, machine, job.job_id, alert, reason);
    }

    /// Alerts that are held back join the incident of their machine.
    fn held_back(&self, alert: &Alert, left_out: Vec<LeftOut>) -> Vec<LeftOut> {
        let mut left_out = left_out;
        for left in &mut left_out {
            if !matches!(left.reason, Reason::Cooldown | Reason::BudgetExhausted)
                || left.incident.is_some()
            {
                continue;
            }
            left.incident = self.incidents.open_incident(&left.target.id);
            if let Some(incident) = &left.incident {
                let job = Job::new(Action::Capture, left.target.clone(), alert);
                self.hold_back(&job, incident, left.reason);
            }
        }
        left_out
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

    /// The answer, once each job is decided or the deadline has passed.
    async fn answer(
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
                retry_after: super::stop::RETRY_AFTER,
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
    fn repeat(&self, alert: Alert, targets: &[Target]) -> Answer {
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

/// An alert's jobs that the budget of the hour has room for.
struct Budgeted {
    jobs: Vec<Job>,
    /// Those that were taken from it now, and not by an earlier delivery of the alert.
    taken: HashSet<JobId>,
}

/// An alert's jobs while they are claimed and put into the queue.
struct Claims {
    claimed: Vec<Claimed>,
}

/// One of them.
struct Claimed {
    job: Arc<Job>,
    /// What this process says of the claim and, once it has answered, the store.
    verdict: Verdict,
    claim: Option<Claim>,
    is_put: bool,
}

impl Claims {
    fn of(incidents: &Incidents, jobs: Vec<Job>) -> Self {
        let claim = |mut job: Job| {
            let claim = incidents.claim(&job.target.id, Admission::of(&job));
            let verdict = claim.verdict.clone();
            if let Verdict::New {
                incident,
                superseded,
                accepted_at,
                ..
            } = &verdict
            {
                if job.action == Action::Capture || job.incident.is_none() {
                    job.incident.clone_from(incident);
                }
                job.superseded = *superseded;
                job.taken_at = *accepted_at;
            }
            Claimed {
                job: Arc::new(job),
                verdict,
                claim: Some(claim),
                is_put: false,
            }
        };
        Self {
            claimed: jobs.into_iter().map(claim).collect(),
        }
    }

    /// Whether another delivery of the alert is being put into the queue by this process.
    fn is_being_put(&self) -> bool {
        let pending = |it: &Claimed| matches!(it.verdict, Verdict::Pending(_));
        self.claimed.iter().any(pending)
    }

    /// The jobs that nothing known here stands against.
    fn accepted_here(&self) -> Vec<Arc<Job>> {
        let new = |it: &&Claimed| matches!(it.verdict, Verdict::New { .. });
        let new = self.claimed.iter().filter(new);
        new.map(|it| it.job.clone()).collect()
    }

    /// The jobs that are put into the queue: those that nothing known here stands against.
    fn put(&mut self) -> Vec<Payload> {
        let claimed = self.claimed.iter_mut();
        let new = claimed.filter(|it| matches!(it.verdict, Verdict::New { .. }));
        new.map(|it| {
            it.is_put = true;
            it.job.clone().into()
        })
        .collect()
    }

    /// Waits for what the store says.
    async fn confirm(&mut self) {
        for it in &mut self.claimed {
            let Some(claim) = it.claim.take() else {
                continue;
            };
            it.verdict = claim.confirmed().await;
            if let Verdict::New { incident, .. } = &it.verdict
                && it.job.incident != *incident
                && (it.job.action == Action::Capture || it.job.incident.is_none())
            {
                Arc::make_mut(&mut it.job).incident.clone_from(incident);
            }
        }
    }
}

fn being_put() -> Refusal {
    Refusal::NotTaken {
        message: "alert not accepted: its first delivery is not in the queue yet".to_owned(),
        retry_after: FIRST_DELIVERY_RETRY_AFTER,
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

fn internal_error(panic: &tokio::task::JoinError) -> Refusal {
    tracing::error!("internal error: could not read an alert: {panic}");
    Refusal::NotTaken {
        message: "internal error; check the function's log".to_owned(),
        retry_after: QUEUE_FULL_RETRY_AFTER,
    }
}
