//! What a job reads of its watcher: the list of captures and, beside it, the status of the one that will be in the way.
//! Its last list says which one that is.

use super::{
    CaptureName,
    ending::{Ending, ending},
    names::Identity,
    parameters::{RemoveFinished, is_ours},
    places::LIST_BELIEVED,
    plan::Listed,
    step::Capturer,
};
use crate::{
    azure::{
        error::AzureError,
        network_watcher::{PacketCapture, PacketCaptureStatus},
    },
    incident::Session,
    resource_id::ResourceId,
};
use futures_util::future::{Either, select};
use std::pin::pin;
use tokio::time::Instant;

/// A watcher's captures, read with an eye to one name.
pub(super) struct Look {
    pub listed: Listed,
    status: Option<Known>,
    asked_at: Instant,
    /// The watcher's writes when it was asked.
    generation: u64,
}

/// The status of the capture that had the name before, asked for beside the list.
struct Known {
    identity: Identity,
    status: Option<PacketCaptureStatus>,
}

impl Look {
    fn is_current(&self, generation: u64, now: Instant) -> bool {
        generation == self.generation && is_young(self.asked_at, now)
    }

    /// What is known of the status of a listed capture, which may be that it has none. `None`: it must be asked for.
    ///
    /// Another instance may have replaced a stale capture by a running one between the two reads, in either order. So the
    /// status counts only when the list still has the capture that was known before: a status that is older than the list
    /// is that capture's then, and a later one is what would have been asked for after the list.
    ///
    /// A session that has not begun may begin between the two reads. It would pass for one that never will, which is
    /// deleted. So only a status that stays true counts: that it began, or that it ended.
    pub fn status_of(
        &self,
        capture: &PacketCapture,
        now: Instant,
    ) -> Option<Option<PacketCaptureStatus>> {
        let known = self.status.as_ref()?;
        let same = Identity::of(capture) == Some(known.identity);
        let stays = known.status.as_ref().is_none_or(has_begun);
        (same && stays && is_young(self.asked_at, now)).then(|| known.status.clone())
    }
}

/// An answer is believed for a second after it was asked for: Azure may have made it right then, however late it came.
fn is_young(asked: Instant, now: Instant) -> bool {
    now.saturating_duration_since(asked) < LIST_BELIEVED
}

/// Whether a session is running or has ended.
fn has_begun(status: &PacketCaptureStatus) -> bool {
    status.status.eq_ignore_ascii_case("running") || ending(status) != Ending::NotYet
}

impl Capturer {
    /// Whether what was read outside of a watcher's turn can be believed now, in the turn: it is young, and this process
    /// has changed nothing since it was asked for.
    pub(super) fn is_current(&self, look: &Look, watcher: &ResourceId) -> bool {
        look.is_current(self.places.writes.generation(watcher), Instant::now())
    }

    /// Reads the list of a watcher and, if its last list has this session's name, the status of that capture beside it.
    pub(super) async fn look(&self, session: &Session) -> Result<Look, AzureError> {
        let Session { watcher, name } = session;
        let (asked_at, generation) = (Instant::now(), self.places.writes.generation(watcher));
        let look = |listed, status| Look {
            listed,
            status,
            asked_at,
            generation,
        };
        let Some(identity) = self.places.last_known(watcher, name) else {
            return Ok(look(self.list(session).await?, None));
        };
        let list = pin!(self.list(session));
        let status = pin!(async {
            let status = self.client.query_status(watcher, name).await;
            // One that could not be read is asked for again, where it is needed.
            status.ok().map(|status| Known { identity, status })
        });
        match select(list, status).await {
            Either::Left((listed, status)) => {
                let listed = listed?;
                let taken_by = listed.taken_by.as_ref().and_then(Identity::of);
                let status = match taken_by == Some(identity) {
                    true => status.await,
                    false => None,
                };
                Ok(look(listed, status))
            }
            Either::Right((status, list)) => Ok(look(list.await?, status)),
        }
    }

    /// Reads a watcher's list, with an eye to this session's name, and remembers it.
    pub(super) async fn list(&self, session: &Session) -> Result<Listed, AzureError> {
        let Session { watcher, name } = session;
        let (read_at, generation) = (Instant::now(), self.places.writes.generation(watcher));
        let makes_room = self.profiles.default.remove_finished == RemoveFinished::ToMakeRoom;
        let of_drills = CaptureName::of_drills();
        let ours = |capture: &PacketCapture| {
            makes_room && (self.profiles.made(capture) || is_ours(&of_drills, capture))
        };
        let mut listed = Listed::default();
        self.client
            .each_packet_capture(watcher, &mut listed, |listed, capture| {
                listed.add(capture, name, ours);
            })
            .await?;
        let names = listed.names.clone();
        self.places
            .remember_list(watcher, names, generation, read_at);
        Ok(listed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn capture(path: &str) -> PacketCapture {
        PacketCapture {
            storage_path: Some(format!("https://a.blob.example/logs/{path}")),
            ..PacketCapture::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_read_beside_is_believed_by_the_table() {
        const BEFORE: &str = "packetcapture_01_02_03_456.cap";
        const ANOTHER: &str = "packetcapture_01_02_04_456.cap";
        let asked_at = Instant::now();
        let identity = Identity::of(&capture(BEFORE)).unwrap();
        let ended = Some("Stopped");
        // The status, if it was asked for; what the list has; writes since; milliseconds since; believed: the list, the
        // status.
        for (answered, listed, writes, age, current, status) in [
            (ended, BEFORE, 0, 0, true, true),
            (ended, BEFORE, 0, 999, true, true),
            (ended, BEFORE, 0, 1000, false, false),
            (ended, BEFORE, 1, 0, false, true),
            (ended, ANOTHER, 0, 0, true, false),
            (ended, "chosen.cap", 0, 0, true, false),
            (None, BEFORE, 0, 0, true, false),
            (Some("404"), BEFORE, 0, 0, true, true),
            (Some("running"), BEFORE, 0, 0, true, true),
            (Some("Error"), BEFORE, 0, 0, true, true),
            // Since then it may have begun.
            (Some("NotStarted"), BEFORE, 0, 0, true, false),
            (Some("Unknown"), BEFORE, 0, 0, true, false),
            (Some(""), BEFORE, 0, 0, true, false),
        ] {
            let known = |answered: &str| Known {
                identity,
                status: (answered != "404").then(|| PacketCaptureStatus {
                    status: answered.to_owned(),
                    ..PacketCaptureStatus::default()
                }),
            };
            let look = Look {
                listed: Listed::default(),
                status: answered.map(known),
                asked_at,
                generation: 7,
            };
            let now = asked_at + Duration::from_millis(age);
            let got = (
                look.is_current(7 + writes, now),
                look.status_of(&capture(listed), now).is_some(),
            );
            assert_eq!(
                got,
                (current, status),
                "{answered:?} {listed} {writes} {age}"
            );
        }
    }
}
