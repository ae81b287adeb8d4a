//! What a rule compared with what: for people, never for a decision. Hence short and few, however many the body has.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fields::Object;

const MOST: usize = 16;

/// Maximum length of a window, longer than any that Azure evaluates.
const LONGEST_WINDOW: u32 = 31 * 86_400;

/// One comparison of an alert rule, each part as the body writes it (numbers too), except the window.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    pub metric: Option<String>,
    pub operator: Option<String>,
    pub threshold: Option<String>,
    pub value: Option<String>,
    /// How many values became one, such as `Average` or `Total`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregation: Option<String>,
    /// Over how long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<u32>,
}

/// The comparisons of a `condition` object: those of its `allOf`, or itself in classic alerts.
pub(super) fn of_metric(condition: &Object) -> Vec<Condition> {
    let of_all = window(condition);
    let one = |from: &Object| {
        let metric = from
            .scalar("metricName")
            .or_else(|| from.scalar("metricMeasureColumn"));
        Condition {
            metric,
            operator: from.scalar("operator"),
            threshold: from.scalar("threshold"),
            value: from.scalar("metricValue"),
            aggregation: from.scalar("timeAggregation"),
            window_seconds: None,
        }
    };
    let mut all = vec![one(condition)];
    all.extend(
        members(condition.list("allOf"))
            .map(|each| one(&each))
            .take(MOST),
    );
    let is_nothing = |it: &Condition| {
        let compared = [&it.metric, &it.operator, &it.threshold, &it.value];
        compared.into_iter().all(Option::is_none)
    };
    all.retain(|condition| !is_nothing(condition));
    all.truncate(MOST);
    for condition in &mut all {
        condition.window_seconds = of_all;
    }
    all
}

/// The one comparison of a log alert V1, whose members are named in two ways.
pub(super) fn of_log_v1(from: &Object) -> Vec<Condition> {
    let either = |a: &str, b: &str| from.scalar(a).or_else(|| from.scalar(b));
    let condition = Condition {
        metric: None,
        operator: either("AlertThresholdOperator", "Operator"),
        threshold: either("AlertThresholdValue", "Threshold"),
        value: from.scalar("ResultCount"),
        ..Condition::default()
    };
    if condition == Condition::default() {
        return Vec::new();
    }
    let minutes = either("SearchIntervalInMinutes", "SearchIntervalDurationMin");
    let minutes = minutes.and_then(|minutes| seconds(&minutes));
    let seconds = || seconds(&format!("PT{}S", from.scalar("SearchIntervalInSeconds")?));
    vec![Condition {
        window_seconds: minutes.or_else(seconds),
        ..condition
    }]
}

/// The objects of a list, without paths: nothing is refused in here.
pub(super) fn members<'a>(list: &'a [Value]) -> impl Iterator<Item = Object<'a>> {
    list.iter()
        .filter_map(|value| Object::new(value, String::new()).ok())
}

/// The window of a condition.
fn window(condition: &Object) -> Option<u32> {
    seconds(&condition.scalar("windowSize")?)
}

/// An ISO 8601 duration of days, hours, minutes and seconds, or the whole minutes that classic bodies have.
fn seconds(written: &str) -> Option<u32> {
    let written = written.trim().to_ascii_uppercase();
    let Some(parts) = written.strip_prefix('P') else {
        let minutes: u32 = written.parse().ok()?;
        return within(minutes.checked_mul(60)?);
    };
    let (mut sum, mut digits, mut in_time) = (0_u32, String::new(), false);
    for letter in parts.chars() {
        let unit = match (letter, in_time) {
            ('0'..='9', _) => {
                digits.push(letter);
                continue;
            }
            ('T', false) if digits.is_empty() => {
                in_time = true;
                continue;
            }
            ('D', false) => 86_400,
            ('H', true) => 3_600,
            ('M', true) => 60,
            ('S', true) => 1,
            _ => return None,
        };
        let number: u32 = std::mem::take(&mut digits).parse().ok()?;
        sum = sum.checked_add(number.checked_mul(unit)?)?;
    }
    within(sum).filter(|_| digits.is_empty())
}

fn within(seconds: u32) -> Option<u32> {
    (1..=LONGEST_WINDOW).contains(&seconds).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_follow_the_table() {
        for (written, expected) in [
            ("PT5M", Some(300)),
            ("pt15m", Some(900)),
            ("PT1H", Some(3_600)),
            ("PT1H30M", Some(5_400)),
            ("P1D", Some(86_400)),
            ("P1DT12H", Some(129_600)),
            ("PT30S", Some(30)),
            // Classic bodies have minutes.
            ("5", Some(300)),
            (" 10 ", Some(600)),
            ("0", None),
            ("PT0M", None),
            ("", None),
            ("P", None),
            ("PT", None),
            ("PT5", None),
            ("P5M", None),
            ("PT1D", None),
            ("PTM", None),
            ("PT-5M", None),
            ("PT1.5H", None),
            ("PT99999999999M", None),
            ("P999D", None),
            ("five", None),
        ] {
            assert_eq!(seconds(written), expected, "{written}");
        }
    }

    #[test]
    fn aggregation_and_window_are_read_in_every_shape() {
        let metric = |body: &str| {
            let body: Value = serde_json::from_str(body).unwrap();
            of_metric(&Object::new(&body, String::new()).unwrap())
        };
        let log = |body: &str| {
            let body: Value = serde_json::from_str(body).unwrap();
            of_log_v1(&Object::new(&body, String::new()).unwrap())
        };
        let common = r#"{"windowSize":"PT5M","allOf":[{"metricName":"A","timeAggregation":"Total"},{"metricName":"B"}]}"#;
        let classic = r#"{"metricName":"A","timeAggregation":"Average","windowSize":"5"}"#;
        let nulls = r#"{"windowSize":null,"allOf":[{"metricName":"A","timeAggregation":null}]}"#;
        let numbers = r#"{"windowSize":15,"allOf":[{"metricName":"A","timeAggregation":7}]}"#;
        let no_comparison = r#"{"windowSize":"PT5M","allOf":[{"timeAggregation":"Total"}]}"#;
        for (found, expected) in [
            (
                metric(common),
                vec![(Some("Total"), Some(300)), (None, Some(300))],
            ),
            (metric(classic), vec![(Some("Average"), Some(300))]),
            (metric(nulls), vec![(None, None)]),
            (metric(numbers), vec![(Some("7"), Some(900))]),
            (metric(no_comparison), vec![]),
            (
                log(r#"{"ResultCount":2,"SearchIntervalInMinutes":"15"}"#),
                vec![(None, Some(900))],
            ),
            (
                log(r#"{"Threshold":2,"SearchIntervalDurationMin":"5"}"#),
                vec![(None, Some(300))],
            ),
            (
                log(r#"{"ResultCount":2,"SearchIntervalInSeconds":3600}"#),
                vec![(None, Some(3_600))],
            ),
            (log(r#"{"SearchIntervalInSeconds":3600}"#), vec![]),
        ] {
            let found: Vec<_> = found
                .iter()
                .map(|it| (it.aggregation.as_deref(), it.window_seconds))
                .collect();
            assert_eq!(found, expected);
        }
    }
}
