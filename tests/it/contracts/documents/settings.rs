//! docs/settings.md lists the settings that the function reads, with their defaults, ranges, and examples that work.

use super::{
    code_spans, files, read,
    source::{Kind, parts, without_tests},
};
use alert_packet_capture::config::{AppSettings, Settings};
use std::collections::BTreeSet;

const PAGE: &str = "docs/settings.md";
/// Read by OpenTelemetry's library, not by `config`.
const OF_LIBRARIES: [&str; 1] = ["OTEL_EXPORTER_OTLP_HEADERS"];
/// Values that look like names.
const VALUES: [&str; 4] = [
    "AzurePublicCloud",
    "AzureUSGovernment",
    "AzureChinaCloud",
    "AzureCli",
];
/// Each concern switched on, so that all settings are read.
const COMPLETE: [(&str, &str); 9] = [
    ("AZURE_TENANT_ID", "72f1b9c4-3d0e-4a6b-8f57-c2e9d1a60b38"),
    ("AZURE_CLIENT_ID", "b3c6a1d2-5e4f-4708-9a1b-6c7d8e9f0a12"),
    ("AZURE_CLIENT_SECRET", "not-a-secret"),
    ("PacketCapture__FilePath", "/var/captures/a.cap"),
    ("JobQueue__Kind", "storage"),
    ("Notification__WebhookUrl", "https://hooks.example/x"),
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

/// Names of settings among the texts of the sources that read them.
fn names_in_code() -> BTreeSet<String> {
    let mut names = texts("src/config");
    names.extend(texts("src/main.rs"));
    names.retain(|text| is_name(text));
    names
}

/// All string literals of the sources below a folder, but for their tests.
fn texts(below: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for path in files(below, &[".rs"]) {
        if path.ends_with("tests.rs") {
            continue;
        }
        let source = read(&path);
        let parts = parts(without_tests(&source)).into_iter();
        let texts = parts.filter(|part| part.kind == Kind::Text);
        found.extend(texts.map(|part| part.text));
    }
    found
}

/// `Room__Member`, `UPPER_CASE` with an underscore, or `Azure…`.
fn is_name(text: &str) -> bool {
    let word = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let upper = text.contains('_') && !text.contains(|c: char| c.is_ascii_lowercase());
    let azure = text
        .strip_prefix("Azure")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
    let (member, private) = (
        text.contains("__"),
        text.starts_with("CARGO_") || text.ends_with('_'),
    );
    word && (member || upper || azure) && !private && !VALUES.contains(&text)
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
        "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN" => {
            pairs.push(("AzureCredential", "ClientCertificate"));
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
    let code = names_in_code();
    assert!(
        code.len() > 50,
        "only {} names were found in the code",
        code.len()
    );
    let mentioned: BTreeSet<&str> = code_spans(&page).into_iter().collect();
    let missing: Vec<&String> = code
        .iter()
        .filter(|name| !mentioned.contains(name.as_str()))
        .collect();
    assert!(missing.is_empty(), "not in {PAGE}: {missing:?}");
    for row in rows(&page) {
        let known = code.contains(&row.name) || OF_LIBRARIES.contains(&row.name.as_str());
        assert!(
            known,
            "{PAGE} has {}, which the code does not read",
            row.name
        );
    }
}

#[test]
fn ranges_and_choices_are_those_of_the_code() {
    let page = read(PAGE);
    for Row { name, allowed, .. } in rows(&page) {
        // Not read by `config`, which therefore refuses nothing.
        if name == "LOG_FORMAT" || name == "RUST_LOG" {
            continue;
        }
        let (good, bad): (Vec<String>, Vec<String>) = if let Some((first, last)) = range(&allowed) {
            (
                vec![first.to_string(), last.to_string()],
                vec![(first - 1).to_string(), (last + 1).to_string()],
            )
        } else if allowed == "flag" {
            (
                ["true", "false", "1", "0"].map(String::from).to_vec(),
                vec!["perhaps".to_owned()],
            )
        } else if let Some(choices) = choices(&allowed) {
            (choices, vec!["no-such-choice".to_owned()])
        } else {
            continue;
        };
        for value in good {
            assert_eq!(problem(&name, &value), None, "{name} = {value}");
        }
        for value in bad {
            assert!(
                problem(&name, &value).is_some(),
                "{name} = {value} is accepted"
            );
        }
    }
}

/// `1 to 18000`.
fn range(allowed: &str) -> Option<(i64, i64)> {
    let (first, last) = allowed.split_once(" to ")?;
    Some((first.parse().ok()?, last.parse().ok()?))
}

/// A cell of literals alone, separated by commas.
fn choices(allowed: &str) -> Option<Vec<String>> {
    allowed
        .split(", ")
        .map(|cell| literal(cell).map(str::to_owned))
        .collect()
}

#[test]
fn examples_are_accepted() {
    let page = read(PAGE);
    for Row { name, example, .. } in rows(&page) {
        // App Service replaces a reference before the function starts.
        if !example.contains('…') && !example.starts_with("@Microsoft.KeyVault(") {
            assert_eq!(problem(&name, &example), None, "{name} = {example}");
        }
    }
}

#[test]
fn defaults_are_those_of_the_code() {
    let page = read(PAGE);
    let dates = texts("src/azure");
    let mut compared = 0;
    for Row { name, default, .. } in rows(&page) {
        let Some(value) = literal(&default) else {
            continue;
        };
        if name.starts_with("AzureApiVersion__") {
            assert!(dates.contains(value), "{name}: {value}");
            continue;
        }
        // Which settings an identity ignores is reported, so that setting one is seen even when it changes nothing.
        let identity = ["AzureCred", "AZURE_CLIENT"]
            .iter()
            .any(|it| name.starts_with(it));
        if identity || COMPLETE.iter().any(|(other, _)| *other == name) {
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
