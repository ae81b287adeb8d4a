//! A bad night: a share of all calls fails at random, in all the ways in which Azure can fail. The same seed gives
//! the same row of failures; which call meets which is up to the order in which they come.

use std::time::{Duration, SystemTime};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::Sandbox;
use super::calls::Call;
use super::faults::{FaultBody, What};
use super::odd_answers;
use super::server::lock;

/// Which calls fail, and how many of them. Shares are within 0 and 1.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chances {
    /// Of calls to Resource Manager.
    pub resource_manager: f64,
    /// Of calls to Queue Storage.
    pub queue: f64,
    /// Of calls to Blob Storage.
    pub blob: f64,
    /// Of the calls that fail, those that fail in an odd way: answers that no contract promises, late answers.
    pub odd: f64,
    /// Begins the row of failures.
    pub seed: u64,
}

/// The row of failures.
pub(super) struct Chance {
    chances: Chances,
    random: StdRng,
    met: usize,
}

impl Chance {
    fn new(chances: Chances) -> Self {
        Self {
            random: StdRng::seed_from_u64(chances.seed),
            chances,
            met: 0,
        }
    }

    /// What happens to a call, if anything.
    pub fn take(&mut self, call: Call, reads: bool) -> Option<What> {
        let share = match call {
            call if call.is_arm() => self.chances.resource_manager,
            call if call.is_queue() => self.chances.queue,
            call if call.is_blob() => self.chances.blob,
            _ => 0.0,
        };
        if !self.random.random_bool(share.clamp(0.0, 1.0)) {
            return None;
        }
        self.met += 1;
        if self.random.random_bool(self.chances.odd.clamp(0.0, 1.0)) {
            let kind = self.random.random_range(0..odd_answers::KINDS);
            return Some(match call.is_queue() || call.is_blob() {
                true => What::Late(Duration::from_secs(1 + u64::from(kind))),
                false => odd_answers::of(call, kind),
            });
        }
        let kind = self.random.random_range(0..10);
        Some(match call.is_queue() || call.is_blob() {
            true => of_storage(kind),
            false => of_resource_manager(kind, reads, SystemTime::now()),
        })
    }
}

fn status(code: u16, retry_after: Option<String>, body: FaultBody) -> What {
    What::Status {
        code,
        retry_after,
        body,
    }
}

fn of_resource_manager(kind: u32, reads: bool, now: SystemTime) -> What {
    let error = |code: &str, message: &str| FaultBody::ArmError {
        code: code.to_owned(),
        message: message.to_owned(),
    };
    match kind {
        0 => {
            let body = error("TooManyRequests", "Too many requests; come back later.");
            status(429, Some("1".to_owned()), body)
        }
        1 => {
            // A date has whole seconds, so the second one is between one and two seconds away.
            let date = httpdate::fmt_http_date(now + Duration::from_secs(2));
            status(503, Some(date), FaultBody::Html)
        }
        2 => status(
            500,
            None,
            error("InternalServerError", "An error occurred."),
        ),
        3 => status(500, None, FaultBody::Empty),
        4 => status(502, None, FaultBody::Html),
        5 => status(503, None, FaultBody::TruncatedJson),
        6 => status(504, None, error("GatewayTimeout", "No answer in time.")),
        // An answer that breaks off belongs to a call that changes nothing.
        7 if reads => status(200, None, FaultBody::TruncatedJson),
        7 | 8 => What::DropBefore,
        _ => What::DropAfterApplying,
    }
}

fn of_storage(kind: u32) -> What {
    match kind {
        0..=3 => status(503, None, FaultBody::Empty),
        4..=5 => status(500, None, FaultBody::Empty),
        6..=7 => What::DropBefore,
        _ => What::DropAfterApplying,
    }
}

impl Sandbox {
    /// From now on a share of all calls fails at random. Orders of [`Sandbox::fault`] come first.
    pub fn fail_at_random(&self, chances: Chances) {
        *lock(&self.shared.chance) = Some(Chance::new(chances));
    }

    /// No call fails at random from now on. Returns how many did.
    pub fn stop_failing(&self) -> usize {
        lock(&self.shared.chance).take().map_or(0, |it| it.met)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_failures_at_the_share_that_was_asked_for() {
        let row = || {
            let mut chance = Chance::new(Chances {
                resource_manager: 0.2,
                queue: 0.0,
                seed: 7,
                ..Chances::default()
            });
            (0..1_000)
                .map(|_| chance.take(Call::ListCaptures, true).map(|it| it.name()))
                .collect::<Vec<_>>()
        };
        assert_eq!(row(), row());
        let met = row().iter().flatten().count();
        assert!((150..250).contains(&met), "{met}");
        for name in ["ordered status", "cut", "applied, then cut"] {
            assert!(row().contains(&Some(name)), "{name}");
        }
    }

    #[test]
    fn the_token_and_calls_whose_share_is_nothing_never_fail() {
        let mut chance = Chance::new(Chances {
            resource_manager: 1.0,
            queue: 0.0,
            seed: 7,
            ..Chances::default()
        });
        assert!(chance.take(Call::Token, false).is_none());
        assert!(chance.take(Call::PutMessage, false).is_none());
        assert!(chance.take(Call::PutCapture, false).is_some());
        assert!((0..10).all(|kind| {
            !matches!(
                of_resource_manager(kind, false, SystemTime::now()),
                What::Status { code: 200, .. }
            )
        }));
    }
}
