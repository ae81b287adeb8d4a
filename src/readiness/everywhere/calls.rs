//! The calls of a run: paced, after those of alerts, patient when Azure throttles, counted.

use crate::{
    azure::error::{AzureError, Failure},
    fleet::Because,
};
use std::{future::Future, time::Duration};

/// Maximum tries of a call that Azure throttles.
const MAXIMUM_TRIES: u32 = 3;
/// How long a call waits when Azure throttles without saying how long, and at most.
const THROTTLED: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(60));

/// Waits until no alert waits for its capture.
#[async_trait::async_trait]
pub trait Quiet: Send + Sync {
    async fn none_waits(&self);
}

/// Where no alerts come, as in a terminal.
#[async_trait::async_trait]
impl Quiet for () {
    async fn none_waits(&self) {}
}

/// The calls of one run.
pub(super) struct Calls<'a> {
    pace: Duration,
    quiet: &'a dyn Quiet,
    made: u32,
}

impl<'a> Calls<'a> {
    pub fn new(pace: Duration, quiet: &'a dyn Quiet) -> Self {
        Self {
            pace,
            quiet,
            made: 0,
        }
    }

    /// Number of calls so far.
    pub fn made(&self) -> u32 {
        self.made
    }

    /// Makes a call when its time has come. Where Azure throttles it, it waits and tries again: runs have time.
    pub async fn patiently<T, F>(&mut self, mut call: impl FnMut() -> F) -> Result<T, AzureError>
    where
        F: Future<Output = Result<T, AzureError>>,
    {
        let mut tried = 0_u32;
        loop {
            tokio::time::sleep(self.pace).await;
            self.quiet.none_waits().await;
            self.made = self.made.saturating_add(1);
            tried = tried.saturating_add(1);
            let error = match call().await {
                Err(error) if is_throttled(&error) && tried < MAXIMUM_TRIES => error,
                result => return result,
            };
            let wait = error.retry_after().unwrap_or(THROTTLED.0);
            tokio::time::sleep(wait.min(THROTTLED.1)).await;
        }
    }
}

fn is_throttled(error: &AzureError) -> bool {
    error.status() == Some(429) || matches!(error.failure, Failure::NotSent { .. })
}

/// Why a failed call, which needs this action, leaves something unknown.
pub(super) fn because(error: &AzureError, action: &str) -> Because {
    if error.lacks_permission() {
        return Because::Lacks(action.to_owned());
    }
    if is_throttled(error) {
        return Because::Throttled;
    }
    match &error.failure {
        Failure::Refused { .. } if !error.is_temporary() => {
            Because::Refused(error.code().to_owned())
        }
        _ => Because::NoAnswer,
    }
}
