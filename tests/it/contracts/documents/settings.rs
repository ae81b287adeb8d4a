//! docs/settings.md lists the settings that the function reads, with their defaults, ranges, and examples that work.

use super::{code_spans, read};
use alert_packet_capture::config::{AppSettings, Form, SETTINGS, Setting, Settings};
use std::collections::BTreeSet;

const PAGE: &str = "docs/settings.md";
/// Files that examples name and that need not be here.
const FILES: [&str; 1] = ["SSL_CERT_FILE"];
/// Recognized only to say why they do not help: the page explains them in a sentence.
const NOT_SUPPORTED: [&str; 4] = [
    "IDENTITY_SERVER_THUMBPRINT",
    "IMDS_ENDPOINT",
    "MSI_ENDPOINT",
    "MSI_SECRET",
];
/// Each concern switched on, so that all settings are read.
const COMPLETE: [(&str, &str); 10] = [
    ("AZURE_TENANT_ID", "72f1b9c4-3d0e-4a6b-8f57-c2e9d1a60b38"),
    ("AZURE_CLIENT_ID", "b3c6a1d2-5e4f-4708-9a1b-6c7d8e9f0a12"),
    ("AZURE_CLIENT_SECRET", "not-a-secret"),
    ("PacketCapture__FilePath", "/var/captures/a.cap"),
    ("JobQueue__Kind", "storage"),
    ("Notification__WebhookUrl", "https://hooks.example/x"),
    ("Notification__Receivers__0__Url", "https://hooks.example/y"),
    (
        "SecureWebhook__TenantId",
        "72f1b9c4-3d0e-4a6b-8f57-c2e9d1a60b38",
    ),
    ("SecureWebhook__Audience", "api://x"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"),
];

/// A row of the page.
struct Row {
    name: String,
    default: String,
    allowed: String,
    example: String,
}

/// The text between backticks, when the cell holds nothing else.
fn literal(cell: &str) -> Option<&str> {
    let inner = cell.strip_prefix('`')?.strip_suffix('`')?;
    (!inner.contains('`')).then_some(inner)
}

fn rows(page: &str) -> Vec<Row> {
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, default, allowed, example, meaning] = cells[..] else {
            panic!("five cells were expected: {line}")
        };
        assert!(meaning.ends_with(['.', ')']), "no sentence: {line}");
        let text = |cell: &str| {
            literal(cell)
                .unwrap_or_else(|| panic!("not in backticks: {line}"))
                .to_owned()
        };
        Row {
            name: text(name),
            default: default.to_owned(),
            allowed: allowed.to_owned(),
            example: text(example),
        }
    })
    .collect()
}

/// What is wrong with one setting when it has this value and all others are right.
fn problem(name: &str, value: &str) -> Option<String> {
    let read = Settings::read(&with(name, Some(value)));
    let problems = read.err().map(|error| error.problems).unwrap_or_default();
    let own = problems.into_iter().find(|problem| problem.name == name);
    own.map(|problem| problem.expected)
}

/// Settings without a problem, and this one in place of what excludes it. At a terminal, where every way to sign in may
/// be named.
fn with(name: &str, value: Option<&str>) -> AppSettings {
    let mut pairs = COMPLETE.to_vec();
    if !name.starts_with("AzureWebJobsStorage") {
        pairs.push(("AzureWebJobsStorage", "UseDevelopmentStorage=true"));
    }
    match name {
        _ if name.starts_with("PacketCapture__Profiles__") => pairs.extend([
            ("PacketCapture__Profiles__NAME__Rules", "*"),
            ("PacketCapture__Profiles__NAME__Name", "deep"),
        ]),
        "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN" => {
            pairs.push(("AzureCredential", "ClientCertificate"));
        }
        "AzureWebJobsStorage__credential" => {
            pairs.push(("AzureWebJobsStorage__accountName", "stjobs"));
        }
        "AzureCredPasswordFormat" => pairs.extend([
            ("AzureCredential", "EncryptedPassword"),
            ("AzureCredPassword", "not-a-secret"),
        ]),
        _ => {}
    }
    pairs.retain(|(other, _)| *other != name);
    let own = value.map(|value| (name, value));
    let pairs = pairs.into_iter().chain(own);
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    pairs.map(owned).collect::<AppSettings>().at_terminal(true)
}

