//! A metric around an alert as a part of a page: its two drawings, and what they show in words.

use super::{
    curve::{Curve, Moments, draw, span},
    timeline::Shape,
    words,
};
use crate::changes::{ControlPlane, MetricSeries};

/// A metric with its drawings.
pub(super) struct CurveView {
    /// In the ids of the page's elements.
    pub key: String,
    pub title: String,
    pub words: String,
    pub spoken: String,
    pub wide: Curve,
    pub narrow: Curve,
    pub capture: bool,
    /// The alert's own, which stands first.
    pub first: bool,
}

/// The view of a metric. `key`: in the ids of the page's elements.
pub(super) fn curve(
    key: String,
    first: bool,
    series: &MetricSeries,
    gathered: &ControlPlane,
    moments: &Moments,
) -> CurveView {
    let value = |value: f64| words::metric(value, series.unit.as_deref());
    let values = || series.points().map(|(_, value)| value);
    let (begin, end) = span(series, moments);
    let words = match values().next() {
        None => "Azure has no value of this metric in this time.".to_owned(),
        Some(_) => {
            let (least, most) = (
                values().fold(f64::INFINITY, f64::min),
                values().fold(f64::NEG_INFINITY, f64::max),
            );
            let minute = time::Duration::MINUTE;
            let mut points = series.points();
            let at_alert = points
                .find(|(at, _)| *at <= moments.alert && moments.alert < at.saturating_add(minute));
            let at_alert = at_alert.map_or(String::new(), |(_, it)| {
                format!("; {} in the minute of the alert", value(it))
            });
            match least < most {
                true => format!("From {} to {}{at_alert}.", value(least), value(most)),
                false => format!("All values are {}{at_alert}.", value(most)),
            }
        }
    };
    let wide = draw(series, gathered, moments, Shape::Wide);
    let capture = moments.capture.map_or(String::new(), |(from, to)| {
        format!(
            " Packets were captured from {} to {}.",
            words::time_of_day(from),
            words::time_of_day(to)
        )
    });
    let marked = words::count(
        u64::try_from(wide.marks.len()).unwrap_or(u64::MAX),
        "change",
    );
    let spoken = format!(
        "From {} to {} UTC. {words} The alert fired at {}.{capture} {marked} marked.",
        words::time_of_day(begin),
        words::time_of_day(end),
        words::time_of_day(moments.alert),
    );
    CurveView {
        key,
        title: format!(
            "{}, {} a minute",
            series.name,
            series.aggregation.to_lowercase()
        ),
        words,
        spoken,
        wide,
        narrow: draw(series, gathered, moments, Shape::Narrow),
        capture: moments.capture.is_some(),
        first,
    }
}
