//! The steps up to the create: find the watcher, read its captures, remove what is in the way, create.

use super::{
    differences::differences,
    ending::{Ending, ending, is_over},
    looks, outcome,
    parameters::{RemoveFinished, capture_target, covers},
    plan::{self, Plan, Verdict},
    step::{Capturer, Checkpoint, Next},
    times::{plausible_start, until},
};
use crate::incident::{Job, Phase, Report, Session};
use crate::{
    azure::{
        error::{AzureError, Failure},
        network_watcher::{Accepted, PacketCapture, PacketCaptureStatus},
        operation::{OperationUrl, Progress},
    },
    resource_id::ResourceId,
};
use std::{sync::Arc, time::Duration};
use time::OffsetDateTime;
use tokio::time::Instant;

/// A job that waited longer than this for its turn may belong to another instance by now. The shortest visibility
/// timeout is a second, of which half is left when a job is received.
const LONG_TURN: Duration = Duration::from_millis(250);

/// How long a drill waits while the capture of an alert is being created.
const GIVE_WAY: Duration = Duration::from_millis(500);

impl Capturer {
    /// The step up to the create. What is cached may be out of date: a watcher replaced, a machine created again
    /// elsewhere. Azure says so with a refusal, and then it is asked again, once.
    pub(super) async fn prepare(
        &self,
        job: &mut Job,
        checkpoint: &mut dyn Checkpoint,
    ) -> Result<Next, AzureError> {
        // An alert's capture comes first, and none waits for a drill's.
        if job.is_drill() && self.urgent.any() {
            return Ok(Next::After(GIVE_WAY));
        }
        let _urgent = (!job.is_drill()).then(|| self.urgent.begin());
        let from_memory = self.places.remembers(&job.target.id);
        let machine = capture_target(&job.target).to_string();
        let read_anew = self.places.region(&job.target.id).is_none();
        match self.look_and_act(job, checkpoint).await {
            // The machine itself was asked for just now. A thousand such jobs must not forget what is known of others.
            Err(error) if error.is_not_found() && read_anew && error.resource == machine => {
                Err(error)
            }
            Err(error) if error.is_not_found() || error.code() == "InvalidResourceReference" => {
                self.places.forget(&job.target.id);
                if !from_memory {
                    return Err(error);
                }
                tracing::info!(
                    "{error}; cached region or network watcher is out of date; looking it up again"
                );
                self.look_and_act(job, checkpoint).await
            }
            looked => looked,
        }
    }

