//! When running sessions are checked. One that ends early (byte limit, failed upload, stopped by an operator) is seen
//! within seconds at first, and all sessions together cost few reads.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};
use tokio::time::Instant;

/// Maximum interval between two checks of a running session, unless many sessions run.
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);
/// Maximum number of such checks in a second, over all sessions of this process.
const CHECKS_A_SECOND: u32 = 8;

/// The interval until the next check of a session that has been followed for `elapsed`: as long again as it has run.
pub fn interval(elapsed: Duration, first: Duration) -> Duration {
    elapsed.clamp(first.min(LONGEST_INTERVAL), LONGEST_INTERVAL)
}

/// The checks that are planned, by second.
pub struct Looks {
    origin: Instant,
    // Held for a few map operations, never over an await.
    planned: Mutex<BTreeMap<u64, u32>>,
}

impl Looks {
    pub fn new(origin: Instant) -> Self {
        Self {
            origin,
            planned: Mutex::default(),
        }
    }

    /// Plans a check `wanted` from now, or in the first second after it that has room. Returns the wait.
    pub fn plan(&self, now: Instant, wanted: Duration) -> Duration {
        let mut planned = self.planned.lock().expect("no code panics with this lock");
        let from_origin = now.saturating_duration_since(self.origin);
        let past = from_origin.as_secs();
        *planned = planned.split_off(&past);
        let first = from_origin.saturating_add(wanted).as_secs();
        let mut second = first;
        for (&taken, &count) in planned.range(first..) {
            if taken > second || count < CHECKS_A_SECOND {
                break;
            }
            second = taken.saturating_add(1);
        }
        let count = planned.entry(second).or_default();
        *count = count.saturating_add(1);
        wanted.saturating_add(Duration::from_secs(second.saturating_sub(first)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST_INTERVAL: Duration = Duration::from_secs(15);

    #[test]
    fn intervals_grow_up_to_a_minute() {
        for (elapsed, expected) in [(0, 15), (15, 15), (30, 30), (59, 59), (3_600, 60)] {
            let secs = Duration::from_secs;
            assert_eq!(
                interval(secs(elapsed), FIRST_INTERVAL),
                secs(expected),
                "{elapsed}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_sessions_are_checked_less_than_ten_times_a_second() {
        let start = Instant::now();
        let looks = Looks::new(start);
        let mut seconds = BTreeMap::<u64, u32>::new();
        for _ in 0..1_000 {
            let wait = looks.plan(start, FIRST_INTERVAL);
            assert!(wait >= FIRST_INTERVAL);
            *seconds.entry(wait.as_secs()).or_default() += 1;
        }
        assert!(seconds.values().all(|count| *count <= CHECKS_A_SECOND));
        assert_eq!(seconds.len(), 1_000 / CHECKS_A_SECOND as usize);
        // Nothing is kept of the past, and a single session is checked when it wants to be.
        tokio::time::advance(Duration::from_secs(1_000)).await;
        assert_eq!(looks.plan(Instant::now(), FIRST_INTERVAL), FIRST_INTERVAL);
        assert_eq!(looks.planned.lock().unwrap().len(), 1);
    }
}
