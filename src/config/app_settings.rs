//! App settings as a map of names and values, and a reader that collects what is wrong with them.

use std::{collections::BTreeMap, fmt, ops::RangeInclusive};

/// Names and values, as the Functions host hands them to a process. Values may be secrets: no Debug print.
#[derive(Clone, Default)]
pub struct AppSettings {
    values: BTreeMap<String, String>,
    at_terminal: bool,
}

impl AppSettings {
    /// The process environment. Variables that are not Unicode are no settings of ours.
    pub fn from_environment() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// Says whether somebody sits at a terminal: then their own login will do where no identity is set.
    pub fn at_terminal(mut self, yes: bool) -> Self {
        self.at_terminal = yes;
        self
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.values.insert(name.to_owned(), value.to_owned());
    }

    /// The same without these settings, whatever the case of their names.
    pub fn without(&self, names: &[&str]) -> Self {
        let alike = |name: &str| names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name));
        let kept = self.values.iter().filter(|(name, _)| !alike(name));
        let kept: Self = kept
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        kept.at_terminal(self.at_terminal)
    }

    /// The value of a setting, by its exact name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }
}

impl FromIterator<(String, String)> for AppSettings {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self {
            values: pairs.into_iter().collect(),
            at_terminal: false,
        }
    }
}

impl fmt::Debug for AppSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

/// One setting that is missing or wrong. The value is never repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub name: String,
    /// What was expected.
    pub expected: String,
}

/// All that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SettingsError {
    pub problems: Vec<Problem>,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        write!(
            f,
            "{count} app setting{} to mend",
            if count == 1 { "" } else { "s" }
        )?;
        for Problem { name, expected } in &self.problems {
            write!(f, "; {name}: {expected}")?;
        }
        Ok(())
    }
}

/// Reads settings one by one and remembers the problems.
pub(super) struct Reader<'a> {
    settings: &'a AppSettings,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub fn new(settings: &'a AppSettings) -> Self {
        Self {
            settings,
            problems: Vec::new(),
        }
    }

    pub fn at_terminal(&self) -> bool {
        self.settings.at_terminal
    }

    pub fn problem(&mut self, name: &str, expected: impl Into<String>) {
        let problem = Problem {
            name: name.to_owned(),
            expected: expected.into(),
        };
        // Some settings are read for more than one purpose.
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// The value of a setting: the exact name first, else the one name that differs in case alone, since
    /// Windows ignores case and settings are moved from there. Empty counts as not set.
    pub fn text(&mut self, name: &str) -> Option<&'a str> {
        if let Some(value) = self.settings.values.get(name) {
            let value = value.trim();
            return (!value.is_empty()).then_some(value);
        }
        let alike: Vec<(&str, &str)> = self
            .settings
            .values
            .iter()
            .filter(|(other, value)| other.eq_ignore_ascii_case(name) && !value.trim().is_empty())
            .map(|(other, value)| (other.as_str(), value.trim()))
            .collect();
        let (_, value) = *alike.first()?;
        if alike.iter().any(|(_, other)| *other != value) {
            let names: Vec<&str> = alike.iter().map(|(name, _)| *name).collect();
            self.problem(
                name,
                format!(
                    "{} differ in case alone and in value; keep one",
                    names.join(", ")
                ),
            );
        }
        Some(value)
    }

    pub fn number(&mut self, name: &str, range: RangeInclusive<u64>, default: u64) -> u64 {
        self.optional_number(name, range).unwrap_or(default)
    }

    pub fn optional_number(&mut self, name: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let text = self.text(name)?;
        match text.parse() {
            Ok(number) if range.contains(&number) => Some(number),
            _ => {
                let (first, last) = range.into_inner();
                self.problem(name, format!("a whole number from {first} to {last}"));
                None
            }
        }
    }

    pub fn flag(&mut self, name: &str) -> bool {
        match self.text(name).map(str::to_ascii_lowercase).as_deref() {
            None | Some("false" | "0") => false,
            Some("true" | "1") => true,
            Some(_) => {
                self.problem(name, "true or false");
                false
            }
        }
    }

    /// A list, its entries separated by commas, semicolons or line ends.
    pub fn list(&mut self, name: &str) -> Vec<String> {
        self.text(name)
            .unwrap_or_default()
            .split([',', ';', '\n'])
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(str::to_owned)
            .collect()
    }

    pub fn finish<T>(self, settings: T) -> Result<T, SettingsError> {
        if self.problems.is_empty() {
            Ok(settings)
        } else {
            Err(SettingsError {
                problems: self.problems,
            })
        }
    }
}
