//! What is wrong with the settings, all of it at once: people should not fix them one restart at a time.

use crate::text;
use std::fmt;

/// Maximum characters of a setting's name in an error.
const MAX_NAME: usize = 100;
/// Maximum characters of what a setting needs.
const MAX_EXPECTED: usize = 1_000;

/// One setting that is missing, wrong or unknown. The value of a secret is never repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The setting, or the settings one of which is needed.
    pub name: String,
    /// What the setting has and what it needs.
    pub expected: String,
    /// The setting that was probably meant by an unknown name.
    pub nearest: Option<&'static str>,
}

impl Problem {
    /// A setting that is missing or wrong.
    pub fn new(name: impl Into<String>, expected: impl Into<String>) -> Self {
        // It may quote a value.
        let expected = expected.into();
        Self {
            name: name.into(),
            expected: text::clean(&expected, MAX_EXPECTED).into_owned(),
            nearest: None,
        }
    }

    /// Whether the problem is about this setting, alone or as one of several, or says that it is needed.
    pub(super) fn names(&self, setting: &str) -> bool {
        let words = [&self.name, &self.expected];
        let separates = |c: char| !c.is_ascii_alphanumeric() && c != '_';
        words
            .iter()
            .any(|text| text.split(separates).any(|word| word == setting))
    }

    /// The name of the setting to set: the one that was meant, or the first of several.
    pub fn to_set(&self) -> &str {
        let first = self.name.split(' ').next().unwrap_or(&self.name);
        self.nearest.unwrap_or(first)
    }
}

/// All that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SettingsError {
    pub problems: Vec<Problem>,
}

impl From<Problem> for SettingsError {
    fn from(problem: Problem) -> Self {
        Self {
            problems: vec![problem],
        }
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            1 => f.write_str("1 invalid app setting")?,
            count => write!(f, "{count} invalid app settings")?,
        }
        // Unknown names are foreign texts, of any length.
        for Problem { name, expected, .. } in &self.problems {
            let name = text::excerpt(name, MAX_NAME);
            write!(f, "; {name}: {expected}")?;
        }
        Ok(())
    }
}

/// A setting that is legal and probably not what was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    pub name: &'static str,
    /// What follows from the setting, and what to set instead.
    pub text: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.text)
    }
}
