//! One change of a resource, as the activity log and Resource Graph report it together.

use super::{Kind, Verb};
use crate::text;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Maximum number of values kept of one change.
pub(super) const MOST_VALUES: usize = 8;
/// Maximum characters of a path within a resource, and of a value.
const LONGEST_VALUE: usize = 100;

/// One change of a resource. All texts are Azure's or a caller's, cleaned and bounded by [`Change::bounded`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub kind: Kind,
    pub verb: Verb,
    /// The id of the resource; of a rule, the id of its NSG.
    pub resource: Box<str>,
    /// What is different, in words: `rule deny-sql added`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<Box<str>>,
    /// Who made it; `None` where Azure does not say, or `Changes__ShowCallers` is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Box<str>>,
    /// Azure's code or word for why it failed; `None`: it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Box<str>>,
    /// Shared by all parts of one operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<Box<str>>,
    /// Values before and after, where Azure gives them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<ChangedValue>,
    /// Number of values beyond the bound.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub values_left_out: u32,
}

/// One value of a resource before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangedValue {
    /// Its place in the resource, such as `properties.hardwareProfile.vmSize`.
    pub path: Box<str>,
    /// `None`: it was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Box<str>>,
    /// `None`: it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Box<str>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Change {
    /// A change of this kind, of which nothing else is known.
    pub fn new(at: OffsetDateTime, kind: Kind, verb: Verb, resource: &str) -> Self {
        Self {
            at,
            kind,
            verb,
            resource: text::clean(resource, text::ID).into(),
            what: None,
            by: None,
            failed: None,
            correlation_id: None,
            values: Vec::new(),
            values_left_out: 0,
        }
    }

    /// The name that people use for the resource.
    pub fn name(&self) -> &str {
        self.resource.rsplit('/').next().unwrap_or_default()
    }

    /// The change without the names of persons and applications that made it or an earlier one.
    pub fn without_callers(mut self) -> Self {
        self.by = None;
        self.values.retain(|value| !names_a_caller(&value.path));
        self
    }

    /// The change with its texts cleaned and its lists within their limits.
    pub fn bounded(mut self) -> Self {
        self.resource = text::clean(&self.resource, text::ID).into();
        for (text, most) in [
            (&mut self.what, text::VALUE),
            (&mut self.by, text::VALUE),
            (&mut self.failed, text::VALUE),
            (&mut self.correlation_id, text::WORD),
        ] {
            *text = text
                .take()
                .and_then(|text| text::cleaned(&text, most))
                .map(Into::into);
        }
        let over = self.values.len().saturating_sub(MOST_VALUES);
        self.values_left_out = self
            .values_left_out
            .saturating_add(over.try_into().unwrap_or(u32::MAX));
        self.values.truncate(MOST_VALUES);
        for value in &mut self.values {
            value.path = text::clean(&value.path, LONGEST_VALUE).into();
            for side in [&mut value.old, &mut value.new] {
                *side = side
                    .take()
                    .map(|text| text::clean(&text, LONGEST_VALUE).into());
            }
        }
        self
    }
}

/// Whether a value at this place says who wrote a resource. `managedBy` is a resource.
fn names_a_caller(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let last = path.rsplit('.').next().unwrap_or_default();
    let written_by = ["createdby", "modifiedby", "changedby", "updatedby"];
    path.starts_with("systemdata") || written_by.iter().any(|it| last.ends_with(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_without_callers_names_them_in_no_value_either() {
        let value = |path: &str| ChangedValue {
            path: path.into(),
            old: Some("a@contoso.example".into()),
            new: Some("b@contoso.example".into()),
        };
        let change = Change {
            by: Some("b@contoso.example".into()),
            values: vec![
                value("systemData.lastModifiedBy"),
                value("SystemData.createdBy"),
                value("systemData"),
                value("properties.lastModifiedBy"),
                value("properties.modifiedby"),
                value("managedBy"),
                value("properties.hardwareProfile.vmSize"),
            ],
            ..Change::new(OffsetDateTime::UNIX_EPOCH, Kind::Other, Verb::Changed, "/x")
        };
        let change = change.without_callers();
        let paths: Vec<&str> = change.values.iter().map(|it| &*it.path).collect();
        assert_eq!(paths, ["managedBy", "properties.hardwareProfile.vmSize"]);
        assert_eq!(change.by, None);
    }

    #[test]
    fn foreign_texts_are_cleaned_and_bounded() {
        let hostile: Box<str> = "x\r\n\u{202e}".repeat(9_000).into();
        let value = ChangedValue {
            path: hostile.clone(),
            old: Some(hostile.clone()),
            new: None,
        };
        let change = Change {
            what: Some(hostile.clone()),
            by: Some(hostile.clone()),
            failed: Some("\n".into()),
            correlation_id: Some(hostile.clone()),
            values: vec![value; 40],
            resource: hostile,
            ..Change::new(OffsetDateTime::UNIX_EPOCH, Kind::Other, Verb::Changed, "/x")
        };
        let bounded = change.bounded();
        assert_eq!((bounded.values.len(), bounded.values_left_out), (8, 32));
        assert_eq!(bounded.failed, None);
        let json = serde_json::to_string(&bounded).unwrap();
        assert!(json.len() < 12_000, "{}", json.len());
        assert!(!json.contains("\\n") && !json.contains('\u{202e}'));
        assert_eq!(serde_json::from_str::<Change>(&json).unwrap(), bounded);
    }
}
