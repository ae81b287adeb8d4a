//! What is written into a machine's document, and what the writer learns from it. Each change can be applied twice without
//! harm: a write whose answer was lost is applied again to what is there by then.

use super::{Captured, CopyId, Day, First, Limits, Machine, Seen, Stage, before};
use crate::incident::{
    job::{Action, Job, JobId},
    record::IncidentId,
    report::Status,
};
use std::time::Duration;
use time::OffsetDateTime;

/// An alert that wants a job on this machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Admission {
    pub job_id: JobId,
    pub action: Action,
    pub copy: CopyId,
    pub at: OffsetDateTime,
    pub rule: Option<Box<str>>,
    /// It is to capture: cool-down and budget count. Not so the notification of machines beyond the maximum, and a stop.
    pub captures: bool,
}

impl Admission {
    /// What a job wants.
    pub fn of(job: &Job) -> Self {
        Self {
            job_id: job.job_id,
            action: job.action,
            copy: job.copy,
            at: job.taken_at,
            rule: job.rule().map(Into::into),
            captures: job.action == Action::Capture && !job.report.finished,
        }
    }
}

/// A copy of a job that a process received from the queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    pub admission: Admission,
    /// The queue's id of its message, where it is known.
    pub message: Option<Box<str>>,
    /// The message that it replaces, which was deleted while a process held it.
    pub replaces: Option<Box<str>>,
    /// The job was given up: an operator has put it back.
    pub given_up: bool,
}

impl Delivery {
    /// A received job. `message`: the queue's id of its message, where it is known.
    pub fn of(job: &Job, message: Option<&str>, replaces: Option<&str>) -> Self {
        Self {
            admission: Admission::of(job),
            message: message.map(Into::into),
            replaces: replaces.map(Into::into),
            given_up: job.report.given_up,
        }
    }
}

/// One change to a machine's document.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    Admit(Admission),
    /// An alert is held back by the budget of all machines: it joins the incident, or opens it.
    HoldBack(Admission),
    /// A claimed job could not be put into the queue.
    Withdraw {
        job_id: JobId,
        copy: CopyId,
    },
    /// A claimed job is in the queue.
    Queued {
        job_id: JobId,
        copy: CopyId,
    },
    /// The queue trigger has brought a copy in this message, and `next` is about to be put in its place.
    Offer {
        delivery: Delivery,
        next: CopyId,
    },
    Receive(Delivery),
    /// The copy that counts was moved to the poison queue; another one takes its place.
    Replace {
        job_id: JobId,
        copy: CopyId,
    },
    /// Azure has accepted the create, or the job has joined a running capture.
    Created {
        job_id: JobId,
        copy: CopyId,
        status: Status,
        outcome: Box<str>,
    },
    /// The job's end is decided.
    Ended {
        job_id: JobId,
        copy: CopyId,
        status: Status,
        outcome: Box<str>,
        at: OffsetDateTime,
    },
    /// Nothing is left to do for the job.
    Done {
        job_id: JobId,
        copy: CopyId,
    },
    /// An alert is resolved: known by its job or, in the classic schema, by its rule.
    Resolve {
        job_id: Option<JobId>,
        rule: Option<Box<str>>,
    },
    Nothing,
}

/// What a change came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The alert is accepted; it may have joined an incident or opened it. `superseded`: an earlier copy of the job was
    /// lost, and may have created the capture.
    New {
        incident: Option<IncidentId>,
        opened: bool,
        superseded: bool,
        accepted_at: OffsetDateTime,
    },
    /// The alert was accepted before.
    Duplicate(First),
    /// Another process has claimed the alert a moment ago, and has not put it into the queue yet.
    Pending(First),
    /// A capture of the machine was accepted a short time ago; the alert joins this incident.
    Cooldown { incident: Option<IncidentId> },
    /// The machine's captures of today are used up; the alert joins this incident, or opens it.
    OverBudget { incident: IncidentId, opened: bool },
    /// The received copy counts: its process works on the job.
    Ours {
        incident: Option<IncidentId>,
        superseded: bool,
        accepted_at: OffsetDateTime,
        /// Its capture was created by then, and operators may have been notified of it.
        created: bool,
        /// Its end is decided already.
        ended: bool,
        /// Its alert is resolved.
        resolved: bool,
    },
    /// Whether the received copy counts is known after this time at the latest.
    Wait(Duration),
    /// Another copy of the job counts.
    Elsewhere,
    /// The job is finished.
    Finished,
    /// The change is written down.
    Noted,
}

