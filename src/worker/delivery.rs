//! Delivers notifications: the start of a capture once, its end until the receiver has accepted it or a day has passed.

use super::Worker;
use crate::{
    capture::Next,
    incident::{
        Event, Job, Notification, Status,
        record::{Step, What},
    },
    notify::DeliveryError,
};
use std::time::Duration;
use time::OffsetDateTime;

/// How long the delivery of a final notification is retried.
const DELIVERY_PERIOD: Duration = Duration::from_secs(24 * 3600);

impl Worker {
    /// Sends the `created` notification once: the end of the capture is notified in any case.
    pub(super) async fn notify_created(&self, job: &Job) {
        if !self.notifier.wants(Event::Created) {
            return;
        }
        // First, or another process that receives the job after this one's end would notify again.
        self.incidents.created(job).await;
        let notification = Notification::of(job, Event::Created, OffsetDateTime::now_utc());
        let sent = self.send(&notification).await;
        self.note(job, Event::Created, sent.as_ref().err());
        if let Err(error) = sent {
            tracing::warn!("could not send the `created` notification: {error}");
        }
    }

    /// Logs and sends how the job ended, and says what comes after it.
    pub(super) async fn notify_ended(&self, job: &mut Job) -> Next {
        let Some(event) = Event::of_end(job.action, job.report.status) else {
            match job.report.status {
                Status::Failed => tracing::warn!("{}", job.report.message),
                _ => tracing::info!("{}", job.report.message),
            }
            return Next::Done;
        };
        let now = OffsetDateTime::now_utc();
        let ended_at = *job.report.ended_at.get_or_insert(now);
        let begun = job.begin_notifying();
        let notification = Notification::of(job, event, ended_at);
        if begun {
            log(&notification);
        }
        let sent = match self.notifier.wants(event) {
            true => {
                let sent = self.send(&notification).await;
                self.note(job, event, sent.as_ref().err());
                sent
            }
            false => Ok(()),
        };
        if let Err(error) = sent {
            if error.is_temporary() && now < ended_at.saturating_add(period()) {
                return self.send_again(job, &error);
            }
            tracing::error!("notification not delivered; giving up: {error}");
        }
        self.capturer.after_notification(job)
    }

    /// Adds to the incident whether a notification has arrived.
    fn note(&self, job: &Job, event: Event, error: Option<&DeliveryError>) {
        let (what, text) = match error {
            None => (What::Notified(event), "Notification delivered".to_owned()),
            Some(error) => {
                let text = format!("Notification not delivered: {error}");
                (What::NotNotified(event), text)
            }
        };
        let step = Step {
            at: OffsetDateTime::now_utc(),
            job_id: Some(job.job_id),
            what,
            text: text.into(),
        };
        self.incidents.note(job, step);
    }

    async fn send(&self, notification: &Notification) -> Result<(), DeliveryError> {
        let sent = self.notifier.send(notification).await;
        let result = match &sent {
            Ok(()) => "told",
            Err(error) if error.is_temporary() => "failed_for_now",
            Err(_) => "failed",
        };
        self.metrics
            .notification(notification.event.as_str(), result);
        sent
    }

    fn send_again(&self, job: &mut Job, error: &DeliveryError) -> Next {
        job.failures = job.failures.saturating_add(1);
        let pause = self.retry.pause(1, job.failures, error.retry_after());
        tracing::warn!(
            attempt = job.failures,
            wait_ms = pause.as_millis() as u64,
            "could not send a notification: {error}; retrying in {} s",
            pause.as_secs_f32()
        );
        Next::After(pause)
    }
}

fn period() -> time::Duration {
    time::Duration::try_from(DELIVERY_PERIOD).unwrap_or(time::Duration::DAY)
}

/// One line: information when all is well, an error when evidence is missing. The span around it has the job's and the
/// machine's ids.
fn log(notification: &Notification) {
    let report = &notification.report;
    match (notification.is_failure(), notification.event) {
        (true, _) => tracing::error!(
            error.code = report.reason.as_deref().unwrap_or_default(),
            "{}",
            report.message
        ),
        (false, Event::Failed) => tracing::error!("{}", report.message),
        _ => tracing::info!("{}", report.message),
    }
}
