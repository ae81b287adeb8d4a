//! The decisions, as functions of what Azure said, the settings and the time. Nothing here waits or calls.

use super::{
    names::Names,
    times::{after, limit_of, plausible_start, until},
};
use crate::azure::network_watcher::{PacketCapture, PacketCaptureStatus};
use std::time::Duration;
use time::OffsetDateTime;

/// How much longer than its time limit a capture may take: the agent starts late and uploads at the end.
pub const GRACE: Duration = Duration::from_secs(30);
/// How long after its time limit a session is checked again.
const AFTER_END: Duration = Duration::from_secs(2);
/// Interval between checks when nothing says how long to wait: short at first, then an eighth of the time waited.
const SHORT_WAIT: Duration = Duration::from_secs(1);
const LONG_WAIT: Duration = Duration::from_secs(15);
const SHORTEST_WAIT: Duration = Duration::from_millis(50);

/// Maximum number of this function's captures kept from a list. With a limit above that an older one may be passed over when room
/// is to be made, which does no harm.
const MOST_OURS: usize = 50;

/// What the decision needs of a watcher's list, however long that is.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// How many there are and, shortened, their names.
    pub names: Names,
    /// The capture that has the wanted name.
    pub taken_by: Option<PacketCapture>,
    /// Some of those that this function created, where room may have to be made.
    pub ours: Vec<PacketCapture>,
}

impl Listed {
    /// Adds one capture of the list. Names compare without case.
    pub fn add(
        &mut self,
        capture: PacketCapture,
        name: &str,
        is_ours: impl FnOnce(&PacketCapture) -> bool,
    ) {
        self.names.add(&capture.name, Some(&capture));
        let taken = self.taken_by.is_none() && capture.name.eq_ignore_ascii_case(name);
        if self.ours.len() < MOST_OURS && is_ours(&capture) {
            self.ours.push(capture.clone());
        }
        if taken {
            self.taken_by = Some(capture);
        }
    }
}

/// What to do, seen from the list of a watcher's captures.
#[derive(Debug, PartialEq, Eq)]
pub enum Plan<'a> {
    /// The name is free and there is room.
    Create,
    /// The name is taken: ask what that session does.
    Examine(&'a PacketCapture),
    /// The limit is reached.
    Skip { listed: usize },
}

/// Decides from the list.
pub fn plan(listed: &Listed, limit: usize) -> Plan<'_> {
    let count = listed.names.count();
    match &listed.taken_by {
        Some(capture) => Plan::Examine(capture),
        None if count >= limit => Plan::Skip { listed: count },
        None => Plan::Create,
    }
}

/// What to do about the session that has the wanted name.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The session captures the packets of this target: join it.
    Join,
    /// The session ended, or is overdue: delete it.
    Stale,
    /// The session is running on another target, or Azure does not say: check again after this wait.
    Wait(Duration),
    /// Azure is deleting it.
    Deleting,
    /// The session disappeared between the list and the status query.
    Gone,
}

/// Decides about the session that has the wanted name. `seen_since` is when it was first in the way, for sessions whose
/// start Azure does not state. What runs within its own limit is never stale.
pub fn judge(
    capture: &PacketCapture,
    status: Option<&PacketCaptureStatus>,
    on_our_target: bool,
    seen_since: OffsetDateTime,
    now: OffsetDateTime,
) -> Verdict {
    let provisioning = capture.provisioning_state.to_ascii_lowercase();
    if provisioning == "deleting" {
        return Verdict::Deleting;
    }
    let Some(status) = status else {
        return Verdict::Gone;
    };
    let just_created = matches!(provisioning.as_str(), "updating" | "creating");
    let running = match status.status.to_ascii_lowercase().as_str() {
        "running" => true,
        // Azure gave a status without a body: nothing is deleted on such evidence.
        "" => !matches!(provisioning.as_str(), "failed" | "canceled"),
        // Another instance of the function may have created it a moment ago.
        "notstarted" | "unknown" => just_created,
        _ => false,
    };
    let limit = limit_of(capture.time_limit_seconds);
    let started = plausible_start(status.started, now);
    let overdue_at = after(started.unwrap_or(seen_since), limit.saturating_add(GRACE));
    if !running || (now >= overdue_at && !status.status.is_empty()) {
        return Verdict::Stale;
    }
    if on_our_target && !status.status.is_empty() {
        return Verdict::Join;
    }
    let wait = match started {
        // It must have ended at its own time limit; if it has not, it is stale when overdue.
        Some(started) => {
            let ends_at = after(started, limit.saturating_add(AFTER_END));
            match ends_at > now {
                true => until(ends_at.min(overdue_at), now),
                false => until(overdue_at, now).min(AFTER_END),
            }
        }
        None => check_again(until(now, seen_since)),
    };
    Verdict::Wait(wait.clamp(SHORTEST_WAIT, limit.saturating_add(GRACE)))
}

