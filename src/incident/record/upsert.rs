//! What is added to an incident, and what gives way in a long one. Everything can be added twice without harm: after a
//! conflict it is added again to what another process wrote.

use super::{Entry, Incident, IncidentId, SharedReport, Step, VERSION, What};
use crate::incident::PackedFacts;
use crate::{
    incident::{
        job::{Action, Job, JobId},
        ledger::DONE,
        notification::Thread,
        reason::Reason,
        report::{Report, Status},
    },
    resource_id::ResourceId,
};
use std::sync::Arc;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Maximum number of entries kept; the oldest finished ones give way.
const MOST_ENTRIES: usize = 200;
/// Maximum number of entries that keep all lines about their files, at some 4 KB each; the others keep the first one.
const MOST_LOOKS: usize = 50;
/// Maximum number of steps kept; the oldest give way.
const MOST_STEPS: usize = 1_000;

/// What is added to an incident at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Addition {
    /// A job as it is now.
    pub entry: Option<Entry>,
    /// What happened.
    pub steps: Vec<Step>,
    /// The jobs whose alerts are resolved, and when: all jobs of this rule, or the one.
    pub resolved: Option<Resolved>,
    /// A message of a receiver that later notifications answer.
    pub thread: Option<Thread>,
}

/// A resolution of an alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    pub job_id: Option<JobId>,
    /// For the classic schema, whose resolutions have another key than the alert.
    pub rule: Option<Box<str>>,
    pub at: OffsetDateTime,
}

impl Incident {
    /// An incident without entries.
    pub fn open(id: IncidentId, machine: ResourceId) -> Self {
        let opened_at = id.opened_at();
        Self {
            version: VERSION,
            id,
            machine,
            opened_at,
            updated_at: opened_at,
            entries: Vec::new(),
            entries_left_out: 0,
            steps: Vec::new(),
            steps_left_out: 0,
            threads: Vec::new(),
        }
    }

