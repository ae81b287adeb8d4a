//! All receivers of notifications together. Each is tried on its own: one that fails or hangs holds up no other, and what
//! one accepted is not sent to it again because another did not.

use super::{DeliveryError, Notifier, Sent};
use crate::incident::{Delivered, Event, Notification};
use futures_util::future::join_all;
use std::sync::Arc;
use time::OffsetDateTime;

/// A receiver and its name in the settings, by which a job remembers it.
#[derive(Clone)]
pub struct Receiver {
    pub name: &'static str,
    /// What people know it by.
    pub host: String,
    pub notifier: Arc<dyn Notifier>,
}

/// All receivers of notifications; without one, the log has every event.
#[derive(Clone, Default)]
pub struct Receivers(Vec<Receiver>);

/// The receivers of a profile's notifications, by their names; `None`: all.
pub type Only<'o> = Option<&'o [&'static str]>;

impl Receiver {
    /// Whether it gets notifications of this event. One that keeps an incident open is notified of its end in any case.
    fn gets(&self, event: Event, only: Only<'_>) -> bool {
        let is_one = only.is_none_or(|only| only.contains(&self.name));
        (is_one || event == Event::Resolved) && self.notifier.wants(event)
    }
}

/// What became of a notification at one receiver.
pub struct Attempt {
    pub receiver: &'static str,
    pub result: Result<Sent, DeliveryError>,
}

impl Receivers {
    /// These receivers, each with a name of its own.
    pub fn new(receivers: Vec<Receiver>) -> Self {
        Self(receivers)
    }

    /// Each receiver.
    pub fn iter(&self) -> impl Iterator<Item = &Receiver> {
        self.0.iter()
    }

    /// Whether any of these receivers wants notifications of this event.
    pub fn want(&self, event: Event, only: Only<'_>) -> bool {
        self.0.iter().any(|it| it.gets(event, only))
    }

    /// Whether this receiver is set and wants notifications of this event.
    pub fn wants(&self, receiver: &str, event: Event, only: Only<'_>) -> bool {
        let is = |it: &&Receiver| it.name == receiver;
        self.0
            .iter()
            .find(is)
            .is_some_and(|it| it.gets(event, only))
    }

    /// What people know a receiver by.
    pub fn host<'a>(&'a self, receiver: &'a str) -> &'a str {
        let is = |it: &&Receiver| it.name == receiver;
        self.0.iter().find(is).map_or(receiver, |it| &it.host)
    }

    /// Makes one attempt at each of these receivers that wants the notification, does not have it and is due, all at the same time.
    pub async fn send(
        &self,
        notification: &Notification,
        delivered: &Delivered,
        only: Only<'_>,
        now: OffsetDateTime,
    ) -> Vec<Attempt> {
        let due = self
            .0
            .iter()
            .filter(|it| it.gets(notification.event, only) && delivered.is_due(it.name, now));
        let attempts = due.map(async |it| Attempt {
            receiver: it.name,
            result: it.notifier.send(notification).await,
        });
        join_all(attempts).await
    }
}
