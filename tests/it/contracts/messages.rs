//! What people read, word for word, so that a change of a sentence is seen where it is made: answers through the
//! front door, and what is said of wrong settings. `INSTA_UPDATE=always` takes new sentences over.

use crate::support::azure::Azure;
use crate::support::world::{World, classic_alert, common_alert};
use alert_packet_capture::config::Settings;
use azure_sandbox::{Call, ExistingCapture, Fault, Sandbox, SessionStatus, What, samples};
use serde_json::{Value, json};
use std::fmt::Write;

/// Ids differ from run to run.
fn steady(text: &str) -> String {
    let is_guid = |word: &str| {
        word.len() == 36
            && word.bytes().filter(|byte| *byte == b'-').count() == 4
            && word
                .bytes()
                .all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
    };
    let part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mut steady = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(part) {
        let end = rest[start..].find(|c| !part(c));
        let end = end.map_or(rest.len(), |length| start + length);
        let word = &rest[start..end];
        steady.push_str(&rest[..start]);
        steady.push_str(if is_guid(word) { "(guid)" } else { word });
        rest = &rest[end..];
    }
    steady + rest
}

fn line(text: &mut String, name: &str, status: u16, body: &Value) {
    let message = body["message"].as_str();
    let message = message.or(body["error"]["message"].as_str());
    let code = body["error"]["code"].as_str();
    let outcome = body["outcome"].as_str().or(code).unwrap_or("-");
    let reason = body["reason"].as_str().unwrap_or("-");
    let message = steady(message.unwrap_or_default());
    writeln!(text, "{name}: {status} {outcome} {reason}\n    {message}").unwrap();
}

type Prepare = fn(&Sandbox);
type Changed = &'static [(&'static str, &'static str)];

fn leftovers(azure: &Sandbox) {
    for name in ["a", "b"] {
        azure.add_capture(ExistingCapture {
            watcher: samples::WATCHER_WESTEUROPE.to_owned(),
            name: name.to_owned(),
            target: samples::WEB_02.to_owned(),
            status: SessionStatus::Stopped,
            started: None,
            time_limit_seconds: 10,
            stop_reason: None,
        });
    }
}

/// Settings and faults, for what an alert on web-01 is answered, by settings and by what is wrong at Azure.
const ANSWERS: [(&str, Changed, Prepare); 11] = [
    ("all is well", &[], |_| ()),
    ("the limit", &[("PacketCapture__Limit", "2")], leftovers),
    ("a dry run", &[("PacketCapture__DryRun", "true")], |_| ()),
    (
        "outside of the scopes",
        &[(
            "PacketCapture__AllowedScopes",
            "/subscriptions/6d1f3a58-27c4-4e0b-9b5d-0a8e4c7f1b32/resourceGroups/other",
        )],
        |_| (),
    ),
    (
        "another rule",
        &[("PacketCapture__AllowedRules", "cpu-*")],
        |_| (),
    ),
    ("no right to create", &[], |azure| {
        azure.deny("Microsoft.Network/networkWatchers/packetCaptures/write");
    }),
    ("an agent is missing", &[], |azure| {
        let refusal = What::arm_error(400, "NetworkWatcherVmExtensionNotInstalled", "No agent.");
        azure.fault(Fault {
            on: Call::PutCapture,
            times: 1,
            what: refusal,
        });
    }),
    (
        "a wrong secret",
        &[("AZURE_CLIENT_SECRET", "not-that-one")],
        |_| (),
    ),
    ("an expired secret", &[], Sandbox::expire_secret),
    (
        "an unknown client",
        &[("AZURE_CLIENT_ID", "00000000-aaaa-4bbb-8ccc-dddddddddddd")],
        |_| (),
    ),
    (
        "an unknown tenant",
        &[("AZURE_TENANT_ID", "00000000-aaaa-4bbb-8ccc-eeeeeeeeeeee")],
        |_| (),
    ),
];

