//! The picture as tables: which marks an incident has, and where they stand.

use super::*;
use crate::incident::{Event, record::VERSION};
use proptest::prelude::*;
use time::macros::datetime;

const T0: OffsetDateTime = datetime!(2026-11-28 07:30:00 UTC);

fn after(seconds: i64) -> OffsetDateTime {
    T0 + time::Duration::seconds(seconds)
}

fn incident(steps: &[(i64, What)]) -> Incident {
    Incident {
        version: VERSION,
        id: serde_json::from_str("\"20261128-073000-00000000\"").unwrap(),
        machine: "/subscriptions/6f8e2a10-4b1c-4d7e-9a35-0d8f2ad7ab3c"
            .parse()
            .unwrap(),
        opened_at: T0,
        updated_at: T0,
        entries: Vec::new(),
        entries_left_out: 0,
        steps: steps
            .iter()
            .map(|(seconds, what)| Step {
                at: after(*seconds),
                job_id: None,
                what: *what,
                text: "x".into(),
            })
            .collect(),
        steps_left_out: 0,
        threads: Vec::new(),
    }
}

#[test]
fn marks_follow_the_table() {
    use Kind::{Accepted, Ended, File, Fired, HeldBack, NotNotified, Notified, Resolved, Running};
    for (steps, expected) in [
        (&[][..], &[][..]),
        (
            &[
                (0, What::AlertFired),
                (60, What::Accepted),
                (63, What::Running),
                (64, What::Notified(Event::Created)),
                (73, What::Ended),
                (74, What::Analyzed),
                (75, What::Notified(Event::Completed)),
            ],
            &[
                (0, Fired),
                (60, Accepted),
                (63, Running),
                (73, Ended),
                (74, File),
                (75, Notified),
            ],
        ),
        // Several alerts and captures: the first beginning, the last end. What was not accepted at last counts.
        (
            &[
                (0, What::AlertFired),
                (5, What::AlertFired),
                (6, What::Running),
                (9, What::Ended),
                (10, What::Notified(Event::Completed)),
                (12, What::Running),
                (20, What::Ended),
                (21, What::NotNotified(Event::Completed)),
                (30, What::AlertResolved),
                (31, What::HeldBack),
            ],
            &[
                (0, Fired),
                (6, Running),
                (20, Ended),
                (21, NotNotified),
                (30, Resolved),
                (31, HeldBack),
            ],
        ),
        // A failure that the capture survived is no mark.
        (&[(1, What::Failed)], &[]),
    ] {
        let marks = milestones(&incident(steps));
        let expected: Vec<Milestone> = expected
            .iter()
            .map(|(seconds, kind)| Milestone {
                at: after(*seconds),
                kind: *kind,
            })
            .collect();
        assert_eq!(marks, expected, "{steps:?}");
    }
}

fn marks(seconds: &[i64]) -> Vec<Milestone> {
    use Kind::{Accepted, Ended, File, Fired, Notified, Resolved, Running};
    [Fired, Accepted, Running, Ended, File, Notified, Resolved]
        .into_iter()
        .zip(seconds)
        .map(|(kind, seconds)| Milestone {
            at: after(*seconds),
            kind,
        })
        .collect()
}

#[test]
fn places_follow_the_table() {
    for (seconds, wide, narrow_height) in [
        (&[][..], &[][..], 18),
        (&[0], &[54], 36),
        (&[0, 5], &[54, 906], 94),
        // All at one moment: evenly.
        (&[0, 0, 0], &[54, 480, 906], 152),
        // A minute before and hours after: the seconds between keep the room of a label.
        (&[0, 60, 62, 18_062, 18_063], &[54, 295, 447, 803, 906], 268),
    ] {
        let marks = marks(seconds);
        let drawing = draw(&marks, Shape::Wide);
        let places: Vec<i32> = drawing.marks.iter().map(|mark| mark.x).collect();
        if seconds.len() < 5 {
            assert_eq!(places, wide, "{seconds:?}");
        }
        assert!(drawing.marks.iter().all(|mark| mark.y == 34));
        assert_eq!((drawing.width, drawing.height), (960, 94));
        let narrow = draw(&marks, Shape::Narrow);
        assert_eq!((narrow.width, narrow.height), (340, narrow_height));
        assert!(narrow.marks.iter().all(|mark| mark.x == 18));
    }
}

#[test]
fn the_line_is_thick_where_packets_are_gathered() {
    let drawing = draw(&marks(&[0, 60, 62, 72, 73]), Shape::Wide);
    let spans: Vec<(bool, &str)> = drawing
        .spans
        .iter()
        .map(|span| (span.capturing, span.took.as_str()))
        .collect();
    assert_eq!(
        spans,
        [
            (false, "1 min"),
            (false, "2 s"),
            (true, "10 s"),
            (false, "1 s")
        ]
    );
    let only_start = draw(&marks(&[0, 60, 62]), Shape::Narrow);
    assert!(only_start.spans.iter().all(|span| !span.capturing));
}

proptest! {
    #[test]
    fn no_two_labels_overlap(seconds in proptest::collection::vec(0..10_000_000_i64, 1..8)) {
        let mut seconds = seconds;
        seconds.sort_unstable();
        let marks = marks(&seconds);
        for shape in [Shape::Wide, Shape::Narrow] {
            let drawing = draw(&marks, shape);
            prop_assert_eq!(drawing.spans.len() + 1, drawing.marks.len());
            for mark in &drawing.marks {
                prop_assert!((0..=drawing.width).contains(&mark.x) && (0..=drawing.height).contains(&mark.y));
            }
            for pair in drawing.marks.windows(2) {
                let apart = (pair[1].x - pair[0].x) + (pair[1].y - pair[0].y);
                prop_assert!(apart >= 57, "{:?}", drawing);
                if shape == Shape::Wide && marks.len() == 7 {
                    prop_assert!(apart >= 103, "{:?}", drawing);
                }
            }
        }
    }
}
