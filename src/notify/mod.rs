//! Sends notifications of how captures went: to a webhook where one is set, in the receiver's format. Renders the
//! values of `incident`; whether and when to try again is the worker's decision.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod error;
mod facts;
mod format;
mod portal;
mod signature;
mod webhook;

pub use error::DeliveryError;
pub use facts::condition_in_words;
pub use format::{Format, Rendered};
pub use portal::{HowToOpen, Portal, how_to_open};
pub use signature::Signer;
pub use webhook::{Timeouts, WebhookNotifier, WebhookOptions};

use crate::incident::{Event, Notification};
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
    async fn send(&self, notification: &Notification) -> Result<(), DeliveryError>;
}

/// No receiver is configured; the log has every event.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogNotifier;

#[async_trait]
impl Notifier for LogNotifier {
    fn wants(&self, _: Event) -> bool {
        false
    }

    async fn send(&self, _: &Notification) -> Result<(), DeliveryError> {
        Ok(())
    }
}
