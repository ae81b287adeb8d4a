//! The incident record as the rooms above use it: claim an alert, receive a copy of its job, write down what becomes of it.
//! In this process alone or, where jobs outlive it, shared by all instances.

use super::{
    MemoryStore, Store,
    breaker::Breaker,
    clock::Clock,
    keeper::{Confirmed, Keeper},
    looks::MOST_IN_MEMORY,
};
use crate::{
    incident::{
        CopyId, Incident, IncidentId, Job, JobId, KnownAlert, Limits, Machine, PackedFacts, Reason,
        budget::{HeldBack, Hour, Spending, Spent},
        machine::{Admission, Change, Delivery, Verdict},
        record::{Addition, Resolved, Step},
        report::{Report, Status},
    },
    resource_id::ResourceId,
};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use time::OffsetDateTime;
use tokio::sync::{oneshot, watch};

/// How the record is kept.
#[derive(Debug, Clone, Copy)]
pub struct RecordOptions {
    pub limits: Limits,
    /// Maximum number of captures an hour, of all machines and instances together.
    pub captures_per_hour: Option<u32>,
    /// How long the store may take where something waits for it.
    pub answer_within: Duration,
    /// Interval between two checks of a store that did not answer.
    pub probe_every: Duration,
    /// How long news of an incident wait for further ones, to be written together.
    pub gather: Duration,
    pub clock: Clock,
}

impl Default for RecordOptions {
    fn default() -> Self {
        Self {
            limits: Limits {
                cooldown: Duration::ZERO,
                quiet: Duration::from_secs(15 * 60),
                captures_per_day: None,
                claim: Duration::from_secs(6),
            },
            captures_per_hour: None,
            answer_within: Duration::from_secs(2),
            probe_every: Duration::from_secs(3),
            gather: Duration::from_millis(100),
            clock: Clock::System,
        }
    }
}

/// The incident record.
pub struct Incidents {
    pub(super) machines: Arc<Keeper<Machine>>,
    pub(super) incidents: Arc<Keeper<Incident>>,
    pub(super) hours: Arc<Keeper<Hour>>,
    /// Where reports about capture files are.
    pub(super) looks: Arc<dyn Store>,
    pub(super) options: RecordOptions,
    // Held for a few map operations, never over an await.
    claims: Mutex<Claims>,
}

/// The claims of this process.
#[derive(Default)]
struct Claims {
    /// Those that the store has not confirmed. The sender ends with the claim.
    open: HashMap<JobId, watch::Receiver<()>>,
    /// Copies that are in the queue, and whose claims the store has refused.
    refused: HashSet<CopyId>,
}

