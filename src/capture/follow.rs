//! The steps after the create: until the session runs, until it has ended, and its removal.

use super::{
    ending::{self, Ending, SETTLING},
    looks, outcome,
    step::{Capturer, Checkpoint, Next},
    times::{after, limit_of, plausible_start, until},
};
use crate::azure::{
    error::{AzureError, ErrorBody, Failure},
    network_watcher::PacketCaptureStatus,
    operation::{OperationUrl, Progress},
};
use crate::incident::{Job, Phase, Session};
use std::time::Duration;
use time::OffsetDateTime;
use tokio::time::Instant;

impl Capturer {
    pub(super) async fn starting(
        &self,
        job: &mut Job,
        session: Session,
        operation: Option<&OperationUrl>,
    ) -> Result<Next, AzureError> {
        // An operation that stays in progress for ever: the resource itself shows what became of the create.
        let late = OffsetDateTime::now_utc() >= after(job.taken_at, self.create_within(job));
        let progress = match operation.filter(|_| !late) {
            Some(url) => self.patient.get_operation(&session.watcher, url).await?,
            None => Progress::Unknown,
        };
        let progress = match progress {
            Progress::Unknown => self.read_capture(&session).await?,
            known => known,
        };
        match progress {
            Progress::Running { retry_after } => Ok(self.poll_after(retry_after)),
            // Another write came between: the list shows what is there now, and the create is repeated.
            Progress::Failed(error) if error.is_conflict() => {
                job.phase = Phase::Prepare;
                // Refused for certain: what is left of it is stale, not this job's capture.
                job.create_unconfirmed = false;
                Err(AzureError {
                    operation: "create the packet capture",
                    resource: session.watcher.to_string(),
                    failure: Failure::OperationFailed {
                        code: error.code,
                        message: error.message,
                    },
                })
            }
            Progress::Failed(error) => {
                let report = std::mem::take(&mut job.report);
                job.report = outcome::create_failed(report, &error.code, &error.message);
                Ok(Next::Decided)
            }
            Progress::Succeeded | Progress::Unknown => {
                Ok(self.follow(job, session, OffsetDateTime::now_utc(), None))
            }
        }
    }

    /// Without an operation to follow, the resource's provisioning state says the same.
    async fn read_capture(&self, session: &Session) -> Result<Progress, AzureError> {
        let failed = |code: &str, message: &str| {
            Progress::Failed(ErrorBody {
                code: code.to_owned(),
                message: message.to_owned(),
            })
        };
        let Session { watcher, name } = session;
        let found = self.patient.get_packet_capture(watcher, name).await?;
        Ok(match found {
            None => failed("NotFound", "the capture is no longer there"),
            Some(capture) => match capture.provisioning_state.to_ascii_lowercase().as_str() {
                "succeeded" => Progress::Succeeded,
                "failed" | "canceled" | "deleting" => {
                    failed("ProvisioningFailed", &capture.provisioning_state)
                }
                _ => Progress::Running { retry_after: None },
            },
        })
    }

    /// The session runs: the next look is at the end of its time limit.
    pub(super) fn follow(
        &self,
        job: &mut Job,
        session: Session,
        started: OffsetDateTime,
        own_limit: Option<i64>,
    ) -> Next {
        let limit = match own_limit {
            Some(_) => limit_of(own_limit),
            None => Duration::from_secs(self.parameters(job).time_limit_seconds.into()),
        };
        let ends_at = after(started, limit);
        job.phase = Phase::Running {
            session,
            ends_at,
            looks: 0,
        };
        let now = OffsetDateTime::now_utc();
        self.next_look(job.taken_at, ends_at, 0, now)
            .unwrap_or(Next::After(SETTLING))
    }

    /// When a running session is checked next; `None`: it is overdue.
    fn next_look(
        &self,
        taken_at: OffsetDateTime,
        ends_at: OffsetDateTime,
        looks: u32,
        now: OffsetDateTime,
    ) -> Option<Next> {
        let at_end = ending::next_look(ends_at, looks, now)?;
        let early = looks::interval(until(now, taken_at), self.polling.first_look);
        let wait = match now < ends_at && early < at_end {
            true => self.looks.plan(Instant::now(), early).min(at_end),
            false => at_end,
        };
        Some(Next::After(wait.min(self.polling.longest_look)))
    }

