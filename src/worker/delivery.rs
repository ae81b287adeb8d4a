//! Delivers notifications: the start of a capture once, its end until each receiver has accepted it or a day has passed.

use super::Worker;
use crate::{
    capture::{Next, times::until},
    incident::{
        Action, Delivered, Event, Job, Notification, Phase, Profile, Status,
        record::{Step, What},
    },
    notify::{Attempt, DeliveryError, Only, Sent},
};
use std::time::Duration;
use time::OffsetDateTime;

/// How long the delivery of a final notification is retried.
const DELIVERY_PERIOD: time::Duration = time::Duration::hours(24);

impl Worker {
    /// Sends the `created` notification once: the end of the capture is notified in any case.
    pub(super) async fn notify_created(&self, job: &Job) {
        if !self.receivers.want(Event::Created, self.receivers_of(job)) {
            return;
        }
        // First, or another process that receives the job after this one's end would notify again.
        self.incidents.created(job).await;
        let now = OffsetDateTime::now_utc();
        let notification = self.notification(job, Event::Created, now).await;
        for Attempt { receiver, result } in self
            .send(job, &notification, &Delivered::default(), now)
            .await
        {
            self.note(job, Event::Created, receiver, &result, true);
            if let Err(error) = result {
                tracing::warn!("could not send the `created` notification: {error}");
            }
        }
    }

    /// Logs and sends how the job ended, and says what comes after it.
    pub(super) async fn notify_ended(&self, job: &mut Job) -> Next {
        let Some(event) = Event::of_end(job.action, job.report.status) else {
            if job.phase != Phase::Notifying {
                match job.report.status {
                    Status::Failed => tracing::warn!("{}", job.report.message),
                    _ => tracing::info!("{}", job.report.message),
                }
            }
            return self.notify_closed(job).await;
        };
        let begun = job.begin_notifying();
        match self.notify_of(job, event, begun).await {
            Some(again) => Next::After(again),
            None => self.capturer.after_notification(job),
        }
    }

    /// Sends how a job ended whose file is not read yet; `Some`: when to continue.
    pub(super) async fn notify_end(&self, job: &mut Job, begun: bool) -> Option<Duration> {
        let event = Event::of_end(job.action, job.report.status)?;
        self.notify_of(job, event, begun).await
    }

    async fn notify_of(&self, job: &mut Job, event: Event, begun: bool) -> Option<Duration> {
        let now = OffsetDateTime::now_utc();
        let ended_at = *job.report.ended_at.get_or_insert(now);
        let notification = self.notification(job, event, ended_at).await;
        if begun {
            log(&notification);
        }
        self.deliver(job, &notification).await
    }

    /// Sends a notification of this event; `Some`: when to continue.
    pub(super) async fn notify(
        &self,
        job: &mut Job,
        event: Event,
        at: OffsetDateTime,
    ) -> Option<Duration> {
        let notification = self.notification(job, event, at).await;
        self.deliver(job, &notification).await
    }

    /// The alert of a job that notifies of nothing else is resolved: its incident may be closed now.
    async fn notify_closed(&self, job: &mut Job) -> Next {
        if job.action != Action::Stop
            || !self.receivers.want(Event::Resolved, self.receivers_of(job))
        {
            return Next::Done;
        }
        let now = OffsetDateTime::now_utc();
        let ended_at = *job.report.ended_at.get_or_insert(now);
        let notification = self.notification(job, Event::Resolved, ended_at).await;
        let incident = notification.incident.as_ref();
        // Otherwise the notification of its last capture closes it.
        if !incident.is_some_and(|incident| incident.closed) {
            return Next::Done;
        }
        job.begin_notifying();
        match self.deliver(job, &notification).await {
            Some(again) => Next::After(again),
            None => Next::Done,
        }
    }

