//! When something that failed is tried again, and when it is given up. Pure.

use std::time::Duration;

/// Maximum pause before a failed step or delivery is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Maximum pause that another side may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 3600);

/// How a job's failures are retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Maximum number of failures until a job is given up (`JobQueue__MaxAttempts`).
    pub max_attempts: u32,
    /// The pause after a first failure; it doubles with each further one.
    pub first_pause: Duration,
}

impl Retry {
    /// The pause after this many failures, multiplied by `factor`, or what the other side asked for if that is longer:
    /// an attempt before that would only be used up.
    pub fn pause(&self, factor: u32, failures: u32, asked: Option<Duration>) -> Duration {
        self.first_pause
            .saturating_mul(factor)
            .saturating_mul(1 << failures.saturating_sub(1).min(16))
            .min(LONGEST_PAUSE)
            .max(asked.unwrap_or_default().min(LONGEST_ASKED))
    }

    /// Whether a job that failed this often is given up.
    pub fn is_exhausted(&self, failures: u32) -> bool {
        failures >= self.max_attempts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_five_minutes() {
        let retry = Retry {
            max_attempts: 3,
            first_pause: Duration::from_secs(1),
        };
        for (factor, failures, asked, expected) in [
            (1, 1, None, 1),
            (1, 2, None, 2),
            (1, 5, None, 16),
            (10, 1, None, 10),
            (10, 2, Some(5), 20),
            (1, 1, Some(60), 60),
            (1, 1, Some(3_600), 3_600),
            (1, 1, Some(u64::MAX), 86_400),
            (1, u32::MAX, None, 300),
            (u32::MAX, u32::MAX, Some(400), 400),
        ] {
            let pause = retry.pause(factor, failures, asked.map(Duration::from_secs));
            assert_eq!(
                pause,
                Duration::from_secs(expected),
                "{factor} {failures} {asked:?}"
            );
        }
        assert!(!retry.is_exhausted(2) && retry.is_exhausted(3));
    }
}