    async fn look_and_act(
        &self,
        job: &mut Job,
        checkpoint: &mut dyn Checkpoint,
    ) -> Result<Next, AzureError> {
        let mut asked = Instant::now();
        let mut beside = self.beside(job);
        // A job that waits for a read that another one has begun keeps no place, as at a watcher's turn.
        let waits = self.is_being_read(job);
        if waits {
            checkpoint.yield_place();
        }
        let found = beside.during(self.find_watcher(job)).await;
        if waits && !beside.during(checkpoint.take_place()).await {
            return Ok(Next::After(Duration::ZERO));
        }
        let Some(watcher) = found? else {
            return Ok(Next::Decided);
        };
        if !waits {
            asked = Instant::now();
        }
        let _turn = match self.places.try_turn(&watcher) {
            Some(turn) => turn,
            None => {
                // What was asked beside will be too old.
                drop(std::mem::take(&mut beside));
                let Some(turn) = self.turn(&watcher, checkpoint).await else {
                    return Ok(Next::After(Duration::ZERO));
                };
                turn
            }
        };
        // In a storm the line is long, and the job's visibility timeout ends meanwhile: without this look two
        // instances would take all jobs from each other and finish none.
        if asked.elapsed() >= LONG_TURN && !beside.during(checkpoint.write(job)).await {
            return Ok(Next::NotOurs);
        }
        let session = Session {
            name: self.parameters(job).name.of(&job.target, job.rule()),
            watcher,
        };
        let limit = self.parameters(job).limit;
        // Should it not be so any more, Azure refuses the create, and the list is read then. After an answer that was
        // lost only Azure itself knows.
        let is_free = || {
            !job.create_unconfirmed && self.places.is_free(&session.watcher, &session.name, limit)
        };
        if is_free() {
            drop(beside);
            return self.create(job, session, checkpoint).await;
        }
        let look = match beside.of(&session).await? {
            Some(look) if self.is_current(&look, &session.watcher) => look,
            _ => self.look(&session).await?,
        };
        match plan::plan(&look.listed, limit) {
            Plan::Create => self.create(job, session, checkpoint).await,
            Plan::Examine(capture) => {
                let status = look.status_of(capture, Instant::now());
                self.examine(job, session, capture, status).await
            }
            Plan::Skip { .. } if self.has_moved(job).await? => Ok(Next::AtOnce),
            Plan::Skip { listed: count } => {
                if self.parameters(job).remove_finished == RemoveFinished::ToMakeRoom
                    && let Some(oldest) = self
                        .oldest_finished(&session.watcher, &look.listed.ours)
                        .await?
                {
                    tracing::info!("removing the finished packet capture {oldest} to make room");
                    return self.delete(job, session.watcher, &oldest).await;
                }
                job.report = match job.is_drill() {
                    true => outcome::no_room_for_drill(&session.watcher, count, limit),
                    false => outcome::limit_reached(&session.watcher, count, limit),
                };
                Ok(Next::Decided)
            }
        }
    }

    async fn create(
        &self,
        job: &mut Job,
        session: Session,
        checkpoint: &mut dyn Checkpoint,
    ) -> Result<Next, AzureError> {
        // Written down before the call: should this process end now, the next one must know.
        job.create_unconfirmed = true;
        if !checkpoint.write(job).await {
            return Ok(Next::NotOurs);
        }
        let body = self.parameters(job).body(job);
        let Session { watcher, name } = &session;
        let write = self.places.writes.begin(watcher);
        let created = self
            .client
            .create_packet_capture(watcher, name, &body)
            .await;
        drop(write);
        match created {
            Ok(Accepted {
                operation,
                retry_after,
                capture,
            }) => {
                self.places.add_to_list(watcher, name, capture.as_ref());
                let storage_path = capture.and_then(|capture| capture.storage_path);
                job.report = self.created(job, &session, storage_path);
                job.phase = Phase::Starting { session, operation };
                Ok(self.poll_after(retry_after))
            }
            Err(error) => {
                job.create_unconfirmed = error.may_have_been_applied();
                self.places.forget_list(watcher);
                // Refused because another instance of the function took the name or the last place meanwhile?
                if matches!(error.status(), Some(400 | 409)) {
                    let listed = self.list(&session).await?;
                    if plan::plan(&listed, self.parameters(job).limit) != Plan::Create {
                        return Ok(self.poll_after(Some(Duration::ZERO)));
                    }
                    // What the list allows, Azure does not.
                    self.places.forget_list(&session.watcher);
                }
                Err(error)
            }
        }
    }

    fn created(&self, job: &Job, session: &Session, storage_path: Option<String>) -> Report {
        let parameters = self.parameters(job);
        let report = outcome::created(&job.target, session, storage_path);
        Report {
            time_limit_seconds: Some(parameters.time_limit_seconds),
            file_path: parameters.storage.file_path.clone(),
            ..report
        }
    }

    /// The capture that is running, and what it gathers in another way than this job's profile asks for.
    fn joined(&self, job: &mut Job, session: &Session, capture: &PacketCapture) -> Report {
        let mut report = outcome::joined(&job.target, session, capture.storage_path.clone());
        if let Some(differ) = differences(capture, &self.parameters(job), job) {
            report.message = format!("{}. {differ}", report.message);
            // The report's sentence gives way to that of the end.
            if let Some(profile) = &mut job.profile {
                Arc::make_mut(profile).note(&differ);
            }
        }
        report
    }

