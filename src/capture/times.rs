//! What Azure says about a session's times, made safe: starts that cannot be, limits that cannot be, sums that overflow.

use std::time::Duration;
use time::{OffsetDateTime, macros::datetime};

/// Network Watcher packet captures did not exist before.
const EARLIEST_START: OffsetDateTime = datetime!(2017-01-01 00:00 UTC);
/// How far Azure's clock may be ahead of this machine's.
const CLOCK_SKEW: time::Duration = time::Duration::minutes(5);
/// Azure's default time limit, for a session that states none, in seconds.
const DEFAULT_LIMIT: u64 = 18_000;
/// The longest session there is: a continuous capture of a week, in seconds.
const LONGEST_LIMIT: u64 = 604_800;

/// When a session started, if that is possible: .NET spells "none" as year 1, and a start in the future would make an
/// alert wait for days.
pub fn plausible_start(
    started: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> Option<OffsetDateTime> {
    let latest = now.saturating_add(CLOCK_SKEW);
    started
        .filter(|started| (EARLIEST_START..=latest).contains(started))
        .map(|started| started.min(now))
}

/// The time limit of a session as Azure lists it.
pub fn limit_of(listed_seconds: Option<i64>) -> Duration {
    let seconds = listed_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    Duration::from_secs(seconds.unwrap_or(DEFAULT_LIMIT).min(LONGEST_LIMIT))
}

/// A sum that stays within the calendar.
pub fn after(at: OffsetDateTime, wait: Duration) -> OffsetDateTime {
    at.saturating_add(signed(wait))
}

/// The time from `now` until `at`; zero when it has passed.
pub fn until(at: OffsetDateTime, now: OffsetDateTime) -> Duration {
    (at.unix_timestamp_nanos())
        .checked_sub(now.unix_timestamp_nanos())
        .and_then(|nanos| u128::try_from(nanos).ok())
        .map(|nanos| {
            let seconds = u64::try_from(nanos / 1_000_000_000).unwrap_or(u64::MAX);
            Duration::new(seconds, (nanos % 1_000_000_000) as u32)
        })
        .unwrap_or_default()
}

fn signed(wait: Duration) -> time::Duration {
    time::Duration::try_from(wait).unwrap_or(time::Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-23 02:00:00 UTC);

    #[test]
    fn impossible_starts_are_no_starts() {
        for (started, expected) in [
            (None, None),
            (Some(datetime!(0001-01-01 00:00 UTC)), None),
            (Some(datetime!(2016-12-31 23:59 UTC)), None),
            (
                Some(datetime!(2026-11-23 01:59 UTC)),
                Some(datetime!(2026-11-23 01:59 UTC)),
            ),
            (Some(NOW), Some(NOW)),
            (Some(datetime!(2026-11-23 02:05 UTC)), Some(NOW)),
            (Some(datetime!(2026-11-24 02:00 UTC)), None),
            (Some(datetime!(9999-12-31 23:59 UTC)), None),
        ] {
            assert_eq!(plausible_start(started, NOW), expected, "{started:?}");
        }
    }

    #[test]
    fn limits_and_sums_stay_in_range() {
        for (listed, expected) in [
            (Some(10), 10),
            (Some(0), 0),
            (None, 18_000),
            (Some(-1), 18_000),
            (Some(i64::MAX), 604_800),
        ] {
            assert_eq!(
                limit_of(listed),
                Duration::from_secs(expected),
                "{listed:?}"
            );
        }
        let last = datetime!(9999-12-31 23:59:59 UTC);
        assert!(after(last, Duration::MAX) >= last);
        assert_eq!(
            after(NOW, Duration::from_secs(60)),
            datetime!(2026-11-23 02:01 UTC)
        );
        assert_eq!(
            until(after(NOW, Duration::from_millis(1500)), NOW),
            Duration::from_millis(1500)
        );
        assert_eq!(until(NOW, last), Duration::ZERO);
    }
}
