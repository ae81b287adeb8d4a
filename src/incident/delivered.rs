//! Which receivers have a job's final notification, and when the others are tried again. It is stored with the job, so
//! that no receiver gets a repeat because another one failed, nor after a restart.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Which receivers have a job's final notification; those that are not listed were not tried yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
#[allow(clippy::box_collection)] // a job in memory is to stay small, and few need it
pub struct Delivered(Option<Box<Vec<Attempts>>>);

/// What became of the notification at one receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attempts {
    receiver: Box<str>,
    /// Accepted, or given up.
    done: bool,
    #[serde(default)]
    failures: u32,
    #[serde(with = "time::serde::rfc3339::option", default)]
    again_at: Option<OffsetDateTime>,
}

impl Delivered {
    /// Whether nothing was tried yet.
    pub fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    /// Whether the receiver is to be tried now.
    pub fn is_due(&self, receiver: &str, now: OffsetDateTime) -> bool {
        self.get(receiver).is_none_or(|it| {
            let waits = it.again_at.is_some_and(|again_at| again_at > now);
            !it.done && !waits
        })
    }

    /// The receiver accepted the notification, or is given up.
    pub fn done(&mut self, receiver: &str) {
        let attempts = self.of(receiver);
        attempts.done = true;
        attempts.again_at = None;
    }

    /// Counts a failed attempt and gives the count.
    pub fn failed(&mut self, receiver: &str) -> u32 {
        let attempts = self.of(receiver);
        attempts.failures = attempts.failures.saturating_add(1);
        attempts.failures
    }

    /// The receiver is tried again at this time.
    pub fn again_at(&mut self, receiver: &str, at: OffsetDateTime) {
        self.of(receiver).again_at = Some(at);
    }

    /// When the next of these receivers is to be tried again; `None`: all have it or are given up. One whose settings were
    /// removed is waited for no longer.
    pub fn next(&self, is_receiver: impl Fn(&str) -> bool) -> Option<OffsetDateTime> {
        let waiting = self
            .all()
            .filter(|it| !it.done && is_receiver(&it.receiver));
        waiting.filter_map(|it| it.again_at).min()
    }

    fn get(&self, receiver: &str) -> Option<&Attempts> {
        self.all().find(|it| *it.receiver == *receiver)
    }

    fn all(&self) -> impl Iterator<Item = &Attempts> {
        self.0.iter().flat_map(|all| all.iter())
    }

    fn of(&mut self, receiver: &str) -> &mut Attempts {
        let all = self.0.get_or_insert_default();
        let at = match all.iter().position(|it| *it.receiver == *receiver) {
            Some(at) => at,
            None => {
                all.push(Attempts {
                    receiver: receiver.into(),
                    done: false,
                    failures: 0,
                    again_at: None,
                });
                all.len().saturating_sub(1)
            }
        };
        &mut all[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::{Duration, macros::datetime};

    const NOW: OffsetDateTime = datetime!(2026-11-28 07:30:00 UTC);

    #[test]
    fn each_receiver_has_its_own_attempts() {
        let mut delivered = Delivered::default();
        assert!(delivered.is_empty() && delivered.is_due("0", NOW));
        delivered.done("0");
        assert_eq!(delivered.failed("1"), 1);
        delivered.again_at("1", NOW + Duration::seconds(4));
        assert_eq!(delivered.failed("2"), 1);
        assert_eq!(delivered.failed("2"), 2);
        delivered.again_at("2", NOW + Duration::seconds(2));
        for (receiver, seconds, expected) in [
            ("0", 0, false),
            ("0", 9, false),
            ("1", 3, false),
            ("1", 4, true),
            ("2", 2, true),
            ("3", 0, true),
        ] {
            let now = NOW + Duration::seconds(seconds);
            assert_eq!(
                delivered.is_due(receiver, now),
                expected,
                "{receiver} {seconds}"
            );
        }
        let all = |_: &str| true;
        assert_eq!(delivered.next(all), Some(NOW + Duration::seconds(2)));
        let removed = |receiver: &str| receiver != "2";
        assert_eq!(delivered.next(removed), Some(NOW + Duration::seconds(4)));
        // What was stored with the job is what was known.
        let stored = serde_json::to_string(&delivered).unwrap();
        assert_eq!(
            serde_json::from_str::<Delivered>(&stored).unwrap(),
            delivered
        );
        delivered.done("1");
        delivered.done("2");
        assert_eq!(delivered.next(all), None);
    }
}
