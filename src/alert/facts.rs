//! What an alert says about itself to people: the one value that answers, logs, jobs and notifications carry. Foreign
//! text, so it is cleaned and bounded here, where it is made, and nowhere else.

use serde::{Deserialize, Serialize};

use super::{condition::Condition, drill};
use crate::text;

/// Characters of an alert's id. Azure's own have 100 to 250.
const MAX_ID: usize = 512;

/// The facts of an alert that people see. Small enough for a queue message (64 KiB, with everything else of a job).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertFacts {
    /// The alert rule's name.
    pub rule: Option<String>,
    /// The id of this one alert, new each time its rule fires. Metric alerts outside the common schema have none.
    #[serde(rename = "alertId", default)]
    pub id: Option<String>,
    /// `Sev0` to `Sev4`.
    pub severity: Option<String>,
    /// `Metric`, `Log` or `Activity Log`, or a newer word of Azure's; that of a drill is [`drill::SIGNAL`].
    pub signal: Option<String>,
    /// A time in one of several formats, with or without a zone.
    pub fired_at: Option<String>,
    /// What the rule compared; at most 16.
    pub conditions: Vec<Condition>,
}

impl AlertFacts {
    /// Whether the alert is that of a drill.
    pub fn is_drill(&self) -> bool {
        self.signal.as_deref() == Some(drill::SIGNAL)
    }

    /// The facts of a shape that says its signal by what it is.
    pub(super) fn of_signal(signal: &str) -> AlertFacts {
        AlertFacts {
            signal: Some(signal.to_owned()),
            ..AlertFacts::default()
        }
    }
}

/// A rule's name for people.
pub(super) fn rule(written: Option<&str>) -> Option<String> {
    text::cleaned(written?, text::NAME)
}

/// An alert's id for people. Not for comparing: the key is made of the id as written.
pub(super) fn id(written: Option<&str>) -> Option<String> {
    text::cleaned(written?, MAX_ID)
}

/// A time for people.
pub(super) fn time(written: Option<&str>) -> Option<String> {
    text::cleaned(written?, text::WORD)
}

/// A description for people.
pub(super) fn description(written: Option<&str>) -> Option<String> {
    text::cleaned(written?, text::MESSAGE)
}

/// `ActivityLog` is the same signal as `Activity Log`; both are sent.
pub(super) fn signal(written: Option<&str>) -> Option<String> {
    let written = text::clean(written?, text::WORD);
    let letters = written.replace(' ', "");
    let known = ["Metric", "Log", "Activity Log"];
    let found = known
        .into_iter()
        .find(|name| name.replace(' ', "").eq_ignore_ascii_case(&letters));
    text::cleaned(found.unwrap_or(&written), text::WORD)
}

/// The severity as the common schema writes it. `3`, `"3"` and `"Sev3"` are all in use; words are not translated, as
/// nothing says which number they stand for.
pub(super) fn severity(written: Option<String>) -> Option<String> {
    let written = written?.to_ascii_lowercase();
    let level = written.strip_prefix("sev").unwrap_or(&written);
    matches!(level, "0" | "1" | "2" | "3" | "4").then(|| format!("Sev{level}"))
}
