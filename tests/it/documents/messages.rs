//! Every warning and error of the log is explained in docs/troubleshooting.md, and nothing else is.

use super::{
    files, read,
    source::{messages, without_names, without_tests},
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
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .map(without_names)
        .collect()
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
        "# T\n| `no` | x |\n{SECTION}\n\n| message | m |\n| --- | --- |\n| `a {{error}} b` | x |\n\n## N\n| `no` | x |\n"
    );
    assert_eq!(explained(&page).into_iter().collect::<Vec<_>>(), ["a {} b"]);
    assert!(has_words("could not: {x}") && !has_words("{error}; {more}"));
}
