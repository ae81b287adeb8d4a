//! How long a job may take until its capture runs: no job is without an end. Pure.

use super::job::Phase;
use std::time::Duration;
use time::OffsetDateTime;

/// When a job in this phase is given up, counted from when its alert was taken: `None` once the capture runs, whose end
/// has limits of its own. `create_within`: `PacketCapture__CreateWithinSeconds` and the time limit of one capture, which
/// the job may have to wait for. `start_within`: how long Azure may take to finish a create that was sent last of all.
pub fn deadline(
    phase: &Phase,
    taken_at: OffsetDateTime,
    create_within: Duration,
    start_within: Duration,
) -> Option<OffsetDateTime> {
    let within = match phase {
        Phase::Prepare | Phase::Deleting { .. } => create_within,
        Phase::Starting { .. } => create_within.saturating_add(start_within),
        Phase::Running { .. }
        | Phase::Notifying
        | Phase::Looking { .. }
        | Phase::NotifyingFirst
        | Phase::LookingOn
        | Phase::NotifyingLook
        | Phase::Removing { .. }
        | Phase::Completing { .. } => return None,
    };
    let within = time::Duration::try_from(within).unwrap_or(time::Duration::MAX);
    Some(taken_at.saturating_add(within))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::Session;
    use time::macros::datetime;

    #[test]
    fn each_phase_up_to_the_start_has_a_deadline() {
        let session = Session {
            watcher: "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/g/providers/Microsoft.Network/networkWatchers/w"
                .parse()
                .unwrap(),
            name: "c".to_owned(),
        };
        let taken_at = datetime!(2026-11-23 02:00 UTC);
        let starting = Phase::Starting {
            session: session.clone(),
            operation: None,
        };
        for (phase, expected) in [
            (Phase::Prepare, Some(datetime!(2026-11-23 02:30 UTC))),
            (starting, Some(datetime!(2026-11-23 02:45 UTC))),
            (Phase::Notifying, None),
            (Phase::Removing { session }, None),
        ] {
            let (create, start) = (Duration::from_secs(1_800), Duration::from_secs(900));
            assert_eq!(
                deadline(&phase, taken_at, create, start),
                expected,
                "{phase:?}"
            );
        }
        let last = datetime!(9999-12-31 23:59:59 UTC);
        assert!(deadline(&Phase::Prepare, last, Duration::MAX, Duration::MAX) >= Some(last));
    }
}
