//! Each format of a few notifications, as it goes out, and the receivers' limits under texts that only an attacker
//! would write.

use super::{Format, pagerduty, slack, teams};
use crate::{
    alert::{AlertFacts, Condition},
    changes::ChangesNote,
    incident::{
        Event, FileFinding, FileLook, IncidentContext, JobId, Notification, Readiness, Report,
        Status,
    },
    notify::{Links, Portal},
};
use serde_json::Value;
use time::macros::datetime;
use url::Url;

const VM: &str = "/subscriptions/6f8e2a10-4b1c-4d7e-9a35-0d8f2ad7ab3c/resourceGroups/shop/providers/Microsoft.Compute/virtualMachines/web-1";
const WATCHER: &str = "/subscriptions/6f8e2a10-4b1c-4d7e-9a35-0d8f2ad7ab3c/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers/NetworkWatcher_westeurope";
const BLOB: &str =
    "https://shopcaptures.blob.core.windows.net/network-watcher-logs/2026/01/31/web-1.cap";

fn notification(event: Event, message: &str) -> Notification {
    let at = datetime!(2026-01-31 09:05:12 UTC);
    let alert = AlertFacts {
        id: None,
        rule: Some("High CPU".to_owned()),
        severity: Some("Sev2".to_owned()),
        signal: Some("Metric".to_owned()),
        fired_at: Some("2026-01-31T09:04:30.1234567Z".to_owned()),
        conditions: vec![Condition {
            metric: Some("Percentage CPU".to_owned()),
            operator: Some("GreaterThan".to_owned()),
            threshold: Some("80".to_owned()),
            value: Some("93.5".to_owned()),
            aggregation: Some("Average".to_owned()),
            window_seconds: Some(300),
        }],
    };
    let report = Report {
        message: message.to_owned(),
        name: Some("PSAzureFunction".to_owned()),
        network_watcher: Some(WATCHER.parse().unwrap()),
        began_at: Some(datetime!(2026-01-31 09:05:00 UTC)),
        time_limit_seconds: Some(10),
        storage_path: Some(BLOB.to_owned()),
        ..Report::default()
    };
    Notification {
        event,
        at,
        job_id: JobId::parse("7c1d0000-0000-4000-8000-000000000000").unwrap(),
        alert,
        target: VM.parse().unwrap(),
        report,
        profile: None,
        link: None,
        incident: Some(IncidentContext {
            id: serde_json::from_str("\"20260131-090500-3fa9c2d1\"").unwrap(),
            alerts: 2,
            closed: false,
            threads: Vec::new(),
        }),
        readiness: None,
    }
}

