//! The alert targets that a capture can start on. An id decides where we act, so in the fields that Azure fills a bad
//! one refuses the body; in those that log data fills, only a flawless one is taken and the rest is passed over.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::body::{BadBody, excerpt};
use super::condition::members;
use super::fields::Object;
use super::target_id;
use crate::resource_id::ResourceId;

/// A virtual machine, a scale set, or one instance of a set.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Target {
    pub id: ResourceId,
    #[serde(rename = "type")]
    pub kind: TargetKind,
}

/// What kind of machine a target is; `vm`, `vmss` and `vmss_instance` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TargetKind {
    #[serde(rename = "vm")]
    Vm,
    #[serde(rename = "vmss")]
    ScaleSet,
    #[serde(rename = "vmss_instance")]
    ScaleSetInstance,
}

impl TargetKind {
    /// `vm`, `vmss`, `vmss_instance`.
    pub fn as_str(self) -> &'static str {
        match self {
            TargetKind::Vm => "vm",
            TargetKind::ScaleSet => "vmss",
            TargetKind::ScaleSetInstance => "vmss_instance",
        }
    }
}

impl Target {
    /// The target that this resource is, if it is one.
    pub fn of(id: ResourceId) -> Option<Target> {
        let kinds = [
            ("Microsoft.Compute/virtualMachines", TargetKind::Vm),
            (
                "Microsoft.Compute/virtualMachineScaleSets",
                TargetKind::ScaleSet,
            ),
            (
                "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
                TargetKind::ScaleSetInstance,
            ),
        ];
        let (_, kind) = kinds
            .into_iter()
            .find(|(full_type, _)| id.is_type(full_type))?;
        Some(Target { id, kind })
    }
}

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
    /// One of the ids lies in the subscription of test bodies.
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
        self.is_test |= target_id::is_of_test(id);
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
            let name = dimension
                .get("name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if ID_DIMENSIONS
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
                && let Some(Value::String(id)) = dimension.get("value")
            {
                self.take(id);
            }
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
            self.is_test |= target.id.subscription() == target_id::TEST_SUBSCRIPTION;
            self.found.push(target);
        }
    }

    fn take(&mut self, id: &str) {
        if let Some(target) = ResourceId::parse(id).ok().and_then(Target::of) {
            self.add(target);
        }
    }
}
