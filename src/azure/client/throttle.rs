//! When a call may be sent: not while Azure asked for a pause, and not without a place.

use super::{
    ArmOptions, Call,
    lane::{Lane, Turn},
    pauses::{Bucket, Pauses},
};
use crate::azure::error::{AzureError, Failure};
use std::time::Duration;

/// Maximum calls beside captures in progress.
const BESIDE: usize = 8;

/// Which places a call takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LaneOf {
    /// Calls up to the create.
    Create,
    /// Polls and deletes after it.
    Background,
    /// What is read beside a capture.
    Beside,
}

/// The limits that all clones of a client share.
pub(super) struct Throttle {
    /// Calls up to the create.
    foreground: Lane,
    background: Lane,
    beside: Lane,
    pauses: Pauses,
    /// How long a call waits for pauses. A longer one fails it at once, so that its job goes back to the queue.
    longest_pause: Duration,
    /// How long a call waits for a place.
    longest_turn: Duration,
}

impl Throttle {
    pub fn new(options: &ArmOptions) -> Self {
        Self {
            foreground: Lane::new(options.concurrent_calls),
            background: Lane::new(options.concurrent_calls),
            beside: Lane::new(BESIDE),
            pauses: Pauses::default(),
            longest_pause: options.retry.longest_wait,
            // Three rounds of calls that all run into their time limit.
            longest_turn: options.try_timeout.saturating_mul(3),
        }
    }

    /// Waits until the call may be sent. Nothing is held while it waits.
    ///
    /// # Errors
    /// [`Failure::NotSent`].
    pub async fn turn(&self, call: &Call<'_>, lane: LaneOf) -> Result<Turn<'_>, Failure> {
        let lane = match lane {
            LaneOf::Create => &self.foreground,
            LaneOf::Background => &self.background,
            LaneOf::Beside => &self.beside,
        };
        let bucket = Bucket::of(call.method, &call.url);
        let paused = || bucket.as_ref().and_then(|bucket| self.pauses.left(bucket));
        let mut patience = self.longest_pause;
        loop {
            if let Some((left, code)) = paused() {
                patience = patience.checked_sub(left).ok_or_else(|| {
                    let kind = bucket.as_ref().map_or("", |bucket| bucket.kind.as_str());
                    Failure::NotSent {
                        reason: format!(
                            "Azure throttles the {kind} calls of this subscription for another {} s ({code})",
                            left.as_secs_f64().ceil()
                        ),
                        code,
                        retry_after: Some(left),
                    }
                })?;
                // Calls that were held back together should not come back together.
                let spread = left.mul_f64(rand::random::<f64>() / 4.0);
                tokio::time::sleep(left.saturating_add(spread)).await;
                continue;
            }
            let resource = call.resource.to_string().to_ascii_lowercase();
            let turn = tokio::time::timeout(self.longest_turn, lane.turn(resource)).await;
            let turn = turn.map_err(|_| Failure::NotSent {
                code: "TooManyCalls".to_owned(),
                reason: "too many calls to the same resource are in progress".to_owned(),
                retry_after: None,
            })?;
            // A pause may have begun while the call waited for its place.
            if paused().is_none() {
                return Ok(turn);
            }
        }
    }

    /// Begins a pause if a failed call says that Azure throttles its kind.
    pub fn failed(&self, call: &Call<'_>, error: &AzureError) {
        let Some(wait) = error.throttled_for() else {
            return;
        };
        let Some(bucket) = Bucket::of(call.method, &call.url) else {
            return;
        };
        let (kind, subscription) = (bucket.kind.as_str(), bucket.subscription.clone());
        if self.pauses.begin(bucket, error.code(), wait) {
            tracing::warn!(
                subscription,
                error.code = error.code(),
                request.id = error.request_id(),
                wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                "Azure throttles the {kind} calls of a subscription; pausing them"
            );
        }
    }
}
