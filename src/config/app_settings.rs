//! App settings as a map of names and values.

use super::known::{PROFILES, canonical};
use std::{collections::BTreeMap, fmt};

/// Names and values, as the Functions host hands them to a process. Values may be secrets: Debug prints names only.
#[derive(Clone, Default)]
pub struct AppSettings {
    values: BTreeMap<String, String>,
    at_terminal: bool,
}

impl AppSettings {
    /// The process environment. Variables that are not Unicode are ignored.
    pub fn from_environment() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// Says whether a person runs the command at a terminal. Their Azure CLI login is then used where no identity is
    /// set.
    pub fn at_terminal(mut self, yes: bool) -> Self {
        self.at_terminal = yes;
        self
    }

    pub(super) fn is_at_terminal(&self) -> bool {
        self.at_terminal
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.values.insert(name.to_owned(), value.to_owned());
    }

    /// A copy without these settings, however their names are spelled.
    pub fn without(&self, names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|name| canonical(name)).collect();
        let mut kept = self.clone();
        kept.values
            .retain(|name, _| !names.contains(&canonical(name)));
        kept
    }

    /// A copy without the settings of profiles.
    pub fn without_profiles(&self) -> Self {
        let prefix = canonical(PROFILES);
        let mut kept = self.clone();
        kept.values
            .retain(|name, _| !canonical(name).starts_with(&prefix));
        kept
    }

    /// The value of a setting, by its exact name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
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
