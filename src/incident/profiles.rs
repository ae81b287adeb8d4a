//! Which alert gets which capture: the profiles of the owner, of which the first that matches is used, in their order. An
//! alert rule's own property may choose among those that allow it; nothing else of a body does. Pure.

use super::{
    PacketFilters,
    allowed::{matches, same_signal},
    profile::{ChosenProfile, DEFAULT},
};
use crate::{
    alert::{Alert, PROPERTY, Target},
    resource_id::ResourceId,
};
use std::{sync::Arc, time::Duration};

/// The profiles in their order, and what applies when none matches.
#[derive(Debug, Clone, Default)]
pub struct Profiles {
    /// In the order in which they are tried.
    pub all: Vec<Profile>,
    /// How long a machine is left alone when none matches.
    pub cooldown: Duration,
}

/// A profile: which alerts it is for, and what decides before and after the capture. The capture's parameters are in
/// `capture`.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// As the settings spell it.
    pub name: Box<str>,
    pub conditions: Conditions,
    /// Whether an alert rule's property may choose it.
    pub by_property: bool,
    /// Filters, whose places the alert's values fill.
    pub filters: PacketFilters,
    /// How long a machine is left alone after a capture of it was accepted.
    pub cooldown: Duration,
    /// Whether a resolved alert stops the capture that its firing started.
    pub stop_on_resolved: bool,
    /// The receivers of its notifications, by their names in the settings; `None`: all.
    pub receivers: Option<Vec<&'static str>>,
    /// An address for people, such as a runbook's.
    pub link: Option<Box<str>>,
}

/// What an alert must be. Empty lists match every alert; of a list one entry must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Alert rule names; `*` stands for any text.
    pub rules: Vec<String>,
    /// `Sev0` to `Sev4`.
    pub severities: Vec<String>,
    pub signals: Vec<String>,
    /// Names of metrics that the rule counts; `*` stands for any text.
    pub metrics: Vec<String>,
    /// Subscriptions, resource groups or resources that the machine is in.
    pub scopes: Vec<ResourceId>,
    /// Drills instead of alerts.
    pub drill: bool,
}

impl Conditions {
    /// Whether every alert matches.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Every condition, for people.
    pub fn in_words(&self) -> String {
        let scopes: Vec<String> = self.scopes.iter().map(ToString::to_string).collect();
        let lists = [
            ("rules", &self.rules),
            ("severities", &self.severities),
            ("signals", &self.signals),
            ("metrics", &self.metrics),
            ("scopes", &scopes),
        ];
        let set = lists.into_iter().filter(|(_, list)| !list.is_empty());
        let mut words: Vec<String> = set
            .map(|(label, list)| format!("{label} {}", list.join(", ")))
            .collect();
        if self.drill {
            words.push("drills".to_owned());
        }
        words.join("; ")
    }

    /// What of the alert matched each condition; `None`: one does not match.
    fn matched(&self, alert: &Alert, target: &Target) -> Option<String> {
        let facts = &alert.facts;
        if alert.is_drill() != self.drill {
            return None;
        }
        let mut why = Vec::new();
        if self.drill {
            why.push("the alert is a drill".to_owned());
        }
        let mut check = |what: &str, list: &[String], is: &dyn Fn(&str) -> bool| {
            if list.is_empty() {
                return Some(());
            }
            let found = list.iter().find(|entry| is(entry))?;
            why.push(format!("{what} {found}"));
            Some(())
        };
        let rule = facts.rule.as_deref().unwrap_or_default();
        check("the rule's name matches", &self.rules, &|it| {
            matches(it, rule)
        })?;
        let severity = facts.severity.as_deref().unwrap_or_default();
        check("the severity is", &self.severities, &|it| it == severity)?;
        let signal = facts.signal.as_deref().unwrap_or_default();
        check("the signal is", &self.signals, &|it| {
            same_signal(it, signal)
        })?;
        let mut metrics = facts.conditions.iter();
        let metrics: Vec<&str> = metrics
            .by_ref()
            .filter_map(|it| it.metric.as_deref())
            .collect();
        check("a metric matches", &self.metrics, &|it| {
            metrics.iter().any(|metric| matches(it, metric))
        })?;
        if !self.scopes.is_empty() {
            let scope = self.scopes.iter().find(|it| it.contains(&target.id))?;
            let id = scope.to_string();
            let name = id.rsplit('/').next().unwrap_or_default();
            why.push(format!("the machine is in {name}"));
        }
        Some(why.join(", "))
    }

