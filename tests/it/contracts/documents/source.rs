//! Comments and texts of Rust sources, and the messages of log macros. Enough of a lexer for that, no more.

/// What a part of a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Code,
    Comment,
    /// A string literal, without its quotes and with line continuations joined.
    Text,
}

/// A part of a source and the line on which it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub line: usize,
    pub kind: Kind,
    pub text: String,
}

/// Splits a source into code, comments and string literals.
pub fn parts(source: &str) -> Vec<Part> {
    let mut found: Vec<Part> = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while !rest.is_empty() {
        let (kind, text, length) = first(rest);
        let length = length.min(rest.len());
        let begins = line;
        line += rest[..length].matches('\n').count();
        match found.last_mut() {
            Some(last) if kind == Kind::Code && last.kind == Kind::Code => {
                last.text.push_str(&text)
            }
            _ => found.push(Part {
                line: begins,
                kind,
                text,
            }),
        }
        rest = &rest[length..];
    }
    found
}

/// The first part, and how many bytes it takes.
fn first(rest: &str) -> (Kind, String, usize) {
    if rest.starts_with("//") {
        let length = rest.find('\n').unwrap_or(rest.len());
        return (Kind::Comment, rest[..length].to_owned(), length);
    }
    if rest.starts_with("/*") {
        let length = rest.find("*/").map_or(rest.len(), |at| at + 2);
        return (Kind::Comment, rest[..length].to_owned(), length);
    }
    if let Some(text) = rest.strip_prefix('"') {
        let length = closing_quote(text);
        return (Kind::Text, joined(&text[..length]), length + 2);
    }
    for hashes in ["", "#", "##"] {
        if let Some(text) = rest.strip_prefix(&format!("r{hashes}\"")) {
            let end = format!("\"{hashes}");
            let length = text.find(&end).unwrap_or(text.len());
            let all = rest.len() - text.len() + length + end.len();
            return (Kind::Text, text[..length].to_owned(), all);
        }
    }
    // A quote as a character, which begins no text.
    for quote in ["'\"'", "'\\''", "'\\\"'"] {
        if rest.starts_with(quote) {
            return (Kind::Code, quote.to_owned(), quote.len());
        }
    }
    // A word as a whole, so that `for"` is no raw string.
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    let length = match word {
        0 => rest.chars().next().map_or(1, char::len_utf8),
        word => word,
    };
    (Kind::Code, rest[..length].to_owned(), length)
}

fn closing_quote(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at,
            _ => {}
        }
    }
    text.len()
}

/// A literal's text without escaped line ends and quotes.
fn joined(literal: &str) -> String {
    let mut lines = literal.split("\\\n");
    let first = lines.next().unwrap_or_default().to_owned();
    let text = lines.fold(first, |text, line| text + line.trim_start());
    text.replace("\\\"", "\"").replace("\\n", "\n")
}

/// A source without its tests, which stand at its end.
pub fn without_tests(source: &str) -> &str {
    let end = source
        .find("#[cfg(test)]\nmod tests {")
        .unwrap_or(source.len());
    &source[..end]
}

/// The message of each call of `name!(…)`, such as `tracing::warn`: its line and its format string.
pub fn messages(source: &str, name: &str) -> Vec<(usize, String)> {
    let parts = parts(source);
    let call = format!("{name}!(");
    let mut found = Vec::new();
    for (index, part) in parts
        .iter()
        .enumerate()
        .filter(|(_, part)| part.kind == Kind::Code)
    {
        for (at, _) in part.text.match_indices(&call) {
            let after = &part.text[at + call.len()..];
            let line = part.line + part.text[..at].matches('\n').count();
            found.extend(message(after, &parts[index + 1..]).map(|text| (line, text)));
        }
    }
    found
}

/// The first argument that is a text alone, not a field's value.
fn message(code: &str, parts: &[Part]) -> Option<String> {
    let mut depth = 0;
    // Code since the last comma between arguments.
    let mut argument = String::new();
    let code = Part {
        line: 0,
        kind: Kind::Code,
        text: code.to_owned(),
    };
    for part in std::iter::once(&code).chain(parts) {
        match part.kind {
            Kind::Comment => {}
            Kind::Text if depth == 0 && argument.trim().is_empty() => {
                return Some(part.text.clone());
            }
            Kind::Text => argument.push('"'),
            Kind::Code => {
                for c in part.text.chars() {
                    match c {
                        '(' | '[' | '{' => depth += 1,
                        ')' | ']' | '}' => depth -= 1,
                        _ => {}
                    }
                    match (c, depth) {
                        (_, ..0) => return None,
                        (',', 0) => argument.clear(),
                        _ => argument.push(c),
                    }
                }
            }
        }
    }
    None
}

/// A format string with every placeholder as `{}`.
pub fn without_names(format: &str) -> String {
    let mut text = String::new();
    let mut depth = 0;
    for c in format.chars() {
        match c {
            '{' => {
                depth += 1;
                text.push('{');
            }
            '}' => {
                depth -= 1;
                text.push('}');
            }
            _ if depth > 0 => {}
            _ => text.push(c),
        }
    }
    text
}

#[test]
fn sources_are_split_and_messages_found() {
    let source = r##"
        // A "comment".
        fn f() {
            tracing::warn!(
                error.code = code(1, "x"),
                alert.rule = "a field",
                "could not {verb} \"it\": \
                 {}", // why
                g()
            );
            tracing::warn!(field, "{error}");
            tracing::warn!(field = "no message");
            let quote = '"'; let raw = r#"a "raw" text"#;
        }
    "##;
    let texts: Vec<String> = messages(source, "tracing::warn")
        .into_iter()
        .map(|it| it.1)
        .collect();
    assert_eq!(texts, ["could not {verb} \"it\": {}", "{error}"]);
    assert_eq!(without_names(&texts[0]), "could not {} \"it\": {}");
    let of = |kind| {
        parts(source)
            .into_iter()
            .filter(move |it| it.kind == kind)
            .map(|it| it.text)
    };
    assert_eq!(
        of(Kind::Comment).collect::<Vec<_>>(),
        ["// A \"comment\".", "// why"]
    );
    assert!(of(Kind::Text).any(|it| it == "a \"raw\" text"));
    assert_eq!(without_tests("a\n#[cfg(test)]\nmod tests {}"), "a\n");
}
