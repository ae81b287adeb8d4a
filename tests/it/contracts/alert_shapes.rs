//! What is read from every shape of body. `tests/alerts` holds the bodies; beside each is its whole reading
//! (`.reading.json`, absent members being null, empty or false), or for a bad one where and why it is refused.

use crate::support::beside::beside;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use alert_packet_capture::alert::{self, Alert, BadBody, Schema};
use serde_json::{Map, Value, json};

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn own_bodies() {
    let mut bodies: Vec<PathBuf> = fs::read_dir(package().join("tests/alerts"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.to_string_lossy().ends_with(".reading.json"))
        .collect();
    bodies.sort();
    assert!(bodies.len() > 60);

    let mut wrong = Vec::new();
    for path in bodies {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let expected = fs::read(path.with_file_name(format!("{name}.reading.json"))).unwrap();
        let mut expected: Value = serde_json::from_slice(&expected).unwrap();
        let read = match alert::read(&fs::read(&path).unwrap()) {
            Ok(alert) => reading(&alert),
            Err(bad) => {
                // The message is expected in part.
                if bad
                    .message
                    .contains(expected["message"].as_str().unwrap_or("?"))
                {
                    expected["message"] = json!(bad.message);
                }
                json!({"path": bad.path, "message": bad.message})
            }
        };
        if read != expected {
            wrong.push(format!("{name}\n  expected {expected}\n  read     {read}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The alert and its outcome, without what is null, empty or false.
fn reading(alert: &Alert) -> Value {
    let Value::Object(mut members) = serde_json::to_value(alert).unwrap() else {
        unreachable!()
    };
    // What only chooses and fills a profile is no part of the reading.
    let again = Alert {
        profile: alert.profile.clone(),
        dimensions: alert.dimensions.clone(),
        ..serde_json::from_value(json!(members)).unwrap()
    };
    assert_eq!(again, *alert);
    members.insert("ignore".to_owned(), json!(alert::ignore_reason(alert)));
    let says_something = |value: &Value| ![json!(null), json!([]), json!(false)].contains(value);
    members
        .into_iter()
        .filter(|(_, value)| says_something(value))
        .collect::<Map<_, _>>()
        .into()
}

/// Bodies that people had trouble with, kept beside this package: what is right for each.
#[test]
fn field_bodies() {
    let Some(folder) = beside("field") else {
        return;
    };
    let (web, node) = (
        "/subscriptions/3f7c1d52-9a40-4b8e-8c1d-6e2b5a90c714/resourceGroups/rg-web/providers/Microsoft.Compute/virtualMachines/",
        "/subscriptions/3f7c1d52-9a40-4b8e-8c1d-6e2b5a90c714/resourceGroups/mc_rg-aks_aks01_centralus/providers/Microsoft.Compute/virtualMachineScaleSets/aks-nodepool1-12345678-vmss/virtualMachines/2",
    );
    for (file, expected) in [
        (
            "f01-connection-monitor-source-vm",
            Ok(format!("{web}web-01")),
        ),
        ("f03-activity-log-vm-deleted", Ok(format!("{web}gone-09"))),
        (
            "f05-log-computer-and-disk-only",
            Err(
                "microsoft.operationalinsights/workspaces log-ops, Computer=web-01.corp.contoso.example, Disk=C:. Fix: split the alert rule by the dimension _ResourceId",
            ),
        ),
        ("f06-log-aks-node-instance", Ok(node.to_owned())),
        (
            "f09-metric-azure-local-vm",
            Err("Microsoft.AzureStackHCI/virtualMachineInstances default, edge-vm1"),
        ),
        (
            "f11-powershell-depth-two",
            Err("$.data.essentials: an object was expected"),
        ),
        ("f12-logic-app-forwards-data-only", Err("schemaId")),
        ("f18-metric-custom-properties", Ok(format!("{web}web-01"))),
    ] {
        let body = fs::read(folder.join(format!("{file}.json"))).unwrap();
        let found = match alert::read(&body) {
            Ok(alert) => match alert.why_no_target() {
                None => Ok(alert.targets[0].id.to_string()),
                Some(why) => Err(why),
            },
            Err(bad) => Err(bad.to_string()),
        };
        match (&found, &expected) {
            (Ok(target), Ok(right)) => assert_eq!(target, right, "{file}"),
            (Err(why), Err(part)) => assert!(why.contains(part), "{file}: {why}"),
            _ => panic!("{file}: {found:?}"),
        }
    }
}

/// A second set of bodies, kept beside this package, with a table of what is to be read from them.
#[test]
fn shared_bodies() {
    let Some(folder) = beside("alerts") else {
        return;
    };
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let rows: Vec<Vec<&str>> = readme
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains(".json"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    assert!(rows.len() >= 40, "only {} rows were found", rows.len());
    let subscriptions = subscriptions(&readme);
    for row in rows {
        let read = alert::read(&fs::read(folder.join(row[0])).unwrap());
        compare(&row, read, &subscriptions);
    }
}

/// The letters that the table has for subscriptions: `` `A` below is subscription `…` `` and so on.
fn subscriptions(readme: &str) -> BTreeMap<&str, &str> {
    let quoted: Vec<&str> = readme.split('`').skip(1).step_by(2).collect();
    let mut found = BTreeMap::from([("test", "11111111-1111-1111-1111-111111111111")]);
    for pair in quoted.windows(2) {
        if pair[0].len() == 1 && pair[1].len() == 36 {
            found.insert(pair[0], pair[1]);
        }
    }
    found
}

fn compare(row: &[&str], read: Result<Alert, BadBody>, subscriptions: &BTreeMap<&str, &str>) {
    let [file, shape, state, targets, rule, region, key, capture] = row else {
        panic!("row {row:?}")
    };
    if capture.contains("400") {
        assert!(read.is_err_and(|bad| !bad.is_too_large()), "{file}");
        return;
    }
    let alert = read.unwrap_or_else(|bad| panic!("{file}: {bad}"));
    let schema = shape
        .split(',')
        .next()
        .unwrap()
        .replace(' ', "_")
        .to_lowercase();
    assert_eq!(alert.schema.as_str(), schema, "{file}");
    if alert.schema != Schema::Autoscale {
        assert_eq!(alert.state.as_str(), *state, "{file}");
    }

    let expected: Vec<(String, String)> = targets
        .split(';')
        .filter(|target| target.contains('`'))
        .map(|target| expected_target(target.trim(), subscriptions))
        .collect();
    let found: Vec<(String, String)> = alert
        .targets
        .iter()
        .map(|target| (target.kind.as_str().to_owned(), target.id.to_string()))
        .collect();
    assert_eq!(found, expected, "{file}");

    assert_eq!(
        alert.facts.rule.as_deref(),
        rule.strip_prefix('`')
            .map(|rule| rule.trim_end_matches('`')),
        "{file}"
    );
    assert_eq!(
        alert.region.as_deref(),
        Some(*region).filter(|region| *region != "no"),
        "{file}"
    );
    let reason = alert::ignore_reason(&alert).map(|reason| reason.as_str());
    assert_eq!(reason, capture.strip_prefix("no: "), "{file}");
    assert_eq!(alert.dedupe_key.is_none(), *key == "–", "{file}");
    if let Some(end) = key.strip_prefix("alertId …") {
        assert!(
            alert.dedupe_key.unwrap_or_default().ends_with(end),
            "{file}"
        );
    }
}

/// ``vm `A/group/name` ``, written out.
fn expected_target(target: &str, subscriptions: &BTreeMap<&str, &str>) -> (String, String) {
    let (kind, place) = target.split_once(' ').unwrap();
    let parts: Vec<&str> = place.trim_matches('`').split('/').collect();
    let group = format!(
        "/subscriptions/{}/resourceGroups/{}",
        subscriptions[parts[0]], parts[1]
    );
    let name = parts[2];
    let path = match kind {
        "vm" => format!("virtualMachines/{name}"),
        "vmss" => format!("virtualMachineScaleSets/{name}"),
        _ => format!(
            "virtualMachineScaleSets/{name}/virtualMachines/{}",
            parts[3]
        ),
    };
    (
        kind.to_owned(),
        format!("{group}/providers/Microsoft.Compute/{path}"),
    )
}
