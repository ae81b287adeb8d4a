//! Sends notifications of how captures went: to each receiver that is set, in its format. Renders the
//! values of `incident`; whether and when to try again is the worker's decision.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod error;
mod facts;
mod format;
mod links;
mod pagerduty;
mod portal;
mod post;
mod receivers;
mod signature;
mod slack;
mod slack_threads;
mod webhook;

pub use error::DeliveryError;
pub use facts::condition_in_words;
pub use format::{Format, Rendered};
pub use links::Links;
pub use pagerduty::{PagerDuty, PagerDutyOptions};
pub use portal::{HowToOpen, Portal, how_to_open};
pub use receivers::{Attempt, Only, Receiver, Receivers};
pub use signature::Signer;
pub use slack::{SlackBot, SlackOptions};
pub use webhook::{Timeouts, WebhookNotifier, WebhookOptions};

use crate::incident::{Event, Notification, Thread};
use async_trait::async_trait;

/// A receiver of notifications.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Whether the receiver wants notifications of this event. The log has every event in any case.
    fn wants(&self, event: Event) -> bool;

    /// Makes one attempt to deliver a notification.
    ///
    /// # Errors
    /// When it was not delivered; [`DeliveryError::is_temporary`] says whether another attempt makes sense.
    async fn send(&self, notification: &Notification) -> Result<Sent, DeliveryError>;
}

/// What a receiver accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sent {
    /// The message that later notifications of the incident answer, to be kept in its record.
    pub thread: Option<Thread>,
}
