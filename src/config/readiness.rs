//! Which machines are checked for readiness, and how deeply.

use super::reader::Reader;
use crate::resource_id::ResourceId;

const TARGETS: &str = "Readiness__Targets";
/// Maximum number of ids.
const MAXIMUM_IDS: usize = 200;

/// Where the machines of a readiness run come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadinessTargets {
    /// The scopes of the alert rules that call this function.
    Rules,
    /// `PacketCapture__AllowedScopes`.
    Scopes,
    /// These subscriptions, resource groups, scale sets and machines.
    Ids(Vec<ResourceId>),
}

/// How the machines that alerts can name are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadinessSettings {
    pub targets: ReadinessTargets,
    /// Whether the effective security rules of network interfaces are read: a call or more for each.
    pub effective_rules: bool,
    /// Whether operators are notified each week, changed or not.
    pub weekly: bool,
}

impl ReadinessTargets {
    /// As the setting says it, for people.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Scopes => "scopes",
            Self::Ids(_) => "ids",
        }
    }
}

pub(super) fn read(reader: &mut Reader<'_>) -> ReadinessSettings {
    ReadinessSettings {
        targets: targets(reader),
        effective_rules: reader.flag("Readiness__EffectiveRules"),
        weekly: reader.flag("Readiness__Weekly"),
    }
}

fn targets(reader: &mut Reader<'_>) -> ReadinessTargets {
    let entries: Vec<String> = reader.list(TARGETS);
    let word = |word: &str| matches!(&entries[..], [one] if one.eq_ignore_ascii_case(word));
    if entries.is_empty() || word("rules") {
        return ReadinessTargets::Rules;
    }
    if word("scopes") {
        return ReadinessTargets::Scopes;
    }
    let ids: Result<Vec<ResourceId>, _> = entries.iter().map(|it| ResourceId::parse(it)).collect();
    match ids {
        Ok(ids) if ids.len() <= MAXIMUM_IDS => ReadinessTargets::Ids(ids),
        _ => {
            reader.wrong(TARGETS);
            ReadinessTargets::Rules
        }
    }
}
