//! When a call to Azure is repeated, and after how long. The only place that knows.

use super::error::AzureError;
use std::time::{Duration, SystemTime};

/// How often and how long one call is repeated before its caller hears of it.
#[derive(Debug, Clone, Copy)]
pub struct RetryLimits {
    /// Tries in all, the first one included.
    pub tries: u32,
    /// The wait after the first failure; it doubles with each further one.
    pub first_wait: Duration,
    /// The longest wait. When Azure asks for more, the call fails at once and says for how long, so that
    /// nothing is held meanwhile.
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
    /// It reads, or has the same effect twice (DELETE).
    Freely,
    /// Only when Azure cannot have carried it out (PUT of a capture: the second one is refused as a clash).
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
    if tried >= limits.tries || !error.is_temporary() {
        return None;
    }
    if repeat == Repeat::UnlessApplied && error.may_have_been_applied() {
        return None;
    }
    let backoff = limits.first_wait.saturating_mul(1 << (tried - 1).min(16));
    let spread = backoff
        .mul_f64(0.75 + jitter / 2.0)
        .min(limits.longest_wait);
    match error.retry_after() {
        Some(asked) if asked > limits.longest_wait => None,
        // Those who were sent away together should not come back together.
        Some(asked) => Some(asked.max(spread)),
        None => Some(spread),
    }
}

/// Reads `Retry-After`: seconds or an HTTP date (RFC 9110, 10.2.3). A date in the past is no wait.
pub fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::error::Failure;

    fn refused(status: u16, retry_after: Option<u64>) -> AzureError {
        AzureError {
            operation: "test",
            resource: "r".to_owned(),
            failure: Failure::Refused {
                unknown_version: None,
                status,
                code: "C".to_owned(),
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
                source: "cut".into(),
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
        ] {
            let wait = wait_before_next(&limits, repeat, tried, &error, 0.5);
            assert_eq!(wait, expected, "{repeat:?} {tried} {error}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (value, expected) in [
            ("10", Some(10)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sun, 06 Nov 1994 08:49:07 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(
                parse_retry_after(value, now),
                expected.map(Duration::from_secs),
                "{value}"
            );
        }
    }
}
