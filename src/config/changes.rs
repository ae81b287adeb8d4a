//! Whether and how the function reads what changed around an alert.

use super::reader::Reader;
use std::time::Duration;

/// Whether and how the function reads what changed around an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangesSettings {
    pub enabled: bool,
    /// How long after the end of a capture its notification waits for what changed.
    pub notify_within: Duration,
    /// Whether it is kept and said who made a change.
    pub show_callers: bool,
    /// Whether effective security rules and routes are read.
    pub effective_rules: bool,
}

pub(super) fn read(reader: &mut Reader<'_>) -> ChangesSettings {
    ChangesSettings {
        enabled: reader.flag("Changes__Enabled"),
        notify_within: Duration::from_secs(reader.number("Changes__NotifyWithinSeconds")),
        show_callers: reader.flag("Changes__ShowCallers"),
        effective_rules: reader.flag("Changes__EffectiveRules"),
    }
}
