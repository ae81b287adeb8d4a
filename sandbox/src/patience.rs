//! Whether callers wait as long as they were asked to. The tries of one call are known by their
//! `x-ms-client-request-id`, which Azure's clients keep from try to try.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

use super::Sandbox;
use super::server::lock;

#[derive(Default)]
pub(super) struct Patience {
    /// Calls that were sent away, and until when.
    asked: HashMap<String, Instant>,
    seen: Repeats,
}

/// Calls that were sent away with a `Retry-After` and came again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repeats {
    /// Not before the time that was asked for.
    pub patient: usize,
    /// Too early.
    pub impatient: usize,
}

impl Patience {
    /// A call comes.
    pub fn arrived(&mut self, id: &str, now: Instant) {
        match self.asked.remove(id) {
            None => {}
            Some(until) if now < until => self.seen.impatient += 1,
            Some(_) => self.seen.patient += 1,
        }
    }

    /// A call is sent away.
    pub fn sent_away(&mut self, id: &str, retry_after: &str, now: Instant, date: SystemTime) {
        let wait = match retry_after.parse() {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => httpdate::parse_http_date(retry_after)
                .ok()
                .and_then(|until| until.duration_since(date).ok())
                .unwrap_or_default(),
        };
        self.asked.insert(id.to_owned(), now + wait);
    }
}

impl Sandbox {
    /// How those came back that a 429 or 503 with a `Retry-After` had sent away.
    pub fn repeats(&self) -> Repeats {
        lock(&self.shared.patience).seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_too_early_is_counted() {
        let (now, date) = (Instant::now(), SystemTime::UNIX_EPOCH);
        for (retry_after, wait, repeats) in [
            ("2", 2_000, (1, 0)),
            ("2", 1_999, (0, 1)),
            ("Thu, 01 Jan 1970 00:00:03 GMT", 3_000, (1, 0)),
            ("Thu, 01 Jan 1970 00:00:03 GMT", 2_999, (0, 1)),
            ("soon", 0, (1, 0)),
        ] {
            let mut patience = Patience::default();
            patience.arrived("a", now);
            patience.sent_away("a", retry_after, now, date);
            patience.arrived("another", now);
            patience.arrived("a", now + Duration::from_millis(wait));
            patience.arrived("a", now);
            let Repeats { patient, impatient } = patience.seen;
            assert_eq!((patient, impatient), repeats, "{retry_after} {wait}");
        }
    }
}