/// Maximum number of refused copies that are remembered until they are received from the queue.
const MOST_REFUSED: usize = 10_000;

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
    /// `store`: where it is shared with other instances; `None`: in this process alone.
    pub fn new(store: Option<Arc<dyn Store>>, options: RecordOptions) -> Arc<Self> {
        let breaker = Arc::new(Breaker::new(options.probe_every));
        Arc::new(Self {
            machines: keeper(&store, &breaker, &options, Duration::ZERO),
            incidents: keeper(&store, &breaker, &options, options.gather),
            hours: keeper(&store, &breaker, &options, options.gather),
            looks: store.unwrap_or_else(|| Arc::new(MemoryStore::of(2 * MOST_IN_MEMORY))),
            options,
            claims: Mutex::default(),
        })
    }

    /// Whether it outlives the process and all instances share it.
    pub fn is_shared(&self) -> bool {
        self.machines.store.is_some()
    }

    /// The time of the record.
    pub fn now(&self) -> OffsetDateTime {
        self.options.clock.now()
    }

    fn claims(&self) -> MutexGuard<'_, Claims> {
        self.claims.lock().expect("no code panics with this lock")
    }

    /// What this process knows of an alert on a machine.
    pub fn known(&self, machine: &ResourceId, job: Option<&JobId>) -> Option<KnownAlert> {
        let now = self.now();
        let being_claimed = job.is_some_and(|job| self.claims().open.contains_key(job));
        let shared = self.is_shared();
        self.machines
            .with(&Machine::blob_name(machine), |known| {
                if let Some(seen) = job.and_then(|job| known.find(job)) {
                    return match seen.is_accepted() {
                        true => Some(KnownAlert::Before(seen.into())),
                        // Of other processes only the claim's age says whether they still live: a new claim decides that.
                        false if being_claimed || !shared => {
                            Some(KnownAlert::BeingQueued(seen.into()))
                        }
                        false => None,
                    };
                }
                let cooldown = self.options.limits.cooldown;
                known
                    .cools_down_since(now, cooldown)
                    .map(KnownAlert::CoolsDown)
            })
            .flatten()
    }

    /// The incident that an alert on a machine would join, as far as this process knows.
    pub fn open_incident(&self, machine: &ResourceId) -> Option<IncidentId> {
        let now = self.now();
        let open = |known: &Machine| known.open_incident(now).cloned();
        self.machines.with(&Machine::blob_name(machine), open)?
    }

    /// Reads what other instances have written of these machines. Those who ask at the same time share one read.
    pub async fn refresh(&self, machines: impl Iterator<Item = ResourceId>) {
        self.refresh_within(machines, Duration::ZERO).await;
    }

    /// Reads what other instances have written of these machines, unless that was done within this time.
    pub async fn refresh_within(
        &self,
        machines: impl Iterator<Item = ResourceId>,
        within: Duration,
    ) {
        if !self.is_shared() {
            return;
        }
        let limit = self.options.answer_within;
        let reads = machines.map(|machine| async move {
            let name = Machine::blob_name(&machine);
            self.machines.refresh(&name, &machine, within, limit).await
        });
        futures_util::future::join_all(reads).await;
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

    /// An alert is held back by the budget of the hour: the incident that it joins or opens.
    pub async fn hold_back_all(&self, machine: &ResourceId, admission: Admission) -> Verdict {
        let name = Machine::blob_name(machine);
        let limit = self.options.answer_within;
        let change = Change::HoldBack(admission);
        let confirmed = self.machines.confirm(&name, machine, change, limit);
        confirmed.await.verdict
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

    fn change(&self, machine: &ResourceId, change: Change) -> Verdict {
        let name = Machine::blob_name(machine);
        self.machines.apply(&name, machine, change, false)
    }

    /// Writes down how far a job is.
    pub fn record(&self, job: &Arc<Job>) {
        let machine = &job.target.id;
        let Report {
            status, finished, ..
        } = job.report;
        let (job_id, copy) = (job.job_id, job.copy);
        let outcome = || job.report.message.as_str().into();
        match (finished, status) {
            (true, _) => drop(self.change(
                machine,
                Change::Ended {
                    job_id,
                    copy,
                    status,
                    outcome: outcome(),
                    at: job.report.ended_at.unwrap_or_else(|| self.now()),
                },
            )),
            (false, Status::Created | Status::Joined) => drop(self.change(
                machine,
                // Its sentence says no more than its status.
                Change::Created {
                    job_id,
                    copy,
                    status,
                    outcome: Box::default(),
                },
            )),
            (false, _) => {}
        }
        self.add(job, |incident, now| incident.news_of(job, now));
    }

    /// Waits until other instances can know that the job's capture is created, so that no other copy of the job notifies of
    /// it again.
    pub async fn created(&self, job: &Job) {
        let machine = &job.target.id;
        let name = Machine::blob_name(machine);
        let limit = self.options.answer_within;
        self.machines
            .refresh(&name, machine, Duration::ZERO, limit)
            .await;
    }

    /// Adds to the incident of a job.
    fn add(&self, job: &Job, addition: impl FnOnce(&Incident, OffsetDateTime) -> Addition) {
        let Some(id) = &job.incident else { return };
        let key = (id.clone(), job.target.id.clone());
        let addition = self.addition(&key, addition);
        self.incidents.apply(&id.blob_name(), &key, addition, false);
    }

    fn addition(
        &self,
        (id, machine): &(IncidentId, ResourceId),
        addition: impl FnOnce(&Incident, OffsetDateTime) -> Addition,
    ) -> Addition {
        let now = self.now();
        let mut addition = Some(addition);
        let made = self.incidents.with(&id.blob_name(), |incident| {
            addition.take().map(|addition| addition(incident, now))
        });
        let made = made.flatten().unwrap_or_else(|| {
            let empty = Incident::open(id.clone(), machine.clone());
            let addition = addition.take().map(|addition| addition(&empty, now));
            addition.unwrap_or_else(|| Addition::of_steps(Vec::new()))
        });
        match self.is_shared() {
            true => made,
            false => made.packed(),
        }
    }

    /// The job has opened its incident: its document is new, and its first news are written without a read.
    pub fn open(&self, job: &Arc<Job>) {
        let Some(id) = &job.incident else { return };
        let key = (id.clone(), job.target.id.clone());
        let news = self.addition(&key, |incident, now| incident.news_of(job, now));
        self.incidents.apply(&id.blob_name(), &key, news, true);
    }

    /// Adds a step to the incident of a job.
    pub fn note(&self, job: &Job, step: Step) {
        self.add(job, |_, _| Addition::of_steps(vec![step]));
    }

    /// Writes down that nothing is left to do for a job. `false`: the store did not take it in time, or another copy counts.
    pub async fn finish(&self, job: &Arc<Job>) -> bool {
        let limit = self.options.answer_within;
        if let Some(id) = &job.incident {
            let key = (id.clone(), job.target.id.clone());
            let news = self.addition(&key, |incident, now| incident.news_of(job, now));
            let name = id.blob_name();
            let written = self.incidents.confirm(&name, &key, news, limit).await;
            if !written.by_store {
                return false;
            }
        }
        let change = Change::Done {
            job_id: job.job_id,
            copy: job.copy,
        };
        let machine = &job.target.id;
        let name = Machine::blob_name(machine);
        let written = self.machines.confirm(&name, machine, change, limit).await;
        written.by_store
    }

    /// Whether another copy of a job counts by now, as far as this process knows.
    pub fn is_elsewhere(&self, job: &Job) -> bool {
        let name = Machine::blob_name(&job.target.id);
        let elsewhere = self.machines.with(&name, |machine| {
            let seen = machine.find(&job.job_id);
            seen.is_some_and(|seen| seen.copy != job.copy && seen.next != Some(job.copy))
        });
        elsewhere.unwrap_or_default()
    }

    /// Another copy of this job counts. While the store did not answer, this copy may have opened an incident of its own: the
    /// job's entry there ends, since no instance continues it.
    pub fn leave(&self, job: &Job) {
        let counts = self
            .machines
            .with(&Machine::blob_name(&job.target.id), |machine| {
                let seen = machine.find(&job.job_id);
                seen.and_then(|seen| seen.incident.clone())
            });
        let (Some(counts), Some(id)) = (counts.flatten(), &job.incident) else {
            return;
        };
        let open = self.incidents.with(&id.blob_name(), |incident| {
            let entry = incident.entry(&job.job_id);
            entry.is_some_and(|entry| !entry.report.finished)
        });
        if counts == *id || open != Some(true) {
            return;
        }
        let mut left = job.clone();
        left.report.finished = true;
        left.report.status = Status::Ignored;
        left.report.reason = Some(Reason::Duplicate.as_str().to_owned());
        left.report.message =
            format!("Another instance took the same alert: see incident {counts}");
        let left = Arc::new(left);
        self.add(&left, |incident, now| incident.news_of(&left, now));
    }

    /// Whether a job's alert is resolved, as far as this process knows.
    pub fn is_resolved(&self, job: &Job) -> bool {
        let name = Machine::blob_name(&job.target.id);
        let resolved = self.machines.with(&name, |machine| {
            machine.find(&job.job_id).is_some_and(|seen| seen.resolved)
        });
        resolved.unwrap_or_default()
    }

    /// How a job ended, as its incident says.
    pub async fn end_of(&self, job: &Job) -> Option<Report> {
        let id = job.incident.as_ref()?;
        let (name, key) = (id.blob_name(), (id.clone(), job.target.id.clone()));
        let limit = self.options.answer_within;
        let within = Duration::from_secs(60);
        self.incidents.refresh(&name, &key, within, limit).await;
        let report = self.incidents.with(&name, |incident| {
            let entry = incident.entry(&job.job_id)?;
            Some(Report::clone(&entry.report)).filter(|report| report.finished)
        });
        report.flatten()
    }

    /// An alert is resolved. `job_id`: the job of its firing, where its key is known; `rule`: for the classic schema.
    pub fn resolve(
        self: &Arc<Self>,
        machine: &ResourceId,
        job_id: Option<JobId>,
        rule: Option<&str>,
    ) {
        let rule: Option<Box<str>> = rule.map(Into::into);
        self.resolve_here(machine, job_id, rule.clone());
        if !self.is_shared() {
            return;
        }
        // Its job may be another instance's.
        let (incidents, machine) = (self.clone(), machine.clone());
        tokio::spawn(async move {
            incidents.refresh(std::iter::once(machine.clone())).await;
            incidents.resolve_here(&machine, job_id, rule);
        });
    }

    fn resolve_here(&self, machine: &ResourceId, job_id: Option<JobId>, rule: Option<Box<str>>) {
        let name = Machine::blob_name(machine);
        let incident = self.machines.with(&name, |known| {
            let by_job = job_id.and_then(|job| known.find(&job)?.incident.clone());
            by_job.or_else(|| known.incident.clone())
        });
        let Some(id) = incident.flatten() else {
            return;
        };
        let change = Change::Resolve {
            job_id,
            rule: rule.clone(),
        };
        self.change(machine, change);
        let resolved = Resolved {
            job_id,
            rule,
            at: self.now(),
        };
        let key = (id.clone(), machine.clone());
        let addition = Addition::of_resolved(resolved);
        self.incidents.apply(&id.blob_name(), &key, addition, false);
    }

    /// An alert is not captured for this reason: it joins the incident.
    pub fn hold_back(
        &self,
        id: &IncidentId,
        machine: &ResourceId,
        job_id: JobId,
        alert: PackedFacts,
        reason: Reason,
    ) {
        let now = self.now();
        let key = (id.clone(), machine.clone());
        let addition = Addition::held_back(job_id, alert, machine, reason, now);
        self.incidents.apply(&id.blob_name(), &key, addition, false);
        if reason == Reason::BudgetExhausted {
            let machine = machine.clone();
            self.spend(now, Spending::HoldBack { job_id, machine });
        }
    }

    /// Takes a capture from the budget of the hour, if it has room.
    pub async fn take_from_budget(&self, job_id: JobId) -> Spent {
        let Some(most) = self.options.captures_per_hour else {
            return Spent::Again;
        };
        let begins_at = Hour::of(self.now());
        let name = Hour::blob_name(begins_at);
        let change = Spending::Spend { job_id, most };
        let limit = self.options.answer_within;
        let spent = self.hours.confirm(&name, &begins_at, change, limit).await;
        spent.verdict
    }

    /// A capture that was taken from the budget is not made.
    pub fn give_back(&self, job_id: JobId) {
        if self.options.captures_per_hour.is_some() {
            self.spend(self.now(), Spending::GiveBack { job_id });
        }
    }

    fn spend(&self, now: OffsetDateTime, change: Spending) {
        let begins_at = Hour::of(now);
        let name = Hour::blob_name(begins_at);
        self.hours.apply(&name, &begins_at, change, false);
    }

    /// Whether alerts can be held back by a budget.
    pub fn has_budgets(&self) -> bool {
        self.options.captures_per_hour.is_some() || self.options.limits.captures_per_day.is_some()
    }

    /// What was held back in the hour before this one, if operators are to be notified of it by this instance.
    pub async fn held_back_before(&self, now: OffsetDateTime) -> Option<HeldBack> {
        let begins_at = Hour::of(now.saturating_sub(time::Duration::HOUR));
        let name = Hour::blob_name(begins_at);
        let limit = self.options.answer_within;
        let read = self
            .hours
            .refresh(&name, &begins_at, Duration::from_secs(30), limit);
        if !read.await {
            return None;
        }
        let change = Spending::Notify;
        match self.hours.confirm(&name, &begins_at, change, limit).await {
            Confirmed {
                verdict: Spent::Notifies(held_back),
                by_store: true,
            } => Some(held_back),
            _ => None,
        }
    }

    /// Writes what is left, for the stop.
    pub async fn close(&self, limit: Duration) {
        let settled = async {
            self.incidents.settle().await;
            self.machines.settle().await;
            self.hours.settle().await;
        };
        if tokio::time::timeout(limit, settled).await.is_err() {
            tracing::warn!("stopped before the incident record was written completely");
        }
    }
}

fn keeper<D: super::document::Document>(
    store: &Option<Arc<dyn Store>>,
    breaker: &Arc<Breaker>,
    options: &RecordOptions,
    gather: Duration,
) -> Arc<Keeper<D>> {
    Arc::new(Keeper::new(
        store.clone(),
        breaker.clone(),
        options.limits,
        options.clock,
        gather,
    ))
}
