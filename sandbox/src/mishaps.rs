//! What goes wrong with single captures at random and stays wrong: creates and deletes that never end, sessions that
//! end early, late or not as they say. The same seed gives the same row of mishaps.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use time::OffsetDateTime;

use super::Sandbox;
use super::capture::SessionStatus;
use super::operations::Work;
use super::world::World;

/// What is wrong with one capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mishap {
    /// The create stays in progress.
    CreateNeverEnds,
    /// The create fails; the reason is one level down.
    CreateFails {
        code: &'static str,
        reason: (&'static str, &'static str),
    },
    /// The delete stays in progress, and the capture is listed as Deleting.
    DeleteNeverEnds,
    /// Deletes are answered with 204 and change nothing.
    DeleteWithoutEffect,
    /// The status is answered with 404.
    StatusNotFound,
    /// The session's start, as its status states it; `None`: no start is stated.
    OddStart(Option<&'static str>),
    /// The session ends this long after its start, for this reason and with these errors.
    Ends(Duration, &'static str, &'static [&'static str]),
    /// Another user deletes the capture this long after its start.
    Vanishes(Duration),
}

/// The row of mishaps.
pub(super) struct Mishaps {
    share: f64,
    random: StdRng,
}

impl Mishaps {
    pub fn new(share: f64, seed: u64) -> Self {
        Self {
            share: share.clamp(0.0, 1.0),
            random: StdRng::seed_from_u64(seed),
        }
    }

    /// What is wrong with the next capture, if anything.
    pub fn draw(&mut self) -> Option<Mishap> {
        let wrong = self.random.random_bool(self.share);
        wrong.then(|| mishap(self.random.random_range(0..16)))
    }
}

fn mishap(kind: u32) -> Mishap {
    let seconds = Duration::from_secs;
    match kind {
        0 => Mishap::CreateNeverEnds,
        1 => Mishap::CreateFails {
            code: "InternalServerError",
            reason: ("AgentNotReady", "The agent on the VM did not answer."),
        },
        2 => Mishap::CreateFails {
            code: "Canceled",
            reason: (
                "CanceledAndSupersededDueToAnotherOperation",
                "Operation was superseded.",
            ),
        },
        3 => Mishap::DeleteNeverEnds,
        4 => Mishap::DeleteWithoutEffect,
        5 => Mishap::StatusNotFound,
        // How .NET writes "none".
        6 => Mishap::OddStart(Some("0001-01-01T00:00:00")),
        7 => Mishap::OddStart(Some("9999-12-31T23:59:59.9999999Z")),
        8 => Mishap::OddStart(Some("soon")),
        9 => Mishap::OddStart(None),
        10 => Mishap::Ends(seconds(1), "BytesExceeded", &[]),
        11 => Mishap::Ends(seconds(1), "Manual", &[]),
        12 => Mishap::Ends(seconds(2), "Error", &["CaptureFailed"]),
        13 => Mishap::Ends(seconds(1), "TimeExceeded", &["FileUploadError"]),
        // Longer than its time limit.
        14 => Mishap::Ends(seconds(12), "TimeExceeded", &[]),
        _ => Mishap::Vanishes(seconds(1)),
    }
}

impl World {
    /// Whether an operation stays in progress, whatever the clock says.
    pub fn never_ends(&self, work: Work, serial: u64) -> bool {
        let stuck = match work {
            Work::Create => Mishap::CreateNeverEnds,
            Work::Delete => Mishap::DeleteNeverEnds,
            Work::Stop | Work::Query => return false,
        };
        self.mishap(serial) == Some(&stuck)
    }

    /// What is wrong with a capture.
    pub fn mishap(&self, serial: u64) -> Option<&Mishap> {
        let mut captures = self.captures().map(|(_, _, capture)| capture);
        captures.find(|it| it.serial == serial)?.mishap.as_ref()
    }

    /// Captures that another user deletes by now.
    pub fn vanish(&mut self, now: OffsetDateTime) {
        for watcher in &mut self.watchers {
            watcher.captures.retain(|capture| {
                let gone = match (&capture.mishap, capture.started) {
                    (Some(Mishap::Vanishes(after)), Some(started)) => started + *after <= now,
                    _ => false,
                };
                !gone || capture.session != SessionStatus::Running
            });
        }
    }
}

impl Sandbox {
    /// From now on this share of new captures has a mishap.
    pub fn have_mishaps(&self, share: f64, seed: u64) {
        self.shared
            .with_world(|world, _| world.mishaps = Some(Mishaps::new(share, seed)));
    }

    /// New captures have no mishaps any more, and all others get on from here as if they never had one. Returns how
    /// many still had one.
    pub fn end_mishaps(&self) -> usize {
        self.shared.with_world(|world, _| {
            world.mishaps = None;
            let captures = world.watchers.iter_mut();
            let mut captures: Vec<_> = captures.flat_map(|it| &mut it.captures).collect();
            let had = captures.iter_mut().filter_map(|it| it.mishap.take());
            had.count()
        })
    }

    /// The ids of captures that a client deleted while their sessions ran and had time left.
    pub fn cut_short(&self) -> Vec<String> {
        self.shared.with_world(|world, _| world.cut_short.clone())
    }

    /// The targets of all sessions that ever ran, in the order of their starts.
    pub fn sessions_run(&self) -> Vec<String> {
        self.shared.with_world(|world, _| world.ran.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_mishaps_and_all_of_them_come_up() {
        let row = |share| {
            let mut mishaps = Mishaps::new(share, 3);
            (0..500).map(|_| mishaps.draw()).collect::<Vec<_>>()
        };
        assert_eq!(row(0.5), row(0.5));
        assert!(row(0.0).iter().all(Option::is_none));
        let all = row(1.0);
        for kind in 0..16 {
            let wanted = Some(mishap(kind));
            assert!(all.contains(&wanted), "{wanted:?}");
        }
    }
}
