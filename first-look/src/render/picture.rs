//! Pictures as inline SVG: columns over time, and bars. Coordinates are computed here, marks and texts are templates.

use askama::Template;

use super::table::{Row, Span};
use crate::words::{bytes, number};

/// Drawing units; a card on a phone is about as wide, so that texts keep their size.
const WIDTH: f64 = 420.0;
const LEFT: f64 = 80.0;
/// Characters of a bar's texts, which share a line. On a phone letters are 13 units high and about 7 wide.
const LINE: usize = 54;
/// Height above and below the axis of columns.
const HALF: f64 = 56.0;
const TOP: f64 = 16.0;
const ROW: f64 = 26.0;

/// Packets or bytes over time: sent upwards, received downwards, neither upwards in grey.
#[derive(Template)]
#[template(path = "look/columns.svg")]
pub(super) struct Columns {
    title: String,
    sent: String,
    received: String,
    other: String,
    most_up: String,
    most_down: String,
    has_down: bool,
    /// Where the numbers of the highest columns stand.
    up_y: f64,
    down_y: f64,
    axis: f64,
    bottom: f64,
    alert: Option<Moment>,
    begin: String,
    end: String,
}

/// The alert's line.
struct Moment {
    x: f64,
    words: &'static str,
    class: &'static str,
}

impl Moment {
    /// At a share of the way from the first column to the end of the last one. A moment outside is shown at the edge.
    fn at(share: f64) -> Moment {
        let x = LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT - 4.0);
        let (words, class) = match share {
            share if share < 0.0 => ("\u{2190} alert", ""),
            share if share > 1.0 => ("alert \u{2192}", "end"),
            share if share < 0.1 => ("alert", ""),
            share if share > 0.9 => ("alert", "end"),
            _ => ("alert", "middle"),
        };
        Moment { x, words, class }
    }
}

/// What columns show.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Show {
    Packets,
    Bytes,
}

impl Columns {
    /// `alert` is the share of the way from the first to the last packet: 0 to 1, or outside.
    pub fn new(spans: &[Span], width: i64, show: Show, alert: Option<f64>) -> Columns {
        let values = |span: &Span| {
            if show == Show::Packets {
                span.packets
            } else {
                span.bytes
            }
        };
        let up = spans
            .iter()
            .map(|span| values(span)[0] + values(span)[2])
            .max()
            .unwrap_or(0);
        let down = spans.iter().map(|span| values(span)[1]).max().unwrap_or(0);
        // One scale for both directions.
        let most = up.max(down).max(1) as f64;
        let step = (WIDTH - LEFT - 4.0) / spans.len().max(1) as f64;
        let axis = TOP + HALF;
        let [mut sent, mut received, mut other] = [const { String::new() }; 3];
        for (index, span) in spans.iter().enumerate() {
            let x = LEFT + index as f64 * step;
            let height = values(span).map(|value| value as f64 / most * HALF);
            column(&mut sent, x, axis, -height[0], step);
            column(&mut other, x, axis - height[0], -height[2], step);
            column(&mut received, x, axis, height[1], step);
        }
        let unit = if width == 1 {
            "second".to_owned()
        } else {
            format!("{width} s")
        };
        let what = if show == Show::Packets {
            "Packets"
        } else {
            "Bytes"
        };
        let said = |value: u64| {
            if show == Show::Packets {
                number(value)
            } else {
                bytes(value)
            }
        };
        let has_down = down > 0;
        Columns {
            title: format!("{what} per {unit}"),
            sent,
            received,
            other,
            most_up: said(up),
            most_down: said(down),
            has_down,
            up_y: (axis + 4.0 - up as f64 / most * HALF).min(axis - 2.0),
            down_y: (axis + 4.0 + down as f64 / most * HALF).max(axis + 11.0),
            axis,
            bottom: axis + if has_down { HALF } else { 0.0 },
            alert: alert.map(Moment::at),
            begin: format!("{} s", spans.first().map_or(0, |span| span.start)),
            end: format!(
                "{} s",
                spans
                    .last()
                    .map_or(0, |span| span.start.saturating_add(width))
            ),
        }
    }
}

/// Adds a column from `y` by `height`; nothing if it cannot be seen.
fn column(path: &mut String, x: f64, y: f64, height: f64, step: f64) {
    if height != 0.0 {
        // Even one packet beside a million is drawn.
        let height = if height.abs() < 1.0 {
            height.signum()
        } else {
            height
        };
        path.push_str(&format!(
            "M{x:.1} {y:.1}v{height:.1}h{:.1}v{:.1}z",
            (step * 0.86).max(0.6),
            -height
        ));
    }
}

/// One bar of several parts with its texts.
pub(super) struct Bar {
    pub name: String,
    pub words: String,
    pub parts: Vec<(u64, &'static str)>,
}

pub(super) struct Part {
    pub x: f64,
    pub width: f64,
    pub class: &'static str,
}

pub(super) struct Line {
    pub y: f64,
    pub name: String,
    pub words: String,
    pub parts: Vec<Part>,
}

/// Bars below each other.
#[derive(Template)]
#[template(path = "look/bars.svg")]
pub(super) struct Bars {
    title: String,
    height: f64,
    lines: Vec<Line>,
}

impl Bars {
    pub fn new(title: &str, bars: Vec<Bar>) -> Bars {
        let sum = |bar: &Bar| bar.parts.iter().map(|(value, _)| value).sum::<u64>();
        let most = bars.iter().map(sum).max().unwrap_or(0).max(1) as f64;
        let lines: Vec<Line> = bars
            .into_iter()
            .enumerate()
            .map(|(index, bar)| {
                let mut x = 0.0;
                let mut parts = Vec::new();
                for (value, class) in bar.parts.iter().filter(|(value, _)| *value > 0) {
                    let width = (*value as f64 / most * WIDTH).max(1.0);
                    parts.push(Part { x, width, class });
                    x += width;
                }
                Line {
                    y: index as f64 * ROW + 12.0,
                    name: short(&bar.name, LINE.saturating_sub(bar.words.chars().count())),
                    words: bar.words,
                    parts,
                }
            })
            .collect();
        Bars {
            title: title.into(),
            height: lines.len() as f64 * ROW + 4.0,
            lines,
        }
    }

    /// Bars of one colour.
    pub fn of_rows(title: &str, rows: Vec<Row>, class: &'static str) -> Bars {
        let bars = rows.into_iter().map(|row| Bar {
            name: row.name,
            words: row.words,
            parts: vec![(row.value, class)],
        });
        Bars::new(title, bars.collect())
    }
}

/// Cut to a number of characters, but never to less than can be recognized.
fn short(name: &str, room: usize) -> String {
    let room = room.max(12);
    if name.chars().count() <= room {
        return name.to_owned();
    }
    name.chars().take(room - 1).chain(['…']).collect()
}
