//! The decisions, as functions of what Azure said, the settings and the time. Nothing here waits or calls.

use crate::azure::network_watcher::{PacketCapture, PacketCaptureStatus};
use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hasher},
    time::Duration,
};
use time::OffsetDateTime;

/// A capture may take so much longer than its time limit: the agent starts late and uploads at the end.
pub const GRACE: Duration = Duration::from_secs(30);
/// A session that reached its time limit is looked at again after so long.
const AFTER_END: Duration = Duration::from_secs(2);
/// Time between two looks when nothing says how long to wait.
const SHORT_WAIT: Duration = Duration::from_secs(1);

/// Captures of ours that are kept from a list. With a limit above that an older one may be passed over when room
/// is to be made, which does no harm.
const MOST_OURS: usize = 50;

/// Names that are told apart. A longer list is not remembered: each alert reads it anew.
const MOST_NAMES: usize = 1_000;

/// What the decision needs of a watcher's list, however long that is.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// How many there are and, shortened, their names.
    pub names: Names,
    /// The capture that has the name we want.
    pub taken_by: Option<PacketCapture>,
    /// Some of those that bear our name, where room may have to be made.
    pub ours: Vec<PacketCapture>,
}

impl Listed {
    /// Takes note of one capture of the list. Names compare without case.
    pub fn add(&mut self, capture: PacketCapture, name: &str, bears: impl FnOnce(&str) -> bool) {
        self.names.add(&capture.name);
        let taken = self.taken_by.is_none() && capture.name.eq_ignore_ascii_case(name);
        if self.ours.len() < MOST_OURS && bears(&capture.name) {
            self.ours.push(capture.clone());
        }
        if taken {
            self.taken_by = Some(capture);
        }
    }
}

/// The names of a list as 8 bytes each. Two names may look the same; a name that is there is never missed. Of a
/// list that is too long, any name may be there.
#[derive(Debug, Clone, Default)]
pub struct Names {
    hashes: HashSet<u64>,
    count: usize,
}

impl Names {
    pub fn add(&mut self, name: &str) {
        self.count += 1;
        if self.count <= MOST_NAMES {
            self.hashes.insert(hash(name));
        }
    }

    /// All captures, ended ones too, as they counted in 2017.
    pub fn count(&self) -> usize {
        self.count
    }

    /// `false`: no capture has this name.
    pub fn may_have(&self, name: &str) -> bool {
        self.count > MOST_NAMES || self.hashes.contains(&hash(name))
    }
}

fn hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.bytes()
        .for_each(|byte| hasher.write_u8(byte.to_ascii_lowercase()));
    hasher.finish()
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

/// What to do about the session that has our name.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It gathers evidence of our own target: nothing is to be done.
    Join,
    /// It is over, or overdue: delete it.
    Stale,
    /// It gathers evidence of another target, or is going away: come back after so long.
    Wait(Duration),
    /// It went away while we asked.
    Gone,
}

