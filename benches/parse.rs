//! How long a body takes to read: a usual one, the largest that the common schema allows, and the largest that we take,
//! built to be as much work as possible. The last is what a stranger with the address could make us do.

use std::{collections::BTreeMap, hint::black_box, path::Path};

use alert_packet_capture::alert::{self, MAX_BODY_BYTES};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Value, json};

fn common(ids: Value, context: Value) -> Vec<u8> {
    let essentials = json!({
        "alertId": "/subscriptions/4b6e19f3-08ad-4c72-b5d1-e07f93a2c864/providers/Microsoft.AlertsManagement/alerts/1",
        "alertRule": "busy", "severity": "Sev2", "signalType": "Metric", "monitorCondition": "Fired",
        "monitoringService": "Platform", "alertTargetIDs": ids, "firedDateTime": "2026-02-11T08:15:30Z",
    });
    json!({"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": essentials, "alertContext": context}})
        .to_string()
        .into_bytes()
}

fn machine(number: usize) -> String {
    format!(
        "/subscriptions/4b6e19f3-08ad-4c72-b5d1-e07f93a2c864/resourcegroups/rg/providers/microsoft.compute/virtualmachines/v{number}"
    )
}

fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let condition = json!({"metricName": "Percentage CPU", "operator": "GreaterThan", "threshold": "90", "metricValue": 97.5});
    let typical = common(
        json!([machine(1)]),
        json!({"condition": {"allOf": [condition]}}),
    );
    let row = json!(["web", "2026-02-11T08:15:30Z", 0.25, null]);
    let rows = json!({"SearchResults": {"tables": [{"rows": vec![row; 5_900]}]}});
    let ids: Value = (0..8_000).map(machine).collect();
    let dimensions: Value = (0..8_000)
        .map(|n| json!({"name": "Resource", "value": format!("/subscriptions/{n}/{}", "x".repeat(60))}))
        .collect();
    let small_objects = format!("{{\"a\":[{}0]}}", "{\"a\":0},".repeat(131_000));
    vec![
        ("typical", typical),
        ("rows_256_kib", common(json!([machine(1)]), rows)),
        ("targets_1_mib", common(ids, Value::Null)),
        (
            "dimensions_1_mib",
            common(json!([]), json!({"Dimensions": dimensions})),
        ),
        ("small_objects_1_mib", small_objects.into_bytes()),
        (
            "encoded_id_1_mib",
            common(json!([format!("/{}", "%41/".repeat(260_000))]), Value::Null),
        ),
        ("brackets_1_mib", vec![b'['; MAX_BODY_BYTES]),
    ]
}

/// The largest body of each shape that the tests know.
fn shapes() -> BTreeMap<String, Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/alerts");
    let mut shapes = BTreeMap::<String, Vec<u8>>::new();
    for entry in std::fs::read_dir(folder).expect("the tests' bodies") {
        let path = entry.expect("a file").path();
        let body = std::fs::read(&path).expect("a body");
        let Ok(alert) = alert::read(&body) else {
            continue;
        };
        let schema = serde_json::to_value(alert.schema).expect("a name");
        let schema = schema.as_str().unwrap_or("unknown").to_owned();
        let known = shapes.entry(schema).or_default();
        if known.len() < body.len() {
            *known = body;
        }
    }
    shapes
}

fn read_shapes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read_shape");
    for (name, body) in shapes() {
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| alert::read(black_box(&body)).is_ok())
        });
    }
    group.finish();
}

fn read(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    for (name, body) in bodies() {
        assert!(body.len() <= MAX_BODY_BYTES, "{name}: {}", body.len());
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| alert::read(black_box(&body)).is_ok())
        });
    }
    group.finish();
}

criterion_group!(benches, read_shapes, read);
criterion_main!(benches);
