//! The decisions, as functions of what Azure said, the settings and the time. Nothing here waits or calls.

use crate::azure::network_watcher::{PacketCapture, PacketCaptureStatus};
use std::time::Duration;
use time::OffsetDateTime;

/// A capture may take so much longer than its time limit: the agent starts late and uploads at the end.
pub const GRACE: Duration = Duration::from_secs(30);
/// A session that reached its time limit is looked at again after so long.
const AFTER_END: Duration = Duration::from_secs(2);
/// Time between two looks when nothing says how long to wait.
const SHORT_WAIT: Duration = Duration::from_secs(1);

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

/// Decides from the list. Names compare without case; sessions that have ended count, as they did in 2017.
pub fn plan<'a>(listed: &'a [PacketCapture], name: &str, limit: usize) -> Plan<'a> {
    match listed
        .iter()
        .find(|capture| capture.name.eq_ignore_ascii_case(name))
    {
        Some(capture) => Plan::Examine(capture),
        None if listed.len() >= limit => Plan::Skip {
            listed: listed.len(),
        },
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

    #[test]
    fn the_list_decides() {
        let listed: Vec<_> = (0..10)
            .map(|n| capture(&format!("c{n}"), "Succeeded", 10))
            .collect();
        assert_eq!(plan(&listed, "ours", 11), Plan::Create);
        assert_eq!(plan(&listed, "ours", 10), Plan::Skip { listed: 10 });
        assert_eq!(plan(&listed, "C3", 10), Plan::Examine(&listed[3]));
        assert_eq!(plan(&[], "ours", 1), Plan::Create);
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