impl Machine {
    /// Applies a change. The second value: whether the document has changed.
    pub fn apply(
        &mut self,
        change: &Change,
        limits: &Limits,
        now: OffsetDateTime,
    ) -> (Verdict, bool) {
        match change {
            Change::Admit(admission) => self.admit(admission, limits, now),
            Change::HoldBack(admission) => (self.hold_back(admission, limits, now), true),
            Change::Withdraw { job_id, copy } => self.withdraw(job_id, *copy),
            Change::Queued { job_id, copy } => self.update(job_id, *copy, now, |seen| {
                let changed = !seen.queued;
                seen.queued = true;
                changed
            }),
            Change::Offer { delivery, next } => self.offer(delivery, *next, limits, now),
            Change::Replace { job_id, copy } => self.replace(job_id, *copy, now),
            Change::Receive(delivery) => self.receive(delivery, limits, now),
            Change::Created {
                job_id,
                copy,
                status,
                outcome,
            } => self.update(job_id, *copy, now, |seen| {
                let changed = seen.stage < Stage::Created;
                if changed {
                    seen.queued = true;
                    seen.stage = Stage::Created;
                    seen.status = *status;
                    seen.outcome = outcome.clone();
                }
                changed
            }),
            Change::Ended {
                job_id,
                copy,
                status,
                outcome,
                at,
            } => self.end(job_id, *copy, (*status, outcome), *at, limits, now),
            Change::Done { job_id, copy } => self.update(job_id, *copy, now, |seen| {
                let changed = seen.stage < Stage::Done;
                seen.stage = Stage::Done;
                changed
            }),
            Change::Nothing => (Verdict::Noted, false),
            Change::Resolve { job_id, rule } => self.resolve(job_id.as_ref(), rule.as_deref()),
        }
    }

    /// Decides about an alert: a known one is a duplicate unless its job was lost; then cool-down and budget.
    fn admit(&mut self, it: &Admission, limits: &Limits, now: OffsetDateTime) -> (Verdict, bool) {
        self.forget(now);
        if let Some(seen) = self.find_mut(&it.job_id) {
            let first = First::from(&*seen);
            if seen.copy != it.copy {
                if seen.is_accepted() {
                    return (Verdict::Duplicate(first), false);
                }
                if before(now, seen.updated_at) < limits.claim {
                    return (Verdict::Pending(first), false);
                }
                seen.copy = it.copy;
                seen.next = None;
                seen.message = None;
                seen.superseded = true;
                seen.updated_at = now;
            }
            let verdict = Verdict::New {
                incident: seen.incident.clone(),
                opened: false,
                superseded: seen.superseded,
                accepted_at: seen.at,
            };
            return (verdict, true);
        }
        if it.captures {
            if self.cools_down_since(now, limits.cooldown).is_some() {
                let incident = self.open_incident(now).cloned();
                return (Verdict::Cooldown { incident }, false);
            }
            let today = self.captures_today(now);
            if limits.captures_per_day.is_some_and(|most| today >= most) {
                return (self.hold_back(it, limits, now), true);
            }
        }
        (self.accept(it, now), true)
    }

    fn hold_back(&mut self, it: &Admission, limits: &Limits, now: OffsetDateTime) -> Verdict {
        let (incident, opened) = self.join_or_open(it, now);
        // The alerts that are held back keep their incident open as captures do, or each would open its own.
        let until = later(now, limits.quiet);
        self.quiet_until = Some(self.quiet_until.map_or(until, |known| known.max(until)));
        Verdict::OverBudget { incident, opened }
    }