#[test]
fn the_page_and_the_code_know_the_same_settings() {
    let page = read(PAGE);
    let rows = rows(&page);
    let listed: BTreeSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(listed.len(), rows.len(), "a setting is listed twice");
    let known: BTreeSet<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
    let mentioned: BTreeSet<&str> = code_spans(&page).into_iter().collect();
    for name in NOT_SUPPORTED {
        assert!(mentioned.contains(name), "{PAGE} does not mention {name}");
    }
    let supported: BTreeSet<&str> = known
        .into_iter()
        .filter(|name| !NOT_SUPPORTED.contains(name))
        .collect();
    assert_eq!(listed, supported);
}

#[test]
fn each_row_is_as_in_the_code() {
    let page = read(PAGE);
    for row in rows(&page) {
        let setting = Setting::find(&row.name).expect("a known setting");
        let Row {
            name,
            default,
            allowed,
            ..
        } = row;
        assert_eq!(literal(&default), setting.default, "default of {name}");
        let secret = allowed.contains("**secret**");
        assert_eq!(secret, setting.secret, "{name} is a secret");
        match setting.form {
            Form::Number { least, most } => assert_eq!(allowed, format!("{least} to {most}")),
            Form::Flag => assert_eq!(allowed, "flag", "{name}"),
            Form::Word(words) => {
                let words: BTreeSet<&str> = words.iter().copied().collect();
                let choices = choices(&allowed).unwrap_or_default();
                let choices: BTreeSet<&str> = choices.iter().map(String::as_str).collect();
                assert_eq!(choices, words, "{name}");
            }
            Form::List(_) => assert!(
                allowed.contains("list") || allowed.contains("pairs"),
                "{name}"
            ),
            Form::Text(_) => {}
        }
    }
}

/// A cell of literals alone, separated by commas.
fn choices(allowed: &str) -> Option<Vec<String>> {
    allowed
        .split(", ")
        .map(|cell| literal(cell).map(str::to_owned))
        .collect()
}

#[test]
fn values_outside_of_a_range_are_refused() {
    for setting in SETTINGS {
        let bad = match setting.form {
            Form::Number { least, most } => {
                for good in [least, most] {
                    assert_eq!(problem(setting.name, &good.to_string()), None);
                }
                vec![(i128::from(least) - 1).to_string(), (most + 1).to_string()]
            }
            Form::Flag => vec!["perhaps".to_owned()],
            Form::Word(_) => vec!["no-such-choice".to_owned()],
            Form::List(_) | Form::Text(_) => continue,
        };
        for value in bad {
            let refused = problem(setting.name, &value).is_some();
            assert!(refused, "{} = {value} is accepted", setting.name);
        }
    }
}

#[test]
fn examples_are_accepted() {
    let page = read(PAGE);
    for Row { name, example, .. } in rows(&page) {
        // App Service replaces a reference before the function starts.
        let replaced = example.contains('…') || example.starts_with("@Microsoft.KeyVault(");
        if !replaced && !FILES.contains(&name.as_str()) {
            assert_eq!(problem(&name, &example), None, "{name} = {example}");
        }
    }
}

#[test]
fn defaults_are_those_of_the_code() {
    let page = read(PAGE);
    let mut compared = 0;
    for Row { name, default, .. } in rows(&page) {
        let Some(value) = literal(&default) else {
            continue;
        };
        // Which settings an identity ignores is reported, so that setting one is seen even when it changes nothing.
        let identity = ["AzureCred", "AZURE_CLIENT"]
            .iter()
            .any(|it| name.starts_with(it));
        // A format that is set holds for receivers that need another one.
        let kept = name.starts_with("Notification__") && name.ends_with("__Format");
        if identity || kept || COMPLETE.iter().any(|(other, _)| *other == name) {
            continue;
        }
        let read = |value| format!("{:?}", Settings::read(&with(&name, value)).unwrap());
        assert!(
            read(None) == read(Some(value)),
            "{name}: the default is not {value}"
        );
        compared += 1;
    }
    assert!(compared > 15, "only {compared} defaults were compared");
}