/// The wait when nothing says how long to wait, for something that has been in the way for `elapsed`.
pub fn check_again(elapsed: Duration) -> Duration {
    elapsed
        .checked_div(8)
        .unwrap_or_default()
        .clamp(SHORT_WAIT, LONG_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-23 02:00:00 UTC);

    fn capture(name: &str, provisioning_state: &str, limit: i64) -> PacketCapture {
        PacketCapture {
            name: name.to_owned(),
            provisioning_state: provisioning_state.to_owned(),
            time_limit_seconds: Some(limit),
            ..PacketCapture::default()
        }
    }

    fn listed(names: &[String], wanted: &str) -> Listed {
        let mut listed = Listed::default();
        for name in names {
            let ours = |capture: &PacketCapture| capture.name.starts_with("ours");
            listed.add(capture(name, "Succeeded", 10), wanted, ours);
        }
        listed
    }

    #[test]
    fn the_list_decides() {
        let names: Vec<_> = (0..10).map(|n| format!("c{n}")).collect();
        let free = listed(&names, "ours");
        assert_eq!(plan(&free, 11), Plan::Create);
        assert_eq!(plan(&free, 10), Plan::Skip { listed: 10 });
        let taken = capture("c3", "Succeeded", 10);
        assert_eq!(plan(&listed(&names, "C3"), 10), Plan::Examine(&taken));
        assert_eq!(plan(&listed(&[], "ours"), 1), Plan::Create);
    }

    #[test]
    fn of_a_long_list_little_is_kept() {
        let names: Vec<_> = (0..10_000).map(|n| format!("ours-{n}")).collect();
        let listed = listed(&names, "OURS-9000");
        assert_eq!(listed.names.count(), 10_000);
        assert_eq!(listed.taken_by.as_ref().unwrap().name, "ours-9000");
        assert_eq!(listed.ours.len(), MOST_OURS);
    }

    #[test]
    fn a_session_in_the_way_is_judged_by_the_table() {
        use Verdict::{Deleting, Gone, Join, Stale, Wait};
        let secs = Duration::from_secs;
        let ago = |s: i64| Some(NOW - time::Duration::seconds(s));
        let year_1 = Some(datetime!(0001-01-01 00:00 UTC));
        let year_9999 = Some(datetime!(9999-12-31 23:59 UTC));
        let tomorrow = Some(datetime!(2026-11-24 02:00 UTC));
        // Provisioning, status, start, its own limit, in the way for s, on our target.
        for (provisioning, status, started, limit, seen, ours, expected) in [
            ("Succeeded", Some("Stopped"), ago(600), 10, 0, true, Stale),
            ("Succeeded", Some("Error"), ago(5), 10, 0, true, Stale),
            ("Succeeded", Some("Running"), ago(5), 10, 0, true, Join),
            ("Succeeded", Some("running"), ago(39), 10, 0, true, Join),
            ("Succeeded", Some("Running"), ago(40), 10, 0, true, Stale),
            // Within its own limit, whatever ours is.
            ("Succeeded", Some("Running"), ago(60), 300, 0, true, Join),
            (
                "Succeeded",
                Some("Running"),
                ago(60),
                300,
                0,
                false,
                Wait(secs(242)),
            ),
            (
                "Succeeded",
                Some("Running"),
                ago(5),
                10,
                0,
                false,
                Wait(secs(7)),
            ),
            (
                "Succeeded",
                Some("Running"),
                ago(13),
                10,
                0,
                false,
                Wait(secs(2)),
            ),
            (
                "Succeeded",
                Some("Running"),
                ago(39),
                10,
                0,
                false,
                Wait(secs(1)),
            ),
            // Without a start, or with an impossible one: soon again, stale only when it was in the way for too long.
            (
                "Succeeded",
                Some("Running"),
                None,
                10,
                0,
                false,
                Wait(secs(1)),
            ),
            (
                "Succeeded",
                Some("Running"),
                None,
                10,
                16,
                false,
                Wait(secs(2)),
            ),
            ("Succeeded", Some("Running"), None, 10, 40, false, Stale),
            (
                "Succeeded",
                Some("Running"),
                year_1,
                10,
                0,
                false,
                Wait(secs(1)),
            ),
            ("Succeeded", Some("Running"), year_1, 10, 0, true, Join),
            (
                "Succeeded",
                Some("Running"),
                tomorrow,
                10,
                0,
                false,
                Wait(secs(1)),
            ),
            (
                "Succeeded",
                Some("Running"),
                year_9999,
                i64::MAX,
                0,
                false,
                Wait(secs(1)),
            ),
            (
                "Succeeded",
                Some("Running"),
                ago(0),
                i64::MAX,
                0,
                false,
                Wait(secs(604_802)),
            ),
            // A status without a body says nothing: no running capture is deleted or joined for it.
            ("Succeeded", Some(""), None, 10, 0, true, Wait(secs(1))),
            ("Succeeded", Some(""), None, 10, 600, true, Wait(secs(15))),
            ("Failed", Some(""), None, 10, 0, true, Stale),
            ("Updating", Some("NotStarted"), None, 10, 0, true, Join),
            ("Succeeded", Some("NotStarted"), None, 10, 0, true, Stale),
            ("Failed", Some("Unknown"), None, 10, 0, true, Stale),
            ("Deleting", Some("Running"), ago(5), 10, 0, true, Deleting),
            ("Succeeded", None, None, 10, 0, true, Gone),
        ] {
            let capture = capture("ours", provisioning, limit);
            let answered = status.map(|status| PacketCaptureStatus {
                status: status.to_owned(),
                started,
                stop_reason: None,
                errors: Vec::new(),
            });
            let seen_since = NOW - time::Duration::seconds(seen);
            let verdict = judge(&capture, answered.as_ref(), ours, seen_since, NOW);
            assert_eq!(
                verdict, expected,
                "{provisioning} {status:?} {started:?} {limit} {seen} {ours}"
            );
        }
    }
}
