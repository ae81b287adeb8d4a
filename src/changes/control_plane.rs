//! The control plane around an alert as one value: what the record keeps of it as JSON, and what pages show.

use super::{
    Change, EffectiveRoute, EffectiveRule, Health, MetricSeries, Missing, ordered,
    series::MOST_MINUTES,
};
use crate::text;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// The version of the JSON form. A reader refuses newer ones.
pub const VERSION: u32 = 1;
/// Maximum number of changes kept.
const MOST_CHANGES: usize = 200;
/// Maximum number of metrics, of resources that were asked about, of rules, of routes and of sources.
const MOST_METRICS: usize = 8;
const MOST_RESOURCES: usize = 40;
const MOST_RULES: usize = 300;
const MOST_ROUTES: usize = 300;
const MOST_MISSING: usize = 20;
/// What the sources are called in [`Missing::source`].
pub const ACTIVITY_LOG: &str = "activity log";
pub const RESOURCE_CHANGES: &str = "resource changes";
pub const METRICS: &str = "metrics";
/// What is read to find the machine's interfaces, their NSGs and what else is around it.
pub const SURROUNDINGS: &str = "resources around the machine";
pub const POWER_STATE: &str = "power state";
pub const RESOURCE_HEALTH: &str = "resource health";
pub const EFFECTIVE_RULES: &str = "effective security rules";
pub const EFFECTIVE_ROUTES: &str = "effective routes";

/// The sources that are asked each time; the others are asked once.
const ASKED_EACH_TIME: [&str; 3] = [ACTIVITY_LOG, RESOURCE_CHANGES, METRICS];

/// The control plane around one alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ControlPlane {
    pub version: u32,
    /// When the alert fired, or was accepted where it does not say.
    #[serde(with = "time::serde::rfc3339")]
    pub alert_at: OffsetDateTime,
    /// The beginning of the span whose changes were asked for.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// When Azure was last asked.
    #[serde(with = "time::serde::rfc3339")]
    pub asked_at: OffsetDateTime,
    /// Azure was asked for the last time: activity log and changes come minutes late.
    #[serde(default)]
    pub complete: bool,
    /// Ids of what was asked about: the machine first, the resource group last.
    #[serde(default)]
    pub resources: Vec<Box<str>>,
    /// Each change once, in the order of reading.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// Number of changes beyond the bound.
    #[serde(default)]
    pub changes_left_out: u32,
    /// The alert's metric first.
    #[serde(default)]
    pub metrics: Vec<MetricSeries>,
    #[serde(default)]
    pub health: Option<Health>,
    /// Empty unless `Changes__EffectiveRules` is true.
    #[serde(default)]
    pub rules: Vec<EffectiveRule>,
    #[serde(default)]
    pub routes: Vec<EffectiveRoute>,
    /// What could not be read.
    #[serde(default)]
    pub missing: Vec<Missing>,
}

/// Why a stored value cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("a newer version of this program wrote the changes")]
    Newer,
    #[error("the record of the changes is invalid")]
    Invalid(#[source] serde_json::Error),
}