    async fn examine(
        &self,
        job: &mut Job,
        session: Session,
        capture: &PacketCapture,
        status: Option<Option<PacketCaptureStatus>>,
    ) -> Result<Next, AzureError> {
        // As Azure spells it.
        let name = &capture.name;
        let watcher = &session.watcher;
        let ours = covers(capture, &job.target);
        let storage_path = capture.storage_path.clone();
        if ours && job.create_unconfirmed {
            // Our own create, whose answer was lost.
            job.report = self.created(job, &session, storage_path);
            job.phase = Phase::Starting {
                session,
                operation: None,
            };
            return Ok(Next::AtOnce);
        }
        let status = match status {
            Some(status) => status,
            None => self.client.query_status(watcher, name).await?,
        };
        let now = OffsetDateTime::now_utc();
        let is_first_look = job.in_the_way_since.is_none();
        let seen_since = *job.in_the_way_since.get_or_insert(now);
        // An earlier copy of this job was lost after its create: what began since the alert was accepted is this job's.
        if ours && job.superseded && began_since(job.taken_at, status.as_ref(), now) {
            job.report = self.created(job, &session, storage_path);
            job.phase = Phase::Starting {
                session,
                operation: None,
            };
            return Ok(Next::AtOnce);
        }
        match plan::judge(capture, status.as_ref(), ours, seen_since, now) {
            Verdict::Gone => {
                self.places.forget_list(watcher);
                Ok(Next::AtOnce)
            }
            Verdict::Join => {
                job.report = self.joined(job, &session, capture);
                let started = status.and_then(|status| plausible_start(status.started, now));
                let started = started.unwrap_or(now);
                Ok(self.follow(job, session, started, capture.time_limit_seconds))
            }
            Verdict::Wait(_) if is_first_look && self.has_moved(job).await? => {
                job.in_the_way_since = None;
                Ok(Next::AtOnce)
            }
            Verdict::Wait(wait) => {
                job.report = outcome::waiting(watcher, name, &capture.target);
                // It may end early, as any capture.
                let early = looks::interval(until(now, seen_since), self.polling.first_look);
                Ok(Next::After(match early < wait {
                    true => self.looks.plan(Instant::now(), early).min(wait),
                    false => wait,
                }))
            }
            Verdict::Deleting => {
                job.report = outcome::being_deleted(watcher, name);
                Ok(Next::After(plan::check_again(until(now, seen_since))))
            }
            // The queue may hold a job twice, and two alerts may come at once: one capture is enough for both.
            Verdict::Stale if ours && is_evidence_since(job.taken_at, status.as_ref(), now) => {
                job.report = self.joined(job, &session, capture);
                self.follow(job, session, now, capture.time_limit_seconds);
                Ok(Next::AtOnce)
            }
            // A drill deletes nothing but what a drill of this machine created.
            Verdict::Stale if job.is_drill() && !ours => {
                job.report = outcome::drill_name_taken(&session);
                Ok(Next::Decided)
            }
            Verdict::Stale => {
                job.in_the_way_since = None;
                self.delete(job, session.watcher, name).await
            }
        }
    }

    async fn delete(
        &self,
        job: &mut Job,
        watcher: ResourceId,
        name: &str,
    ) -> Result<Next, AzureError> {
        let write = self.places.writes.begin(&watcher);
        let deleted = self.client.delete_packet_capture(&watcher, name).await;
        drop(write);
        if !matches!(&deleted, Ok(accepted) if accepted.operation.is_none()) {
            self.places.forget_list(&watcher);
        }
        let accepted = deleted?;
        job.report = outcome::removing_stale(&watcher, name);
        match accepted.operation {
            // Done at once: a list younger than a second is still right, less this capture. A delete without effect
            // shows when the create is refused or, with the next round, in the list itself.
            None if job.rounds == 0 => {
                self.places.remove_from_list(&watcher, name);
                Ok(Next::AtOnce)
            }
            None => {
                self.places.forget_list(&watcher);
                Ok(Next::AtOnce)
            }
            Some(operation) => {
                job.phase = Phase::Deleting { watcher, operation };
                Ok(self.poll_after(accepted.retry_after))
            }
        }
    }

