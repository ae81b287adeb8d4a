//! Which profile an alert gets, what covers what, and what hostile values come to.

use super::*;
use crate::alert;
use serde_json::{Value, json};

const SUB: &str = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee";
const VM: &str = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/rg-shop/providers/Microsoft.Compute/virtualMachines/web-01";

fn profile(name: &str, conditions: Conditions) -> Profile {
    Profile {
        name: name.into(),
        conditions,
        ..Profile::default()
    }
}

fn list(entries: &[&str]) -> Vec<String> {
    entries.iter().map(|it| (*it).to_owned()).collect()
}

fn alert(rule: &str, severity: &str, metric: &str, property: Option<&str>) -> Alert {
    let body = json!({
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {
            "essentials": {
                "alertRule": rule, "severity": severity, "signalType": "Metric",
                "monitorCondition": "Fired", "alertTargetIDs": [VM],
            },
            "alertContext": { "condition": { "allOf": [{ "metricName": metric }] } },
            "customProperties": property.map(|it| json!({ "packetCaptureProfile": it })),
        },
    });
    alert::read(body.to_string().as_bytes()).unwrap()
}

#[test]
fn the_first_profile_that_matches_is_chosen() {
    let profiles = Profiles {
        all: vec![
            profile(
                "sql",
                Conditions {
                    rules: list(&["sql-*", "db-*"]),
                    severities: list(&["Sev0", "Sev1"]),
                    ..Conditions::default()
                },
            ),
            Profile {
                by_property: true,
                ..profile("asked", Conditions::default())
            },
            profile(
                "flows",
                Conditions {
                    metrics: list(&["*Flows*"]),
                    signals: list(&["metric"]),
                    scopes: vec![format!("{SUB}/resourceGroups/RG-Shop").parse().unwrap()],
                    ..Conditions::default()
                },
            ),
            profile(
                "other-group",
                Conditions {
                    scopes: vec![format!("{SUB}/resourceGroups/rg-sho").parse().unwrap()],
                    ..Conditions::default()
                },
            ),
            profile(
                "drills",
                Conditions {
                    drill: true,
                    ..Conditions::default()
                },
            ),
        ],
        cooldown: Duration::from_secs(60),
    };
    for (rule, severity, metric, property, expected, why, notes) in [
        (
            "SQL-down",
            "Sev1",
            "x",
            None,
            "sql",
            "the rule's name matches sql-*, the severity is Sev1",
            0,
        ),
        (
            "sql-down",
            "Sev2",
            "Inbound Flows",
            None,
            "flows",
            "the signal is metric, a metric matches *Flows*, the machine is in RG-Shop",
            0,
        ),
        ("web", "Sev1", "x", None, "default", "no profile matches", 0),
        (
            "sql-down",
            "Sev0",
            "x",
            Some("ASKED"),
            "asked",
            "the alert rule's property packetCaptureProfile names it",
            0,
        ),
        // Not allowed, and unknown.
        (
            "web",
            "Sev1",
            "x",
            Some("flows"),
            "default",
            "no profile matches",
            1,
        ),
        (
            "db-1",
            "Sev0",
            "x",
            Some("quux"),
            "sql",
            "the rule's name matches db-*, the severity is Sev0",
            1,
        ),
    ] {
        let alert = alert(rule, severity, metric, property);
        let (_, chosen) = profiles.choose(&alert, &alert.targets[0]);
        let chosen = chosen.unwrap();
        assert_eq!((&*chosen.name, &*chosen.why), (expected, why), "{rule}");
        assert_eq!(chosen.notes.len(), notes, "{:?}", chosen.notes);
    }
    let machine = VM.parse().unwrap();
    let body = alert::drill::body(&machine, 1, time::OffsetDateTime::now_utc());
    let drill = alert::read(&body).unwrap();
    let (_, chosen) = profiles.choose(&drill, &drill.targets[0]);
    assert_eq!(&*chosen.unwrap().name, "drills");
}

#[test]
fn without_profiles_a_job_carries_none() {
    let plain = alert("web", "Sev1", "x", None);
    let none = Profiles::default();
    assert_eq!(none.choose(&plain, &plain.targets[0]).1, None);
    // Its author expects a profile, and learns that there is none.
    let asked = alert("web", "Sev1", "x", Some("deep\n\u{202e}"));
    let chosen = none.choose(&asked, &asked.targets[0]).1.unwrap();
    assert_eq!(
        &*chosen.notes[0],
        "The alert rule's property packetCaptureProfile names the profile deep, which is not set; the profile was chosen by the conditions"
    );
}

