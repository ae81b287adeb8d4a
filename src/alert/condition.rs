//! What a rule compared with what: for people, never for a decision. Hence short and few, however many the body has.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fields::Object;

const MOST: usize = 16;

/// One comparison of an alert rule, each part as the body writes it (numbers too).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Condition {
    pub metric: Option<String>,
    pub operator: Option<String>,
    pub threshold: Option<String>,
    pub value: Option<String>,
}

/// The comparisons of a `condition` object: those of its `allOf`, or itself in classic alerts.
pub(super) fn of_metric(condition: &Object) -> Vec<Condition> {
    let one = |from: &Object| {
        let metric = from
            .scalar("metricName")
            .or_else(|| from.scalar("metricMeasureColumn"));
        Condition {
            metric,
            operator: from.scalar("operator"),
            threshold: from.scalar("threshold"),
            value: from.scalar("metricValue"),
        }
    };
    let mut all = vec![one(condition)];
    all.extend(
        members(condition.list("allOf"))
            .map(|each| one(&each))
            .take(MOST),
    );
    all.retain(|condition| *condition != Condition::default());
    all.truncate(MOST);
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
    };
    if condition == Condition::default() {
        Vec::new()
    } else {
        vec![condition]
    }
}

/// The objects of a list, without paths: nothing is refused in here.
pub(super) fn members<'a>(list: &'a [Value]) -> impl Iterator<Item = Object<'a>> {
    list.iter()
        .filter_map(|value| Object::new(value, String::new()).ok())
}