#[tokio::test]
async fn answers_to_an_alert() {
    let mut text = String::new();
    for (name, settings, prepare) in ANSWERS {
        let azure = Azure::start().await;
        prepare(&azure);
        let world = World::on(azure, settings).await;
        // With a region, so that one call alone comes first.
        let alert = classic_alert(samples::WEB_01, "westeurope");
        let reply = world.post(&alert).await;
        line(&mut text, name, reply.status, &reply.body);
        world.end().await;
    }
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn answers_to_other_bodies() {
    let world = World::start().await;
    let mut resolved = common_alert(&[samples::WEB_01]);
    resolved["data"]["essentials"]["monitorCondition"] = "Resolved".into();
    let mut unknown = resolved.clone();
    unknown["data"]["essentials"]["monitorCondition"] = "Perhaps".into();
    let mut bad_id = resolved.clone();
    bad_id["data"]["essentials"]["alertTargetIDs"] = json!(["/subscriptions/x/../y"]);
    let first = common_alert(&[samples::WEB_01]);
    let mut text = String::new();
    for (name, body) in [
        ("the first", &first),
        ("the same again", &first),
        ("resolved", &resolved),
        ("in an unknown state", &unknown),
        ("without a machine", &common_alert(&[])),
        ("a bad id", &bad_id),
        ("another schema", &json!({ "schemaId": "mine", "data": {} })),
        ("a list", &json!([1])),
    ] {
        let reply = world.post(body).await;
        line(&mut text, name, reply.status, &reply.body);
    }
    let url = format!("{}/api/AlertPacketCapture", world.url);
    for (name, request) in [
        ("a GET", world.http.get(&url)),
        (
            "a form",
            world
                .http
                .post(&url)
                .header("content-type", "application/x-www-form-urlencoded")
                .body("a=b"),
        ),
        (
            "too long",
            world
                .http
                .post(&url)
                .header("content-type", "application/json")
                .body(" ".repeat(1 << 21)),
        ),
        ("elsewhere", world.http.post(format!("{}/x", world.url))),
    ] {
        let reply = crate::support::world::reply(request.send().await.unwrap()).await;
        line(&mut text, name, reply.status, &reply.body);
    }
    insta::assert_snapshot!(text);
    world.end().await;
}

#[test]
fn what_is_said_of_wrong_settings() {
    let client = ("AZURE_CLIENT_ID", "5e0c9a51-9d4c-4c9f-9a35-0d8f2ad7ab3c");
    let password = |value: &'static str| vec![("AzureCredPassword", value)];
    let sets: [(&str, Vec<(&str, &str)>); 16] = [
        ("nothing", vec![]),
        ("a secret alone", vec![("AZURE_CLIENT_SECRET", "s3cr3t")]),
        ("a client alone", vec![client]),
        (
            "a password made without a key",
            password("01000000d08c9ddf0115d1118c7a00c04fc297eb01000000"),
        ),
        (
            "a password that was never encrypted",
            password("540065007300740031003200"),
        ),
        ("a plain password", password("Tr0ub4dor&3")),
        ("a cut password", password("MgB8AGEAYgBjAGQ=")),
        (
            "an unresolved reference",
            password("@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/s/)"),
        ),
        ("an unknown way", vec![("AzureCredential", "Guess")]),
        (
            "a secret for no webhook",
            vec![
                ("Notification__Secret", "s3cr3t"),
                ("Notification__Format", "fax"),
            ],
        ),
        (
            "a queue without storage",
            vec![("JobQueue__Kind", "storage")],
        ),
        (
            "wrong values",
            vec![
                ("PacketCapture__TimeLimitInSeconds", "18001"),
                ("PacketCapture__FilePath", "/var/captures/a.pcap"),
                ("PacketCapture__RemoveFinished", "always"),
                ("AzureEnvironment", "AzureGermanCloud"),
                ("AzureApiVersion__Network", "latest"),
            ],
        ),
        (
            "mistyped names",
            vec![
                ("PacketCapture__AllowedScope", "/subscriptions/0d3c1d6e"),
                ("PacketCapture:TimeLimitSeconds", "30"),
                ("Notifications__WebhookUrl", "https://alerts.example/hook"),
                ("SecureWebhook__Tenant", "9f0c7a3e-41d2-4c86-b7a5"),
            ],
        ),
        (
            "empty lists",
            vec![
                ("PacketCapture__AllowedScopes", ","),
                ("PacketCapture__Filters", "[]"),
                ("SecureWebhook__Issuer", ""),
            ],
        ),
        (
            "a Slack address without a format",
            vec![(
                "Notification__WebhookUrl",
                "https://hooks.slack.com/services/T0/B0/s3cr3t",
            )],
        ),
        (
            "ids and paths of another form",
            vec![
                ("PacketCapture__StorageAccountId", "stcaptures01"),
                ("PacketCapture__FilePath", "/opt/captures/web.cap"),
                ("PacketCapture__Name", "-captures-of-web"),
                ("PacketCapture__AllowedScopes", "rg-web-production"),
            ],
        ),
    ];
    let mut text = String::new();
    for (name, set) in sets {
        let pairs = set.iter().map(|(n, v)| (n.to_string(), v.to_string()));
        let error = Settings::read(&pairs.collect()).unwrap_err().to_string();
        for (_, value) in &set {
            assert!(
                value.len() < 12 || !error.contains(value),
                "{name}: {error}"
            );
        }
        writeln!(text, "{name}:\n    {}", error.replace("; ", "\n    ")).unwrap();
    }
    insta::assert_snapshot!(text);
}
