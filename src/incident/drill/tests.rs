//! What a drill came to, from what its incident says.

use super::*;
use crate::incident::{
    Action, Event, FileLook, FileProblem, JobId, PackedFacts, Report, record::Step,
};
use time::macros::datetime;

const ACCEPTED: OffsetDateTime = datetime!(2026-11-28 02:00:00 UTC);
const WATCHER: &str = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers/NetworkWatcher_westeurope";

fn at(seconds: i64) -> OffsetDateTime {
    ACCEPTED + Duration::seconds(seconds)
}

/// A drill that went well.
fn passed() -> (Entry, Vec<Step>) {
    let job_id = JobId::parse("7c1d0000-0000-4000-8000-000000000000").unwrap();
    let report = Report {
        status: Status::Completed,
        name: Some("apc-drill-web-01-42f11a16".to_owned()),
        network_watcher: Some(WATCHER.parse().unwrap()),
        storage_path: Some("https://a.blob.example/logs/one.cap".to_owned()),
        began_at: Some(at(4)),
        ended_at: Some(at(9)),
        time_limit_seconds: Some(5),
        stop_reason: Some("TimeExceeded".to_owned()),
        look: Some(Box::new(FileLook {
            file_bytes: Some(85_504),
            ..FileLook::new(at(10))
        })),
        session_removed: true,
        finished: true,
        ..Report::default()
    };
    let entry = Entry {
        job_id,
        action: Action::Capture,
        alert: PackedFacts::default(),
        accepted_at: ACCEPTED,
        resolved_at: None,
        phase: DONE.into(),
        failures: 0,
        updated_at: at(33),
        report: report.into(),
        file_bytes: Some(85_504),
        profile: None,
    };
    let step = |seconds, what, text: &str| Step {
        at: at(seconds),
        job_id: Some(job_id),
        what,
        text: text.into(),
    };
    let steps = vec![
        step(0, What::Accepted, "Alert Packet capture drill was accepted"),
        step(1, What::Created, "Packet capture created on web-01"),
        step(
            31,
            What::Notified(Event::Completed),
            "hooks.example accepted the notification",
        ),
        step(
            33,
            What::Removed,
            "Packet capture was removed; its file stays",
        ),
    ];
    (entry, steps)
}

fn changed(entry: &Entry, change: impl FnOnce(&mut Report)) -> Entry {
    let mut report = Report::clone(&entry.report);
    change(&mut report);
    Entry {
        report: report.into(),
        ..entry.clone()
    }
}

#[test]
fn a_drill_that_went_well_has_each_step_and_the_time_to_its_notification() {
    let (entry, steps) = passed();
    let drill = Drill::of(&entry, &steps);
    let whats: Vec<_> = drill
        .marks
        .iter()
        .map(|it| (it.after.whole_seconds(), it.what))
        .collect();
    assert_eq!(
        whats,
        [
            (0, "alert accepted"),
            (1, "capture created"),
            (4, "capture running"),
            (9, "capture ended"),
            (10, "file there"),
            (10, "file read"),
            (31, "notified"),
            (33, "session removed"),
        ]
    );
    assert!(drill.marks.iter().all(|mark| !mark.failed));
    assert_eq!(
        drill.sentence(),
        "Drill passed: from alert to notification 31 s"
    );
    assert_eq!(drill.left, ["the file https://a.blob.example/logs/one.cap"]);
}

#[test]
fn verdicts_follow_the_table() {
    let (entry, steps) = passed();
    let sentence = |entry: &Entry, steps: &[Step]| Drill::of(entry, steps).sentence();
    let going_on = Entry {
        phase: "removing".into(),
        ..entry.clone()
    };
    assert_eq!(sentence(&going_on, &steps), "The drill is in progress");
    let unnotified: Vec<Step> = steps
        .iter()
        .filter(|it| !matches!(it.what, What::Notified(_)))
        .cloned()
        .collect();
    assert!(sentence(&entry, &unnotified).starts_with("Drill passed in 33 s; no receiver"));
    let refused = changed(&entry, |report| {
        *report = Report {
            status: Status::Failed,
            reason: Some("NetworkWatcherVmExtensionNotInstalled".to_owned()),
            message: "The agent is not installed.".to_owned(),
            finished: true,
            ended_at: Some(at(2)),
            ..Report::default()
        };
    });
    let drill = Drill::of(&refused, &steps[..1]);
    assert_eq!(
        drill.sentence(),
        "Drill failed (create): The agent is not installed."
    );
    assert!(drill.left.is_empty() && drill.marks[1].failed, "{drill:?}");
    let unread = changed(&entry, |report| {
        let problem = FileProblem::new("no role", "assign it");
        report.look = Some(Box::new(FileLook::failed(at(10), problem)));
    });
    assert_eq!(sentence(&unread, &steps), "Drill failed (file): no role");
    let joined = changed(&entry, |report| report.joined = true);
    assert!(sentence(&joined, &steps).starts_with("Drill failed (capture): another drill"));
    // Two receivers, one of which did not accept it in the end.
    let mut one_down = steps.clone();
    one_down.push(Step {
        at: at(30),
        what: What::NotNotified(Event::Completed),
        text: format!("{}hooks.example answered 404", Step::GIVEN_UP).into(),
        ..steps[2].clone()
    });
    assert!(sentence(&entry, &one_down).starts_with("Drill failed (notification): "));
    // One that was late, and accepted it.
    one_down[4].text = "Notification not delivered: hooks.example answered 503".into();
    assert_eq!(
        sentence(&entry, &one_down),
        "Drill passed: from alert to notification 31 s"
    );
    let not_removed = changed(&entry, |report| report.session_removed = false);
    assert!(
        Drill::of(&not_removed, &steps).left[1]
            .contains("the next drill of this machine deletes it")
    );
}

#[test]
fn times_are_in_seconds() {
    for (millis, expected) in [
        (0, "0.0 s"),
        (449, "0.4 s"),
        (9_949, "9.9 s"),
        (9_950, "10 s"),
        (31_040, "31 s"),
    ] {
        assert_eq!(seconds(Duration::milliseconds(millis)), expected);
    }
}