fn completed() -> Notification {
    let mut notification = notification(
        Event::Completed,
        "Packet Capture PSAzureFunction has ended; its file is complete.",
    );
    notification.report.ended_at = Some(datetime!(2026-01-31 11:05:10 +2));
    notification.report.stop_reason = Some("its time limit was reached".to_owned());
    notification.report.changes = Some(Box::new(ChangesNote {
        at: datetime!(2026-01-31 09:05:11 UTC),
        lines: vec![
            "NSG nsg-web was changed 12 minutes before the alert by deploy-pipeline: rule deny-sql added.".into(),
        ],
        count: 1,
        kept: true,
        complete: false,
    }));
    notification.report.look = Some(Box::new(FileLook {
        lines: [
            "2,914 packets (1.6 MiB) in 10.0 s; 231 TCP attempts: 33 answered, 198 not, 0 refused; 61 DNS queries, 12 unanswered.",
            "198 of 214 attempts to 10.1.2.3:1433 had no answer in this file.",
            "12 of 61 DNS queries to 10.1.0.4 had no answer in this file.",
        ]
        .map(Into::into)
        .into(),
        findings: vec![FileFinding {
            kind: "noAnswer".into(),
            count: 198,
            base: Some(214),
            endpoint: Some("10.1.2.3:1433".into()),
            is_own: false,
            filter: Some("ip.addr == 10.1.2.3 && tcp.port == 1433".into()),
        }],
        file_bytes: Some(1_677_721),
        sha256: Some("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into()),
        report: true,
        ..FileLook::new(datetime!(2026-01-31 09:05:11 UTC))
    }));
    notification
}

fn joined() -> Notification {
    let mut notification = notification(
        Event::Created,
        "Packet Capture PSAzureFunction is already running.",
    );
    notification.report.joined = true;
    notification
}

fn failed() -> Notification {
    let mut notification = notification(
        Event::Failed,
        "Packet Capture PSAzureFunction has failed: the agent cannot write to the storage account.",
    );
    notification.report.errors = vec![
        "The storage account refused the agent".to_owned(),
        "The agent stopped".to_owned(),
    ];
    notification.report.storage_path = None;
    notification.report.file_path = Some("/var/captures/web-1.cap".to_owned());
    notification.report.status = Status::Failed;
    notification.report.reason = Some("StorageAccessDenied".to_owned());
    notification.report.request_id = Some("0b6e".to_owned());
    notification
}

fn skipped() -> Notification {
    let mut notification = notification(Event::Skipped, "No Packet Capture was created: no room.");
    notification.report = Report {
        message: notification.report.message,
        network_watcher: Some(WATCHER.parse().unwrap()),
        ..Report::default()
    };
    notification
}

/// What an alert's author could try.
const HOSTILE: &str = "# [Click](https://evil.example) **b** _i_ `c` ~s~ <script>alert(\"1\")</script> <!channel> <@U1> <at>x</at> &amp; {{DATE(2026-01-31T09:05:00Z)}} @{triggerBody()} | \u{202e}🔥\r\n> quote :tada:";

fn hostile() -> Notification {
    let mut notification = completed();
    if let Some(look) = &mut notification.report.look {
        look.lines = vec![HOSTILE.into(); 8];
    }
    if let Some(changes) = &mut notification.report.changes {
        changes.lines = vec![HOSTILE.into(); 8];
    }
    notification.alert.rule = Some(HOSTILE.to_owned());
    notification.alert.fired_at = Some(HOSTILE.to_owned());
    notification.alert.conditions[0].metric = Some(HOSTILE.to_owned());
    notification.report.errors = vec![HOSTILE.to_owned()];
    notification.report.message = format!("The rule {HOSTILE} has fired.");
    notification
}

/// A notification whose texts are 10 KB long each.
fn flood(of: &str) -> Notification {
    let text: String = of.chars().cycle().take(10_000).collect();
    let mut notification = hostile();
    notification.event = Event::Failed;
    notification.report.message = text.clone();
    notification.alert.rule = Some(text.clone());
    notification.alert.severity = Some(text.clone());
    notification.alert.fired_at = Some(text.clone());
    notification.alert.conditions = vec![
        Condition {
            metric: Some(text.clone()),
            operator: Some(text.clone()),
            threshold: Some(text.clone()),
            value: Some(text.clone()),
            aggregation: Some(text.clone()),
            window_seconds: Some(300),
        };
        16
    ];
    notification.report.errors = vec![text.clone(); 20];
    notification.report.stop_reason = Some(text.clone());
    notification.report.file_path = Some(text.clone());
    notification.report.storage_path = Some(format!("https://a.example/{text}"));
    notification.report.status = Status::Failed;
    notification.report.reason = Some(text.clone());
    notification.report.request_id = Some(text);
    notification
}

const ACCOUNT: &str = "/subscriptions/6f8e2a10-4b1c-4d7e-9a35-0d8f2ad7ab3c/resourceGroups/shop/providers/Microsoft.Storage/storageAccounts/shopcaptures";

fn links() -> Links {
    let portal = Portal::new(Url::parse("https://portal.azure.com").unwrap());
    let source = "https://contoso-captures.azurewebsites.net";
    Links {
        portal: portal.with_accounts(&[ACCOUNT]),
        pages: Some(Url::parse(&format!("{source}/api/PacketCaptures")).unwrap()),
        source: source.to_owned(),
    }
}

fn render(format: Format, notification: &Notification) -> Value {
    let body = format.render(notification, &links()).body;
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn each_form_of_each_notification() {
    for (name, notification) in [
        ("completed", completed()),
        ("joined", joined()),
        ("failed", failed()),
        ("skipped", skipped()),
        ("hostile", hostile()),
    ] {
        for (form, format) in [
            ("json", Format::Json),
            ("teams", Format::Teams),
            ("slack", Format::Slack),
            ("pagerduty", Format::PagerDuty),
        ] {
            insta::assert_json_snapshot!(format!("{form}_{name}"), render(format, &notification));
        }
    }
}

/// What a readiness run found, as the app makes it.
fn degraded() -> Notification {
    let mut notification = notification(Event::ReadinessDegraded, "5 of 6 machines ready.");
    notification.alert = AlertFacts::default();
    notification.report = Report {
        message: notification.report.message,
        ..Report::default()
    };
    notification.incident = None;
    notification.readiness = Some(Box::new(Readiness {
        title: "Readiness degraded: 1 machine not ready any more".to_owned(),
        facts: vec![(
            "Not ready any more",
            "web-1 (agent not installed)".to_owned(),
        )],
        data: serde_json::json!({ "worse": [VM] }),
        closes: false,
    }));
    notification
}

#[test]
fn a_readiness_run_is_about_machines_and_no_capture() {
    let notification = degraded();
    for format in [
        Format::Json,
        Format::Teams,
        Format::Slack,
        Format::PagerDuty,
    ] {
        let value = render(format, &notification);
        let text = value.to_string();
        for words in [
            "Readiness degraded: 1 machine not ready any more",
            "5 of 6 machines ready.",
            "/api/PacketCaptures/readiness",
        ] {
            assert!(text.contains(words), "{words} is not in {value:#}");
        }
        for words in [
            "Packet capture",
            "Alert rule",
            "Open the machine\"",
            "portal.azure.com",
        ] {
            assert!(!text.contains(words), "{words} is in {value:#}");
        }
        let named = text.contains("web-1 (agent not installed)") || text.contains(VM);
        assert!(named, "{value:#}");
    }
    let json = render(Format::Json, &notification);
    assert_eq!(json["type"], "alert-packet-capture.readiness.degraded");
    assert_eq!(json["data"]["readiness"]["worse"][0], VM);
    let event = render(Format::PagerDuty, &notification);
    assert_eq!(
        event["dedup_key"],
        "readiness https://contoso-captures.azurewebsites.net"
    );
    assert_eq!(
        pagerduty::resolve(&notification, &links())["dedup_key"],
        event["dedup_key"]
    );
}

#[test]
fn the_title_of_a_drill_says_so() {
    let mut notification = completed();
    notification.alert.signal = Some("Drill".to_owned());
    for format in [Format::Teams, Format::Slack, Format::PagerDuty] {
        let text = render(format, &notification).to_string();
        assert!(
            text.contains("Drill: Packet capture completed on web-1"),
            "{text}"
        );
    }
    assert_eq!(render(Format::Json, &notification)["data"]["drill"], true);
}

#[test]
fn the_content_type_says_what_it_is() {
    for (format, expected) in [
        (Format::Json, "application/cloudevents+json; charset=utf-8"),
        (Format::Teams, "application/json; charset=utf-8"),
        (Format::Slack, "application/json; charset=utf-8"),
        (Format::PagerDuty, "application/json; charset=utf-8"),
    ] {
        let rendered = format.render(&completed(), &links());
        assert_eq!(rendered.content_type, expected);
    }
}

/// Every object within, the outermost first.
fn objects(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(members) => {
            let mut found = vec![value];
            found.extend(members.values().flat_map(objects));
            found
        }
        Value::Array(items) => items.iter().flat_map(objects).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn a_card_has_no_text_that_knows_markdown() {
    for notification in [hostile(), flood(HOSTILE)] {
        let card = render(Format::Teams, &notification);
        let mut runs = 0;
        for object in objects(&card) {
            if object.get("text").is_some() {
                assert_eq!(object["type"], "TextRun");
                runs += 1;
            }
            if let Some(url) = object.get("url") {
                let url = url.as_str().unwrap();
                let page = "https://contoso-captures.azurewebsites.net/api/PacketCaptures/2026";
                assert!(url.starts_with("https://portal.azure.com/#") || url.starts_with(page));
            }
        }
        assert!(runs > 10);
    }
}

#[test]
fn a_card_keeps_to_the_limit_of_teams() {
    for of in ["a", "\"\\", "🔥", "é", "\u{1}", HOSTILE] {
        let message = render(Format::Teams, &flood(of)).to_string();
        assert!(message.len() <= teams::MOST_BYTES, "{}", message.len());
    }
    // Cut, not emptied.
    let message = render(Format::Teams, &flood("a")).to_string();
    assert!(message.len() > teams::MOST_BYTES / 4);
}

#[test]
fn blocks_keep_to_the_limits_of_slack() {
    let characters = |value: &Value| value["text"].as_str().unwrap().chars().count();
    for of in ["a", "&", "<>", "🔥", " ", "\u{202e}", HOSTILE] {
        let message = render(Format::Slack, &flood(of));
        let blocks = message["blocks"].as_array().unwrap();
        assert!(blocks.len() <= 50);
        for block in blocks {
            if block["type"] == "header" {
                assert!((1..=slack::MOST_HEADER).contains(&characters(&block["text"])));
            } else if let Some(text) = block.get("text") {
                assert!((1..=slack::MOST_TEXT).contains(&characters(text)));
            }
            let Some(fields) = block.get("fields").and_then(Value::as_array) else {
                continue;
            };
            assert!((1..=slack::MOST_FIELDS).contains(&fields.len()));
            for field in fields {
                assert!((1..=slack::MOST_FIELD).contains(&characters(field)));
            }
        }
    }
}

#[test]
fn blocks_have_no_markup_of_strangers() {
    for notification in [hostile(), flood(HOSTILE), flood("&<!channel>")] {
        let message = render(Format::Slack, &notification);
        for object in objects(&message) {
            let Some(text) = object.get("text").and_then(Value::as_str) else {
                continue;
            };
            match object.get("type").and_then(Value::as_str) {
                Some("mrkdwn") => {
                    for foreign in ["evil", "alert(", "<!", "&lt;!", "<@", ":tada:"] {
                        assert!(!text.contains(foreign), "{text}");
                    }
                }
                // Plain texts and the fallback: nothing left that Slack would read, no entity cut in two.
                _ => {
                    assert!(!text.contains(['<', '>']), "{text}");
                    let rest = text.replace("&amp;", "").replace("&lt;", "");
                    assert!(!rest.replace("&gt;", "").contains('&'), "{text}");
                }
            }
        }
    }
}

#[test]
fn an_event_keeps_to_the_limits_of_pagerduty() {
    let characters = |value: &Value| value.as_str().unwrap().chars().count();
    for of in ["a", "🔥", HOSTILE] {
        let event = render(Format::PagerDuty, &flood(of));
        assert!(event.to_string().len() < 512 * 1024);
        assert!(characters(&event["dedup_key"]) <= 255);
        let payload = &event["payload"];
        assert!((1..=pagerduty::MOST_SUMMARY).contains(&characters(&payload["summary"])));
        let details = payload["custom_details"].as_object().unwrap();
        for value in details.values() {
            assert!(characters(value) <= 11_000, "{}", characters(value));
        }
    }
    // One incident is one alert there, whichever job reports.
    let mut other = completed();
    other.job_id = JobId::random();
    let keys = [completed(), other].map(|it| render(Format::PagerDuty, &it)["dedup_key"].clone());
    assert_eq!(keys[0], keys[1]);
    assert_eq!(keys[0], "20260131-090500-3fa9c2d1");
}
