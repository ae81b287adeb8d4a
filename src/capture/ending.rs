//! How a session ended, from what Azure says of its status. A failed capture reads `Stopped` too, so the stop reason
//! and the errors decide.
//! <https://learn.microsoft.com/en-us/rest/api/network-watcher/packet-captures/get-status>

use super::times::{after, until};
use crate::azure::network_watcher::{PacketCapture, PacketCaptureStatus};
use std::time::Duration;
use time::OffsetDateTime;

/// What a session's status says about its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Ending {
    /// The session captures packets, is about to, or Azure did not say.
    NotYet,
    /// The session ended and its evidence is there.
    Good,
    /// The session ended and evidence is missing: Azure's code, and what went wrong in words.
    Bad { code: String, errors: Vec<String> },
}

/// How long after its time limit a session that is still running is given up.
pub const OVERDUE: Duration = Duration::from_secs(600);
/// Interval between the first checks of a session that should have ended; it doubles.
const FIRST_LOOK: Duration = Duration::from_secs(2);
/// Maximum interval between checks of a session that should have ended.
const LONGEST_LOOK: Duration = Duration::from_secs(60);
/// How long Azure needs after a session's end until its status says so.
pub const SETTLING: Duration = Duration::from_secs(1);

/// Reads a status. Words compare without case; unknown ones mean that it has not ended.
pub fn ending(status: &PacketCaptureStatus) -> Ending {
    let state = status.status.to_ascii_lowercase();
    let failed = |code: &str| Ending::Bad {
        code: code.to_owned(),
        errors: status.errors.iter().map(|error| in_words(error)).collect(),
    };
    let first = status.errors.first().map(String::as_str);
    match state.as_str() {
        "stopped" => {
            let reason = status.stop_reason.as_deref().unwrap_or_default();
            match first {
                Some(error) => failed(code_of(error)),
                None if reason.eq_ignore_ascii_case("Error") => failed("CaptureFailed"),
                None => Ending::Good,
            }
        }
        "error" => failed(first.map_or("CaptureFailed", code_of)),
        _ => Ending::NotYet,
    }
}

/// Whether a session gathers nothing any more. One that is just being created has no status yet.
pub fn is_over(capture: &PacketCapture, status: &PacketCaptureStatus) -> bool {
    let provisioning = capture.provisioning_state.to_ascii_lowercase();
    match provisioning.as_str() {
        "failed" | "canceled" => true,
        "updating" | "creating" | "deleting" => false,
        _ => ending(status) != Ending::NotYet,
    }
}

/// The wait until the next check of a session that ends at `ends_at`, after `looks` checks past its end. `None`: it is
/// overdue.
pub fn next_look(ends_at: OffsetDateTime, looks: u32, now: OffsetDateTime) -> Option<Duration> {
    if now >= after(ends_at, OVERDUE) {
        return None;
    }
    if now < ends_at {
        return Some(until(ends_at, now).saturating_add(SETTLING));
    }
    Some(
        FIRST_LOOK
            .saturating_mul(1 << looks.saturating_sub(1).min(8))
            .min(LONGEST_LOOK),
    )
}

/// Of scale sets Azure sends whole sentences where it sends codes of machines.
fn code_of(error: &str) -> &str {
    match error.contains(' ') {
        true => "CaptureFailed",
        false => error,
    }
}

fn in_words(error: &str) -> String {
    let words = match error.to_ascii_lowercase().as_str() {
        "internalerror" => "Network Watcher had an error of its own",
        "agentstopped" => "the Network Watcher agent on the machine stopped",
        "capturefailed" => "the agent could not capture",
        "localfilefailed" => {
            "the file on the machine could not be written (disk full, or a path that is not there?)"
        }
        "storagefailed" => {
            "the file could not be uploaded: the account must allow shared keys, must not be premium, and the machine must reach it"
        }
        _ => return error.to_owned(),
    };
    format!("{error}: {words}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn the_status_is_read_by_the_table() {
        for (status, reason, errors, expected) in [
            ("Running", None, &[][..], "not yet"),
            ("NotStarted", None, &[], "not yet"),
            ("Unknown", None, &[], "not yet"),
            ("", None, &[], "not yet"),
            ("Running", None, &["StorageFailed"], "not yet"),
            ("Stopped", Some("TimeExceeded"), &[], "good"),
            ("stopped", Some("Manual"), &[], "good"),
            ("Stopped", None, &[], "good"),
            (
                "Stopped",
                Some("3 VM Instance(s) stopped due to TimeExceeded Reasons. "),
                &[],
                "good",
            ),
            ("Stopped", Some("error"), &[], "CaptureFailed"),
            (
                "Stopped",
                Some("Error"),
                &["LocalFileFailed", "StorageFailed"],
                "LocalFileFailed",
            ),
            (
                "Stopped",
                Some("TimeExceeded"),
                &["StorageFailed"],
                "StorageFailed",
            ),
            (
                "Stopped",
                None,
                &["1 VM Instance(s) failed: the agent is gone."],
                "CaptureFailed",
            ),
            ("Error", None, &[], "CaptureFailed"),
            ("Error", None, &["AgentStopped"], "AgentStopped"),
        ] {
            let read = ending(&PacketCaptureStatus {
                status: status.to_owned(),
                started: None,
                stop_reason: reason.map(str::to_owned),
                errors: errors.iter().map(|error| (*error).to_owned()).collect(),
            });
            let got = match &read {
                Ending::NotYet => "not yet",
                Ending::Good => "good",
                Ending::Bad { code, errors: said } => {
                    assert_eq!(said.len(), errors.len());
                    code
                }
            };
            assert_eq!(got, expected, "{status} {reason:?} {errors:?}");
        }
    }

    #[test]
    fn looks_come_at_the_end_then_ever_more_rarely_until_it_is_overdue() {
        const END: OffsetDateTime = datetime!(2026-11-23 02:00:00 UTC);
        let secs = Duration::from_secs;
        for (seconds_after, looks, expected) in [
            (-18_000, 0, Some(secs(18_001))),
            (-10, 0, Some(secs(11))),
            (0, 0, Some(secs(2))),
            (1, 1, Some(secs(2))),
            (3, 2, Some(secs(4))),
            (300, 6, Some(secs(60))),
            (300, u32::MAX, Some(secs(60))),
            (599, 20, Some(secs(60))),
            (600, 20, None),
        ] {
            let now = END + time::Duration::seconds(seconds_after);
            assert_eq!(
                next_look(END, looks, now),
                expected,
                "{seconds_after} {looks}"
            );
        }
    }
}
