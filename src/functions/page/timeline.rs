//! The picture of an incident: where each mark, line and word stands. Pure geometry; the template only writes it down as
//! SVG. Two shapes of one picture: from left to right, and from top to bottom for a phone.

// Pixels of a few marks, and the difference of two times, which always fits.
#![allow(clippy::arithmetic_side_effects)]

use super::words::duration;
use crate::incident::{
    Status,
    record::{Incident, Step, What},
};
use time::OffsetDateTime;

/// What a mark stands for; the class of its shape and colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Fired,
    Accepted,
    HeldBack,
    Failed,
    Running,
    Ended,
    File,
    Notified,
    NotNotified,
    Resolved,
}

impl Kind {
    pub(super) fn label(self) -> &'static str {
        match self {
            Kind::Fired => "Alert fired",
            Kind::Accepted => "Accepted",
            Kind::HeldBack => "Held back",
            Kind::Failed => "Failed",
            Kind::Running => "Running",
            Kind::Ended => "Ended",
            Kind::File => "File",
            Kind::Notified => "Notified",
            Kind::NotNotified => "Not notified",
            Kind::Resolved => "Resolved",
        }
    }

    pub(super) fn class(self) -> &'static str {
        match self {
            Kind::Failed | Kind::HeldBack | Kind::NotNotified => "bad",
            Kind::Running | Kind::Ended => "busy",
            Kind::File | Kind::Notified => "good",
            Kind::Fired | Kind::Accepted | Kind::Resolved => "plain",
        }
    }
}

/// One mark of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Milestone {
    pub at: OffsetDateTime,
    pub kind: Kind,
}

/// What of an incident the picture shows, in the order of time: each kind once, at most nine marks.
pub(super) fn milestones(incident: &Incident) -> Vec<Milestone> {
    let first = |is: fn(What) -> bool| Some(incident.steps.iter().find(|step| is(step.what))?.at);
    let last = |is: fn(What) -> bool| -> Option<&Step> {
        incident.steps.iter().rev().find(|step| is(step.what))
    };
    let reports = || incident.entries.iter().map(|entry| &entry.report);
    let notified = last(|what| matches!(what, What::Notified(_) | What::NotNotified(_)));
    let ended = last(|what| what == What::Ended).map(|step| step.at);
    let captures = || reports().filter(|report| report.name.is_some());
    let ended = ended.or_else(|| captures().filter_map(|report| report.ended_at).max());
    let file = last(|what| what == What::Analyzed).map(|step| step.at);
    let has_file = captures().any(|it| it.status == Status::Completed);
    let failed = reports().any(|report| report.status == Status::Failed);
    let found = [
        (Kind::Fired, first(|what| what == What::AlertFired)),
        (
            Kind::Accepted,
            first(|what| what == What::Accepted)
                .or_else(|| incident.entries.iter().map(|it| it.accepted_at).min()),
        ),
        (
            Kind::HeldBack,
            last(|what| what == What::HeldBack).map(|step| step.at),
        ),
        (
            Kind::Failed,
            last(|what| what == What::Failed)
                .filter(|_| failed)
                .map(|step| step.at),
        ),
        (
            Kind::Running,
            first(|what| what == What::Running)
                .or_else(|| captures().filter_map(|report| report.began_at).min()),
        ),
        (Kind::Ended, ended),
        (Kind::File, file.or(ended.filter(|_| has_file))),
        (
            match notified.map(|step| step.what) {
                Some(What::NotNotified(_)) => Kind::NotNotified,
                _ => Kind::Notified,
            },
            notified.map(|step| step.at),
        ),
        (
            Kind::Resolved,
            last(|what| what == What::AlertResolved).map(|step| step.at),
        ),
    ];
    let mut marks: Vec<Milestone> = found
        .into_iter()
        .filter_map(|(kind, at)| Some(Milestone { at: at?, kind }))
        .collect();
    marks.sort_unstable();
    marks
}

/// Which way the picture runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// From left to right, for paper and for screens as wide as a page.
    Wide,
    /// From top to bottom, for phones.
    Narrow,
}

/// A picture in whole pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Drawing {
    pub width: i32,
    pub height: i32,
    pub spans: Vec<Span>,
    pub marks: Vec<Mark>,
}

/// A mark with its two words: what happened, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub x: i32,
    pub y: i32,
    pub milestone: Milestone,
    pub label: (i32, i32),
    pub time: (i32, i32),
}

