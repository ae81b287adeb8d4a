//! Which changes are one, and which are read first. The activity log has several events of each operation, and Resource
//! Graph reports its result once more: what shares a correlation id and a resource is one change.

use super::{Change, Verb};
use std::{cmp::Reverse, collections::HashMap};
use time::OffsetDateTime;

/// What Azure writes where nothing but the platform made a change.
const PLATFORM: [&str; 3] = ["system", "unspecified", ""];
/// Values that say nothing of what packets meet.
const UNRELATED: [&str; 4] = ["tags", "etag", "properties.provisioningState", "systemData"];

#[derive(Hash, PartialEq, Eq)]
struct Key {
    operation: String,
    resource: String,
    /// Without a correlation id operations differ in their time.
    at: Option<OffsetDateTime>,
}

/// The changes, each once: first those that touch the path of packets, the newest first.
pub fn ordered(reported: impl IntoIterator<Item = Change>) -> Vec<Change> {
    let mut places: HashMap<Key, usize> = HashMap::new();
    let mut changes: Vec<Change> = Vec::new();
    for change in reported {
        let key = Key {
            operation: change
                .correlation_id
                .as_deref()
                .unwrap_or_default()
                .to_ascii_lowercase(),
            resource: change.resource.to_ascii_lowercase(),
            at: change.correlation_id.is_none().then_some(change.at),
        };
        match places.get(&key).and_then(|at| changes.get_mut(*at)) {
            Some(known) => merge(known, change),
            None => {
                places.insert(key, changes.len());
                changes.push(change);
            }
        }
    }
    let mut changes: Vec<Change> = changes.into_iter().map(Change::bounded).collect();
    changes.sort_by_key(|change| (!change.touches_path(), Reverse(change.at), change.kind));
    changes
}

impl Change {
    /// Whether it may be the cause of what packets show.
    pub fn touches_path(&self) -> bool {
        let related = |path: &str| !UNRELATED.iter().any(|prefix| path.starts_with(prefix));
        let values = self.values.is_empty() || self.values_left_out > 0;
        self.kind.is_on_path() && (values || self.values.iter().any(|it| related(&it.path)))
    }

    /// Who made it, other than the platform.
    pub(super) fn caller(&self) -> Option<&str> {
        let by = self.by.as_deref()?;
        let platform = PLATFORM.iter().any(|it| by.trim().eq_ignore_ascii_case(it));
        (!platform).then_some(by)
    }
}

/// Adds what another source or event says of the same change.
fn merge(known: &mut Change, other: Change) {
    known.at = known.at.min(other.at);
    if known.caller().is_none() && other.by.is_some() {
        known.by = other.by;
    }
    // "Created" and "deleted" say more than "changed", and an action's word more than the write that it led to.
    if matches!(known.verb, Verb::Changed | Verb::Acted) && other.verb != Verb::Acted {
        known.verb = match (known.verb, other.verb) {
            (Verb::Changed, verb) => verb,
            (acted, Verb::Changed) => acted,
            (_, verb) => verb,
        };
    }
    known.failed = known.failed.take().or(other.failed);
    known.what = match (known.what.take(), other.what) {
        (Some(one), Some(more)) => Some(both(&one, &more).into()),
        (one, more) => one.or(more),
    };
    for value in other.values {
        if !known.values.contains(&value) {
            known.values.push(value);
        }
    }
    known.values_left_out = known.values_left_out.max(other.values_left_out);
}

/// What both say, once: "rule deny-sql added" says more than "rule deny-sql".
fn both(one: &str, more: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in one.split(", ").chain(more.split(", ")) {
        let says = |all: &str, part: &str| {
            let rest = all.strip_prefix(part);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        if parts.iter().any(|known| says(known, part)) {
            continue;
        }
        parts.retain(|known| !says(part, known));
        parts.push(part);
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changes::{ChangedValue, Kind};
    use time::{Duration, macros::datetime};

    const ALERT: OffsetDateTime = datetime!(2026-11-28 07:30:00 UTC);
    const NSG: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/nsg-web";

    fn change(minutes: i64, kind: Kind, resource: &str, operation: Option<&str>) -> Change {
        Change {
            correlation_id: operation.map(Into::into),
            ..Change::new(
                ALERT - Duration::minutes(minutes),
                kind,
                Verb::Changed,
                resource,
            )
        }
    }

    #[test]
    fn what_touches_the_path_is_first_and_the_newest_before_the_others() {
        let tagged = Change {
            values: vec![ChangedValue {
                path: "tags.cost".into(),
                old: None,
                new: Some("1".into()),
            }],
            ..change(1, Kind::Machine, "/tagged", Some("5"))
        };
        let order = ordered([
            change(2, Kind::Other, "/site", Some("1")),
            change(300, Kind::SecurityGroup, "/old", Some("2")),
            tagged,
            change(30, Kind::Extension, "/extension", Some("3")),
            change(90, Kind::RouteTable, "/route", Some("4")),
        ]);
        let order: Vec<&str> = order.iter().map(|it| &*it.resource).collect();
        assert_eq!(order, ["/extension", "/route", "/old", "/tagged", "/site"]);
    }

    #[test]
    fn events_of_one_operation_are_one_change() {
        let accepted = Change {
            by: Some("deploy-pipeline".into()),
            what: Some("rule deny-sql".into()),
            ..change(12, Kind::SecurityGroup, NSG, Some("ABC"))
        };
        let succeeded = change(11, Kind::SecurityGroup, NSG, Some("abc"));
        let graph = Change {
            by: Some("System".into()),
            what: Some("rule deny-sql added".into()),
            values: vec![ChangedValue {
                path: "access".into(),
                old: None,
                new: Some("Deny".into()),
            }],
            ..change(11, Kind::SecurityGroup, &NSG.to_uppercase(), Some("abc"))
        };
        for order in [
            [accepted.clone(), succeeded.clone(), graph.clone()],
            [graph, accepted, succeeded],
        ] {
            let [one] = &*ordered(order) else { panic!() };
            assert_eq!(one.by.as_deref(), Some("deploy-pipeline"));
            assert_eq!(one.what.as_deref(), Some("rule deny-sql added"));
            assert_eq!(one.at, ALERT - Duration::minutes(12));
            assert_eq!(one.values.len(), 1);
        }
    }

    #[test]
    fn other_operations_and_other_resources_are_other_changes() {
        for (one, other, expected) in [
            (("/a", Some("1")), ("/a", Some("2")), 2),
            (("/a", Some("1")), ("/b", Some("1")), 2),
            (("/a", None), ("/a", None), 1),
        ] {
            let of = |(resource, operation)| change(1, Kind::Other, resource, operation);
            assert_eq!(ordered([of(one), of(other)]).len(), expected);
        }
        let unnamed = [1, 2].map(|minutes| change(minutes, Kind::Other, "/a", None));
        assert_eq!(ordered(unnamed).len(), 2);
    }

    #[test]
    fn a_part_that_failed_makes_the_whole_fail() {
        let failed = Change {
            failed: Some("Conflict".into()),
            ..change(1, Kind::Machine, "/vm", Some("1"))
        };
        let [one] = &*ordered([change(2, Kind::Machine, "/vm", Some("1")), failed]) else {
            panic!()
        };
        assert_eq!(one.failed.as_deref(), Some("Conflict"));
    }
}