/// Decides about the session that has our name. `seen_since` is when it was first in our way, for sessions
/// whose start Azure does not tell.
pub fn judge(
    capture: &PacketCapture,
    status: Option<&PacketCaptureStatus>,
    on_our_target: bool,
    time_limit: Duration,
    seen_since: OffsetDateTime,
    now: OffsetDateTime,
) -> Verdict {
    let provisioning = capture.provisioning_state.to_ascii_lowercase();
    if provisioning == "deleting" {
        return Verdict::Wait(SHORT_WAIT);
    }
    let Some(status) = status else {
        return Verdict::Gone;
    };
    let just_created = matches!(provisioning.as_str(), "updating" | "creating");
    let running = match status.status.to_ascii_lowercase().as_str() {
        "running" => true,
        // Another instance of the function has created it a moment ago.
        "notstarted" | "unknown" | "" => just_created,
        _ => false,
    };
    let overdue_at = status.started.unwrap_or(seen_since) + time_limit + GRACE;
    if !running || now >= overdue_at {
        return Verdict::Stale;
    }
    if on_our_target {
        return Verdict::Join;
    }
    // It must have ended at its own time limit; if it has not, then it is stale when overdue.
    let own_limit = capture
        .time_limit_seconds
        .and_then(|s| u64::try_from(s).ok());
    let ends_at = match (status.started, own_limit) {
        (Some(started), Some(seconds)) => started + Duration::from_secs(seconds) + AFTER_END,
        _ => overdue_at,
    };
    let next = if ends_at > now {
        ends_at.min(overdue_at)
    } else {
        overdue_at.min(now + AFTER_END)
    };
    Verdict::Wait((next - now).unsigned_abs().max(Duration::from_millis(50)))
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
            let bears = |name: &str| name.starts_with("ours");
            listed.add(capture(name, "Succeeded", 10), wanted, bears);
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
        assert_eq!(listed.names.hashes.len(), MOST_NAMES);
        assert!(listed.names.may_have("Ours-1234") && listed.names.may_have("not there"));
    }

    #[test]
    fn names_that_are_there_are_never_missed() {
        let names: Vec<_> = (0..MOST_NAMES).map(|n| format!("Name-{n}")).collect();
        let listed = listed(&names, "ours");
        assert!(
            names
                .iter()
                .all(|name| listed.names.may_have(&name.to_uppercase()))
        );
        assert!(!listed.names.may_have("name"));
    }

    #[test]
    fn a_session_in_the_way_is_judged_by_the_table() {
        use Verdict::{Gone, Join, Stale, Wait};
        let secs = Duration::from_secs;
        /// Provisioning, status, started s ago, its own limit, on our target; ours is 10 s.
        type Row = (
            &'static str,
            Option<&'static str>,
            Option<i64>,
            i64,
            bool,
            Verdict,
        );
        let table: [Row; 15] = [
            ("Succeeded", Some("Stopped"), Some(600), 10, true, Stale),
            ("Succeeded", Some("Error"), Some(5), 10, true, Stale),
            ("Succeeded", Some("Running"), Some(5), 10, true, Join),
            ("Succeeded", Some("running"), Some(39), 10, true, Join),
            ("Succeeded", Some("Running"), Some(40), 10, true, Stale),
            (
                "Succeeded",
                Some("Running"),
                Some(5),
                10,
                false,
                Wait(secs(7)),
            ),
            (
                "Succeeded",
                Some("Running"),
                Some(13),
                10,
                false,
                Wait(secs(2)),
            ),
            (
                "Succeeded",
                Some("Running"),
                Some(39),
                10,
                false,
                Wait(secs(1)),
            ),
            (
                "Succeeded",
                Some("Running"),
                Some(5),
                300,
                false,
                Wait(secs(35)),
            ),
            (
                "Succeeded",
                Some("Running"),
                None,
                10,
                false,
                Wait(secs(40)),
            ),
            ("Updating", Some("NotStarted"), None, 10, true, Join),
            ("Succeeded", Some("NotStarted"), None, 10, true, Stale),
            ("Failed", Some("Unknown"), None, 10, true, Stale),
            (
                "Deleting",
                Some("Running"),
                Some(5),
                10,
                true,
                Wait(secs(1)),
            ),
            ("Succeeded", None, None, 10, true, Gone),
        ];
        for (provisioning, status, ago, limit, ours, expected) in table {
            let capture = capture("ours", provisioning, limit);
            let answered = status.map(|status| PacketCaptureStatus {
                status: status.to_owned(),
                started: ago.map(|s| NOW - time::Duration::seconds(s)),
                stop_reason: None,
                errors: Vec::new(),
            });
            let verdict = judge(&capture, answered.as_ref(), ours, secs(10), NOW, NOW);
            assert_eq!(
                verdict, expected,
                "{provisioning} {status:?} {ago:?} {limit} {ours}"
            );
        }
    }
}
