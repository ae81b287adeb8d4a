//! What an alert is about, machine or not: every resource, configuration item and dimension that it names. Two alerts
//! about different subjects never share a key; and where none of it is a machine, people read what it is instead.

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::condition::members;
use super::fields::Object;
use crate::text;

/// Of each kind; a body can have thousands.
const MAX_NAMED: usize = 8;

/// What an alert without a machine names in its place, for people.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Named {
    /// Type and name of resources: `microsoft.operationalinsights/workspaces log-ops`.
    pub resources: Vec<String>,
    /// Names that no resource id belongs to.
    pub items: Vec<String>,
    /// Dimensions as `Computer=web-01`.
    pub dimensions: Vec<String>,
    /// Further ones that are left out here.
    pub more: usize,
}

impl Named {
    /// Whether the alert names nothing at all.
    pub fn is_empty(&self) -> bool {
        *self == Named::default()
    }

    fn add(&mut self, kind: fn(&mut Named) -> &mut Vec<String>, text: String) {
        let list = kind(self);
        if text.is_empty() || list.contains(&text) {
            return;
        }
        if list.len() < MAX_NAMED {
            list.push(text);
        } else {
            self.more = self.more.saturating_add(1);
        }
    }
}

/// One line: `microsoft.operationalinsights/workspaces log-ops, Computer=web-01 and 3 more`.
impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // An item is often the resource's own name again.
        let of_resource = |item: &&String| {
            let is_name = |resource: &String| resource.rsplit(' ').next() == Some(item);
            !self.resources.iter().any(is_name)
        };
        let items = self.items.iter().filter(of_resource);
        let all = self.resources.iter().chain(items).chain(&self.dimensions);
        let all: Vec<&str> = all.map(String::as_str).collect();
        f.write_str(&all.join(", "))?;
        match self.more {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// The subject as it is found, field by field.
#[derive(Default)]
pub(super) struct Subject {
    /// Parts of the key: place and text of each value, as written.
    parts: Vec<String>,
    named: Named,
}

impl Subject {
    /// A resource id of a main target field, whichever resource it is of.
    pub(super) fn resource(&mut self, id: &str) {
        if id.is_empty() {
            return;
        }
        // Equal without case: Azure lower-cases some ids and not others.
        self.parts.push(format!("id {}", id.to_ascii_lowercase()));
        self.named.add(|named| &mut named.resources, short(id));
    }

    /// The names and ids of `configurationItems` and its like.
    pub(super) fn items(&mut self, list: &[Value]) {
        for item in list {
            self.parts.push(format!("item {item}"));
            let name = item.as_str().unwrap_or_default();
            let name = if name.starts_with('/') {
                short(name)
            } else {
                text::clean(name, text::VALUE).into_owned()
            };
            self.named.add(|named| &mut named.items, name);
        }
    }

    /// The dimensions of a condition: its own and those of each of its criteria.
    pub(super) fn condition(&mut self, condition: &Object) {
        self.dimensions(0, condition.list("dimensions"));
        for (number, criterion) in (1..).zip(members(condition.list("allOf"))) {
            self.dimensions(number, criterion.list("dimensions"));
        }
    }

    /// What a log alert V1 says of its machines.
    pub(super) fn log_v1(&mut self, from: &Object) {
        self.items(from.list("AffectedConfigurationItems"));
        self.dimensions(0, from.list("Dimensions"));
    }

    /// A part of a resource id, from a context that has no whole one.
    pub(super) fn part(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.parts.push(format!("part {name} {value:?}"));
            let shown = format!("{name}={}", text::clean(value, text::VALUE));
            self.named.add(|named| &mut named.dimensions, shown);
        }
    }

    /// Names and values of one criterion; its number makes a difference when two have swapped theirs.
    fn dimensions(&mut self, criterion: usize, list: &[Value]) {
        for dimension in list {
            self.parts.push(format!("{criterion} {dimension}"));
        }
        for dimension in members(list) {
            if let (Some(name), Some(value)) = (dimension.text("name"), dimension.scalar("value")) {
                let value = match value.starts_with("/subscriptions/") {
                    true => short(&value),
                    false => value,
                };
                let shown = format!("{}={value}", text::clean(name, text::WORD));
                self.named.add(|named| &mut named.dimensions, shown);
            }
        }
    }

    /// Equal for the same subject, in whatever order the body lists it; none for an alert that names nothing.
    pub(super) fn digest(&self) -> Option<String> {
        if self.parts.is_empty() {
            return None;
        }
        let mut parts: Vec<&str> = self.parts.iter().map(String::as_str).collect();
        parts.sort_unstable();
        parts.dedup();
        let mut bytes = Vec::new();
        for part in parts {
            // Its length first, so that no text can pass for two.
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part.as_bytes());
        }
        Some(hex(&digest(&SHA256, &bytes).as_ref()[..16]))
    }

    /// What people read when none of it is a machine.
    pub(super) fn named(self) -> Named {
        self.named
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Type and name of a resource's id, which may be a wrong one: it is only shown.
fn short(id: &str) -> String {
    let id = text::clean(id, text::ID);
    let segments: Vec<&str> = id.trim_matches('/').split('/').collect();
    let provider = segments
        .iter()
        .rposition(|segment| segment.eq_ignore_ascii_case("providers"));
    let (Some(name), true) = (segments.last(), segments.len() > 1) else {
        return text::clean(&id, text::VALUE).into_owned();
    };
    let below = provider.and_then(|at| segments.get(at..)?.get(1..));
    let kind = match below {
        Some([namespace, types @ ..]) if types.len() > 1 => {
            let types = types.iter().step_by(2);
            let all = std::iter::once(namespace).chain(types);
            all.copied().collect::<Vec<_>>().join("/")
        }
        _ if segments.len() == 4 => "resource group".to_owned(),
        _ if segments.len() == 2 => "subscription".to_owned(),
        _ => return text::clean(&id, text::VALUE).into_owned(),
    };
    text::clean(&format!("{kind} {name}"), text::VALUE).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn resources_are_shown_by_type_and_name() {
        const SUB: &str = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee";
        for (id, expected) in [
            ("", "subscription 0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee"),
            ("/resourceGroups/rg", "resource group rg"),
            ("/resourceGroups/rg/providers/A.B/c/d", "A.B/c d"),
            ("/resourceGroups/rg/providers/A.B/c/d/e/f", "A.B/c/e f"),
            (
                "/resourceGroups/rg/providers/A.B/c/d/providers/G.H/i/j",
                "G.H/i j",
            ),
        ] {
            assert_eq!(short(&format!("{SUB}{id}")), expected);
        }
        assert_eq!(short("web\n01"), "web 01");
        assert!(short(&format!("/{}", "a/".repeat(9_000))).chars().count() <= text::VALUE);
    }

    #[test]
    fn what_is_named_is_one_short_line() {
        let mut subject = Subject::default();
        subject.resource("/subscriptions/s/resourceGroups/g/providers/a.b/workspaces/log-ops");
        subject.items(&[json!("log-ops"), json!("sql-01"), json!(7)]);
        let list: Vec<Value> = (0..20)
            .map(|n| json!({"name": "Computer", "value": format!("web\u{202e}-{n}")}))
            .collect();
        subject.dimensions(1, &list);
        let shown = subject.named().to_string();
        assert!(
            shown.starts_with("a.b/workspaces log-ops, sql-01, Computer=web-0, "),
            "{shown}"
        );
        assert!(shown.ends_with("Computer=web-7 and 12 more"), "{shown}");
    }
}
