//! Keys distinguish a repeated delivery from a new alert, whatever the shape: too coarse a key drops an alert.

use alert_packet_capture::alert::{self, MAX_BODY_BYTES};
use proptest::prelude::*;
use serde_json::{Value, json};

const GROUP: &str = "/subscriptions/4b6e19f3-08ad-4c72-b5d1-e07f93a2c864/resourceGroups/rg";
const TIME: &str = "2026-02-11T08:15:30Z";

/// What an alert is about: the resource, and dimensions of each of two criteria.
#[derive(Debug, Clone, PartialEq)]
struct About {
    resource: String,
    dimensions: [Vec<(String, String)>; 2],
}

/// The shapes that have a key.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Common,
    CommonWithoutId,
    CommonLogV1,
    MetricV2,
    MetricV2InParts,
    Classic,
    ActivityLog,
    LogV1,
    SmartDetector,
}

const SHAPES: [Shape; 9] = [
    Shape::Common,
    Shape::CommonWithoutId,
    Shape::CommonLogV1,
    Shape::MetricV2,
    Shape::MetricV2InParts,
    Shape::Classic,
    Shape::ActivityLog,
    Shape::LogV1,
    Shape::SmartDetector,
];

impl Shape {
    fn has_dimensions(self) -> bool {
        !matches!(self, Shape::ActivityLog | Shape::SmartDetector)
    }

    fn has_criteria(self) -> bool {
        self.has_dimensions() && !matches!(self, Shape::LogV1 | Shape::CommonLogV1)
    }

    fn body(self, about: &About) -> Value {
        let id = format!("{GROUP}/providers/{}", about.resource);
        let lists = about.dimensions.each_ref().map(|list| dimensions(list));
        let criteria: Vec<Value> = lists
            .iter()
            .map(|list| json!({"dimensions": list}))
            .collect();
        let condition = json!({"allOf": criteria});
        let both: Vec<Value> = lists.concat();
        let essentials =
            json!({"alertRule": "r", "monitorCondition": "Fired", "firedDateTime": TIME});
        let common = |changes: Value, context: Value| {
            let mut essentials = essentials.clone();
            for (name, value) in changes.as_object().unwrap() {
                essentials[name] = value.clone();
            }
            json!({"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": essentials, "alertContext": context}})
        };
        let name = about.resource.rsplit('/').next();
        match self {
            Shape::Common => common(
                json!({"alertId": "a", "alertTargetIDs": [id]}),
                json!({"condition": condition}),
            ),
            Shape::CommonWithoutId => common(
                json!({"alertTargetIDs": [id]}),
                json!({"condition": condition}),
            ),
            Shape::CommonLogV1 => common(
                json!({"configurationItems": [name]}),
                json!({"AffectedConfigurationItems": [name], "Dimensions": both}),
            ),
            Shape::MetricV2 => {
                json!({"schemaId": "AzureMonitorMetricAlert", "data": {"status": "Activated", "context": {
                "id": "r", "timestamp": TIME, "resourceId": id, "condition": condition}}})
            }
            Shape::MetricV2InParts => {
                json!({"schemaId": "AzureMonitorMetricAlert", "data": {"status": "Activated", "context": {
                "id": "r", "timestamp": TIME, "resourceName": name, "condition": condition}}})
            }
            Shape::Classic => json!({"status": "Activated", "context": {
                "id": "r", "timestamp": TIME, "resourceId": id, "condition": condition}}),
            Shape::ActivityLog => {
                json!({"schemaId": "Microsoft.Insights/activityLogs", "data": {"status": "Activated", "context": {
                "activityLog": {"eventDataId": "e", "resourceId": id}}}})
            }
            Shape::LogV1 => {
                json!({"AlertRuleName": "r", "SearchQuery": "", "WorkspaceId": "w", "SearchIntervalEndtimeUtc": TIME,
                "AffectedConfigurationItems": [name], "Dimensions": both})
            }
            Shape::SmartDetector => {
                json!({"type": "Microsoft.AlertsManagement/alerts", "id": "a", "properties": {"essentials": {
                "monitorCondition": "Fired", "startDateTime": TIME, "targetResource": id}}})
            }
        }
    }
}

fn dimensions(list: &[(String, String)]) -> Vec<Value> {
    list.iter()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect()
}

fn key(body: &Value) -> String {
    let alert = alert::read(body.to_string().as_bytes()).unwrap();
    alert.dedupe_key.expect("a key")
}