/// The line between two marks, and how long it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub from: (i32, i32),
    pub to: (i32, i32),
    /// Packets are being gathered.
    pub capturing: bool,
    pub took: String,
    pub text: (i32, i32),
}

const WIDE: f64 = 960.0;
const NARROW: f64 = 340.0;
/// Half of the widest label stands beyond the first and the last mark.
const MARGIN: f64 = 54.0;
/// Room of a label; two marks are never nearer, however short the time between them.
const LEAST: f64 = 104.0;
const WIDE_LINE: f64 = 34.0;
const ROW: f64 = 58.0;
const NARROW_LINE: f64 = 18.0;

/// Where everything stands. The distances grow with the logarithm of the time: a capture of hours leaves the seconds
/// around it readable.
pub(super) fn draw(marks: &[Milestone], shape: Shape) -> Drawing {
    let places = places(marks, shape);
    let point = |along: f64| match shape {
        Shape::Wide => (along, WIDE_LINE),
        Shape::Narrow => (NARROW_LINE, along),
    };
    let whole = |(x, y): (f64, f64)| (x.round() as i32, y.round() as i32);
    let mark = |(milestone, along): (&Milestone, &f64)| {
        let (x, y) = point(*along);
        let (label, time) = match shape {
            Shape::Wide => ((x, y + 30.0), (x, y + 48.0)),
            Shape::Narrow => ((x + 24.0, y + 5.0), (NARROW - 4.0, y + 5.0)),
        };
        let (x, y) = whole((x, y));
        Mark {
            x,
            y,
            milestone: *milestone,
            label: whole(label),
            time: whole(time),
        }
    };
    let span = |(pair, along): (&[Milestone], &[f64])| {
        let (Some(from), Some(to)) = (pair.first(), pair.last()) else {
            return None;
        };
        let (start, end) = (*along.first()?, *along.last()?);
        let middle = point((start + end) / 2.0);
        let text = match shape {
            Shape::Wide => (middle.0, middle.1 - 14.0),
            Shape::Narrow => (middle.0 + 24.0, middle.1 + 4.0),
        };
        Some(Span {
            from: whole(point(start)),
            to: whole(point(end)),
            capturing: is_capturing(marks, from, to),
            took: duration(to.at - from.at),
            text: whole(text),
        })
    };
    let last = places.last().copied().unwrap_or_default();
    let (width, height) = match shape {
        Shape::Wide => (WIDE, WIDE_LINE + 60.0),
        Shape::Narrow => (NARROW, last + NARROW_LINE),
    };
    let (width, height) = whole((width, height));
    Drawing {
        width,
        height,
        spans: marks
            .windows(2)
            .zip(places.windows(2))
            .filter_map(span)
            .collect(),
        marks: marks.iter().zip(&places).map(mark).collect(),
    }
}

/// The place of each mark along the line.
fn places(marks: &[Milestone], shape: Shape) -> Vec<f64> {
    let weights: Vec<f64> = marks
        .windows(2)
        .map(|pair| match pair {
            [from, to] => (to.at - from.at).as_seconds_f64().max(0.0).ln_1p(),
            _ => 0.0,
        })
        .collect();
    let gaps = weights.len() as f64;
    let mut along = match shape {
        Shape::Wide => MARGIN,
        Shape::Narrow => NARROW_LINE,
    };
    let mut places = Vec::from_iter((!marks.is_empty()).then_some(along));
    let room = WIDE - 2.0 * MARGIN;
    let least = match weights.is_empty() {
        true => LEAST,
        false => LEAST.min(room / gaps),
    };
    let free = room - least * gaps;
    let total: f64 = weights.iter().sum();
    for weight in weights {
        along += match shape {
            Shape::Narrow => ROW,
            // All at the same moment: evenly.
            Shape::Wide if total <= 0.0 => room / gaps,
            Shape::Wide => least + free * weight / total,
        };
        places.push(along);
    }
    places
}

/// Whether packets are gathered from one mark to the next: between the first start and the last end.
fn is_capturing(marks: &[Milestone], from: &Milestone, to: &Milestone) -> bool {
    let at = |kind| marks.iter().position(|mark| mark.kind == kind);
    let place = |mark: &Milestone| marks.iter().position(|it| it == mark);
    match (at(Kind::Running), at(Kind::Ended), place(from), place(to)) {
        (Some(start), Some(end), Some(from), Some(to)) => start <= from && to <= end,
        _ => false,
    }
}

#[cfg(test)]
#[path = "timeline/tests.rs"]
mod tests;
