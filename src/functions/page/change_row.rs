//! A change around an alert as a row of a page's table.

use super::{Link, Stamp};
use crate::{
    changes::{Change, ControlPlane, Verb, relative},
    notify::Portal,
    resource_id::ResourceId,
};

/// A change as a row of the table.
pub(super) struct Row<'a> {
    pub at: Stamp,
    pub when: String,
    pub noun: &'static str,
    pub resource: Link,
    pub what: String,
    pub failed: bool,
    pub by: Option<&'a str>,
    pub values: Vec<Value<'a>>,
    pub values_left_out: u32,
}

/// A value before and after.
pub(super) struct Value<'a> {
    pub path: &'a str,
    /// Without the `properties` that stand in every path.
    pub short: String,
    pub old: &'a str,
    pub new: &'a str,
}

/// The row of a change.
pub(super) fn row<'a>(change: &'a Change, gathered: &ControlPlane, portal: &Portal) -> Row<'a> {
    let resource = match change.resource.parse::<ResourceId>() {
        Ok(id) => Link {
            text: change.name().to_owned(),
            ..Link::of_resource(portal, &id)
        },
        Err(_) => Link {
            text: change.name().to_owned(),
            title: change.resource.to_string(),
            href: None,
        },
    };
    let verb = change.verb.as_str();
    let done = match (change.verb, &change.failed) {
        (Verb::Acted, None) => "action".to_owned(),
        (Verb::Acted, Some(code)) => format!("action failed ({code})"),
        (_, None) => verb.to_owned(),
        (_, Some(code)) => format!("could not be {verb} ({code})"),
    };
    let values = change.values.iter().map(|value| Value {
        path: &value.path,
        short: value.path.replace("properties.", ""),
        old: value.old.as_deref().unwrap_or("nothing"),
        new: value.new.as_deref().unwrap_or("nothing"),
    });
    Row {
        at: Stamp::of(change.at),
        when: relative(change.at, gathered.alert_at),
        noun: change.kind.noun(),
        resource,
        what: match &change.what {
            Some(what) => format!("{done}: {what}"),
            None => done,
        },
        failed: change.failed.is_some(),
        by: change.by.as_deref(),
        values: values.collect(),
        values_left_out: change.values_left_out,
    }
}
