//! What must never be seen, planted with values like no other text, and the one look that finds any of it.

use azure_sandbox::Sandbox;
use base64::{Engine, prelude::BASE64_STANDARD};
use std::{collections::HashMap, error::Error};

/// This many characters in a row of a secret are too many.
const TOO_MUCH: usize = 12;
/// What only ever stands beside a secret.
const MARKS: [&str; 9] = [
    "code=",
    "Bearer sandbox.",
    "eyJ",
    "PRIVATE KEY",
    "sig=",
    "&s=",
    "AccountKey=",
    "client_secret=",
    "client_assertion=",
];

/// Names and values.
#[derive(Default)]
pub struct Secrets(Vec<(String, String)>);

impl Secrets {
    pub fn plant(&mut self, name: &str, value: impl Into<String>) -> String {
        let value = value.into();
        assert!(
            value.len() >= TOO_MUCH,
            "{name} is too short to be distinguished from other text"
        );
        self.0.push((name.to_owned(), value.clone()));
        value
    }

    /// Those that a sandbox has given out.
    pub fn learn(&mut self, azure: &Sandbox) {
        for token in azure.tokens_given() {
            self.plant("access token", token);
        }
    }

    /// Fails when a text shows a secret: whole, a part of it, or in base64.
    pub fn none_in(&self, place: &str, text: &str) {
        // Azure's own library writes queries so.
        let text = &text.replace("=REDACTED", "");
        for mark in MARKS {
            assert!(
                !text.contains(mark),
                "{mark} in {place}: {}",
                near(text, mark)
            );
        }
        // One pass over the text: a log has megabytes, and the secrets have thousands of parts.
        let mut parts: HashMap<Vec<u8>, &str> = HashMap::new();
        for (name, value) in &self.0 {
            for form in [value.clone(), BASE64_STANDARD.encode(value)] {
                let windows = form.as_bytes().windows(TOO_MUCH);
                parts.extend(windows.map(|part| (part.to_vec(), name.as_str())));
            }
        }
        for part in text.as_bytes().windows(TOO_MUCH) {
            if let Some(name) = parts.get(part) {
                let part = String::from_utf8_lossy(part);
                panic!("{name} in {place}: {}", near(text, &part));
            }
        }
    }

    /// All that can be printed of a value.
    pub fn none_in_debug(&self, place: &str, value: &dyn std::fmt::Debug) {
        self.none_in(place, &format!("{value:?}\n{value:#?}"));
    }

    /// All that can be printed of an error and its causes.
    pub fn none_in_error(&self, place: &str, error: &(dyn Error + 'static)) {
        let mut next = Some(error);
        while let Some(error) = next {
            self.none_in(place, &format!("{error}\n{error:#}\n{error:?}\n{error:#?}"));
            next = error.source();
        }
    }
}

fn near<'a>(text: &'a str, found: &str) -> &'a str {
    let at = text.find(found).unwrap_or_default();
    let start = text.floor_char_boundary(at.saturating_sub(200));
    &text[start..text.floor_char_boundary(at + 100)]
}

/// The look itself can fail.
#[test]
fn a_secret_is_found_whole_in_part_and_in_base64() {
    let mut secrets = Secrets::default();
    secrets.plant("a", "m4rker-of-this-one");
    let seen = |text: &str| std::panic::catch_unwind(|| secrets.none_in("here", text)).is_err();
    assert!(!seen("m4rker-of and nothing more"));
    for text in [
        "x m4rker-of-this-one y",
        "ker-of-this-",
        "bTRya2VyLW9mLXRoaXMtb25l",
        "https://app.example/?code=k",
    ] {
        assert!(seen(text), "{text}");
    }
}
