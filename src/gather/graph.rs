//! The rows of Resource Graph's `resourcechanges` as changes.
//! <https://learn.microsoft.com/en-us/azure/governance/resource-graph/changes/resource-graph-changes>

use super::{
    activity::part,
    around::{Around, list, quoted},
};
use crate::changes::{Change, ChangedValue, Kind, Verb, subject};
use serde_json::{Map, Value};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

pub(super) const ACTION: &str = "Microsoft.Resources/changes/read";
/// The lists within a resource whose elements people know by name.
const PARTS: [&str; 7] = [
    "securityRules",
    "routes",
    "subnets",
    "ipConfigurations",
    "backendAddressPools",
    "loadBalancingRules",
    "probes",
];

/// The changes of what is around a machine, and of its resource group.
pub(super) fn changes_query(
    around: &Around,
    since: OffsetDateTime,
    until: OffsetDateTime,
) -> String {
    let group = around.groups().into_iter().next();
    let group = group.as_ref().and_then(|group| group.resource_group());
    let group = quoted(group.unwrap_or_default());
    let (since, until) = (rfc3339(since), rfc3339(until));
    let ids = list(around.roots());
    format!(
        "resourcechanges | extend target = tostring(properties.targetResourceId), at = todatetime(properties.changeAttributes.timestamp) | where at between (datetime({since}) .. datetime({until})) | where resourceGroup =~ {group} or target in~ ({ids}) | project id, target, at, properties | order by at desc"
    )
}

fn rfc3339(at: OffsetDateTime) -> String {
    let whole = at.replace_nanosecond(0).unwrap_or(at);
    let utc = whole.checked_to_offset(UtcOffset::UTC);
    utc.and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_default()
}

/// The change of a row.
pub(super) fn change(row: &Value) -> Option<Change> {
    let properties = &row["properties"];
    let text = |value: &Value| value.as_str().map(Box::<str>::from);
    let attributes = &properties["changeAttributes"];
    let at = OffsetDateTime::parse(attributes["timestamp"].as_str()?, &Rfc3339).ok()?;
    let id = properties["targetResourceId"].as_str()?;
    let (id, of_type, child) = subject(id);
    let kind = Kind::of(&of_type);
    let verb = match properties["changeType"].as_str() {
        Some(word) if word.eq_ignore_ascii_case("Create") => Verb::Created,
        Some(word) if word.eq_ignore_ascii_case("Delete") => Verb::Deleted,
        _ => Verb::Changed,
    };
    let none = Map::new();
    let changes = properties["changes"].as_object().unwrap_or(&none);
    let (mut parts, values) = parts_and_values(changes);
    if let Some((of_type, name)) = child {
        let created = verb == Verb::Created;
        parts.insert(0, part(of_type, name, verb, false, created));
    }
    let own_verb = match child {
        Some(_) => Verb::Changed,
        None => verb,
    };
    let by = text(&attributes["changedBy"]);
    let change = Change {
        what: (!parts.is_empty()).then(|| parts.join(", ").into()),
        by: by.filter(|by| !by.eq_ignore_ascii_case("System")),
        correlation_id: text(&attributes["correlationId"]),
        values,
        ..Change::new(at.checked_to_offset(UtcOffset::UTC)?, kind, own_verb, id)
    };
    Some(change.bounded())
}

/// Parts that were added, removed or changed, in words, and the values of what else changed.
fn parts_and_values(changes: &Map<String, Value>) -> (Vec<String>, Vec<ChangedValue>) {
    struct Part<'a> {
        of_type: &'a str,
        name: &'a str,
        /// All of its values were not there before, or are gone now.
        added: bool,
        removed: bool,
    }
    let mut parts: Vec<Part<'_>> = Vec::new();
    let mut values = Vec::new();
    for (path, change) in changes {
        let old = in_words(&change["previousValue"]);
        let new = in_words(&change["newValue"]);
        let Some((of_type, name)) = named_part(path) else {
            values.push(ChangedValue {
                path: path.as_str().into(),
                old,
                new,
            });
            continue;
        };
        let (added, removed) = (old.is_none(), new.is_none());
        match parts
            .iter_mut()
            .find(|it| it.of_type == of_type && it.name == name)
        {
            Some(known) => {
                known.added &= added;
                known.removed &= removed;
            }
            None => parts.push(Part {
                of_type,
                name,
                added,
                removed,
            }),
        }
        if !added && !removed {
            values.push(ChangedValue {
                path: path.as_str().into(),
                old,
                new,
            });
        }
    }
    let words = parts.iter().map(|it| {
        let verb = match it.removed {
            true => Verb::Deleted,
            false => Verb::Changed,
        };
        part(it.of_type, it.name, verb, false, it.added)
    });
    (words.collect(), values)
}

