//! Notifies operators of what a readiness run changed: once for each run, whichever process made it.

use super::readiness::Readiness;
use crate::{
    azure::error::chain,
    capture::times::until,
    fleet::{News, Notified, Run},
    incident::{Action, Delivered, Event, JobId, Notification, Readiness as Facts, Report, Retry},
    notify::{Attempt, Receivers},
    resource_id::ResourceId,
    telemetry::Metrics,
};
use std::sync::Arc;
use time::OffsetDateTime;

/// How long the delivery is retried. The result stays on the page and in the metrics.
const DELIVERY_PERIOD: time::Duration = time::Duration::minutes(10);
/// A run without machines and without a subscription is about none of them.
const NO_SUBSCRIPTION: &str = "/subscriptions/00000000-0000-0000-0000-000000000000";

/// Who is notified, and how failures are retried.
pub(super) struct Desk {
    pub receivers: Arc<Receivers>,
    pub metrics: Arc<Metrics>,
    pub retry: Retry,
    /// Whether operators are notified each week in any case.
    pub weekly: bool,
}

impl Readiness {
    /// Shows a finished run in the metrics, and notifies operators of its news, if they were not.
    pub(super) async fn publish(&self, run: &Run) {
        let counts = run.counts();
        self.desk.metrics.readiness(
            [counts.ready, counts.not_ready, counts.unknown],
            run.by_cause(),
            run.finished.unwrap_or(run.started),
        );
        let now = self.incidents.now();
        let notified = match self.incidents.notified_of_runs().await {
            Ok(notified) => notified,
            Err(error) => {
                tracing::warn!(
                    "could not read what operators were notified of after readiness runs; continuing: {}",
                    chain(&error)
                );
                // Neither for the first time, nor weekly: what changed alone.
                Notified {
                    run: Some(OffsetDateTime::UNIX_EPOCH),
                    weekly: Some(now),
                }
            }
        };
        if notified.run == Some(run.started) {
            return;
        }
        let news = run.news(&notified, self.desk.weekly, now);
        if let Some(news) = news {
            self.desk.deliver(run, news).await;
        }
        let weekly = (news == Some(News::Weekly)).then_some(now);
        let notified = Notified {
            run: Some(run.started),
            weekly: weekly.or(notified.weekly),
        };
        if let Err(error) = self.incidents.keep_notified_of_runs(notified).await {
            tracing::warn!(
                "could not keep what operators were notified of after a readiness run; they may be notified again: {}",
                chain(&error)
            );
        }
    }
}

impl Desk {
    async fn deliver(&self, run: &Run, news: News) {
        let notification = notification(run, news);
        match news {
            News::Degraded => tracing::warn!("{}", run.headline(news)),
            News::Restored | News::Weekly => tracing::info!("{}", run.headline(news)),
        }
        let event = notification.event;
        let mut delivered = Delivered::default();
        let deadline = OffsetDateTime::now_utc().saturating_add(DELIVERY_PERIOD);
        loop {
            let now = OffsetDateTime::now_utc();
            for Attempt { receiver, result } in self
                .receivers
                .send(&notification, &delivered, None, now)
                .await
            {
                let word = match &result {
                    Ok(_) => "told",
                    Err(error) if error.is_temporary() => "failed_for_now",
                    Err(_) => "failed",
                };
                self.metrics.notification(event.as_str(), word);
                match result {
                    Ok(_) => delivered.done(receiver),
                    Err(error) if error.is_temporary() && now < deadline => {
                        let failures = delivered.failed(receiver);
                        let pause = self.retry.pause(1, failures, error.retry_after());
                        tracing::warn!(
                            "could not send a notification: {error}; retrying in {} s",
                            pause.as_secs_f32()
                        );
                        let pause = time::Duration::try_from(pause).unwrap_or(DELIVERY_PERIOD);
                        delivered.again_at(receiver, now.saturating_add(pause).min(deadline));
                    }
                    Err(error) => {
                        tracing::error!("notification not delivered; giving up: {error}");
                        delivered.done(receiver);
                    }
                }
            }
            let wanted = |receiver: &str| self.receivers.wants(receiver, event, None);
            let Some(again_at) = delivered.next(wanted) else {
                return;
            };
            tokio::time::sleep(until(again_at, OffsetDateTime::now_utc())).await;
        }
    }
}

/// The notification of a run. Its id is that of the run: receivers can drop a repeat.
fn notification(run: &Run, news: News) -> Notification {
    let event = match news {
        News::Degraded => Event::ReadinessDegraded,
        News::Restored => Event::ReadinessRestored,
        News::Weekly => Event::ReadinessWeekly,
    };
    let about = run
        .change
        .worse
        .first()
        .or(run.machines().first().map(|it| &it.id));
    let target: ResourceId = match about {
        Some(machine) => machine.clone(),
        None => NO_SUBSCRIPTION.parse().expect("it is an id"),
    };
    let key = format!("readiness {}", run.started.unix_timestamp_nanos());
    Notification {
        event,
        at: run.finished.unwrap_or(run.started),
        job_id: JobId::of(Action::Capture, &key, &target),
        alert: Default::default(),
        report: Report {
            message: run.sentence(),
            ..Report::default()
        },
        incident: None,
        profile: None,
        link: None,
        readiness: Some(Box::new(Facts {
            title: run.headline(news),
            facts: run.facts(),
            data: run.news_json(),
            closes: run.is_ready(),
        })),
        target,
    }
}
