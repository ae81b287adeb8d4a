//! What follows the end of a job that was decided: the reading of its capture's file and the notification or, when the look
//! takes long, the notification first and a second one with what the file shows. The job's phase says how far it is, so
//! that another process continues from there.

use super::{Worker, held::Held, looks};
use crate::{
    capture::{Checkpoint, Next, times::until},
    incident::{Delivered, Event, FileLook, InNotice, Job, Phase},
};
use std::{sync::Arc, time::Duration};
use time::OffsetDateTime;

/// How a job's wait for a look ended.
enum Waited {
    Known(FileLook),
    NotYet,
    /// This process stops.
    Stopping,
}

impl Worker {
    /// The phase that follows a job's end: its look, where its capture has a file to read.
    pub(super) fn begin_end(&self, job: &mut Job) {
        match &self.looks {
            Some(looks) if looks.wants(job) => {
                let within = time::Duration::try_from(looks.notify_within);
                let within = within.unwrap_or(time::Duration::HOUR);
                let notify_at = OffsetDateTime::now_utc().saturating_add(within);
                job.phase = Phase::Looking { notify_at };
                job.failures = 0;
            }
            _ => {}
        }
    }

    /// A process was killed in each reading of this job's file: it is not read again.
    pub(super) fn end_look(&self, job: &mut Job) {
        job.report.look = Some(Box::new(looks::killed()));
        job.phase = match job.phase {
            Phase::LookingOn => Phase::NotifyingLook,
            _ => Phase::Notifying,
        };
    }

    /// Looks and notifies, as far as it goes without a pause.
    pub(super) async fn ended(&self, job: &mut Arc<Job>, held: &mut Held<'_>) -> Next {
        let at_its_end = !job.phase.is_notifying() && !job.phase.is_looking();
        if at_its_end {
            self.begin_end(Arc::make_mut(job));
            // Before the look, or a process that is killed in it would not count.
            if job.phase.is_looking() && !held.write(job).await {
                return Next::NotOurs;
            }
        }
        self.ask_again_what_changed(job);
        let mut begun = false;
        loop {
            match job.phase {
                Phase::Looking { notify_at } => match self.look_until(job, notify_at, held).await {
                    Waited::Known(look) => {
                        if !self.looked(job, look) {
                            return Next::NotOurs;
                        }
                        self.add_what_changed(job, held).await;
                        held.begin_notifying().await;
                        return self.notify_ended(Arc::make_mut(job)).await;
                    }
                    Waited::NotYet => {
                        begun = true;
                        Arc::make_mut(job).phase = Phase::NotifyingFirst;
                    }
                    Waited::Stopping => return Next::After(Duration::ZERO),
                },
                Phase::NotifyingFirst => {
                    self.add_what_changed(job, held).await;
                    held.begin_notifying().await;
                    if let Some(again) = self.notify_end(Arc::make_mut(job), begun).await {
                        return Next::After(again);
                    }
                    let changed = Arc::make_mut(job);
                    changed.phase = Phase::LookingOn;
                    changed.delivered = Delivered::default();
                    changed.failures = 0;
                    if !held.write(job).await {
                        return Next::NotOurs;
                    }
                }
                Phase::LookingOn => {
                    held.begin_looking();
                    match self.look_on(job, held).await {
                        Waited::Known(look) => {
                            if !self.looked(job, look) {
                                return Next::NotOurs;
                            }
                            Arc::make_mut(job).phase = Phase::NotifyingLook;
                            self.add_rules(job).await;
                        }
                        Waited::NotYet | Waited::Stopping => return Next::After(Duration::ZERO),
                    }
                }
                Phase::NotifyingLook => {
                    held.begin_notifying().await;
                    let changed = Arc::make_mut(job);
                    let look = changed.report.look.as_ref();
                    let at = look.map_or_else(OffsetDateTime::now_utc, |look| look.at);
                    return match self.notify(changed, Event::Analyzed, at).await {
                        Some(again) => Next::After(again),
                        None => self.capturer.after_notification(changed),
                    };
                }
                _ => {
                    self.add_what_changed(job, held).await;
                    held.begin_notifying().await;
                    return self.notify_ended(Arc::make_mut(job)).await;
                }
            }
        }
    }

    /// Waits for a look, until the notification is due.
    async fn look_until(
        &self,
        job: &Job,
        notify_at: OffsetDateTime,
        held: &mut Held<'_>,
    ) -> Waited {
        let Some(looks) = &self.looks else {
            return Waited::NotYet;
        };
        let left = until(notify_at, OffsetDateTime::now_utc());
        // A look that ends the process would keep the notification from going out.
        if left.is_zero() {
            return Waited::NotYet;
        }
        held.begin_looking();
        let durable = self.queue.is_durable();
        tokio::select! {
            biased;
            look = looks.result(job) => Waited::Known(look),
            () = tokio::time::sleep(left) => Waited::NotYet,
            // What is in memory is lost with the process: the notification goes without the look.
            () = held.stopping() => match durable {
                true => Waited::Stopping,
                false => Waited::NotYet,
            },
        }
    }

    /// Waits for a look whose notification is delivered.
    async fn look_on(&self, job: &Job, held: &mut Held<'_>) -> Waited {
        let Some(looks) = &self.looks else {
            // The settings were changed meanwhile.
            return Waited::Known(looks::switched_off());
        };
        tokio::select! {
            biased;
            look = looks.result(job) => Waited::Known(look),
            () = held.stopping() => Waited::Stopping,
        }
    }

    /// Writes down what a look has found. `false`: another instance has taken the job over meanwhile.
    fn looked(&self, job: &mut Arc<Job>, look: FileLook) -> bool {
        let in_log = self.looks.as_ref().map_or(InNotice::None, |looks| {
            looks.forget(&job.job_id);
            looks.in_notice
        });
        if self.incidents.is_elsewhere(job) {
            return false;
        }
        // Logs are read by more people, and kept longer, than the record.
        for line in look.in_notice(in_log).said() {
            tracing::info!("first look: {line}");
        }
        Arc::make_mut(job).report.look = Some(Box::new(look));
        self.ledger.record(job);
        self.incidents.record(job);
        true
    }
}
