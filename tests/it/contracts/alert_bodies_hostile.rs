//! Bodies that Azure did not write: whatever comes, there is an answer in time, and no id that is not one.

use alert_packet_capture::alert::{self, Alert, MAX_BODY_BYTES};
use alert_packet_capture::{resource_id::ResourceId, text};
use proptest::prelude::*;
use serde_json::{Value, json};

const GROUP: &str = "/subscriptions/4b6e19f3-08ad-4c72-b5d1-e07f93a2c864/resourceGroups/rg";

fn with_targets(ids: Value) -> Vec<u8> {
    let essentials = json!({"monitorCondition": "Fired", "alertTargetIDs": ids});
    json!({"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": essentials}})
        .to_string()
        .into_bytes()
}

fn machine(name: &str) -> String {
    format!("{GROUP}/providers/Microsoft.Compute/virtualMachines/{name}")
}

/// What holds for every alert that was read.
fn check(alert: &Alert) {
    for target in &alert.targets {
        let text = target.id.to_string();
        let again = ResourceId::parse(&text).unwrap();
        assert_eq!((&again, again.to_string()), (&target.id, text));
        for segment in target.id.segments() {
            let plain = |c: char| c.is_alphanumeric() || "._-()".contains(c);
            assert!(
                !segment.is_empty()
                    && segment.chars().all(plain)
                    && segment.chars().any(char::is_alphanumeric)
            );
        }
    }
    assert!(alert.facts.conditions.len() <= 16);
    let facts = &alert.facts;
    for shown in [
        &facts.rule,
        &facts.id,
        &facts.signal,
        &facts.fired_at,
        &alert.description,
    ]
    .into_iter()
    .flatten()
    {
        assert_eq!(text::clean(shown, text::MESSAGE), *shown);
    }
    assert!(
        alert
            .dedupe_key
            .as_ref()
            .is_none_or(|key| key.len() <= 1024)
    );
    let _ = alert::ignore_reason(alert);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(vec![
            "Fired",
            "Activated",
            "AzureMonitorMetricAlert",
            "azureMonitorCommonAlertSchema",
            "Microsoft.Insights/activityLogs",
            "Microsoft.Insights/LogAlert",
            "Microsoft.Compute/virtualMachines"
        ])
        .prop_map(Value::from),
        "[a-zA-Z0-9./%_-]{0,12}".prop_map(|name| Value::from(machine(&name))),
    ];
    let names = prop::sample::select(vec![
        "schemaId",
        "data",
        "essentials",
        "monitorCondition",
        "status",
        "context",
        "activityLog",
        "resourceId",
        "alertTargetIDs",
        "ALERTTARGETIDS",
        "configurationItems",
        "alertContext",
        "condition",
        "allOf",
        "dimensions",
        "name",
        "value",
        "body",
        "headers",
        "resourceType",
        "properties",
        "type",
        "version",
        "operation",
    ]);
    leaf.prop_recursive(7, 96, 12, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..8).prop_map(|members| members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes(body in prop::collection::vec(any::<u8>(), 0..512)) {
        if let Ok(alert) = alert::read(&body) {
            check(&alert);
        }
    }

    #[test]
    fn any_members(body in any_json()) {
        match alert::read(body.to_string().as_bytes()) {
            Ok(alert) => check(&alert),
            Err(bad) => {
                prop_assert!(bad.path.starts_with('$'));
                prop_assert!(!bad.message.chars().any(char::is_control));
                prop_assert!(bad.message.chars().count() < 400);
            }
        }
    }

    /// Of any text below the type of a machine, either the same id comes back or no target at all.
    #[test]
    fn any_machine_name(name in "\\PC{0,20}|[a-zA-Z0-9._/%-]{1,90}") {
        let id = machine(&name);
        if let Ok(alert) = alert::read(&with_targets(json!([id]))) {
            check(&alert);
            prop_assert!(alert.targets.iter().all(|target| target.id.to_string() == id || name.contains('/')));
        }
    }

    #[test]
    fn any_id(id in "\\PC{0,40}|/subscriptions/\\PC{0,60}") {
        if let Ok(id) = ResourceId::parse(&id) {
            prop_assert_eq!(ResourceId::parse(&id.to_string()).unwrap(), id.clone());
            prop_assert_eq!(format!("/{}", id.segments().join("/")), id.to_string());
            prop_assert!(id.parent().is_none_or(|parent| parent.contains(&id)));
        }
    }
}

