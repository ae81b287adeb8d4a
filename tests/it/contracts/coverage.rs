//! Nothing that an operator can set and no reason that an answer can give goes untested: the names are read from the
//! documents and from the source, and each must be named by a story or a table.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// How the names of settings begin.
const SETTINGS: [&str; 9] = [
    "PacketCapture__",
    "JobQueue__",
    "Notification__",
    "SecureWebhook__",
    "AzureApiVersion__",
    "AzureCred",
    "AzureEnvironment",
    "AZURE_",
    "OTEL_",
];
/// Where the reasons of answers and notifications are given. What else is quoted there must be named as well.
const REASONS: [&str; 3] = ["src/incident", "src/capture", "src/alert/outcome.rs"];

fn package() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The files at or below a path, in order.
fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).expect("a folder");
    let mut below: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    below.sort();
    below.iter().flat_map(|path| files(path)).collect()
}

/// A source's production part and the tests at its end. A file of tests has no production part.
fn parts(path: &Path) -> (String, String) {
    let text = fs::read_to_string(path).expect("text");
    if path.extension().is_some_and(|it| it == "snap") || path.ends_with("tests.rs") {
        return (String::new(), text);
    }
    let tests = text.find("#[cfg(test)]").unwrap_or(text.len());
    let (production, tests) = text.split_at(tests);
    (production.to_owned(), tests.to_owned())
}

/// All that the stories and tables say, this file left out.
fn told() -> String {
    let here = Path::new("contracts/coverage.rs");
    let stories = files(&package().join("tests"));
    let stories = stories.iter().filter(|path| !path.ends_with(here));
    let mut told: String = stories
        .filter_map(|path| fs::read_to_string(path).ok())
        .collect();
    let sources = files(&package().join("src"));
    told.extend(sources.iter().map(|path| parts(path).1));
    told
}

fn is_word(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(char::is_alphabetic)
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The first cells of the documents' tables that are names of settings.
fn documented_settings() -> BTreeSet<String> {
    let mut documents = files(&package().join("docs"));
    documents.push(package().join("README.md"));
    documents.retain(|path| path.extension().is_some_and(|it| it == "md"));
    let texts = documents
        .iter()
        .map(|path| fs::read_to_string(path).unwrap());
    let mut names = BTreeSet::new();
    for text in texts {
        for row in text.lines().filter_map(|line| line.strip_prefix("| ")) {
            let cell = row.split('|').next().unwrap_or_default();
            let quoted = cell.split('`').skip(1).step_by(2);
            let settings = quoted.filter(|name| {
                is_word(name) && SETTINGS.iter().any(|start| name.starts_with(start))
            });
            names.extend(settings.map(str::to_owned));
        }
    }
    names
}

/// Texts such as `"capture_limit_reached"` and `"SessionRemoved"`: words of answers, not of sentences.
fn reasons() -> BTreeSet<String> {
    let compound = |word: &str| {
        let joints = word
            .char_indices()
            .skip(1)
            .filter(|(_, c)| *c == '_' || c.is_uppercase());
        let lower = word.chars().any(char::is_lowercase);
        is_word(word) && lower && joints.count() > 0
    };
    let sources = REASONS.iter().flat_map(|room| files(&package().join(room)));
    let mut words = BTreeSet::new();
    for source in sources {
        let (production, _) = parts(&source);
        let code = production
            .lines()
            .filter(|line| !line.trim_start().starts_with("//") && !line.contains("#[serde"));
        for line in code {
            let quoted = line.split('"').skip(1).step_by(2);
            words.extend(quoted.filter(|word| compound(word)).map(str::to_owned));
        }
    }
    words
}

fn untold(names: &BTreeSet<String>, at_least: usize) -> Vec<&String> {
    assert!(names.len() >= at_least, "only these are found: {names:?}");
    let told = told();
    // A setting of the receiver 0 stands for those of all ten.
    let of_any = |name: &String| {
        (0..10).any(|number| told.contains(&name.replace("__0__", &format!("__{number}__"))))
    };
    // And one of a profile for those of the profile of any name.
    let of_profile = |name: &String| {
        name.split_once("NAME").is_some_and(|(before, after)| {
            let mut told = told.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            told.any(|it| it.starts_with(before) && it.ends_with(after))
        })
    };
    let untold = names
        .iter()
        .filter(|name| !of_any(name) && !of_profile(name));
    untold.collect()
}

#[test]
fn each_documented_setting_is_named_by_a_story_or_a_table() {
    let names = documented_settings();
    let untold = untold(&names, 40);
    assert!(untold.is_empty(), "no test names {untold:?}");
}

#[test]
fn each_reason_of_an_answer_is_named_by_a_story_or_a_table() {
    let names = reasons();
    for known in ["capture_limit_reached", "scope_not_allowed", "test_payload"] {
        assert!(names.contains(known), "{known} is not found in {names:?}");
    }
    let untold = untold(&names, 12);
    assert!(untold.is_empty(), "no test names {untold:?}");
}
