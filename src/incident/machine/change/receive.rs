//! Which copy of a job counts: the queue delivers a message more than once, and a lost copy is replaced.

use super::{
    super::{CopyId, Limits, Machine, Stage, before},
    Delivery, Verdict,
};
use crate::incident::job::JobId;
use time::OffsetDateTime;

impl Machine {
    pub(super) fn offer(
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
    pub(super) fn receive(
        &mut self,
        it: &Delivery,
        limits: &Limits,
        now: OffsetDateTime,
    ) -> (Verdict, bool) {
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

    pub(super) fn replace(
        &mut self,
        job_id: &JobId,
        copy: CopyId,
        now: OffsetDateTime,
    ) -> (Verdict, bool) {
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
}