#[test]
fn one_bad_id_among_good_ones_refuses_all() {
    let bad = [
        machine(".."),
        machine("."),
        machine(""),
        machine("a/"),
        machine("a//b/c"),
        machine("a\\b"),
        machine("a\u{0}"),
        machine("%2e%2e"),
        machine("a%2f..%2fb"),
        machine("a%5cb"),
        machine("a%0d%0aHost: x"),
        machine("a b"),
        machine("a?x=y"),
        machine("a#b"),
        machine("_a"),
        machine("ä"),
        machine("a/extensions"),
        machine("a").replace("rg/", "rg./"),
        machine("a").replace("/rg", "/r:g"),
        machine("a").replace('/', "%2f"),
        machine("a").trim_start_matches('/').to_owned(),
        format!("https://management.azure.com{}", machine("a")),
        format!(" {}", machine("a")),
        format!("{} ", machine("a")),
        machine("a").replace("4b6e19f3", "4b6e19fz"),
        format!("{GROUP}/providers/A.B/c/d/providers/Microsoft.Compute/virtualMachines/e"),
        format!(
            "{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/s/virtualMachines/1.2"
        ),
        format!("{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/s/virtualMachines/.."),
        format!("{GROUP}/providers/Microsoft.Compute/virtualMachines/v/providers/A.B"),
    ];
    for id in bad {
        let body = with_targets(json!([machine("good"), id]));
        let refused = alert::read(&body).expect_err(&id);
        assert_eq!(refused.path, "$.data.essentials.alertTargetIDs[1]", "{id}");
    }
    for id in [
        "",
        "web-01",
        "/subscriptions/x",
        "/subscriptions/x/resourceGroups/a b",
        "%zz",
        "Microsoft.Compute/disks/d",
    ] {
        let alert = alert::read(&with_targets(json!([id, machine("good")]))).expect(id);
        assert_eq!(alert.targets.len(), 1, "{id}");
    }
}

/// Bodies at the limit that try to cost much. How long they take is `benches/parse.rs`'s matter.
#[test]
fn large_bodies_are_read_or_refused() {
    let many = |id: &dyn Fn(usize) -> String| -> Value { (0..).map(id).take(7_500).collect() };
    let dimensions: Value = (0..9_000)
        .map(|n| json!({"name": "Resource", "value": format!("{GROUP}/{n}")}))
        .collect();
    let members: Value = (0..60_000).map(|n| (format!("m{n}"), json!(0))).collect();
    let bodies = [
        with_targets(many(&|n| machine(&format!("v{n}")))),
        with_targets(many(&|n| machine(if n % 2 == 0 { "v" } else { "V" }))),
        with_targets(json!([format!("/{}", "a/".repeat(400_000))])),
        with_targets(json!(machine(&"%41".repeat(300_000)))),
        json!({"AlertRuleName": "r", "SearchQuery": "", "Dimensions": dimensions})
            .to_string()
            .into_bytes(),
        json!({"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": members}})
            .to_string()
            .into_bytes(),
        vec![b'['; MAX_BODY_BYTES],
        format!("{{\"a\":[{}0]}}", "{\"a\":0},".repeat(110_000)).into_bytes(),
    ];
    for body in bodies {
        assert!(body.len() <= MAX_BODY_BYTES, "{}", body.len());
        let _ = alert::read(&body).map(|alert| check(&alert));
    }
}