    /// Writes an alert down that is accepted.
    fn accept(&mut self, it: &Admission, now: OffsetDateTime) -> Verdict {
        // The clocks of two instances differ, and a job's time may be forged.
        let at = it.at.min(now);
        let (incident, opened) = match it.action {
            Action::Capture => {
                let (incident, opened) = self.join_or_open(it, now);
                (Some(incident), opened)
            }
            // It belongs to the incident that it ends, and opens none.
            Action::Stop => (self.open_incident(now).cloned(), false),
        };
        if it.captures {
            let captures = self.captures_today(at).saturating_add(1);
            let date = at.date();
            self.day = Some(Day { date, captures });
            self.captured = Some(Captured {
                at,
                job_id: it.job_id,
            });
        }
        // Most machines have one; a vector begins with room for four.
        if self.seen.len() < 4 {
            self.seen.reserve_exact(1);
        }
        self.seen.push(Seen {
            job_id: it.job_id,
            action: it.action,
            incident: incident.clone(),
            copy: it.copy,
            next: None,
            message: None,
            at,
            updated_at: now,
            queued: false,
            counts: it.captures,
            superseded: false,
            stage: Stage::Claimed,
            resolved: false,
            rule: it.rule.clone(),
            status: Status::Accepted,
            outcome: Box::default(),
        });
        Verdict::New {
            incident,
            opened,
            superseded: false,
            accepted_at: at,
        }
    }

    fn join_or_open(&mut self, it: &Admission, now: OffsetDateTime) -> (IncidentId, bool) {
        if let Some(open) = self.open_incident(now) {
            return (open.clone(), false);
        }
        let incident = IncidentId::new(it.at.min(now), &self.machine, &it.job_id);
        let opened = self.incident.as_ref() != Some(&incident);
        self.incident = Some(incident.clone());
        self.quiet_until = None;
        (incident, opened)
    }

    fn withdraw(&mut self, job_id: &JobId, copy: CopyId) -> (Verdict, bool) {
        let unqueued = |seen: &Seen| {
            seen.job_id == *job_id
                && seen.copy == copy
                && !seen.queued
                && seen.stage == Stage::Claimed
        };
        let Some(at) = self.seen.iter().position(unqueued) else {
            return (Verdict::Noted, false);
        };
        self.release(job_id);
        let gone = self.seen.remove(at);
        let incident = gone.incident.as_ref();
        if self
            .seen
            .iter()
            .all(|seen| seen.incident.as_ref() != incident)
            && self.incident.as_ref() == incident
            && self.quiet_until.is_none()
        {
            self.incident = None;
        }
        (Verdict::Noted, true)
    }

    /// A capture that was not made cools nothing down, and counts in no budget.
    fn release(&mut self, job_id: &JobId) {
        if self.captured.is_some_and(|it| it.job_id == *job_id) {
            self.captured = None;
        }
        let counts = self
            .find_mut(job_id)
            .map(|seen| (std::mem::take(&mut seen.counts), seen.at));
        if let (Some((true, at)), Some(day)) = (counts, &mut self.day)
            && day.date == at.date()
        {
            day.captures = day.captures.saturating_sub(1);
        }
    }

    fn offer(
        &mut self,
        it: &Delivery,
        next: CopyId,
        limits: &Limits,
        now: OffsetDateTime,
    ) -> (Verdict, bool) {
        let (verdict, changed) = self.receive(it, limits, now);
        if matches!(verdict, Verdict::Ours { .. })
            && let Some(seen) = self.find_mut(&it.admission.job_id)
        {
            seen.next = Some(next);
            return (verdict, true);
        }
        (verdict, changed)
    }

