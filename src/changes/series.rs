//! One metric of a machine, minute by minute.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Maximum number of minutes kept: an hour before, and the longest capture of five hours.
pub(super) const MOST_MINUTES: usize = 420;

/// One metric of a machine, minute by minute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricSeries {
    /// Azure's name, such as `Network Out Total`.
    pub name: Box<str>,
    /// Azure's unit, such as `Bytes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Box<str>>,
    /// `Total` or `Average`.
    pub aggregation: Box<str>,
    /// Whether the alert is about it.
    #[serde(default)]
    pub of_alert: bool,
    /// The minute of the first value.
    #[serde(with = "time::serde::rfc3339")]
    pub begins_at: OffsetDateTime,
    /// One a minute; `None`: Azure has no value of that minute.
    pub values: Vec<Option<f64>>,
}

/// The time between two moments, in whole seconds.
pub(super) fn between(earlier: OffsetDateTime, later: OffsetDateTime) -> time::Duration {
    let seconds = later
        .unix_timestamp()
        .saturating_sub(earlier.unix_timestamp());
    time::Duration::seconds(seconds)
}

impl MetricSeries {
    /// The minutes that have a value.
    pub fn points(&self) -> impl Iterator<Item = (OffsetDateTime, f64)> + '_ {
        let minutes = (0_i64..).zip(&self.values);
        minutes.filter_map(|(minute, value)| {
            let at = self
                .begins_at
                .saturating_add(time::Duration::minutes(minute));
            value.map(|value| (at, value))
        })
    }

    /// A series of values with their times, in any order; what is out of the span of minutes is left out.
    pub fn of(
        name: &str,
        aggregation: &'static str,
        begins_at: OffsetDateTime,
        points: impl Iterator<Item = (OffsetDateTime, f64)>,
    ) -> Self {
        let mut values: Vec<Option<f64>> = Vec::new();
        for (at, value) in points.filter(|(_, value)| value.is_finite()) {
            let minute = between(begins_at, at).whole_minutes();
            let Ok(minute) = usize::try_from(minute) else {
                continue;
            };
            if at < begins_at || minute >= MOST_MINUTES {
                continue;
            }
            if values.len() <= minute {
                values.resize(minute.saturating_add(1), None);
            }
            if let Some(place) = values.get_mut(minute) {
                *place = Some(value);
            }
        }
        Self {
            name: crate::text::clean(name, crate::text::VALUE).into(),
            unit: None,
            aggregation: aggregation.into(),
            of_alert: false,
            begins_at,
            values,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::{Duration, macros::datetime};

    #[test]
    fn values_stand_at_their_minutes() {
        let begins_at = datetime!(2026-11-28 06:30:00 UTC);
        let at = |minutes| begins_at + Duration::minutes(minutes);
        let points = [(2, 5.0), (0, 1.0), (-1, 9.0), (1, f64::NAN), (420, 3.0)];
        let points = points.map(|(minute, value)| (at(minute), value));
        let series = MetricSeries::of("CPU", "Average", begins_at, points.into_iter());
        assert_eq!(series.values, [Some(1.0), None, Some(5.0)]);
        let points: Vec<_> = series.points().collect();
        assert_eq!(points, [(at(0), 1.0), (at(2), 5.0)]);
    }
}
