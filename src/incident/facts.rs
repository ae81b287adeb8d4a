//! What is known of a job's alert, packed into one text that all jobs of the alert share. A job that follows a capture
//! is in memory for hours and needs these facts once, for its notification: as a value of its own each of their short
//! texts would take an allocation, 400 bytes more in all.

use crate::alert::{AlertFacts, Condition, drill};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{borrow::Cow, fmt, sync::Arc};

/// Between two texts. No text has it: what comes out of an alert or a message is cleaned of control characters.
const SEPARATOR: char = '\u{1f}';
/// In the place of a text that is not there.
const ABSENT: &str = "\u{1e}";
/// Texts before those of the conditions, and of each condition.
const OWN: usize = 5;
const OF_A_CONDITION: usize = 6;

/// The facts of an alert, packed.
#[derive(Clone, PartialEq, Eq)]
pub struct PackedFacts(Arc<str>);

impl PackedFacts {
    /// The alert rule's name.
    pub fn rule(&self) -> Option<&str> {
        self.texts().next().flatten()
    }

    /// The id of the alert.
    pub fn id(&self) -> Option<&str> {
        self.texts().nth(1).flatten()
    }

    /// `Sev0` to `Sev4`.
    pub fn severity(&self) -> Option<&str> {
        self.texts().nth(2).flatten()
    }

    /// `Metric`, `Log`, `Activity Log`.
    pub fn signal(&self) -> Option<&str> {
        self.texts().nth(3).flatten()
    }

    /// Whether the alert is that of a drill.
    pub fn is_drill(&self) -> bool {
        self.signal() == Some(drill::SIGNAL)
    }

    /// When the alert fired, as it wrote it.
    pub fn fired_at(&self) -> Option<&str> {
        self.texts().nth(4).flatten()
    }

    /// The facts as a value.
    pub fn read(&self) -> AlertFacts {
        let texts: Vec<Option<&str>> = self.texts().collect();
        let text = |at: usize| texts.get(at).copied().flatten().map(str::to_owned);
        let conditions = texts.get(OWN..).unwrap_or_default();
        let conditions = conditions.chunks(OF_A_CONDITION).map(|parts| {
            let part = |at: usize| parts.get(at).copied().flatten().map(str::to_owned);
            Condition {
                metric: part(0),
                operator: part(1),
                threshold: part(2),
                value: part(3),
                aggregation: part(4),
                window_seconds: part(5).and_then(|seconds| seconds.parse().ok()),
            }
        });
        AlertFacts {
            rule: text(0),
            id: text(1),
            severity: text(2),
            signal: text(3),
            fired_at: text(4),
            conditions: conditions.collect(),
        }
    }

    fn texts(&self) -> impl Iterator<Item = Option<&str>> {
        let texts = self.0.split(SEPARATOR);
        texts.map(|text| (text != ABSENT).then_some(text))
    }
}

impl Default for PackedFacts {
    fn default() -> Self {
        Self::from(&AlertFacts::default())
    }
}

impl From<&AlertFacts> for PackedFacts {
    fn from(facts: &AlertFacts) -> Self {
        let AlertFacts {
            rule,
            id,
            severity,
            signal,
            fired_at,
            conditions,
        } = facts;
        let conditions = conditions.iter().flat_map(|condition| {
            let Condition {
                metric,
                operator,
                threshold,
                value,
                aggregation,
                window_seconds,
            } = condition;
            let texts = [metric, operator, threshold, value, aggregation];
            let window = window_seconds.map(|seconds| seconds.to_string().into());
            let texts = texts.map(|text| text.as_deref().map(Cow::Borrowed));
            texts.into_iter().chain([window])
        });
        let texts = [rule, id, severity, signal, fired_at];
        let texts = texts.map(|text| text.as_deref().map(Cow::Borrowed));
        let mut packed = String::new();
        for (at, text) in texts.into_iter().chain(conditions).enumerate() {
            if at > 0 {
                packed.push(SEPARATOR);
            }
            match text {
                Some(text) => packed.extend(text.chars().filter(|c| *c != SEPARATOR)),
                None => packed.push_str(ABSENT),
            }
        }
        Self(packed.into())
    }
}

impl fmt::Debug for PackedFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read().fmt(f)
    }
}

impl Serialize for PackedFacts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.read().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PackedFacts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        AlertFacts::deserialize(deserializer).map(|facts| Self::from(&facts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_read_as_they_were_packed() {
        let some = |text: &str| Some(text.to_owned());
        let condition = Condition {
            metric: some("Percentage CPU"),
            operator: some(">"),
            threshold: None,
            value: some(""),
            aggregation: some("Average"),
            window_seconds: Some(300),
        };
        let full = AlertFacts {
            rule: some("cpu | high"),
            id: some("/subscriptions/x/alerts/1"),
            severity: some("Sev2"),
            signal: some(""),
            fired_at: some("2026-11-28T07:00:00Z"),
            conditions: vec![condition, Condition::default()],
        };
        let without_rule = AlertFacts {
            rule: None,
            ..full.clone()
        };
        for facts in [full, without_rule, AlertFacts::default()] {
            let packed = PackedFacts::from(&facts);
            assert_eq!(packed.read(), facts);
            assert_eq!(packed.rule(), facts.rule.as_deref());
            assert_eq!(packed.id(), facts.id.as_deref());
            let text = serde_json::to_string(&packed).unwrap();
            assert_eq!(text, serde_json::to_string(&facts).unwrap());
            assert_eq!(serde_json::from_str::<PackedFacts>(&text).unwrap(), packed);
        }
    }

    #[test]
    fn no_text_adds_another() {
        let facts = AlertFacts {
            rule: Some("a\u{1f}b\u{1e}".to_owned()),
            ..AlertFacts::default()
        };
        let read = PackedFacts::from(&facts).read();
        assert_eq!(read.rule.as_deref(), Some("ab\u{1e}"));
        assert_eq!((read.id, read.conditions.len()), (None, 0));
    }
}
