//! Every warning and error of the log is explained in docs/troubleshooting.md, and so is every check of the doctor.

use super::{
    files, read,
    source::{Kind, messages, parts, without_names, without_tests},
};
use std::{collections::BTreeSet, path::Path};

const PAGE: &str = "docs/troubleshooting.md";
/// The section with one message a row.
const SECTION: &str = "## Log messages";

/// Whether a message has words of its own. Others are sentences that are written, and explained, elsewhere.
fn has_words(message: &str) -> bool {
    let fixed = without_names(message);
    fixed
        .split(|c: char| !c.is_alphabetic())
        .any(|word| word.len() > 1)
}

/// All warnings and errors of the function, with every placeholder as `{}`, and where each is.
fn logged() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for path in files("src", &[".rs"]) {
        if ["sandbox", "bin"]
            .iter()
            .any(|it| path.starts_with(Path::new("src").join(it)))
        {
            continue;
        }
        let source = read(&path);
        for name in ["tracing::warn", "tracing::error"] {
            let all = messages(without_tests(&source), name).into_iter();
            let own = all.filter(|(_, text)| has_words(text));
            found.extend(
                own.map(|(line, text)| {
                    (without_names(&text), format!("{}:{line}", path.display()))
                }),
            );
        }
    }
    found
}

/// The messages that the page explains: the first cell of each row in its section.
fn explained(page: &str) -> BTreeSet<String> {
    let section = page.split(SECTION).nth(1).expect("the section");
    let section = section.split("\n## ").next().unwrap_or_default();
    section
        .lines()
        .filter_map(|line| line.strip_prefix("| "))
        .filter_map(first_code_span)
        .map(without_names)
        .collect()
}

/// The code at the start of a cell. A text with backticks stands between two of them on each side.
fn first_code_span(cell: &str) -> Option<&str> {
    match cell.strip_prefix("`` ") {
        Some(text) => text.split(" ``").next(),
        None => cell.strip_prefix('`')?.split('`').next(),
    }
}

#[test]
fn every_warning_and_error_is_explained() {
    let page = read(PAGE);
    let explained = explained(&page);
    let logged = logged();
    let missing = logged.iter().filter(|(text, _)| !explained.contains(text));
    let missing: Vec<String> = missing.map(|(text, at)| format!("{at}: {text}")).collect();
    assert!(
        missing.is_empty(),
        "not in {PAGE}, {SECTION}:\n{}",
        missing.join("\n")
    );

    let logged: BTreeSet<&String> = logged.iter().map(|(text, _)| text).collect();
    let gone: Vec<&String> = explained
        .iter()
        .filter(|text| !logged.contains(text))
        .collect();
    assert!(
        gone.is_empty(),
        "{PAGE} explains what is never logged: {gone:#?}"
    );
}

#[test]
fn a_row_explains_a_message() {
    let page = format!(
        "# T\n| `no` | x |\n{SECTION}\n\n| message | m |\n| --- | --- |\n| `a {{error}} b` | `c` |\n| `` the `d` `` | x |\n\n## N\n| `no` | x |\n"
    );
    assert_eq!(
        explained(&page).into_iter().collect::<Vec<_>>(),
        ["a {} b", "the `d`"]
    );
    assert!(has_words("could not: {x}") && !has_words("{error}; {more}"));
}

/// Names of the checks of `handler doctor`: constants, and first arguments of its report.
fn checks() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in files("src/readiness", &[".rs"]) {
        let source = read(&path);
        let parts = parts(without_tests(&source));
        for pair in parts.windows(2) {
            let [code, text] = pair else { continue };
            let code = code.text.trim_end();
            let named = code.ends_with(": &str =")
                || ["ok(", "warning(", "failed(", "skipped("]
                    .iter()
                    .any(|call| code.ends_with(call));
            let words = |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c == ' ');
            if text.kind == Kind::Text && named && words(&text.text) {
                names.insert(text.text.clone());
            }
        }
    }
    names
}

#[test]
fn every_check_of_the_doctor_is_explained() {
    let page = read(PAGE);
    let (_, section) = page
        .split_once("## Checks of the doctor")
        .expect("the section");
    let checks = checks();
    assert!(checks.len() > 15, "only {checks:?} were found");
    let missing: Vec<&String> = checks
        .iter()
        .filter(|name| !section.contains(&format!("| `{name}` |")))
        .collect();
    assert!(missing.is_empty(), "not in {PAGE}: {missing:?}");
}

#[test]
fn every_code_of_microsoft_entra_id_is_explained() {
    let page = read(PAGE);
    let source = read("src/advice/sign_in.rs");
    let texts = parts(without_tests(&source))
        .into_iter()
        .filter(|part| part.kind == Kind::Text);
    let codes: BTreeSet<String> = texts
        .map(|part| part.text)
        .filter(|text| text.starts_with("AADSTS"))
        .collect();
    assert!(codes.len() > 10, "only {codes:?} were found");
    let missing: Vec<&String> = codes
        .iter()
        .filter(|code| !page.contains(&format!("`{code}`")))
        .collect();
    assert!(missing.is_empty(), "not in {PAGE}: {missing:?}");
}

/// Files in which reasons and codes for programs are written.
const CODES: [&str; 7] = [
    "src/alert/outcome.rs",
    "src/incident/reason.rs",
    "src/capture/outcome.rs",
    "src/capture/outcome/ended.rs",
    "src/capture/outcome/failed.rs",
    "src/capture/ending.rs",
    "src/functions/refusal.rs",
];
/// Words of the metrics, which docs/http-api.md explains, and one of serde's.
const OTHERS: [&str; 3] = ["azure_refused", "not_taken", "snake_case"];

/// `snake_case` with two words, or `PascalCase` with two.
fn is_code(text: &str) -> bool {
    let words = |separator: fn(char) -> bool| text.matches(separator).count();
    let letters = text.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
    let snake = text.chars().all(|c| c.is_ascii_lowercase() || c == '_') && words(|c| c == '_') > 0;
    let pascal =
        text.contains(|c: char| c.is_ascii_lowercase()) && words(|c| c.is_ascii_uppercase()) > 1;
    letters && !OTHERS.contains(&text) && (snake || pascal)
}

#[test]
fn every_reason_and_code_is_explained() {
    let page = read(PAGE);
    let mut missing = Vec::new();
    let mut found = 0;
    for path in CODES {
        let source = read(path);
        let texts = parts(without_tests(&source)).into_iter();
        let texts = texts.filter(|part| part.kind == Kind::Text && is_code(&part.text));
        for part in texts {
            found += 1;
            if !page.contains(&format!("`{}`", part.text)) {
                missing.push(format!("{path}:{}: {}", part.line, part.text));
            }
        }
    }
    assert!(found > 30, "only {found} codes were found");
    assert!(missing.is_empty(), "not in {PAGE}:\n{}", missing.join("\n"));
}
