//! What follows a step that failed: another attempt after a pause, or the end of the job.

use super::{
    outcome,
    step::{Capturer, Next},
};
use crate::{
    azure::error::{AzureError, chain},
    incident::{Job, Phase, Report},
};

impl Capturer {
    pub(super) fn failed(&self, job: &mut Job, error: &AzureError) -> Next {
        job.failures = job.failures.saturating_add(1);
        if !error.is_temporary() || self.retry.is_exhausted(job.failures) {
            return give_up(job, error);
        }
        let factor = job.phase.patience().pause_factor;
        let pause = self.retry.pause(factor, job.failures, error.retry_after());
        tracing::warn!(
            attempt = job.failures,
            wait_ms = pause.as_millis() as u64,
            error.code = error.code(),
            "{}; retrying in {} s",
            chain(error),
            pause.as_secs_f32()
        );
        Next::After(pause)
    }

    /// Counts a failure that has no answer of Azure's: a step that panicked.
    pub fn abandon_or_retry(&self, job: &mut Job, cause: &str) -> Next {
        job.failures = job.failures.saturating_add(1);
        match self.retry.is_exhausted(job.failures) {
            true => self.abandon(job, cause),
            false => {
                let factor = job.phase.patience().pause_factor;
                Next::After(self.retry.pause(factor, job.failures, None))
            }
        }
    }

    /// Gives a job up that the function itself could not carry out. One that only had a notification or a removal left
    /// is finished without them.
    pub fn abandon(&self, job: &mut Job, cause: &str) -> Next {
        if job.report.finished {
            tracing::error!("notification not delivered; giving up: {cause}");
            job.report.given_up = true;
            return Next::Done;
        }
        job.report = Report {
            given_up: true,
            ..outcome::abandoned(std::mem::take(&mut job.report), &job.target.id, cause)
        };
        Next::Decided
    }
}

/// Ends a job whose step failed for good, or too often.
fn give_up(job: &mut Job, error: &AzureError) -> Next {
    let cause = chain(error);
    if matches!(job.phase, Phase::Removing { .. }) {
        tracing::warn!("could not remove the finished packet capture; it stays listed: {cause}");
        return Next::Done;
    }
    tracing::debug!("{cause}");
    job.report = Report {
        given_up: error.is_temporary(),
        ..outcome::failed(std::mem::take(&mut job.report), error)
    };
    Next::Decided
}
