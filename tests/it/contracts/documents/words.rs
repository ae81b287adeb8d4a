//! Plain words: tests/words.txt says which words are refused, what to write instead, and where. In Rust sources comments,
//! texts and the names of tests are checked, in other files everything.

use super::{
    files, read,
    source::{Kind, parts},
};
use std::path::Path;

const LIST: &str = "tests/words.txt";
const EXTENSIONS: [&str; 13] = [
    ".md",
    ".rs",
    ".html",
    ".sh",
    ".py",
    ".bicep",
    ".json",
    ".yml",
    ".yaml",
    ".txt",
    ".toml",
    ".service",
    "Dockerfile",
];

/// The list, read.
#[derive(Default)]
struct List {
    /// Files and folders that are checked.
    checked: Vec<String>,
    /// Refused words, in lower case, and what to write instead.
    refused: Vec<(String, String)>,
    /// Parts of a line that are excused, with the file.
    allowed: Vec<(String, String)>,
}

impl List {
    fn parse(text: &str) -> Self {
        let mut list = List::default();
        let lines = text
            .lines()
            .map(|line| line.split(" # ").next().unwrap_or_default().trim());
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(path) = line.strip_prefix("check ") {
                list.checked.push(path.to_owned());
            } else if let Some(excused) = line.strip_prefix("allow ") {
                let (path, part) = excused
                    .split_once(' ')
                    .unwrap_or_else(|| panic!("{LIST}: {line}"));
                list.allowed.push((path.to_owned(), part.to_lowercase()));
            } else {
                let (words, instead) = line
                    .split_once('=')
                    .unwrap_or_else(|| panic!("{LIST}: {line}"));
                let words = words.split(',').map(|word| word.trim().to_lowercase());
                list.refused
                    .extend(words.map(|word| (word, instead.trim().to_owned())));
            }
        }
        list
    }

    /// What is wrong with a line of a file.
    fn wrong(&self, path: &Path, line: &str) -> Vec<String> {
        let mut text = line.to_lowercase();
        for (file, part) in &self.allowed {
            if file == "*" || path == Path::new(file) {
                text = text.replace(part, " ");
            }
        }
        let refused = self
            .refused
            .iter()
            .filter(|(word, _)| has_word(&text, word));
        refused
            .map(|(word, instead)| format!("{word:?}: write {instead}"))
            .collect()
    }
}

/// Whether a text has these words as whole words. A name with underscores is one word.
fn has_word(text: &str, words: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(words).any(|(at, _)| {
        !text[..at].ends_with(is_word) && !text[at + words.len()..].starts_with(is_word)
    })
}

/// Line numbers and texts of a file that are for people.
fn texts(path: &Path, content: &str) -> Vec<(usize, String)> {
    if path.extension().is_none_or(|extension| extension != "rs") {
        let lines = content.lines().enumerate();
        return lines
            .map(|(index, line)| (index + 1, line.to_owned()))
            .collect();
    }
    let mut found = Vec::new();
    for part in parts(content) {
        let lines = part.text.lines().enumerate();
        let lines = lines.map(|(index, line)| (part.line + index, line));
        found.extend(lines.filter_map(|(number, line)| match part.kind {
            Kind::Code => Some((number, sentence(line)?)),
            Kind::Comment | Kind::Text => Some((number, line.to_owned())),
        }));
    }
    found
}

/// The name of a function that is a sentence, as tests have it: three words or more.
fn sentence(code: &str) -> Option<String> {
    let (_, name) = code.split_once("fn ")?;
    let name = name.split('(').next()?;
    (name.matches('_').count() >= 2).then(|| name.replace('_', " "))
}

#[test]
fn only_plain_words_are_used() {
    let list = List::parse(&read(LIST));
    let mut wrong = Vec::new();
    for path in list
        .checked
        .iter()
        .flat_map(|below| files(below, &EXTENSIONS))
    {
        if path == Path::new(LIST) {
            continue;
        }
        for (line, text) in texts(&path, &read(&path)) {
            let found = list.wrong(&path, &text).into_iter();
            wrong.extend(found.map(|what| format!("{}:{line}: {what}", path.display())));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} words of {LIST}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn words_are_found_as_the_list_says() {
    let list = List::parse(
        "# head\ncheck src\nfrob, frobs = fix\ngaze at = check\nallow a.rs gaze at # a title\n",
    );
    assert_eq!(list.checked, ["src"]);
    for (path, line, expected) in [
        ("a.md", "Frob it", 1),
        ("a.md", "afrob it, refrobbed", 0),
        ("a.md", "what frobs_it", 0),
        ("a.md", "Gaze at what frobs", 2),
        ("a.rs", "gaze at what frobs", 1),
    ] {
        assert_eq!(
            list.wrong(Path::new(path), line).len(),
            expected,
            "{path}: {line}"
        );
    }
    let source = "fn frobs() {} // gaze at\nlet a = \"frob\";\nfn it_frobs_all() {}";
    let texts = texts(Path::new("b.rs"), source);
    let lines: Vec<usize> = texts.iter().map(|(line, _)| *line).collect();
    assert_eq!(
        (lines, texts[2].1.as_str()),
        (vec![1, 2, 3], "it frobs all")
    );
}
