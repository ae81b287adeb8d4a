//! The metrics of a machine around an alert: its own first, then those that say what its network did.

use crate::{azure::monitor::Metric, changes::MetricSeries};
use time::{Duration, OffsetDateTime};

pub(super) const ACTION: &str = "Microsoft.Insights/metrics/read";
/// How long before the alert metrics are asked for.
const BEFORE: Duration = Duration::HOUR;
/// The metrics that any machine has. Bytes are totals, the others are averages.
const USUAL: [&str; 5] = [
    "Network In Total",
    "Network Out Total",
    "Inbound Flows",
    "Outbound Flows",
    "Percentage CPU",
];
/// Maximum number of metrics of the alert itself.
const MOST_OWN: usize = 3;

/// The whole minute from which metrics are asked for.
pub(super) fn since(alert_at: OffsetDateTime) -> OffsetDateTime {
    let since = alert_at.saturating_sub(BEFORE);
    let seconds = i64::from(since.second());
    let whole = since.replace_nanosecond(0).unwrap_or(since);
    whole.saturating_sub(Duration::seconds(seconds))
}

/// The usual metrics, and those of the alert that are none of them: Azure refuses a call that names one it does not know.
pub(super) fn names(of_alert: &[String]) -> (Vec<&str>, Vec<&str>) {
    let own = of_alert.iter().map(String::as_str);
    let own = own.filter(|name| !USUAL.iter().any(|usual| usual.eq_ignore_ascii_case(name)));
    // A comma would name two.
    let own = own.filter(|name| !name.contains(','));
    (USUAL.to_vec(), own.take(MOST_OWN).collect())
}

/// A metric as it is kept.
pub(super) fn series(metric: &Metric, since: OffsetDateTime, of_alert: &[String]) -> MetricSeries {
    // What is counted in bytes or events is a total of its minute; a level is an average.
    let totals = matches!(metric.unit.as_deref(), Some("Bytes"))
        || metric
            .points
            .iter()
            .all(|(_, _, average)| average.is_none());
    let aggregation = match totals {
        true => "Total",
        false => "Average",
    };
    let points = metric.points.iter().filter_map(|(at, total, average)| {
        let value = match totals {
            true => *total,
            false => *average,
        };
        value.map(|value| (*at, value))
    });
    let unit = metric.unit.as_deref();
    MetricSeries {
        unit: unit
            .and_then(|unit| crate::text::cleaned(unit, crate::text::WORD))
            .map(Into::into),
        of_alert: of_alert
            .iter()
            .any(|name| name.eq_ignore_ascii_case(&metric.name)),
        ..MetricSeries::of(&metric.name, aggregation, since, points)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn the_metric_of_the_alert_is_asked_for_once() {
        let of = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        for (of_alert, own) in [
            (of(&[]), vec![]),
            (of(&["percentage cpu"]), vec![]),
            (of(&["TCP Segments Sent"]), vec!["TCP Segments Sent"]),
            (of(&["a,b"]), vec![]),
        ] {
            assert_eq!(names(&of_alert), (USUAL.to_vec(), own));
        }
    }

    #[test]
    fn the_unit_is_a_cleaned_word() {
        let at = datetime!(2026-11-28 06:30:00 UTC);
        let metric = Metric {
            name: "x".to_owned(),
            unit: Some("\u{202e}Bytes\n".repeat(9_000)),
            points: Vec::new(),
        };
        let unit = series(&metric, at, &[]).unit.unwrap();
        assert!(unit.chars().count() <= crate::text::WORD && !unit.contains('\u{202e}'));
    }

    #[test]
    fn bytes_are_totals_and_levels_are_averages() {
        let since = since(datetime!(2026-11-28 07:30:12.5 UTC));
        assert_eq!(since, datetime!(2026-11-28 06:30:00 UTC));
        let metric = |name: &str, unit: &str, average| Metric {
            name: name.to_owned(),
            unit: Some(unit.to_owned()),
            points: vec![
                (since, Some(60.0), average),
                (since + Duration::MINUTE, None, None),
            ],
        };
        let cpu = vec!["Percentage CPU".to_owned()];
        for (metric, aggregation, value, of_alert) in [
            (
                metric("Network In Total", "Bytes", Some(1.0)),
                "Total",
                60.0,
                false,
            ),
            (
                metric("percentage cpu", "Percent", Some(1.5)),
                "Average",
                1.5,
                true,
            ),
            (metric("Events", "Count", None), "Total", 60.0, false),
        ] {
            let series = series(&metric, since, &cpu);
            assert_eq!(&*series.aggregation, aggregation);
            assert_eq!(series.values, [Some(value)]);
            assert_eq!(series.of_alert, of_alert);
        }
    }
}