impl ControlPlane {
    /// Of an alert whose surroundings are not known yet.
    pub fn new(alert_at: OffsetDateTime, since: OffsetDateTime, asked_at: OffsetDateTime) -> Self {
        Self {
            version: VERSION,
            alert_at,
            since,
            asked_at,
            complete: false,
            resources: Vec::new(),
            changes: Vec::new(),
            changes_left_out: 0,
            metrics: Vec::new(),
            health: None,
            rules: Vec::new(),
            routes: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// Reads what [`ControlPlane::to_json`] wrote.
    ///
    /// # Errors
    /// It is of a newer version, or not JSON of this form.
    pub fn parse(json: &[u8]) -> Result<Self, Unreadable> {
        let read: Self = serde_json::from_slice(json).map_err(Unreadable::Invalid)?;
        match read.version > VERSION {
            true => Err(Unreadable::Newer),
            false => Ok(read.bounded()),
        }
    }

    /// The value as the record keeps it.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The value with its changes in order, its texts cleaned and its lists within their limits.
    pub fn bounded(mut self) -> Self {
        self.changes = ordered(std::mem::take(&mut self.changes));
        let over = self.changes.len().saturating_sub(MOST_CHANGES);
        self.changes_left_out = self
            .changes_left_out
            .saturating_add(over.try_into().unwrap_or(u32::MAX));
        self.changes.truncate(MOST_CHANGES);
        self.resources.truncate(MOST_RESOURCES);
        for id in &mut self.resources {
            *id = text::clean(id, text::ID).into();
        }
        self.metrics.sort_by_key(|series| !series.of_alert);
        self.metrics.truncate(MOST_METRICS);
        for series in &mut self.metrics {
            series.values.truncate(MOST_MINUTES);
        }
        self.health = self.health.take().map(Health::bounded);
        self.rules.truncate(MOST_RULES);
        let rules = std::mem::take(&mut self.rules).into_iter();
        self.rules = rules.map(EffectiveRule::bounded).collect();
        self.routes.truncate(MOST_ROUTES);
        let routes = std::mem::take(&mut self.routes).into_iter();
        self.routes = routes.map(EffectiveRoute::bounded).collect();
        self.missing.truncate(MOST_MISSING);
        self
    }

    /// What is known after Azure was asked once more: what the new answer lacks stays as it was.
    pub fn completed_by(mut self, newer: Self) -> Self {
        self.asked_at = newer.asked_at;
        self.complete |= newer.complete;
        if newer.resources.len() >= self.resources.len() {
            self.resources.clone_from(&newer.resources);
        }
        // Each time the whole span is asked for, so both hold the same changes: one that is known is not lost.
        self.changes_left_out = self.changes_left_out.max(newer.changes_left_out);
        self.changes.extend(newer.changes.iter().cloned());
        for series in &newer.metrics {
            let same = |known: &MetricSeries| known.name == series.name;
            match self.metrics.iter_mut().find(|known| same(known)) {
                Some(known) => known.clone_from(series),
                None => self.metrics.push(series.clone()),
            }
        }
        // How the machine was at the alert says more than how it is later.
        self.health = self.health.take().or(newer.health.clone());
        if self.rules.is_empty() {
            self.rules.clone_from(&newer.rules);
        }
        if self.routes.is_empty() {
            self.routes.clone_from(&newer.routes);
        }
        self.missing
            .retain(|it| !ASKED_EACH_TIME.contains(&&*it.source));
        for missing in newer.missing {
            if !self.missing.iter().any(|it| it.source == missing.source) {
                self.missing.push(missing);
            }
        }
        self.bounded()
    }

    /// The sources of changes that could not be read.
    pub(super) fn unread_changes(&self) -> impl Iterator<Item = &Missing> {
        let of_changes = |it: &&Missing| [ACTIVITY_LOG, RESOURCE_CHANGES].contains(&&*it.source);
        self.missing.iter().filter(of_changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changes::{Cause, Kind, Verb};
    use time::{Duration, macros::datetime};

    const ALERT: OffsetDateTime = datetime!(2026-11-28 07:30:00 UTC);

    fn gathered() -> ControlPlane {
        ControlPlane::new(ALERT, ALERT - Duration::hours(6), ALERT + Duration::MINUTE)
    }

    fn change(number: i64) -> Change {
        let at = ALERT - Duration::seconds(number);
        let operation = format!("{number}");
        Change {
            correlation_id: Some(operation.into()),
            ..Change::new(at, Kind::Other, Verb::Changed, "/subscriptions/s/x")
        }
    }

    fn missing(source: &str) -> Missing {
        Missing::new(source, "a/read", Cause::Right, None)
    }

    #[test]
    fn the_record_gives_back_what_was_kept() {
        let mut kept = gathered();
        kept.changes = vec![change(3), change(1), change(2)];
        kept.metrics = vec![MetricSeries::of(
            "CPU",
            "Average",
            ALERT,
            [(ALERT, 1.5)].into_iter(),
        )];
        kept.missing = vec![missing(METRICS)];
        let kept = kept.bounded();
        assert_eq!(
            ControlPlane::parse(kept.to_json().as_bytes()).unwrap(),
            kept
        );
        let newer = kept.to_json().replacen("\"version\":1", "\"version\":2", 1);
        assert!(matches!(
            ControlPlane::parse(newer.as_bytes()),
            Err(Unreadable::Newer)
        ));
        assert!(matches!(
            ControlPlane::parse(b"[]"),
            Err(Unreadable::Invalid(_))
        ));
    }

    #[test]
    fn a_thousand_changes_are_kept_within_the_bound_and_counted() {
        let mut many = gathered();
        many.changes = (0..1_000).map(change).collect();
        let many = many.bounded();
        assert_eq!((many.changes.len(), many.changes_left_out), (200, 800));
        assert_eq!(many.changes[0].at, ALERT);
        assert_eq!(many.told().len(), 5);
        assert!(many.told()[4].starts_with("996 more changes"));
    }

    #[test]
    fn what_is_asked_again_completes_what_is_known() {
        let mut first = gathered();
        first.changes = vec![change(1)];
        first.missing = vec![missing(ACTIVITY_LOG), missing(RESOURCE_HEALTH)];
        first.health = Some(Health::default());
        let mut second = gathered();
        second.asked_at += Duration::HOUR;
        second.complete = true;
        second.changes = vec![change(1), change(2)];
        second.missing = vec![missing(METRICS)];
        let both = first.completed_by(second.clone());
        assert_eq!(both.changes.len(), 2);
        assert!(both.complete && both.health.is_some());
        assert_eq!(both.asked_at, second.asked_at);
        let sources: Vec<&str> = both.missing.iter().map(|it| &*it.source).collect();
        assert_eq!(sources, [RESOURCE_HEALTH, METRICS]);
        // An answer that lacks what was known takes nothing away.
        let mut empty = gathered();
        empty.missing = vec![missing(ACTIVITY_LOG)];
        assert_eq!(both.completed_by(empty).changes.len(), 2);
    }
}
