//! Curves with and without values, at the edges, and of any size.

use super::*;
use crate::changes::{Change, Kind, Verb};
use time::macros::datetime;

const ALERT: OffsetDateTime = datetime!(2026-11-28 07:30:00 UTC);
const BEGIN: OffsetDateTime = datetime!(2026-11-28 06:30:00 UTC);

fn series(values: &[Option<f64>]) -> MetricSeries {
    MetricSeries {
        name: "Network Out Total".into(),
        unit: Some("Bytes".into()),
        aggregation: "Total".into(),
        of_alert: true,
        begins_at: BEGIN,
        values: values.to_vec(),
    }
}

fn gathered() -> ControlPlane {
    ControlPlane::new(ALERT, ALERT - Duration::hours(6), ALERT)
}

fn moments() -> Moments {
    let from = ALERT + Duration::MINUTE;
    Moments {
        alert: ALERT,
        capture: Some((from, from + Duration::seconds(10))),
    }
}

#[test]
fn the_line_is_broken_where_azure_has_no_value() {
    let some = Some;
    for (values, moves, lines, dots) in [
        (vec![], 0, 0, 0),
        (vec![None; 70], 0, 0, 0),
        (vec![some(5.0)], 0, 0, 1),
        (vec![some(5.0), None, some(7.0)], 0, 0, 2),
        (
            vec![some(5.0), some(6.0), None, some(7.0), some(7.0), some(9.0)],
            2,
            3,
            0,
        ),
        (vec![some(0.0); 70], 1, 69, 0),
        (vec![some(-5.0); 2], 1, 1, 0),
        (vec![some(-1e300)], 0, 0, 1),
        (vec![some(5e-324)], 0, 0, 1),
    ] {
        let curve = draw(&series(&values), &gathered(), &moments(), Shape::Wide);
        assert_eq!(curve.line.matches('M').count(), moves, "{values:?}");
        assert_eq!(curve.line.matches('L').count(), lines, "{values:?}");
        assert_eq!(curve.dots.len(), dots, "{values:?}");
        assert!(!curve.line.contains("NaN") && !curve.line.contains("inf"));
        let drawn = |y: &f64| (curve.top..=curve.bottom).contains(y);
        assert!(curve.dots.iter().all(|(_, y)| drawn(y)), "{values:?}");
    }
}

#[test]
fn everything_stands_within_the_picture() {
    let wild = [f64::MAX, -1e300, 0.0, 1e-300, 5.0, -5.0, f64::MIN_POSITIVE];
    let values: Vec<Option<f64>> = wild.iter().cycle().take(420).map(|it| Some(*it)).collect();
    let mut gathered = gathered();
    for minutes in [-360, -60, -61, -12, 0, 3, 420, 9_000] {
        let at = ALERT + Duration::minutes(minutes);
        gathered.changes.push(Change::new(
            at,
            Kind::SecurityGroup,
            Verb::Changed,
            "/x/nsg",
        ));
    }
    let far = Moments {
        alert: ALERT - Duration::hours(2),
        capture: Some((ALERT, ALERT + Duration::hours(5))),
    };
    for (values, moments) in [
        (values.clone(), moments()),
        (values, far),
        (vec![Some(1.0)], moments()),
        (vec![], far),
    ] {
        for shape in [Shape::Wide, Shape::Narrow] {
            let series = series(&values);
            let curve = draw(&series, &gathered, &moments, shape);
            let inside = |x: f64| (0.0..=curve.width).contains(&x);
            let (x, width) = curve.capture.unwrap();
            assert!(inside(x) && inside(x + width) && width >= 3.0);
            assert!(inside(curve.alert.0));
            assert!(curve.marks.iter().all(|mark| inside(mark.x)));
            assert!(curve.line.len() < 20_000, "{}", curve.line.len());
            let numbers = curve
                .line
                .split(['M', 'L', ' '])
                .filter(|it| !it.is_empty());
            for number in numbers {
                let number: f64 = number.parse().unwrap();
                assert!((0.0..=960.0).contains(&number), "{number}");
            }
        }
    }
}

#[test]
fn changes_within_the_time_are_marked_and_no_more_than_can_be_seen() {
    let mut gathered = gathered();
    let change = |minutes| {
        let at = ALERT + Duration::minutes(minutes);
        Change::new(at, Kind::SecurityGroup, Verb::Changed, "/x/nsg-web")
    };
    gathered.changes = vec![change(-12), change(-70), change(200)];
    gathered.changes.push(Change {
        kind: Kind::Other,
        ..change(-1)
    });
    gathered.changes.push(Change {
        failed: Some("Conflict".into()),
        ..change(-2)
    });
    let series = series(&[Some(1.0); 70]);
    let curve = draw(&series, &gathered, &moments(), Shape::Wide);
    let classes: Vec<&str> = curve.marks.iter().map(|mark| mark.class).collect();
    assert_eq!(classes, ["path", "other", "failed"]);
    assert!(
        curve.marks[0]
            .title
            .starts_with("NSG nsg-web was changed 12 minutes")
    );
    gathered.changes = (0..200).map(|_| change(-1)).collect();
    let curve = draw(&series, &gathered, &moments(), Shape::Wide);
    assert_eq!(curve.marks.len(), MOST_MARKS);
}

#[test]
fn the_alert_stands_after_the_hour_before_it() {
    let series = series(&[Some(3.0); 70]);
    let curve = draw(&series, &gathered(), &moments(), Shape::Wide);
    let share = (curve.alert.0 - curve.left) / (curve.right - curve.left);
    assert!((share - 60.0 / 70.0).abs() < 0.01, "{share}");
    assert_eq!(
        (curve.begin.as_str(), curve.end.as_str()),
        ("06:30:00", "07:40:00")
    );
    assert_eq!(curve.most, "3 bytes");
    // A flat line at its own height.
    let top = format!("{:.1}", curve.top);
    assert!(curve.line.starts_with("M") && curve.line.contains(&top));
}
