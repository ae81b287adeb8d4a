//! What is written into a machine's document, and what the writer learns from it. Each change can be applied twice without
//! harm: a write whose answer was lost is applied again to what is there by then.

mod admit;
mod end;
mod receive;

use super::{CopyId, First, Limits, Machine, Seen, Stage};
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
    /// How long after another capture of the machine it must not be captured, where its profile says so; `None`: as
    /// [`Limits::cooldown`] says.
    pub cooldown: Option<Duration>,
    /// It is a drill: it has an incident of its own, and neither cool-down nor budgets count it.
    pub drill: bool,
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
            captures: job.action == Action::Capture && !job.report.finished && !job.is_drill(),
            cooldown: job
                .profile
                .as_ref()
                .map(|it| Duration::from_secs(it.cooldown.into())),
            drill: job.is_drill(),
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
}

fn later(at: OffsetDateTime, wait: Duration) -> OffsetDateTime {
    at.saturating_add(time::Duration::try_from(wait).unwrap_or(time::Duration::MAX))
}
