//! The curve of a metric around an alert: where its line, the alert, the capture and the changes stand. Pure geometry; the
//! template only writes it down as SVG. Two shapes of one picture, for screens and for phones.

// Pixels of at most a few hundred minutes, and the difference of two times, which always fits.
#![allow(clippy::arithmetic_side_effects)]

use super::{timeline::Shape, words};
use crate::changes::{ControlPlane, MetricSeries, sentence};
use std::fmt::Write;
use time::{Duration, OffsetDateTime};

/// Maximum number of changes that are marked; the table has all.
const MOST_MARKS: usize = 60;
/// The narrowest capture that can be seen.
const LEAST_CAPTURE: f64 = 3.0;
/// Where the label of the alert would meet the one of the highest value.
const NEAR_LABEL: f64 = 150.0;
const EDGE: f64 = 4.0;
/// Lines of text above and below the plot, and the marks of changes.
const ABOVE: f64 = 26.0;
const BELOW: f64 = 42.0;

/// The moments beside a metric's values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moments {
    pub alert: OffsetDateTime,
    /// When packets were gathered.
    pub capture: Option<(OffsetDateTime, OffsetDateTime)>,
}

/// A curve in drawing units.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve {
    pub width: f64,
    pub height: f64,
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
    /// The path of the line; empty when no two minutes beside each other have values.
    pub line: String,
    /// Values without neighbors.
    pub dots: Vec<(f64, f64)>,
    /// Left edge and width of the capture.
    pub capture: Option<(f64, f64)>,
    /// The alert: its place, where its label stands, and how it is aligned.
    pub alert: (f64, f64, &'static str),
    pub marks: Vec<Mark>,
    /// The highest value, in words.
    pub most: String,
    pub begin: String,
    pub end: String,
}

/// A change on the time axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mark {
    pub x: f64,
    pub class: &'static str,
    pub title: String,
}

/// The time that a curve covers: all values, the alert and the capture.
pub(super) fn span(series: &MetricSeries, moments: &Moments) -> (OffsetDateTime, OffsetDateTime) {
    let minutes = i64::try_from(series.values.len()).unwrap_or(i64::MAX);
    let last = series
        .begins_at
        .saturating_add(Duration::minutes(minutes.min(10_000)));
    let capture = moments.capture;
    let begin = series.begins_at.min(moments.alert);
    let begin = capture.map_or(begin, |(from, _)| begin.min(from));
    let end = last.max(moments.alert);
    let end = capture.map_or(end, |(_, to)| end.max(to));
    (begin, end.max(begin.saturating_add(Duration::MINUTE)))
}

/// Where everything stands.
pub(super) fn draw(
    series: &MetricSeries,
    gathered: &ControlPlane,
    moments: &Moments,
    shape: Shape,
) -> Curve {
    let (width, height) = match shape {
        Shape::Wide => (960.0, 230.0),
        Shape::Narrow => (340.0, 230.0),
    };
    let (left, right) = (EDGE, width - EDGE);
    let (top, bottom) = (ABOVE, height - BELOW);
    let (begin, end) = span(series, moments);
    let whole = (end - begin).as_seconds_f64().max(1.0);
    let x = |at: OffsetDateTime| {
        let share = (at - begin).as_seconds_f64() / whole;
        left + share.clamp(0.0, 1.0) * (right - left)
    };
    let (least, most) = bounds(series);
    // Halves, whose difference is finite whatever Azure says.
    let half_of = |value: f64| value / 2.0 - least / 2.0;
    let y = |value: f64| bottom - half_of(value) / half_of(most) * (bottom - top);
    // A value is of the minute that begins then.
    let half = Duration::seconds(30);
    let (line, dots) = path(series, |at, value| (x(at + half), y(value)));
    let capture = moments.capture.map(|(from, to)| {
        let (from, to) = (x(from), x(to));
        let width = (to - from).max(LEAST_CAPTURE);
        (from.min(right - width), width)
    });
    let at = x(moments.alert);
    let anchor = match at {
        at if at < left + 30.0 => "start",
        at if at > right - 30.0 => "end",
        _ => "middle",
    };
    let label = match at < NEAR_LABEL {
        true => top + 16.0,
        false => top - 10.0,
    };
    let within = gathered
        .changes
        .iter()
        .filter(|change| change.at >= begin && change.at <= end);
    let marks = within.take(MOST_MARKS).map(|change| Mark {
        x: x(change.at),
        class: match (&change.failed, change.touches_path()) {
            (Some(_), _) => "failed",
            (None, true) => "path",
            (None, false) => "other",
        },
        title: sentence(change, gathered.alert_at),
    });
    Curve {
        width,
        height,
        left,
        right,
        top,
        bottom,
        line,
        dots,
        capture,
        alert: (at, label, anchor),
        marks: marks.collect(),
        most: words::metric(most, series.unit.as_deref()),
        begin: words::time_of_day(begin),
        end: words::time_of_day(end),
    }
}

/// The lowest and the highest value that the plot has room for. The lowest is zero, unless a value is below.
fn bounds(series: &MetricSeries) -> (f64, f64) {
    let values = || series.points().map(|(_, value)| value);
    let least = values().fold(0.0, f64::min);
    let most = values().fold(f64::NEG_INFINITY, f64::max);
    // Halves, as they are drawn: those of the least numbers there are do not differ.
    match most / 2.0 > least / 2.0 {
        true => (least, most),
        // All are zero, or the same below it.
        false if least < 0.0 => (least, 0.0),
        false => (0.0, 1.0),
    }
}

/// The line through neighboring minutes, and the values that have no neighbor.
fn path(
    series: &MetricSeries,
    place: impl Fn(OffsetDateTime, f64) -> (f64, f64),
) -> (String, Vec<(f64, f64)>) {
    let (mut line, mut dots) = (String::new(), Vec::new());
    let mut run: Vec<(f64, f64)> = Vec::new();
    let mut end_run = |run: &mut Vec<(f64, f64)>| {
        match run.as_slice() {
            [] => {}
            [one] => dots.push(*one),
            points => {
                for (number, (x, y)) in points.iter().enumerate() {
                    let letter = if number == 0 { 'M' } else { 'L' };
                    // Writing into a text does not fail.
                    let _ = write!(line, "{letter}{x:.1} {y:.1}");
                }
            }
        }
        run.clear();
    };
    for (minute, value) in (0_i64..).zip(&series.values) {
        match value {
            Some(value) => {
                let at = series.begins_at.saturating_add(Duration::minutes(minute));
                run.push(place(at, *value));
            }
            None => end_run(&mut run),
        }
    }
    end_run(&mut run);
    (line, dots)
}

#[cfg(test)]
#[path = "curve/tests.rs"]
mod tests;