    /// Makes an attempt at each receiver that does not have the notification; `Some`: when to make the next one.
    async fn deliver(&self, job: &mut Job, notification: &Notification) -> Option<Duration> {
        let (event, now) = (notification.event, OffsetDateTime::now_utc());
        let deadline = notification.at.saturating_add(match job.is_drill() {
            true => time::Duration::try_from(self.drill_period).unwrap_or(DELIVERY_PERIOD),
            false => DELIVERY_PERIOD,
        });
        let attempts = self.send(job, notification, &job.delivered, now).await;
        for Attempt { receiver, result } in attempts {
            let last = match &result {
                Ok(_) => true,
                Err(error) => !error.is_temporary() || now >= deadline,
            };
            self.note(job, event, receiver, &result, last);
            match result {
                Ok(_) => job.delivered.done(receiver),
                Err(error) if !last => {
                    self.send_again(job, receiver, &error);
                }
                Err(error) => {
                    tracing::error!("notification not delivered; giving up: {error}");
                    job.delivered.done(receiver);
                }
            }
        }
        let only = self.receivers_of(job);
        let wanted = |receiver: &str| self.receivers.wants(receiver, event, only);
        let again_at = job.delivered.next(wanted)?;
        Some(until(again_at, OffsetDateTime::now_utc()))
    }

    /// The notification of an event of this job, with what is known of its incident.
    async fn notification(&self, job: &Job, event: Event, at: OffsetDateTime) -> Notification {
        let mut notification = Notification {
            incident: self.incidents.context(job).await,
            link: self.profile_of(job).and_then(|it| it.link.clone()),
            ..Notification::of(job, event, at)
        };
        if let (Some(looks), Some(look)) = (&self.looks, &mut notification.report.look) {
            **look = look.in_notice(looks.in_notice);
        }
        notification
    }

    /// Adds to the incident whether a notification has arrived, and the message that later ones answer. `last`: this receiver
    /// gets no further attempt.
    fn note(
        &self,
        job: &Job,
        event: Event,
        receiver: &str,
        result: &Result<Sent, DeliveryError>,
        last: bool,
    ) {
        let receiver = self.receivers.host(receiver);
        let (what, text) = match result {
            Ok(_) => (
                What::Notified(event),
                format!("{receiver} accepted the notification"),
            ),
            Err(error) if last => (
                What::NotNotified(event),
                format!("{}{error}", Step::GIVEN_UP),
            ),
            Err(error) => (
                What::NotNotified(event),
                format!("Notification not delivered: {error}"),
            ),
        };
        let step = Step {
            at: OffsetDateTime::now_utc(),
            job_id: Some(job.job_id),
            what,
            text: text.into(),
        };
        self.incidents.note(job, step);
        if let Ok(Sent {
            thread: Some(thread),
        }) = result
        {
            self.incidents.keep_thread(job, thread.clone());
        }
    }

    /// The profile of a job, as the settings have it now.
    fn profile_of(&self, job: &Job) -> Option<&Profile> {
        self.profiles.find(&job.profile.as_ref()?.name)
    }

    /// Who is notified of this job.
    fn receivers_of(&self, job: &Job) -> Only<'_> {
        self.profile_of(job)?.receivers.as_deref()
    }

    async fn send(
        &self,
        job: &Job,
        notification: &Notification,
        delivered: &Delivered,
        now: OffsetDateTime,
    ) -> Vec<Attempt> {
        let attempts = self
            .receivers
            .send(notification, delivered, self.receivers_of(job), now)
            .await;
        for attempt in &attempts {
            let result = match &attempt.result {
                Ok(_) => "told",
                Err(error) if error.is_temporary() => "failed_for_now",
                Err(_) => "failed",
            };
            self.metrics
                .notification(notification.event.as_str(), result);
        }
        attempts
    }

    fn send_again(&self, job: &mut Job, receiver: &str, error: &DeliveryError) {
        let failures = job.delivered.failed(receiver);
        job.failures = job.failures.max(failures);
        let pause = self.retry.pause(1, failures, error.retry_after());
        tracing::warn!(
            attempt = failures,
            wait_ms = pause.as_millis() as u64,
            "could not send a notification: {error}; retrying in {} s",
            pause.as_secs_f32()
        );
        let again_at = OffsetDateTime::now_utc()
            .saturating_add(time::Duration::try_from(pause).unwrap_or(time::Duration::DAY));
        job.delivered.again_at(receiver, again_at);
    }
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
