//! Whether an alert gets a job on this machine: a duplicate, the cool-down and the budget of the day stand against it. What
//! it joins or opens, and what is taken back when the job is not made.

use super::{
    super::{Captured, CopyId, Day, First, Limits, Machine, Seen, Stage, before},
    Admission, Verdict, later,
};
use crate::incident::{
    job::{Action, JobId},
    record::IncidentId,
    report::Status,
};
use time::OffsetDateTime;

impl Machine {
    /// Decides about an alert: a known one is a duplicate unless its job was lost; then cool-down and budget.
    pub(super) fn admit(
        &mut self,
        it: &Admission,
        limits: &Limits,
        now: OffsetDateTime,
    ) -> (Verdict, bool) {
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
            let cooldown = it.cooldown.unwrap_or(limits.cooldown);
            if self.cools_down_since(now, cooldown).is_some() {
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

    pub(super) fn hold_back(
        &mut self,
        it: &Admission,
        limits: &Limits,
        now: OffsetDateTime,
    ) -> Verdict {
        let (incident, opened) = self.join_or_open(it, now);
        // The alerts that are held back keep their incident open as captures do, or each would open its own.
        let until = later(now, limits.quiet);
        self.quiet_until = Some(self.quiet_until.map_or(until, |known| known.max(until)));
        Verdict::OverBudget { incident, opened }
    }

    /// Writes an alert down that is accepted.
    pub(super) fn accept(&mut self, it: &Admission, now: OffsetDateTime) -> Verdict {
        // The clocks of two instances differ, and a job's time may be forged.
        let at = it.at.min(now);
        let (incident, opened) = match it.action {
            // No alert joins it, and it joins none.
            Action::Capture if it.drill => {
                let own = IncidentId::new(at, &self.machine, &it.job_id);
                (Some(own), true)
            }
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

    pub(super) fn withdraw(&mut self, job_id: &JobId, copy: CopyId) -> (Verdict, bool) {
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
    pub(super) fn release(&mut self, job_id: &JobId) {
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
}