/// Few values, so that two are often alike, and some that could be taken for another's end.
fn about() -> impl Strategy<Value = About> {
    let resources = vec![
        "Microsoft.Compute/virtualMachines/a",
        "Microsoft.Compute/virtualMachines/b",
        "Microsoft.OperationalInsights/workspaces/w",
    ];
    let text = prop::sample::select(vec!["", "a", "A", "a|", "|a", "a\\", "a=b", "\u{200b}a"]);
    let name = prop::sample::select(vec!["Computer", "Disk", "a", "\"a"]);
    let list = prop::collection::vec((name, text), 0..3).prop_map(|list| {
        let mut list: Vec<_> = list
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        // As Azure does, each once; their order says nothing.
        list.sort();
        list.dedup();
        list
    });
    (prop::sample::select(resources), [list.clone(), list]).prop_map(|(resource, dimensions)| {
        About {
            resource: resource.to_owned(),
            dimensions,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn who_differs_in_a_target_or_a_dimension_has_a_key_of_its_own(one in about(), other in about()) {
        for shape in SHAPES {
            let same_dimensions = if shape.has_criteria() {
                one.dimensions == other.dimensions
            } else {
                let all = |about: &About| {
                    let mut all = about.dimensions.concat();
                    all.sort();
                    all.dedup();
                    all
                };
                !shape.has_dimensions() || all(&one) == all(&other)
            };
            let same = one.resource == other.resource && same_dimensions;
            let keys = [&one, &other].map(|about| key(&shape.body(about)));
            prop_assert_eq!(keys[0] == keys[1], same, "{:?} {:?}", shape, keys);
        }
    }
}

#[test]
fn the_order_and_the_case_of_ids_make_no_other_alert() {
    let body = |ids: Value, dimensions: [&str; 2]| {
        let dimensions = dimensions.map(|name| json!({"name": name, "value": "v"}));
        json!({"schemaId": "azureMonitorCommonAlertSchema", "data": {
            "essentials": {"alertId": "a", "monitorCondition": "Fired", "alertTargetIDs": ids},
            "alertContext": {"condition": {"allOf": [{"dimensions": dimensions, "metricValue": 1}]}}}})
    };
    let id = |name: &str| format!("{GROUP}/providers/Microsoft.Compute/virtualMachines/{name}");
    let first = key(&body(json!([id("a"), id("b")]), ["x", "y"]));
    let again = key(&body(json!([id("B"), id("A")]), ["y", "x"]));
    assert_eq!(first, again);
}

/// An alert is kept in jobs, answers and the memory of what was received, so all of it but its targets is bounded.
#[test]
fn the_largest_texts_of_a_body_leave_a_small_alert() {
    let long = "\u{1f525}".repeat(MAX_BODY_BYTES / 40);
    let ids: Vec<String> = (0..3_000)
        .map(|n| format!("{GROUP}/providers/a.b/c/{n}"))
        .collect();
    let about = |n: usize| json!({"name": format!("d{n}"), "value": "v".repeat(40)});
    let many: Vec<Value> = (0..3_000).map(about).collect();
    let named_long = json!({"name": long, "value": long});
    let essentials = |changes: Value| {
        let mut essentials = json!({"alertId": long, "alertRule": long, "alertRuleID": long, "severity": long,
            "signalType": long, "firedDateTime": long, "description": long});
        for (name, value) in changes.as_object().unwrap() {
            essentials[name] = value.clone();
        }
        essentials
    };
    let common = |changes: Value, context: Value| {
        json!({"schemaId": "azureMonitorCommonAlertSchema",
            "data": {"essentials": essentials(changes), "alertContext": context}})
    };
    let condition = json!({"metricName": long, "operator": long});
    for body in [
        common(json!({"alertTargetIDs": ids}), Value::Null),
        common(json!({"configurationItems": ids}), Value::Null),
        common(
            json!({"alertTargetIDs": [long], "configurationItems": [long]}),
            Value::Null,
        ),
        common(json!({}), json!({"Dimensions": many})),
        common(json!({}), json!({"condition": condition})),
        common(json!({"alertId": ""}), json!({"Dimensions": [named_long]})),
        json!({"status": "Activated", "context": {"id": long, "name": long, "timestamp": long, "resourceName": long,
            "resourceRegion": long, "condition": condition, "description": long}}),
        json!({"AlertRuleName": long, "WorkspaceId": long, "SearchIntervalEndtimeUtc": long, "Description": long}),
    ] {
        let body = body.to_string();
        assert!(body.len() <= MAX_BODY_BYTES, "{}", body.len());
        let alert = alert::read(body.as_bytes()).unwrap();
        let kept = serde_json::to_string(&alert).unwrap();
        assert!(kept.len() < 24_000, "{} bytes of {kept}", kept.len());
        assert!(
            alert
                .dedupe_key
                .as_ref()
                .is_some_and(|key| key.len() <= 1024)
        );
        let why = alert.why_no_target().expect("a reason");
        assert!(why.chars().count() <= 1_000, "{why}");
    }
}
