//! How the world moves on: operations end, sessions run out, files land. Nothing here waits or reads
//! a clock: the time is an argument, so that a test can say when something ends.

use std::time::Duration;

use time::OffsetDateTime;

use super::capture::{Provisioning, SessionStatus};
use super::ids::same;
use super::mishaps::Mishap;
use super::operations::{State, Work};
use super::world::World;

/// How operations and sessions get on.
#[derive(Clone, Copy, Debug)]
pub enum Progress {
    /// By the clock: operations take `operation`, sessions their time limit.
    Auto {
        /// How long an operation runs.
        operation: Duration,
        /// What `Retry-After` says meanwhile.
        retry_after_seconds: u64,
    },
    /// Only when a test says so; `Retry-After` is 0.
    Manual,
}

impl World {
    /// Brings the world up to `now`; without `Auto` time changes nothing.
    pub fn advance(&mut self, now: OffsetDateTime) {
        let Progress::Auto { operation, .. } = self.progress else {
            return;
        };
        for index in 0..self.operations.len() {
            // Most have ended long ago; storms make thousands.
            if self.operations[index].state != State::Running {
                continue;
            }
            let due = self.operations[index].created + operation;
            let (work, serial) = (self.operations[index].work, self.operations[index].serial);
            if due <= now && !self.never_ends(work, serial) {
                self.complete(index, due);
            }
        }
        self.vanish(now);
        let over: Vec<_> = self
            .captures()
            .filter(|(_, _, capture)| capture.session == SessionStatus::Running)
            .filter_map(|(w, c, capture)| {
                let (length, reason, errors) = match capture.mishap {
                    Some(Mishap::Ends(after, reason, errors)) => (after, reason, errors),
                    _ => (capture.wanted.session_length(), "TimeExceeded", &[][..]),
                };
                let end = capture.started? + length;
                (end <= now).then_some((w, c, end, reason, errors))
            })
            .collect();
        for (watcher, capture, end, reason, errors) in over {
            self.end_session(watcher, capture, end, reason, errors);
        }
    }

    /// Ends a running operation, as a success unless a failure was ordered.
    pub fn complete(&mut self, index: usize, now: OffsetDateTime) {
        if self.operations[index].state != State::Running {
            return;
        }
        let (work, serial) = (self.operations[index].work, self.operations[index].serial);
        let failure = match (work, self.mishap(serial)) {
            // Reading the status is no work that could fail.
            (Work::Query, _) => None,
            (Work::Create, Some(&Mishap::CreateFails { code, reason })) => {
                let details = vec![(reason.0.to_owned(), reason.1.to_owned())];
                Some((code.to_owned(), "See details.".to_owned(), details))
            }
            _ => {
                let ordered = self.failures.pop_front();
                ordered.map(|(code, message)| (code, message, Vec::new()))
            }
        };
        let failed = failure.is_some();
        self.operations[index].state = match failure {
            Some((code, message, details)) => State::Failed {
                code,
                message,
                details,
            },
            None => State::Succeeded,
        };
        let found = self.watchers.iter().enumerate().find_map(|(w, watcher)| {
            same(&watcher.id, &self.operations[index].watcher)
                .then(|| watcher.position(serial).map(|c| (w, c)))
                .flatten()
        });
        let Some((w, c)) = found else { return };
        match work {
            Work::Query => return,
            Work::Delete if failed => {
                self.watchers[w].captures[c].provisioning = Provisioning::Failed;
            }
            Work::Delete => {
                self.watchers[w].captures.remove(c);
            }
            Work::Stop if failed => {}
            Work::Stop => self.end_session(w, c, now, "Manual", &[]),
            Work::Create => {
                let capture = &mut self.watchers[w].captures[c];
                // A delete may have overtaken the create.
                if capture.provisioning == Provisioning::Updating {
                    capture.provisioning = match failed {
                        true => Provisioning::Failed,
                        false => Provisioning::Succeeded,
                    };
                    if !failed {
                        capture.session = SessionStatus::Running;
                        capture.started = Some(now);
                        self.ran.push(capture.wanted.target.clone());
                    }
                }
            }
        }
        self.watchers[w].touch();
    }