    pub(super) async fn running(
        &self,
        job: &mut Job,
        session: Session,
        ends_at: OffsetDateTime,
        looks: u32,
    ) -> Result<Next, AzureError> {
        let Session { watcher, name } = &session;
        let status = self.patient.query_status(watcher, name).await?;
        let now = OffsetDateTime::now_utc();
        let target = &job.target.id;
        let mut report = job.report.clone();
        let Some(status) = status else {
            report.ended_at = Some(now.min(ends_at));
            job.report = outcome::deleted_by_others(report, target, now >= ends_at);
            return Ok(Next::Decided);
        };
        report.began_at = plausible_start(status.started, now).or(report.began_at);
        job.report = match ending::ending(&status) {
            Ending::NotYet => {
                let looks = looks.saturating_add(u32::from(now >= ends_at));
                match self.next_look(job.taken_at, ends_at, looks, now) {
                    Some(next) => {
                        job.report = report;
                        job.phase = Phase::Running {
                            session,
                            ends_at,
                            looks,
                        };
                        return Ok(next);
                    }
                    None => outcome::overdue(report, target),
                }
            }
            Ending::Good => {
                let ended_at = end_of(&status, ends_at, now);
                let early = ran_short(&status, report.began_at, ends_at, now);
                report.ended_at = Some(ended_at);
                outcome::completed(report, target, &status, early)
            }
            Ending::Bad { code, errors } => {
                report.ended_at = Some(now);
                outcome::ended_badly(report, target, &status, &code, errors)
            }
        };
        Ok(Next::Decided)
    }

    /// Removes a finished session. Another alert may have created its own in its place: a running one stays.
    pub(super) async fn removing(
        &self,
        job: &mut Job,
        session: &Session,
        checkpoint: &mut dyn Checkpoint,
    ) -> Result<Next, AzureError> {
        let Session { watcher, name } = session;
        // A create may wait for this turn, so these calls are not patient ones.
        let Some(_turn) = self.turn(watcher, checkpoint).await else {
            return Ok(Next::After(Duration::ZERO));
        };
        let status = self.client.query_status(watcher, name).await?;
        let over = match &status {
            None => false,
            Some(status) if ending::ending(status) != Ending::NotYet => true,
            // One that never started is not followed to its end.
            Some(status) if job.is_drill() => {
                let capture = self.client.get_packet_capture(watcher, name).await?;
                capture.is_some_and(|capture| ending::is_over(&capture, status))
            }
            Some(_) => false,
        };
        if over {
            self.places.forget_list(watcher);
            let write = self.places.writes.begin(watcher);
            self.client.delete_packet_capture(watcher, name).await?;
            drop(write);
            tracing::info!("removing the finished packet capture {name}; its file stays");
        }
        // Another operator may have removed it.
        job.report.session_removed = over || status.is_none();
        Ok(Next::Done)
    }
}

/// When a session ended, which Azure does not report: at its limit if that was the reason, else when it was seen.
fn end_of(
    status: &PacketCaptureStatus,
    ends_at: OffsetDateTime,
    now: OffsetDateTime,
) -> OffsetDateTime {
    let reason = status.stop_reason.as_deref().unwrap_or_default();
    match reason.eq_ignore_ascii_case("TimeExceeded") {
        true => ends_at.min(now),
        false => now,
    }
}

/// How long a session ran that ended before its time limit for a reason other than that or an operator: the byte limit,
/// as far as is known, whose text no source has recorded.
fn ran_short(
    status: &PacketCaptureStatus,
    began_at: Option<OffsetDateTime>,
    ends_at: OffsetDateTime,
    now: OffsetDateTime,
) -> Option<time::Duration> {
    let reason = status.stop_reason.as_deref().unwrap_or_default();
    let is_known = ["timeexceeded", "manual"]
        .iter()
        .any(|known| reason.to_ascii_lowercase().contains(known));
    // The last seconds are the clocks' differences.
    let short = after(now, SETTLING.saturating_mul(5)) < ends_at;
    (short && !is_known).then(|| {
        let ran = until(now, began_at?);
        time::Duration::try_from(ran).ok()
    })?
}
