//! An incident's state and its row, by the table.

use super::{
    super::upsert::tests::{incident, job},
    *,
};
use std::sync::Arc;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-11-28 07:30:00 UTC);
const QUIET: Duration = Duration::from_secs(900);

#[test]
fn states_follow_the_table() {
    // Status, finished, seconds since the end.
    for (jobs, expected) in [
        (&[][..], State::NotCaptured),
        (&[(Status::Accepted, false, 0)], State::InProgress),
        (&[(Status::Created, false, 80_000)], State::InProgress),
        // Its message was lost.
        (&[(Status::Created, false, 130_000)], State::NotCaptured),
        (&[(Status::Completed, true, 10)], State::Quiet),
        (&[(Status::Completed, true, 899)], State::Quiet),
        (&[(Status::Completed, true, 900)], State::Captured),
        (
            &[
                (Status::Completed, true, 2_000),
                (Status::Failed, true, 1_000),
            ],
            State::Captured,
        ),
        (&[(Status::Failed, true, 1_000)], State::Failed),
        (&[(Status::Skipped, true, 1_000)], State::NotCaptured),
        (
            &[
                (Status::Completed, true, 2_000),
                (Status::Created, false, 5),
            ],
            State::InProgress,
        ),
    ] {
        let mut incident = incident(&job());
        for (status, finished, ago) in jobs {
            let mut job = job();
            let at = NOW - time::Duration::seconds(*ago);
            job.report.status = *status;
            job.report.finished = *finished;
            job.report.ended_at = finished.then_some(at);
            incident.add(&incident.news_of(&Arc::new(job.clone()), at));
        }
        assert_eq!(incident.state(NOW, QUIET), expected, "{jobs:?}");
    }
}

#[test]
fn the_row_says_what_matters_most() {
    let mut incident = incident(&job());
    let mut completed = job();
    completed.report.status = Status::Completed;
    completed.report.message = "complete".into();
    completed.report.finished = true;
    incident.add(&incident.news_of(&Arc::new(completed.clone()), NOW));
    let mut skipped = job();
    skipped.report.status = Status::Skipped;
    skipped.report.message = "x".repeat(900);
    skipped.report.finished = true;
    incident.add(&incident.news_of(&Arc::new(skipped.clone()), NOW));
    let row = incident.summary(NOW, QUIET);
    assert_eq!((&*row.outcome, row.alerts), ("complete", 2));
    assert_eq!(row.rule.as_deref(), Some("cpu"));
    assert_eq!(row.file_bytes, None);
    incident.entries[0].file_bytes = Some(3);
    incident.entries[1].file_bytes = Some(4);
    assert_eq!(incident.summary(NOW, QUIET).file_bytes, Some(7));
    let waiting = job();
    incident.add(&incident.news_of(&Arc::new(waiting.clone()), NOW));
    let row = incident.summary(NOW, QUIET);
    assert_eq!(&*row.outcome, "Alert accepted for web-01");
    incident
        .entries
        .retain(|entry| entry.report.status == Status::Skipped);
    let row = incident.summary(NOW, QUIET);
    assert_eq!(row.outcome.chars().count(), MAX_OUTCOME, "{}", row.outcome);
}
