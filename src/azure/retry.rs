//! When a call to Azure is repeated, and after how long. The only place that knows.

use super::error::{AzureError, Failure};
use std::time::Duration;

/// How one call is repeated before its caller gets the error.
#[derive(Debug, Clone, Copy)]
pub struct RetryLimits {
    /// Maximum tries, the first one included.
    pub tries: u32,
    /// The wait after the first failure; it doubles with each further one.
    pub first_wait: Duration,
    /// Maximum wait. When Azure asks for more, the call fails at once and says for how long, so that nothing is held
    /// meanwhile.
    pub longest_wait: Duration,
}

impl Default for RetryLimits {
    fn default() -> Self {
        Self {
            tries: 4,
            first_wait: Duration::from_millis(300),
            longest_wait: Duration::from_secs(8),
        }
    }
}

/// Whether a call may simply be sent again when it failed in a temporary way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// The call reads, or has the same effect twice (DELETE).
    Freely,
    /// Only when Azure cannot have carried it out and nothing else may have changed (PUT of a capture: the second one is
    /// refused because the name is taken).
    UnlessApplied,
}

/// How long to wait before try number `tried + 1`, or `None` to give up. `jitter` is within 0 and 1.
pub fn wait_before_next(
    limits: &RetryLimits,
    repeat: Repeat,
    tried: u32,
    error: &AzureError,
    jitter: f64,
) -> Option<Duration> {
    // The caller's job goes back to the queue: there is a pause to wait for, or too much to read again.
    let later = matches!(
        error.failure,
        Failure::NotSent { .. } | Failure::TooLarge { .. }
    );
    // A fresh token was refused too: a moment later it will be no fresher.
    let rejected = error.status() == Some(401);
    if tried >= limits.tries || later || rejected || !error.is_temporary() {
        return None;
    }
    if repeat == Repeat::UnlessApplied
        && (error.may_have_been_applied() || error.is_unknown_conflict())
    {
        return None;
    }
    let doublings = tried.saturating_sub(1).min(16);
    let backoff = limits.first_wait.saturating_mul(1 << doublings);
    let spread = backoff
        .min(limits.longest_wait)
        .mul_f64(0.75 + jitter / 2.0)
        .min(limits.longest_wait);
    match error.retry_after() {
        Some(asked) if asked > limits.longest_wait => None,
        // Calls that were refused together should not come back together.
        Some(asked) => Some(asked.max(spread)),
        None => Some(spread),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::error::Failure;

    fn refused(status: u16, retry_after: Option<u64>) -> AzureError {
        refused_as("C", status, retry_after)
    }

    fn refused_as(code: &str, status: u16, retry_after: Option<u64>) -> AzureError {
        AzureError {
            operation: "test",
            resource: "r".to_owned(),
            failure: Failure::Refused {
                unknown_version: None,
                status,
                code: code.to_owned(),
                message: String::new(),
                request_id: None,
                retry_after: retry_after.map(Duration::from_secs),
            },
        }
    }

    fn lost(sent: bool) -> AzureError {
        AzureError {
            operation: "test",
            resource: "r".to_owned(),
            failure: Failure::NoAnswer {
                sent,
                source: std::sync::Arc::new(std::io::Error::other("cut")),
            },
        }
    }

    fn not_sent() -> AzureError {
        AzureError {
            operation: "test",
            resource: "r".to_owned(),
            failure: Failure::NotSent {
                code: "TooManyRequests".to_owned(),
                reason: "paused".to_owned(),
                retry_after: Some(Duration::from_secs(1)),
            },
        }
    }

    #[test]
    fn waits_follow_the_table() {
        let limits = RetryLimits {
            tries: 3,
            first_wait: Duration::from_millis(400),
            longest_wait: Duration::from_secs(5),
        };
        let ms = |n| Some(Duration::from_millis(n));
        let busy = || refused_as("AnotherOperationInProgress", 409, None);
        use Repeat::{Freely, UnlessApplied};
        for (repeat, tried, error, expected) in [
            (Freely, 1, refused(500, None), ms(400)),
            (Freely, 2, refused(503, None), ms(800)),
            (Freely, 3, refused(503, None), None),
            (Freely, 1, refused(429, Some(2)), ms(2000)),
            (Freely, 1, refused(429, Some(60)), None),
            (Freely, 1, refused(429, Some(0)), ms(400)),
            (Freely, 1, refused(403, None), None),
            (Freely, 1, lost(true), ms(400)),
            (UnlessApplied, 1, lost(true), None),
            (UnlessApplied, 1, lost(false), ms(400)),
            (UnlessApplied, 1, refused(500, None), None),
            (UnlessApplied, 1, refused(429, None), ms(400)),
            (Freely, 1, refused(409, None), ms(400)),
            (UnlessApplied, 1, refused(409, None), None),
            (UnlessApplied, 1, busy(), ms(400)),
            (Freely, 1, refused(401, None), None),
            (Freely, 1, not_sent(), None),
            (Freely, 0, refused(500, None), ms(400)),
        ] {
            let wait = wait_before_next(&limits, repeat, tried, &error, 0.5);
            assert_eq!(wait, expected, "{repeat:?} {tried} {error}");
        }
    }
}