    /// Ends a session; a clean end lands the capture file.
    pub fn end_session(
        &mut self,
        watcher: usize,
        capture: usize,
        now: OffsetDateTime,
        reason: &str,
        errors: &[&str],
    ) {
        let capture = &mut self.watchers[watcher].captures[capture];
        if capture.session == SessionStatus::Stopped {
            return;
        }
        capture.session = SessionStatus::Stopped;
        capture.stop_reason = Some(reason.to_owned());
        capture.errors = errors.iter().map(|&error| error.to_owned()).collect();
        if !errors.is_empty() || reason.eq_ignore_ascii_case("Error") {
            return;
        }
        if let Some((path, bytes)) = capture.file(&self.endpoint, now, self.traffic) {
            self.land(path, bytes, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::capture::{Capture, Wanted};
    use super::super::operations::start;
    use super::super::world::Watcher;
    use super::*;

    const WATCHER: &str =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkWatchers/w";
    const BEGIN: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn second(n: u64) -> OffsetDateTime {
        BEGIN + Duration::from_secs(n)
    }

    /// A create that takes two seconds, of a session of ten.
    fn world() -> World {
        let progress = Progress::Auto {
            operation: Duration::from_secs(2),
            retry_after_seconds: 1,
        };
        let mut world = World::new("https://h".to_owned(), progress, Duration::ZERO);
        world.watchers.push(Watcher {
            id: WATCHER.to_owned(),
            location: "westeurope".to_owned(),
            etag: String::new(),
            captures: Vec::new(),
        });
        let wanted = Wanted {
            time_limit: 10,
            ..Wanted::default()
        };
        let path = Some("https://h/acct/c/a.cap".to_owned());
        let serial = world.put_capture(WATCHER, Capture::new("/id".to_owned(), "a", wanted, path));
        start(&mut world, Work::Create, (WATCHER, "a", serial), "v", BEGIN);
        world
    }

    fn states(world: &World) -> Vec<(Provisioning, SessionStatus)> {
        let captures = world.captures();
        captures
            .map(|(_, _, it)| (it.provisioning, it.session))
            .collect()
    }

    #[test]
    fn time_alone_carries_a_capture_to_its_file() {
        let mut world = world();
        for (at, provisioning, session, files) in [
            (1, Provisioning::Updating, SessionStatus::NotStarted, 0),
            (2, Provisioning::Succeeded, SessionStatus::Running, 0),
            (11, Provisioning::Succeeded, SessionStatus::Running, 0),
            (12, Provisioning::Succeeded, SessionStatus::Stopped, 1),
        ] {
            world.advance(second(at));
            assert_eq!(states(&world), [(provisioning, session)], "second {at}");
            assert_eq!(world.blobs.len(), files, "second {at}");
        }
        assert_eq!(world.unwritten, ["acct/c/a.cap"]);
        assert_eq!(world.watchers[0].captures[0].started, Some(second(2)));
    }

    #[test]
    fn no_caller_has_to_watch_while_it_happens() {
        let mut world = world();
        world.advance(second(600));
        assert_eq!(
            states(&world),
            [(Provisioning::Succeeded, SessionStatus::Stopped)]
        );
    }

    #[test]
    fn an_ordered_failure_meets_one_operation() {
        let mut world = world();
        world
            .failures
            .push_back(("Code".to_owned(), "message".to_owned()));
        world.advance(second(2));
        assert_eq!(
            states(&world),
            [(Provisioning::Failed, SessionStatus::NotStarted)]
        );
        let serial = world.watchers[0].captures[0].serial;
        start(
            &mut world,
            Work::Delete,
            (WATCHER, "a", serial),
            "v",
            second(2),
        );
        world.advance(second(4));
        assert!(states(&world).is_empty());
    }

    #[test]
    fn an_old_operation_does_not_touch_a_new_capture_of_the_name() {
        let mut world = world();
        world.watchers[0].captures.clear();
        world.put_capture(
            WATCHER,
            Capture::new("/id".to_owned(), "a", Wanted::default(), None),
        );
        world.advance(second(2));
        assert_eq!(
            states(&world),
            [(Provisioning::Updating, SessionStatus::NotStarted)]
        );
    }
}
