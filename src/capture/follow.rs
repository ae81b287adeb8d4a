//! The steps after the create: until the session runs, until it is over, and its removal.

use super::{
    ending::{self, Ending, SETTLING},
    outcome,
    step::{Capturer, Next},
};
use crate::azure::{
    error::{AzureError, ErrorBody},
    network_watcher::PacketCaptureStatus,
    operation::{self, OperationUrl, Progress},
};
use crate::incident::{Job, Phase, Session};
use std::time::Duration;
use time::OffsetDateTime;

impl Capturer {
    pub(super) async fn starting(
        &self,
        job: &mut Job,
        session: Session,
        operation: Option<&OperationUrl>,
    ) -> Result<Next, AzureError> {
        let progress = match operation {
            Some(url) => operation::poll(self.patient.arm(), &session.watcher, url).await?,
            None => Progress::Unknown,
        };
        let progress = match progress {
            Progress::Unknown => self.look_at_capture(&session).await?,
            known => known,
        };
        match progress {
            Progress::Running { retry_after } => Ok(self.poll_after(retry_after)),
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

    /// Without an operation to follow, the resource's provisioning state tells the same.
    async fn look_at_capture(&self, session: &Session) -> Result<Progress, AzureError> {
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
        let limit = own_limit
            .and_then(|seconds| u64::try_from(seconds).ok())
            .unwrap_or(self.parameters.time_limit_seconds.into());
        let ends_at = started + Duration::from_secs(limit);
        job.phase = Phase::Running {
            session,
            ends_at,
            looks: 0,
        };
        let left = ending::next_look(ends_at, 0, OffsetDateTime::now_utc()).unwrap_or(SETTLING);
        self.look_after(left)
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
            job.report = outcome::removed_by_somebody(report, target, now >= ends_at);
            return Ok(Next::Decided);
        };
        report.began_at = status.started.or(report.began_at);
        job.report = match ending::ending(&status) {
            Ending::NotYet => match ending::next_look(ends_at, looks + 1, now) {
                Some(wait) => {
                    job.report = report;
                    job.phase = Phase::Running {
                        session,
                        ends_at,
                        looks: looks + u32::from(now >= ends_at),
                    };
                    return Ok(self.look_after(wait));
                }
                None => outcome::overdue(report, target),
            },
            Ending::Good => {
                report.ended_at = Some(end_of(&status, ends_at, now));
                outcome::completed(report, target, &status)
            }
            Ending::Bad { code, errors } => {
                report.ended_at = Some(now);
                outcome::ended_badly(report, target, &status, &code, errors)
            }
        };
        Ok(Next::Decided)
    }

    /// Removes a session that is over. Another alert may have put its own in its place: a running one stays.
    pub(super) async fn removing(&self, session: &Session) -> Result<Next, AzureError> {
        let Session { watcher, name } = session;
        // A create may wait for this turn, so these calls are not patient ones.
        let _turn = self.places.turn(watcher).await;
        let status = self.client.query_status(watcher, name).await?;
        if status.is_some_and(|status| ending::ending(&status) != Ending::NotYet) {
            self.places.forget_list(watcher);
            self.client.delete_packet_capture(watcher, name).await?;
            tracing::info!("the finished Packet Capture {name} is being removed; its file stays");
        }
        Ok(Next::Done)
    }

    fn look_after(&self, wait: Duration) -> Next {
        Next::After(wait.min(self.parameters.longest_look))
    }
}

/// Azure does not tell when a session ended: at its limit if that was the reason, else when it was seen.
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