#[test]
fn only_the_rules_own_property_chooses() {
    let profiles = Profiles {
        all: vec![Profile {
            by_property: true,
            ..profile("deep", Conditions::default())
        }],
        ..Profiles::default()
    };
    let property = json!({ "PacketCaptureProfile": "deep" });
    let common = |signal: &str, context: Value, custom: Value| {
        json!({
            "schemaId": "azureMonitorCommonAlertSchema",
            "data": {
                "essentials": { "signalType": signal, "monitorCondition": "Fired", "alertTargetIDs": [VM] },
                "alertContext": context, "customProperties": custom,
            },
        })
    };
    let metric = "SingleResourceMultipleMetricCriteria";
    for (body, expected) in [
        (common("Metric", json!({}), property.clone()), true),
        (
            common(
                "Metric",
                json!({ "conditionType": metric, "properties": property }),
                Value::Null,
            ),
            true,
        ),
        // The event's own, which the caller of the operation may write.
        (
            common(
                "Activity Log",
                json!({ "properties": property }),
                Value::Null,
            ),
            false,
        ),
        (
            common(
                "Log",
                json!({ "condition": { "allOf": [{ "dimensions": [{ "name": "packetCaptureProfile", "value": "deep" }] }] } }),
                Value::Null,
            ),
            false,
        ),
        (
            common(
                "Metric",
                json!({}),
                json!({ "packetCaptureProfile": ["deep"] }),
            ),
            false,
        ),
        (
            json!({
                "schemaId": "AzureMonitorMetricAlert",
                "data": { "status": "Activated", "context": { "resourceId": VM }, "properties": property },
            }),
            true,
        ),
        (
            json!({ "status": "Activated", "context": { "resourceId": VM }, "properties": property }),
            true,
        ),
        (
            json!({
                "schemaId": "Microsoft.Insights/activityLogs",
                "data": { "status": "Activated", "context": { "activityLog": { "resourceId": VM, "properties": property } } },
            }),
            false,
        ),
    ] {
        let alert = alert::read(body.to_string().as_bytes()).unwrap();
        let chosen = profiles.choose(&alert, &alert.targets[0]).1;
        let name = chosen.map(|it| it.name.clone());
        let expected = if expected { "deep" } else { "default" };
        assert_eq!(name.as_deref(), Some(expected), "{body}");
    }
}

#[test]
fn a_profile_covers_another_by_the_table() {
    let all = Conditions {
        rules: list(&["*"]),
        ..Conditions::default()
    };
    let rules = |rules: &[&str]| Conditions {
        rules: list(rules),
        ..Conditions::default()
    };
    let severity = |rule: &str, severities: &[&str]| Conditions {
        severities: list(severities),
        ..rules(&[rule])
    };
    let scope = |scope: &str| Conditions {
        scopes: vec![format!("{SUB}{scope}").parse().unwrap()],
        ..Conditions::default()
    };
    let drill = Conditions {
        drill: true,
        ..Conditions::default()
    };
    for (first, second, expected) in [
        (&all, &rules(&["web-*"]), true),
        (&rules(&["web-*"]), &all, false),
        (&rules(&["web-*"]), &rules(&["WEB-in-*", "web-1"]), true),
        (&rules(&["web-*"]), &rules(&["web-1", "db"]), false),
        (&rules(&["web-?*"]), &rules(&["web-*"]), false),
        (&rules(&["*-in", "web-*"]), &rules(&["a-in", "web-b"]), true),
        (&all, &scope(""), true),
        (&rules(&["a", "*"]), &severity("b", &["Sev1"]), true),
        (&rules(&["*a"]), &scope(""), false),
        (&scope(""), &scope("/resourceGroups/rg"), true),
        (&scope("/resourceGroups/rg"), &scope(""), false),
        (
            &severity("*", &["Sev0", "Sev1"]),
            &severity("web", &["Sev1"]),
            true,
        ),
        (&severity("*", &["Sev0"]), &rules(&["web"]), false),
        (&all, &drill, false),
        (&drill, &all, false),
        (&drill, &drill, true),
    ] {
        assert_eq!(first.cover(second), expected, "{first:?} {second:?}");
    }
}

#[test]
fn values_of_the_alert_fill_the_filters_or_leave_them_out() {
    let text = r#"[{"protocol":"TCP","remoteIPAddress":"{DestinationAddress}","remotePort":"{DestinationPort}"}]"#;
    let profiles = Profiles {
        all: vec![Profile {
            filters: PacketFilters::parse(text, true).unwrap(),
            ..profile(
                "probe",
                Conditions {
                    rules: list(&["*"]),
                    ..Conditions::default()
                },
            )
        }],
        ..Profiles::default()
    };
    for (address, port, expected) in [
        (json!("10.1.2.3"), json!("1433"), None),
        (json!("10.1.2.3"), json!(1433), None),
        (
            json!("10.1.2.3"),
            Value::Null,
            Some("DestinationPort is not a port"),
        ),
        (
            json!("sql.example"),
            json!("1433"),
            Some("DestinationAddress is not an IP address"),
        ),
        (
            json!("10.1.2.3\"},{\"protocol\":\"Any"),
            json!("1433"),
            Some("DestinationAddress is not"),
        ),
        (
            json!("10.1.2.3\n\u{1b}[2J"),
            json!("1433"),
            Some("DestinationAddress is not"),
        ),
        (
            json!("1".repeat(100_000)),
            json!("1433"),
            Some("DestinationAddress is not"),
        ),
        (
            json!({ "a": 1 }),
            json!("1433"),
            Some("DestinationAddress is not"),
        ),
        (
            json!("10.1.2.3"),
            json!("0"),
            Some("DestinationPort is not a port"),
        ),
    ] {
        let body = json!({
            "schemaId": "azureMonitorCommonAlertSchema",
            "data": {
                "essentials": { "alertRule": "probe", "monitorCondition": "Fired", "alertTargetIDs": [VM] },
                "alertContext": { "condition": { "allOf": [{ "dimensions": [
                    { "name": "DestinationAddress", "value": address },
                    { "name": "DestinationPort", "value": port },
                ]}]}},
            },
        });
        let alert = alert::read(body.to_string().as_bytes()).unwrap();
        let chosen = profiles.choose(&alert, &alert.targets[0]).1.unwrap();
        match expected {
            None => {
                assert_eq!(chosen.value("destinationport"), Some("1433"));
                assert!(chosen.notes.is_empty(), "{:?}", chosen.notes);
            }
            Some(words) => {
                assert!(chosen.notes[0].contains(words), "{:?}", chosen.notes);
                assert!(chosen.values.is_empty());
                let note = &chosen.notes[0];
                assert!(note.len() < 300 && !note.contains(char::is_control));
            }
        }
    }
}
