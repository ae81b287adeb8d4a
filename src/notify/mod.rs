//! Telling people how captures went: a line in the log, and a webhook where one is set. It uses nothing of ours.

mod error;
mod facts;
mod format;
mod notice;
mod portal;
mod signature;
mod webhook;

pub use error::NoticeError;
pub use format::{Format, Rendered};
pub use notice::{AlertFacts, CaptureFacts, Condition, Event, Failure, Notice};
pub use portal::{HowToOpen, Portal, how_to_open};
pub use signature::Signer;
pub use webhook::{Patience, WebhookNotifier, WebhookOptions};

use async_trait::async_trait;

/// Somebody who is told.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Whether somebody wants to hear of such events. What nobody wants to hear needs no delivery; the log has it
    /// in any case ([`Notice::log`]).
    fn tells(&self, event: Event) -> bool;

    /// One attempt to tell it.
    ///
    /// # Errors
    /// When it could not be told; [`NoticeError::is_temporary`] says whether another attempt makes sense.
    async fn tell(&self, notice: &Notice) -> Result<(), NoticeError>;
}

/// Nobody is told; the log has it.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogNotifier;

#[async_trait]
impl Notifier for LogNotifier {
    fn tells(&self, _: Event) -> bool {
        false
    }

    async fn tell(&self, _: &Notice) -> Result<(), NoticeError> {
        Ok(())
    }
}