    /// Whether every alert that matches `other` matches these, too. `false` when that is not certain.
    pub fn cover(&self, other: &Self) -> bool {
        fn covered<T>(own: &[T], other: &[T], covers: impl Fn(&T, &T) -> bool) -> bool {
            let one = |it: &T| own.iter().any(|own| covers(own, it));
            own.is_empty() || (!other.is_empty() && other.iter().all(one))
        }
        // A pattern's `*`, taken as a letter, is matched by another's `*` alone.
        let pattern = |own: &String, other: &String| matches(own, other);
        // An alert without a rule's name matches it as well.
        let any_rule = self.rules.iter().any(|rule| rule == "*");
        self.drill == other.drill
            && (any_rule || covered(&self.rules, &other.rules, pattern))
            && covered(&self.severities, &other.severities, |a, b| a == b)
            && covered(&self.signals, &other.signals, |a, b| same_signal(a, b))
            && covered(&self.metrics, &other.metrics, pattern)
            && covered(&self.scopes, &other.scopes, ResourceId::contains)
    }
}

impl Profiles {
    /// The profile of this name, in any letter case.
    pub fn find(&self, name: &str) -> Option<&Profile> {
        self.all
            .iter()
            .find(|it| it.name.eq_ignore_ascii_case(name))
    }

    /// The profile of an alert on this target: the one that the rule's property names where that is allowed, else the
    /// first that matches. The second value is what a job carries; `None`: there are no profiles.
    pub fn choose(
        &self,
        alert: &Alert,
        target: &Target,
    ) -> (Option<&Profile>, Option<Arc<ChosenProfile>>) {
        let mut notes = Vec::new();
        if let Some(wanted) = &alert.profile {
            match self.find(wanted) {
                Some(profile) if profile.by_property => {
                    let why = format!("the alert rule's property {PROPERTY} names it");
                    return (Some(profile), Some(profile.chosen(why, alert, notes)));
                }
                found => notes.push(not_followed(wanted, found.is_some())),
            }
        }
        if self.all.is_empty() && notes.is_empty() {
            return (None, None);
        }
        // One without conditions is chosen by the property alone.
        let mut with_conditions = self.all.iter().filter(|it| !it.conditions.is_empty());
        let found = with_conditions.find_map(|profile| {
            let why = profile.conditions.matched(alert, target)?;
            Some((profile, why))
        });
        match found {
            Some((profile, why)) => (Some(profile), Some(profile.chosen(why, alert, notes))),
            None => {
                let chosen = ChosenProfile {
                    name: DEFAULT.into(),
                    why: "no profile matches".into(),
                    cooldown: seconds(self.cooldown),
                    values: Box::default(),
                    notes: notes.into(),
                };
                (None, Some(Arc::new(chosen)))
            }
        }
    }

    /// The longest cool-down.
    pub fn longest_cooldown(&self) -> Duration {
        let all = self.all.iter().map(|it| it.cooldown);
        all.max().unwrap_or_default().max(self.cooldown)
    }
}

impl Profile {
    /// When it is used, for people.
    pub fn in_words(&self) -> String {
        let by_property = format!("named by the alert rule's property {PROPERTY}");
        match (self.conditions.is_empty(), self.by_property) {
            (true, _) => by_property,
            (false, true) => format!("{}; or {by_property}", self.conditions.in_words()),
            (false, false) => self.conditions.in_words(),
        }
    }

    fn chosen(&self, why: String, alert: &Alert, mut notes: Vec<Box<str>>) -> Arc<ChosenProfile> {
        let value = |place: &str| alert.dimensions.single(place);
        let mut values = Vec::new();
        match self.filters.fill(value) {
            Ok(_) => {
                for place in self.filters.places() {
                    if let Some(value) = value(place) {
                        values.push((place.into(), value.trim().into()));
                    }
                }
            }
            Err(unusable) => notes.push(
                format!(
                    "All packets are captured, without the filters of the profile {}: {unusable}",
                    self.name
                )
                .into(),
            ),
        }
        Arc::new(ChosenProfile {
            name: self.name.clone(),
            why: why.into(),
            cooldown: seconds(self.cooldown),
            values: values.into(),
            notes: notes.into(),
        })
    }
}

fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

/// What people are to know of a property that was not followed.
fn not_followed(wanted: &str, is_known: bool) -> Box<str> {
    let why = match is_known {
        true => "does not allow it (AllowByProperty)",
        false => "is not set",
    };
    format!("The alert rule's property {PROPERTY} names the profile {wanted}, which {why}; the profile was chosen by the conditions").into()
}

impl ChosenProfile {
    /// The alert's value for a place in the profile's filters.
    pub fn value(&self, place: &str) -> Option<&str> {
        let named = self.values.iter();
        let mut named = named.filter(|(name, _)| name.eq_ignore_ascii_case(place));
        named.next().map(|(_, value)| &**value)
    }

    /// The profile and why it was chosen, for people.
    pub fn in_words(&self) -> String {
        format!("{} ({})", self.name, self.why)
    }
}

#[cfg(test)]
mod tests;
