//! The machines of a run as Resource Graph lists them, some 200 bytes each, and the instances of scale sets.

use super::{
    calls::because,
    judge::{Around, judge_instance},
    setup::note,
};
use crate::{
    azure::{compute::Instance, error::AzureError},
    fleet::{Because, Cause, Check, Finding, Run, Weight},
    readiness::required::INSTANCES_READ,
    resource_id::ResourceId,
};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// Maximum machines of a run. More are counted as unknown.
pub const MAXIMUM_MACHINES: usize = 10_000;
/// Maximum network interfaces of a machine that are kept; Azure allows 8.
const MAXIMUM_INTERFACES: usize = 8;

/// What the list says of a machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// Normalised; `None`: it is not in the list.
    pub region: Option<String>,
    pub is_windows: bool,
    /// Whether extensions may be installed; machines that do not say so allow it.
    pub forbids_extensions: bool,
    /// The provisioning state of its agent.
    pub agent: Option<String>,
    /// Read where the effective rules are checked.
    pub interfaces: Vec<ResourceId>,
}

/// A uniform scale set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    pub id: ResourceId,
    pub region: String,
    pub is_windows: bool,
    pub forbids_extensions: bool,
    pub has_agent_in_model: bool,
    /// The instances that are asked for; all of them when empty.
    pub instances: Vec<ResourceId>,
}

/// All machines of a run.
#[derive(Debug, Default)]
pub struct Inventory {
    machines: HashMap<ResourceId, Listed>,
    pub sets: Vec<Set>,
    pub findings: Vec<Finding>,
    pub left_out: usize,
}

impl Inventory {
    pub fn ids(&self) -> Vec<ResourceId> {
        let sets = self.sets.iter().map(|it| it.id.clone());
        let machines = self.machines.keys().cloned();
        machines.chain(sets).collect()
    }

    pub fn get(&self, id: &ResourceId) -> Option<&Listed> {
        self.machines.get(id)
    }

    pub fn get_mut(&mut self, id: &ResourceId) -> Option<&mut Listed> {
        self.machines.get_mut(id)
    }

