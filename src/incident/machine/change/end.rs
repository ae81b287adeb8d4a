//! What a job's end and a resolved alert change: how long the incident stays open, and what the capture no longer counts in.

use super::{
    super::{CopyId, Limits, Machine, Stage},
    Verdict, later,
};
use crate::incident::{
    job::{Action, JobId},
    report::Status,
};
use time::OffsetDateTime;

impl Machine {
    pub(super) fn end(
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

    pub(super) fn resolve(
        &mut self,
        job_id: Option<&JobId>,
        rule: Option<&str>,
    ) -> (Verdict, bool) {
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
