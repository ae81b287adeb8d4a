//! Reads settings one by one and collects what is wrong with them. Forms and defaults come from the table of known
//! settings.

use super::{
    AppSettings, Problem, SettingsError, Warning,
    known::{Form, Setting, canonical},
    secure_string,
};
use crate::text;
use std::collections::BTreeMap;

/// Maximum characters of a wrong value that an error shows: enough to recognize a number or a word, too few for a secret
/// that was put into the wrong setting.
const MAX_SHOWN: usize = 11;

pub(super) struct Reader<'a> {
    settings: &'a AppSettings,
    /// By canonical name: all spellings that are set, with their trimmed values.
    spellings: BTreeMap<String, Vec<(&'a str, &'a str)>>,
    problems: Vec<Problem>,
    /// Settings about which nothing more can be said, because they hold no value at all.
    unusable: Vec<String>,
}

impl<'a> Reader<'a> {
    pub fn new(settings: &'a AppSettings) -> Self {
        let mut spellings: BTreeMap<String, Vec<(&str, &str)>> = BTreeMap::new();
        for (name, value) in settings.iter() {
            let alike = spellings.entry(canonical(name)).or_default();
            alike.push((name, value.trim()));
        }
        Self {
            settings,
            spellings,
            problems: Vec::new(),
            unusable: Vec::new(),
        }
    }

    pub fn settings(&self) -> &'a AppSettings {
        self.settings
    }

    pub fn at_terminal(&self) -> bool {
        self.settings.is_at_terminal()
    }

    pub fn problem(&mut self, name: &str, expected: impl Into<String>) {
        if !self.unusable.iter().any(|it| it == name) {
            self.add(Problem::new(name, expected));
        }
    }

    /// The value does not fit its form.
    pub fn wrong(&mut self, name: &str) {
        let form = known(name).form;
        self.problem(name, format!("needs {form}"));
    }

    /// Reports a wrong value and shows it, for settings whose values are plain words that no secret could be taken for.
    fn wrong_value(&mut self, name: &str, value: &str) {
        let form = known(name).form;
        self.problem(name, format!("has {}, needs {form}", shown(value)));
    }

    pub fn add(&mut self, problem: Problem) {
        // Some settings are read for more than one purpose.
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// A setting is not missing so much as mistyped: its problem names the near miss.
    pub fn explain_missing(&mut self, near_misses: &[Warning]) {
        for problem in &mut self.problems {
            let names = |it: &&Warning| problem.names(it.name);
            if let Some(near) = near_misses.iter().find(names) {
                problem.expected.push_str("; ");
                problem.expected.push_str(&near.text);
            }
        }
    }

    /// The value of a setting: the exact name first, else the one other spelling. Empty means not set, except where
    /// that would allow more than was meant.
    pub fn text(&mut self, name: &str) -> Option<&'a str> {
        let setting = known(name);
        let spellings = self.spellings.get(&canonical(name))?;
        let exact = spellings.iter().find(|(spelling, _)| *spelling == name);
        let used: Vec<_> = match exact {
            Some(exact) => vec![*exact],
            None => spellings.clone(),
        };
        let mut set = used.iter().filter(|(_, value)| !value.is_empty());
        let Some((_, value)) = set.next().copied() else {
            if setting.restricts {
                self.empty(name);
            }
            return None;
        };
        if set.any(|(_, other)| *other != value) {
            let names: Vec<&str> = used.iter().map(|(name, _)| *name).collect();
            let names = names.join(", ");
            self.problem(
                name,
                format!("set as {names} with different values; keep one"),
            );
        }
        if secure_string::has_key_vault_reference(value) {
            self.problem(
                name,
                secure_string::Unreadable::KeyVaultReference.to_string(),
            );
            self.unusable.push(name.to_owned());
        }
        Some(value)
    }

    /// A value without content, where that must not mean the same as no setting.
    pub fn empty(&mut self, name: &str) {
        let form = known(name).form;
        let needed = format!("is set but empty, needs {form}; remove the setting if none is meant");
        self.problem(name, needed);
        self.unusable.push(name.to_owned());
    }

    /// A number with a default.
    pub fn number<T: TryFrom<u64>>(&mut self, name: &str) -> T {
        self.optional_number(name).unwrap_or_else(|| {
            let default = known(name).default.and_then(|text| text.parse().ok());
            let default = default.and_then(|number: u64| T::try_from(number).ok());
            default.expect("the table has a default in range")
        })
    }

    pub fn optional_number<T: TryFrom<u64>>(&mut self, name: &str) -> Option<T> {
        let text = self.text(name)?;
        let Form::Number { least, most } = known(name).form else {
            unreachable!("{name} is listed as a number");
        };
        let number: Option<u64> = text.parse().ok();
        let number = number.filter(|number| (least..=most).contains(number));
        let number = number.and_then(|number| T::try_from(number).ok());
        if number.is_none() {
            self.wrong_value(name, text);
        }
        number
    }

    pub fn flag(&mut self, name: &str) -> bool {
        match self.text(name).map(str::to_ascii_lowercase).as_deref() {
            None => known(name).default == Some("true"),
            Some("false" | "0") => false,
            Some("true" | "1") => true,
            Some(other) => {
                self.wrong_value(name, other);
                false
            }
        }
    }

    /// The value that one of these words stands for; the default's when nothing is set. `None` and a problem for any
    /// other word.
    pub fn word<T: Copy>(&mut self, name: &str, values: &[(&str, T)]) -> Option<T> {
        let text = self.text(name).or(known(name).default)?;
        let found = values
            .iter()
            .find(|(word, _)| word.eq_ignore_ascii_case(text));
        if found.is_none() {
            self.wrong_value(name, text);
        }
        found.map(|(_, value)| *value)
    }

    /// A list, its entries separated by commas, semicolons or line ends.
    pub fn list(&mut self, name: &str) -> Vec<String> {
        let Some(text) = self.text(name) else {
            return Vec::new();
        };
        let entries = text.split([',', ';', '\n']).map(str::trim);
        let entries: Vec<String> = entries
            .filter(|entry| !entry.is_empty())
            .map(str::to_owned)
            .collect();
        if entries.is_empty() {
            self.empty(name);
        }
        entries
    }

    /// The settings whose names begin like this, in any spelling: what follows in the name, as it is spelled, with `__`
    /// between its parts.
    pub fn below(&self, prefix: &str) -> Vec<String> {
        let prefix = canonical(prefix);
        let found = self.spellings.iter();
        let found = found.filter(|(name, _)| name.starts_with(&prefix));
        let spelled = found.flat_map(|(_, spellings)| spellings);
        let names = spelled.map(|(name, _)| name.replace(':', "__"));
        names
            .filter_map(|name| name.get(prefix.len()..).map(str::to_owned))
            .collect()
    }

    /// Whether a setting is there in any spelling, be it empty.
    pub fn is_present(&self, name: &str) -> bool {
        self.spellings.contains_key(&canonical(name))
    }

    pub fn finish<T>(self, settings: T) -> Result<T, SettingsError> {
        match self.problems.is_empty() {
            true => Ok(settings),
            false => Err(SettingsError {
                problems: self.problems,
            }),
        }
    }
}

fn known(name: &str) -> &'static Setting {
    Setting::find(name).unwrap_or_else(|| panic!("{name} is missing in the table of settings"))
}

/// A value in quotation marks.
fn shown(value: &str) -> String {
    format!("'{}'", text::excerpt(value, MAX_SHOWN))
}