    /// Decides about a copy of a job that was received from the queue.
    fn receive(&mut self, it: &Delivery, limits: &Limits, now: OffsetDateTime) -> (Verdict, bool) {
        self.forget(now);
        let admission = &it.admission;
        if self.find(&admission.job_id).is_none() {
            // Accepted when the store was down, or by an older version, or longer ago than is remembered: it was accepted.
            self.accept(admission, now);
        }
        let Some(seen) = self.find_mut(&admission.job_id) else {
            return (Verdict::Elsewhere, false);
        };
        let before_it = seen.clone();
        if it.given_up && (seen.message != it.message || it.message.is_none()) {
            // An operator has put it back: a new round.
            seen.stage = Stage::Claimed;
            seen.copy = admission.copy;
            seen.message = None;
        }
        if seen.stage == Stage::Done {
            return (Verdict::Finished, false);
        }
        let known = seen.copy == admission.copy || seen.next == Some(admission.copy);
        if !known {
            if seen.is_accepted() {
                return (Verdict::Elsewhere, false);
            }
            let age = before(now, seen.updated_at);
            if let Some(left) = limits.claim.checked_sub(age)
                && !left.is_zero()
            {
                return (Verdict::Wait(left), false);
            }
            seen.superseded = true;
        }
        // The next copy has a message of its own, and so has one that supersedes another.
        let same_message = match (&seen.message, &it.message) {
            (Some(known), Some(message)) if seen.copy == admission.copy => {
                known == message || it.replaces.as_ref() == Some(known)
            }
            _ => true,
        };
        if !same_message {
            return (Verdict::Elsewhere, false);
        }
        if seen.copy != admission.copy {
            seen.copy = admission.copy;
            seen.next = None;
            seen.message = None;
        }
        if it.message.is_some() {
            seen.message.clone_from(&it.message);
        }
        seen.queued = true;
        let changed = *seen != before_it;
        if changed {
            seen.updated_at = now;
        }
        let verdict = Verdict::Ours {
            incident: seen.incident.clone(),
            superseded: seen.superseded,
            accepted_at: seen.at,
            created: seen.stage >= Stage::Created,
            ended: seen.stage == Stage::Ended,
            resolved: seen.resolved,
        };
        (verdict, changed)
    }

    fn replace(&mut self, job_id: &JobId, copy: CopyId, now: OffsetDateTime) -> (Verdict, bool) {
        match self.find_mut(job_id) {
            None => (Verdict::Noted, false),
            Some(seen) if seen.stage == Stage::Done => (Verdict::Finished, false),
            Some(seen) => {
                seen.copy = copy;
                seen.next = None;
                seen.message = None;
                seen.updated_at = now;
                (Verdict::Noted, true)
            }
        }
    }

    fn end(
        &mut self,
        job_id: &JobId,
        copy: CopyId,
        (status, outcome): (Status, &str),
        at: OffsetDateTime,
        limits: &Limits,
        now: OffsetDateTime,
    ) -> (Verdict, bool) {
        let (verdict, changed) = self.update(job_id, copy, now, |seen| {
            let changed = seen.stage < Stage::Ended;
            if changed {
                seen.queued = true;
                seen.stage = Stage::Ended;
                seen.status = status;
                seen.outcome = outcome.into();
            }
            changed
        });
        if changed {
            let ended = self
                .find(job_id)
                .map(|seen| (seen.action, seen.incident.clone()));
            if let Some((Action::Capture, incident)) = ended
                && incident == self.incident
            {
                let until = later(at, limits.quiet);
                self.quiet_until = Some(self.quiet_until.map_or(until, |known| known.max(until)));
            }
            if matches!(status, Status::Failed | Status::Skipped) {
                self.release(job_id);
            }
        }
        (verdict, changed)
    }

    /// Changes what is known of a job, if this copy of it counts.
    fn update(
        &mut self,
        job_id: &JobId,
        copy: CopyId,
        now: OffsetDateTime,
        change: impl FnOnce(&mut Seen) -> bool,
    ) -> (Verdict, bool) {
        match self.find_mut(job_id) {
            // Forgotten, or written down nowhere: there is no other copy either.
            None => (Verdict::Noted, false),
            Some(seen) if seen.copy != copy => (Verdict::Elsewhere, false),
            Some(seen) => {
                let changed = change(seen);
                if changed {
                    seen.updated_at = now;
                }
                (Verdict::Noted, changed)
            }
        }
    }

    fn resolve(&mut self, job_id: Option<&JobId>, rule: Option<&str>) -> (Verdict, bool) {
        let by_job = job_id.is_some_and(|job| self.find(job).is_some());
        let mut changed = false;
        for seen in &mut self.seen {
            let named = match by_job {
                true => job_id == Some(&seen.job_id),
                // Only what has no capture yet: the stop finds the running ones.
                false => seen.rule.as_deref() == rule && seen.stage == Stage::Claimed,
            };
            if named && seen.action == Action::Capture && !seen.resolved {
                seen.resolved = true;
                changed = true;
            }
        }
        (Verdict::Noted, changed)
    }
}

fn later(at: OffsetDateTime, wait: Duration) -> OffsetDateTime {
    at.saturating_add(time::Duration::try_from(wait).unwrap_or(time::Duration::MAX))
}