    /// A job as it was last seen.
    pub fn entry(&self, job: &JobId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.job_id == *job)
    }

    /// The addition that brings this incident up to date with a job, with the steps that follow from what has changed.
    pub fn news_of(&self, job: &Arc<Job>, now: OffsetDateTime) -> Addition {
        let entry = Entry {
            job_id: job.job_id,
            action: job.action,
            alert: job.alert.clone(),
            profile: job.profile.clone(),
            accepted_at: job.taken_at,
            resolved_at: None,
            phase: match job.notified {
                true => DONE,
                false => job.phase.as_str(),
            }
            .into(),
            failures: job.failures,
            updated_at: now,
            report: SharedReport::OfJob(job.clone()),
            file_bytes: job.report.look.as_ref().and_then(|look| look.file_bytes),
        };
        let steps = steps(self.entry(&job.job_id), &entry);
        Addition {
            entry: Some(entry),
            steps,
            resolved: None,
            thread: None,
        }
    }

    /// Adds an entry and steps. `false`: they were there already.
    pub fn add(&mut self, addition: &Addition) -> bool {
        let mut changed = false;
        if let Some(entry) = &addition.entry {
            changed |= self.upsert(entry);
        }
        for step in &addition.steps {
            changed |= self.note(step);
        }
        if let Some(resolved) = &addition.resolved {
            changed |= self.resolve(resolved);
        }
        if let Some(thread) = &addition.thread {
            changed |= self.keep(thread);
        }
        if changed {
            self.bound();
        }
        changed
    }

    fn upsert(&mut self, new: &Entry) -> bool {
        self.updated_at = self.updated_at.max(new.updated_at);
        let Some(known) = (self.entries.iter_mut()).find(|known| known.job_id == new.job_id) else {
            let place = |entry: &Entry| (entry.accepted_at, entry.job_id);
            let at = (self.entries).partition_point(|known| place(known) <= place(new));
            if self.entries.len() < 4 {
                self.entries.reserve_exact(1);
            }
            self.entries.insert(at, new.clone());
            return true;
        };
        // An end that was decided stays, and what another process wrote later.
        let newer =
            (new.report.finished, new.updated_at) >= (known.report.finished, known.updated_at);
        let merged = Entry {
            resolved_at: known.resolved_at.or(new.resolved_at),
            file_bytes: new.file_bytes.or(known.file_bytes),
            accepted_at: known.accepted_at.min(new.accepted_at),
            ..new.clone()
        };
        // That it was seen again is no news.
        let seen_again = Entry {
            updated_at: known.updated_at,
            ..merged.clone()
        };
        if !newer || seen_again == *known {
            return false;
        }
        *known = merged;
        true
    }

    pub(super) fn note(&mut self, new: &Step) -> bool {
        self.updated_at = self.updated_at.max(new.at);
        let same = |known: &Step| {
            known.job_id == new.job_id
                && known.what == new.what
                && (known.what.is_single() || known.at == new.at)
        };
        match self.steps.iter().position(same) {
            Some(at) if self.steps.get(at) == Some(new) => return false,
            Some(at) => drop(self.steps.remove(at)),
            None => {}
        }
        let place = |step: &Step| (step.at, step.what, step.job_id);
        let at = (self.steps).partition_point(|known| place(known) <= place(new));
        if self.steps.len() < 8 {
            self.steps.reserve_exact(1);
        }
        self.steps.insert(at, new.clone());
        true
    }

    fn resolve(&mut self, resolved: &Resolved) -> bool {
        let by_job = resolved
            .job_id
            .is_some_and(|job| self.entry(&job).is_some());
        let mut steps = Vec::new();
        for entry in &mut self.entries {
            let named = match by_job {
                true => resolved.job_id == Some(entry.job_id),
                false => entry.alert.rule() == resolved.rule.as_deref(),
            };
            if named && entry.action == Action::Capture && entry.resolved_at.is_none() {
                entry.resolved_at = Some(resolved.at);
                steps.push(Step {
                    at: resolved.at,
                    job_id: Some(entry.job_id),
                    what: What::AlertResolved,
                    text: named_alert(&entry.alert, "was resolved"),
                });
            }
        }
        let changed = !steps.is_empty();
        for step in &steps {
            self.note(step);
        }
        changed
    }

    /// One a receiver: of two, the later one is where people continue.
    fn keep(&mut self, new: &Thread) -> bool {
        let same = |known: &&mut Thread| known.receiver == new.receiver;
        match self.threads.iter_mut().find(same) {
            Some(known) if known.ts >= new.ts => false,
            Some(known) => {
                *known = new.clone();
                true
            }
            None => {
                self.threads.push(new.clone());
                true
            }
        }
    }

    fn bound(&mut self) {
        while self.entries.len() > MOST_ENTRIES {
            let finished = self.entries.iter().position(|it| it.report.finished);
            self.entries.remove(finished.unwrap_or_default());
            self.entries_left_out = self.entries_left_out.saturating_add(1);
        }
        let looks = |entry: &&mut Entry| {
            let (look, changes) = (&entry.report.look, &entry.report.changes);
            let long = look.as_ref().is_some_and(|look| !look.is_short());
            long || changes.as_ref().is_some_and(|it| it.lines.len() > 1)
        };
        let older = self.entries.iter_mut().rev().filter(looks);
        for entry in older.skip(MOST_LOOKS) {
            let mut report = Report::clone(&entry.report);
            report.look = report.look.map(|look| Box::new(look.shortened()));
            if let Some(changes) = &mut report.changes {
                changes.lines.truncate(1);
            }
            entry.report = report.into();
        }
        if let Some(more @ 1..) = self.steps.len().checked_sub(MOST_STEPS) {
            self.steps.drain(..more);
            let more = u32::try_from(more).unwrap_or(u32::MAX);
            self.steps_left_out = self.steps_left_out.saturating_add(more);
        }
    }
}

impl Addition {
    /// Steps alone.
    pub fn of_steps(steps: Vec<Step>) -> Self {
        Self {
            entry: None,
            steps,
            resolved: None,
            thread: None,
        }
    }

    /// A resolved alert.
    pub fn of_resolved(resolved: Resolved) -> Self {
        Self {
            entry: None,
            steps: Vec::new(),
            resolved: Some(resolved),
            thread: None,
        }
    }

    /// A message of a receiver.
    pub fn of_thread(thread: Thread) -> Self {
        Self {
            thread: Some(thread),
            ..Self::of_steps(Vec::new())
        }
    }