    pub(super) async fn deleting(
        &self,
        job: &mut Job,
        watcher: &ResourceId,
        operation: &OperationUrl,
    ) -> Result<Next, AzureError> {
        match self.client.get_operation(watcher, operation).await? {
            Progress::Running { retry_after } => Ok(self.poll_after(retry_after)),
            // Whatever became of it, the list shows.
            Progress::Succeeded | Progress::Unknown => {
                job.phase = Phase::Prepare;
                Ok(Next::AtOnce)
            }
            // Counted as a failure: it must not continue for ever.
            Progress::Failed(error) => {
                job.phase = Phase::Prepare;
                Err(AzureError {
                    operation: "delete the stale packet capture",
                    resource: watcher.to_string(),
                    failure: Failure::OperationFailed {
                        code: error.code,
                        message: error.message,
                    },
                })
            }
        }
    }

    /// The name of the oldest finished session that this function created.
    async fn oldest_finished(
        &self,
        watcher: &ResourceId,
        ours: &[PacketCapture],
    ) -> Result<Option<String>, AzureError> {
        let mut oldest: Option<(Option<OffsetDateTime>, String)> = None;
        for capture in ours {
            let status = self.client.query_status(watcher, &capture.name).await?;
            let Some(status) = status.filter(|status| is_over(capture, status)) else {
                continue;
            };
            // One that never started is the first to go.
            let started = plausible_start(status.started, OffsetDateTime::now_utc());
            let candidate = (started, capture.name.clone());
            if oldest.as_ref().is_none_or(|oldest| candidate < *oldest) {
                oldest = Some(candidate);
            }
        }
        Ok(oldest.map(|(_, name)| name))
    }
}

/// Whether a session began after the alert was taken and has ended well: there is nothing left to gather. The two
/// times are of different clocks; should ours be behind, an older session is taken for one only if it is as little
/// older.
fn is_evidence_since(
    taken_at: OffsetDateTime,
    status: Option<&PacketCaptureStatus>,
    now: OffsetDateTime,
) -> bool {
    status.is_some_and(|status| ending(status) == Ending::Good)
        && began_since(taken_at, status, now)
}

/// Whether a session began after the alert was accepted.
fn began_since(
    taken_at: OffsetDateTime,
    status: Option<&PacketCaptureStatus>,
    now: OffsetDateTime,
) -> bool {
    let started = status.and_then(|status| plausible_start(status.started, now));
    started.is_some_and(|started| started >= taken_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn only_a_good_session_that_began_after_the_alert_is_its_evidence() {
        const TAKEN: OffsetDateTime = datetime!(2026-11-23 02:00:00 UTC);
        const NOW: OffsetDateTime = datetime!(2026-11-23 02:05:00 UTC);
        for (state, reason, seconds_after, expected) in [
            ("Stopped", "TimeExceeded", Some(0), true),
            ("Stopped", "TimeExceeded", Some(-1), false),
            ("Stopped", "TimeExceeded", None, false),
            ("Stopped", "Error", Some(1), false),
            ("Running", "", Some(1), false),
            // Tomorrow is no start.
            ("Stopped", "TimeExceeded", Some(86_400), false),
        ] {
            let status = PacketCaptureStatus {
                status: state.to_owned(),
                started: seconds_after.map(|after| TAKEN + time::Duration::seconds(after)),
                stop_reason: Some(reason.to_owned()),
                errors: Vec::new(),
            };
            assert_eq!(
                is_evidence_since(TAKEN, Some(&status), NOW),
                expected,
                "{state} {reason} {seconds_after:?}"
            );
        }
        assert!(!is_evidence_since(TAKEN, None, NOW));
    }
}
