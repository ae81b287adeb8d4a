//! The profile that a job captures by, as the job carries it: its name and why it was chosen. The parameters themselves
//! stay in the settings, so that a job stays small and a queue message chooses among what the owner has set.

use serde::{Deserialize, Serialize};

/// The name of what the settings without a profile's name say.
pub const DEFAULT: &str = "default";

/// The profile that a job captures by, shared by the jobs of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChosenProfile {
    /// As the settings spell it; [`DEFAULT`] when no profile matched.
    pub name: Box<str>,
    /// Why it was chosen: a part of a sentence.
    pub why: Box<str>,
    /// How long the machine is left alone after a capture of it, in seconds.
    pub cooldown: u32,
    /// Values of the alert that stand in the profile's filters, by the names of their places.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub values: Box<[(Box<str>, Box<str>)]>,
    /// What people are to know: a name that was not followed, a filter that was left out. Sentences.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub notes: Box<[Box<str>]>,
}

impl ChosenProfile {
    /// Adds what people are to know, once.
    pub fn note(&mut self, text: &str) {
        if self.notes.iter().any(|known| &**known == text) {
            return;
        }
        let mut notes = std::mem::take(&mut self.notes).into_vec();
        notes.push(text.into());
        self.notes = notes.into();
    }
}