    /// An alert that is not captured for this reason.
    pub fn held_back(
        job_id: JobId,
        alert: PackedFacts,
        machine: &ResourceId,
        reason: Reason,
        now: OffsetDateTime,
    ) -> Self {
        let message = format!(
            "{} is not captured: {}",
            machine.short_name(),
            reason.sentence()
        );
        let step = |at, what, text: Box<str>| Step {
            at,
            job_id: Some(job_id),
            what,
            text,
        };
        let mut steps = vec![step(now, What::HeldBack, message.as_str().into())];
        if let Some(at) = fired_at(&alert) {
            steps.insert(0, step(at, What::AlertFired, named_alert(&alert, "fired")));
        }
        let report = Report {
            status: Status::Skipped,
            reason: Some(reason.as_str().to_owned()),
            message,
            ended_at: Some(now),
            finished: true,
            ..Report::default()
        };
        let entry = Entry {
            job_id,
            action: Action::Capture,
            alert,
            profile: None,
            accepted_at: now,
            resolved_at: None,
            phase: DONE.into(),
            failures: 0,
            updated_at: now,
            report: report.into(),
            file_bytes: None,
        };
        Self {
            entry: Some(entry),
            steps,
            resolved: None,
            thread: None,
        }
    }
}

impl What {
    /// Whether a job has at most one step of this kind; a further one replaces it.
    fn is_single(self) -> bool {
        !matches!(
            self,
            What::Waiting
                | What::Failed
                | What::Analyzed
                | What::NotNotified(_)
                | What::NotWrittenBack
        )
    }
}

/// What happened to a job between two times that it was seen.
pub(super) fn steps(before: Option<&Entry>, now: &Entry) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut add = |at, what, text: Box<str>| {
        steps.push(Step {
            at,
            job_id: Some(now.job_id),
            what,
            text,
        });
    };
    let (old, new) = (before.map(|entry| &*entry.report), &*now.report);
    let message = || -> Box<str> { new.message.as_str().into() };
    if before.is_none() {
        if now.action == Action::Capture
            && let Some(at) = fired_at(&now.alert)
        {
            add(at, What::AlertFired, named_alert(&now.alert, "fired"));
        }
        add(
            now.accepted_at,
            What::Accepted,
            named_alert(&now.alert, "was accepted"),
        );
    }
    let failures = before.map_or(0, |entry| entry.failures);
    if now.failures > failures && !new.finished {
        let text = format!("Attempt {} failed; it is retried", now.failures);
        add(now.updated_at, What::Failed, text.into());
    }
    let status = old.map_or(Status::Accepted, |report| report.status);
    let is_news = old.is_none_or(|report| report.message != new.message);
    match new.status {
        Status::Accepted if is_news && !new.message.is_empty() => {
            add(now.updated_at, What::Waiting, message());
        }
        // Of drills alone: versions before them do not know this kind of step.
        Status::Created if status != Status::Created && now.alert.is_drill() => {
            add(now.updated_at, What::Created, message());
        }
        Status::Created if status != Status::Created => {
            add(
                new.began_at.unwrap_or(now.updated_at),
                What::Running,
                message(),
            );
        }
        Status::Joined if status != Status::Joined => {
            add(now.updated_at, What::Joined, message());
        }
        // Its entry alone is known.
        _ if new.joined && before.is_none() => {
            let text = "A running packet capture of the machine serves the alert, too".into();
            add(now.accepted_at, What::Joined, text);
        }
        _ => {}
    }
    if let Some(began_at) = new.began_at
        && !new.joined
        && old.is_none_or(|report| report.began_at != new.began_at)
    {
        let text = "Azure started the packet capture".into();
        add(began_at, What::Running, text);
    }
    if new.finished && old.is_none_or(|report| !report.finished) {
        add(
            new.ended_at.unwrap_or(now.updated_at),
            What::Ended,
            message(),
        );
    }
    if let Some(look) = &new.look
        && old.is_none_or(|report| report.look.is_none())
    {
        let said = look.said().into_iter().next();
        let text = said.unwrap_or_else(|| "The capture's file was read".to_owned());
        add(look.at, What::Analyzed, text.into());
    }
    if new.session_removed
        && now.alert.is_drill()
        && old.is_none_or(|report| !report.session_removed)
    {
        let name = new.name.as_deref().unwrap_or_default();
        let text = format!("Packet capture {name} was removed; its file stays");
        add(now.updated_at, What::Removed, text.into());
    }
    steps
}

fn named_alert(alert: &PackedFacts, what: &str) -> Box<str> {
    match alert.rule() {
        Some(rule) => format!("Alert {rule} {what}").into(),
        None => format!("An alert {what}").into(),
    }
}

/// The alert's own time, where it is written with a zone.
fn fired_at(alert: &PackedFacts) -> Option<OffsetDateTime> {
    let written = alert.fired_at()?;
    let at = OffsetDateTime::parse(written, &Rfc3339).ok()?;
    at.checked_to_offset(time::UtcOffset::UTC)
}

#[cfg(test)]
pub(super) mod tests;