    /// Adds a machine, or counts it when there is no room.
    pub fn add(&mut self, id: ResourceId, listed: Listed) {
        if self.machines.len() >= MAXIMUM_MACHINES && !self.machines.contains_key(&id) {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        self.machines.insert(id, listed);
    }

    /// The regions with machines, by subscription.
    pub fn regions(&self) -> HashSet<(ResourceId, String)> {
        let machines = self.machines.iter();
        let machines = machines.filter_map(|(id, it)| Some((id, it.region.as_deref()?)));
        let sets = self.sets.iter().map(|it| (&it.id, it.region.as_str()));
        machines
            .chain(sets)
            .map(|(id, region)| (id.subscription_id(), region.to_owned()))
            .collect()
    }

    /// The quota of captures could not be read.
    pub fn quota_unknown(&mut self, subscription: &ResourceId, because: Because) {
        let message = format!("the quota of {subscription} is not known: {because}");
        let known = |it: &Finding| it.message == message;
        if !self.findings.iter().any(known) {
            self.findings
                .push(note("capture quota", Weight::Unknown, message, None));
        }
    }
}

/// A row of the list of machines.
pub fn machine(row: &Value, with_interfaces: bool) -> Listed {
    let interfaces = row["interfaces"].as_array().into_iter().flatten();
    let interfaces = interfaces
        .filter_map(|it| ResourceId::parse(it["id"].as_str()?).ok())
        .take(if with_interfaces {
            MAXIMUM_INTERFACES
        } else {
            0
        });
    Listed {
        region: row["location"].as_str().and_then(crate::text::region),
        is_windows: is_windows(row),
        forbids_extensions: row["extensions"] == Value::Bool(false),
        agent: None,
        interfaces: interfaces.collect(),
    }
}

/// A row of the list of scale sets; `None` for one in flexible mode, whose members are machines.
pub fn set(id: &ResourceId, row: &Value) -> Option<Set> {
    let mode = row["mode"].as_str().unwrap_or_default();
    let model = row["model"].as_array().into_iter().flatten();
    let mut model = model.map(|it| &it["properties"]);
    let text = |value: &Value, member: &str| value[member].as_str().unwrap_or_default().to_owned();
    (!mode.eq_ignore_ascii_case("Flexible")).then(|| Set {
        id: id.clone(),
        region: crate::text::region(&text(row, "location")).unwrap_or_default(),
        is_windows: is_windows(row),
        forbids_extensions: row["extensions"] == Value::Bool(false),
        has_agent_in_model: model.any(|it| {
            text(it, "publisher").eq_ignore_ascii_case(crate::readiness::machine::AGENT_PUBLISHER)
                && crate::readiness::machine::is_agent_type(&text(it, "type"))
        }),
        instances: Vec::new(),
    })
}

fn is_windows(row: &Value) -> bool {
    let os = row["os"].as_str();
    os.is_some_and(|os| os.eq_ignore_ascii_case("Windows"))
}

/// Puts the instances of a scale set in its place.
pub fn add_instances(
    run: &mut Run,
    set: &Set,
    instances: Result<Vec<Instance>, AzureError>,
    around: &Around,
) {
    let instances = match instances {
        Ok(instances) => instances,
        Err(error) if error.is_not_found() => return run.checked(&set.id, [Cause::NotFound]),
        Err(error) => {
            let because = because(&error, INSTANCES_READ.action);
            return run.checked(&set.id, [Cause::Unknown(Check::Machine, because)]);
        }
    };
    let wanted = |id: &ResourceId| set.instances.is_empty() || set.instances.contains(id);
    let instances = instances.into_iter().filter(|it| wanted(&it.id));
    let judged = instances.map(|it| {
        let causes = judge_instance(&it, set, around);
        (it.id, causes)
    });
    let judged: Vec<_> = judged.collect();
    for id in &set.instances {
        if !judged.iter().any(|(known, _)| known == id) {
            run.add(id.clone(), vec![Cause::NotFound]);
        }
    }
    run.replace(&set.id, judged, MAXIMUM_MACHINES);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const GROUP: &str = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/rg-shop/providers/Microsoft.Compute";

    fn id(below: &str) -> ResourceId {
        format!("{GROUP}/{below}").parse().unwrap()
    }

    #[test]
    fn rows_of_machines_follow_the_table() {
        let interface = format!("{GROUP}/x/y").replace("Compute/x", "Network/networkInterfaces");
        let row = json!({
            "location": "West Europe", "os": "windows", "extensions": false,
            "interfaces": [{ "id": interface }, { "id": "odd" }, 7],
        });
        let whole = machine(&row, true);
        assert_eq!(whole.region.as_deref(), Some("westeurope"));
        assert!(whole.is_windows && whole.forbids_extensions);
        assert_eq!(whole.interfaces.len(), 1);
        assert!(machine(&row, false).interfaces.is_empty());
        for row in [
            json!({}),
            json!({ "location": 7, "extensions": null, "os": [] }),
            json!(null),
        ] {
            assert_eq!(machine(&row, true), Listed::default(), "{row}");
        }
    }

    #[test]
    fn rows_of_scale_sets_follow_the_table() {
        let pool = id("virtualMachineScaleSets/pool");
        let agent = |publisher: &str, kind: &str| json!({ "properties": { "publisher": publisher, "type": kind } });
        let good = agent("Microsoft.Azure.NetworkWatcher", "NetworkWatcherAgentLinux");
        for (model, expected) in [
            (json!([good]), true),
            (json!([agent("x", "y"), good]), true),
            (json!([agent("x", "NetworkWatcherAgentLinux")]), false),
            (json!([7, null]), false),
            (json!(null), false),
        ] {
            let row = json!({ "location": "westeurope", "mode": "Uniform", "model": model });
            assert_eq!(
                set(&pool, &row).unwrap().has_agent_in_model,
                expected,
                "{row}"
            );
        }
        assert_eq!(set(&pool, &json!({ "mode": "flexible" })), None);
    }

    /// What a run holds for a machine: the entry of the list, and that of the run. The id is shared.
    #[test]
    fn ten_thousand_machines_take_less_than_six_mebibytes() {
        let mut inventory = Inventory::default();
        let row = json!({ "location": "westeurope", "os": "Linux" });
        let name = "a-machine-with-a-name-of-forty-characters";
        for number in 0..MAXIMUM_MACHINES {
            let listed = Listed {
                agent: Some("Succeeded".to_owned()),
                ..machine(&row, false)
            };
            inventory.add(id(&format!("virtualMachines/{name}{number}")), listed);
        }
        inventory.add(id("virtualMachines/one-more"), machine(&row, false));
        assert_eq!(inventory.left_out, 1);
        let texts: usize = inventory
            .machines
            .iter()
            .map(|(id, it)| {
                let region = it.region.as_ref().map_or(0, String::capacity);
                let agent = it.agent.as_ref().map_or(0, String::capacity);
                // An Arc counts twice, in two words.
                id.to_string().len() + 16 + region + agent
            })
            .sum();
        let entry = size_of::<(ResourceId, Listed)>() + 1;
        let entries = inventory.machines.capacity() * 8 / 7 * entry;
        let run = MAXIMUM_MACHINES * size_of::<crate::fleet::Machine>();
        let all = texts + entries + run;
        assert!(all < 6 * 1024 * 1024, "{all}");
    }
}