/// `("securityRules", "deny-sql")` of `properties.securityRules["deny-sql"].properties.access`. An element that is named by
/// its place only says nothing to people.
fn named_part(path: &str) -> Option<(&str, &str)> {
    let (before, rest) = path.split_once('[')?;
    let list = before.rsplit('.').next()?;
    let of_type = PARTS.into_iter().find(|it| it.eq_ignore_ascii_case(list))?;
    let (name, _) = rest.split_once(']')?;
    let name = name.trim_matches(['"', '\'']);
    let name = name.rsplit('/').next().unwrap_or(name);
    let number = name.bytes().all(|byte| byte.is_ascii_digit());
    (!number).then_some((of_type, name))
}

/// A value in words; `None`: there is none.
fn in_words(value: &Value) -> Option<Box<str>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.as_str().into()),
        other => Some(other.to_string().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NSG: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/nsg-web";

    fn row(kind: &str, changes: Value) -> Value {
        json!({ "id": "x", "properties": {
            "targetResourceId": NSG,
            "targetResourceType": "microsoft.network/networksecuritygroups",
            "changeType": kind,
            "changeAttributes": {
                "timestamp": "2026-11-28T07:18:00.123Z", "correlationId": "c", "changedBy": "System",
            },
            "changes": changes,
        } })
    }

    #[test]
    fn rows_follow_the_table() {
        let of = |old: Value, new: Value| json!({ "previousValue": old, "newValue": new });
        for (kind, changes, verb, what, values) in [
            (
                "Update",
                json!({
                    "properties.securityRules[\"deny-sql\"].name": of(json!(null), json!("deny-sql")),
                    "properties.securityRules[\"deny-sql\"].properties.access": of(json!(null), json!("Deny")),
                    "etag": of(json!("1"), json!("2")),
                }),
                Verb::Changed,
                Some("rule deny-sql added"),
                1,
            ),
            (
                "Update",
                json!({ "properties.securityRules[\"allow\"].properties.access": of(json!("Allow"), json!("Deny")) }),
                Verb::Changed,
                Some("rule allow"),
                1,
            ),
            (
                "Update",
                json!({ "properties.securityRules[\"allow\"].name": of(json!("allow"), json!(null)) }),
                Verb::Changed,
                Some("rule allow removed"),
                0,
            ),
            (
                "Update",
                json!({ "properties.securityRules[0].properties.access": of(json!("Allow"), json!("Deny")) }),
                Verb::Changed,
                None,
                1,
            ),
            ("Create", json!(null), Verb::Created, None, 0),
            ("Delete", json!({}), Verb::Deleted, None, 0),
        ] {
            let found = change(&row(kind, changes)).unwrap();
            assert_eq!((found.kind, found.verb), (Kind::SecurityGroup, verb));
            assert_eq!(found.what.as_deref(), what, "{kind}");
            assert_eq!((found.values.len(), found.by), (values, None));
        }
        assert_eq!(change(&json!({})), None);
    }

    #[test]
    fn the_query_names_what_is_around_the_machine() {
        let machine = "/subscriptions/6d1f3a58-27c4-4e0b-9b5d-0a8e4c7f1b32/resourceGroups/rg-shop/providers/Microsoft.Compute/virtualMachines/web-01";
        let around = Around::of(&machine.parse().unwrap());
        let at = OffsetDateTime::UNIX_EPOCH;
        let query = changes_query(&around, at, at);
        assert!(query.contains("resourceGroup =~ 'rg-shop' or target in~ ('"));
        assert!(query.contains(&format!("'{machine}'")));
        assert!(query.contains("datetime(1970-01-01T00:00:00Z)"));
    }
}
