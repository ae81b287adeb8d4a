//! The alert targets that a capture can start on. An id decides where we act, so in the fields that Azure fills a bad
//! one refuses the body; in those that log data fills, only a flawless one is taken and the rest is passed over.

use std::collections::HashSet;

use serde_json::Value;

use super::body::{BadBody, excerpt};
use super::condition::members;
use super::fields::Object;
use super::target::{Target, is_of_test};
use super::target_id;
use crate::resource_id::ResourceId;

/// Names of dimensions whose value is a resource id.
const ID_DIMENSIONS: [&str; 4] = [
    "_ResourceId",
    "ResourceId",
    "Resource",
    "microsoft.resourceId",
];

/// The targets found so far, each once.
#[derive(Default)]
pub(super) struct Targets {
    found: Vec<Target>,
    seen: HashSet<ResourceId>,
    /// One of the ids is in the subscription of test bodies.
    is_test: bool,
}

impl Targets {
    /// Takes an id from a field that Azure itself fills. `path` says where, if it is refused.
    pub(super) fn main(&mut self, id: &str, path: impl FnOnce() -> String) -> Result<(), BadBody> {
        let target = target_id::read(id).map_err(|wrong| {
            BadBody::at(
                path(),
                format!(
                    "the id of a resource was expected, not {}: {wrong}",
                    excerpt(id)
                ),
            )
        })?;
        self.is_test |= is_of_test(id);
        if let Some(target) = target {
            self.add(target);
        }
        Ok(())
    }

    /// Takes the strictly valid ids among the strings of a list.
    pub(super) fn take_list(&mut self, list: &[Value]) {
        for id in list.iter().filter_map(Value::as_str) {
            self.take(id);
        }
    }

    /// Takes the strictly valid ids among `{name, value}` dimensions.
    pub(super) fn take_dimensions(&mut self, list: &[Value]) {
        for dimension in members(list) {
            let name = dimension.text("name").unwrap_or_default();
            if ID_DIMENSIONS
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
                && let Some(Value::String(id)) = dimension.get("value")
            {
                self.take(id);
            }
        }
    }

    /// Takes the probing machine of a Connection Monitor's metric, whose dimensions Azure fills. Its type may be left
    /// out by a rule that is split by the id alone.
    /// <https://learn.microsoft.com/azure/network-watcher/connection-monitor-overview>
    pub(super) fn take_probing_machine(&mut self, criterion: &Object) {
        const NAMESPACE: &str = "Microsoft.Network/networkWatchers/connectionMonitors";
        let of_monitor = |namespace: &str| namespace.eq_ignore_ascii_case(NAMESPACE);
        if !criterion.text("metricNamespace").is_some_and(of_monitor) {
            return;
        }
        let dimensions = criterion.list("dimensions");
        let is_machine = |kind: &str| {
            ["AzureVM", "AzureVMSS"]
                .iter()
                .any(|known| known.eq_ignore_ascii_case(kind))
        };
        if dimension(dimensions, "SourceType").is_none_or(is_machine)
            && let Some(id) = dimension(dimensions, "SourceResourceId")
        {
            self.take(id);
        }
    }

    /// Takes the ids of a log alert V1, of which every one is log data.
    pub(super) fn take_log_v1(&mut self, from: &Object) {
        self.take_list(from.list("AffectedConfigurationItems"));
        self.take_dimensions(from.list("Dimensions"));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The targets, and whether a test body named them.
    pub(super) fn finish(self) -> (Vec<Target>, bool) {
        (self.found, self.is_test)
    }

    pub(super) fn add(&mut self, target: Target) {
        if self.seen.insert(target.id.clone()) {
            self.is_test |= target.is_of_test();
            self.found.push(target);
        }
    }

    fn take(&mut self, id: &str) {
        if let Some(target) = ResourceId::parse(id).ok().and_then(Target::of) {
            self.add(target);
        }
    }
}

/// The value of the dimension of this name, if it is a text that says something.
fn dimension<'a>(list: &'a [Value], name: &str) -> Option<&'a str> {
    members(list).find_map(|dimension| {
        let named = dimension.text("name")?.eq_ignore_ascii_case(name);
        named.then(|| dimension.text("value"))?
    })
}
