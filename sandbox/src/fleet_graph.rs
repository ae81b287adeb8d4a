//! The queries about all machines and alert rules. What the caller may not read is missing from the rows without an error.

use serde_json::{Value, json};

use super::ids::{self, same};
use super::network;
use super::world::{Machine, World};

type List = fn(&World) -> Vec<Value>;
/// The queries, with single spaces, and what each one lists.
const QUERIES: [(&str, List); 4] = [
    (
        "resources | where type in~ ('microsoft.insights/metricalerts', 'microsoft.insights/activitylogalerts', 'microsoft.insights/scheduledqueryrules', 'microsoft.insights/actiongroups') | project id, type, properties | order by id asc",
        rules,
    ),
    (
        "resources | where type =~ 'microsoft.compute/virtualmachines' | project id, location, os = tostring(properties.storageProfile.osDisk.osType), extensions = properties.osProfile.allowExtensionOperations, set = tostring(properties.virtualMachineScaleSet.id), interfaces = properties.networkProfile.networkInterfaces | order by id asc",
        machines,
    ),
    (
        "resources | where type =~ 'microsoft.compute/virtualmachinescalesets' | project id, location, mode = tostring(properties.orchestrationMode), os = tostring(properties.virtualMachineProfile.storageProfile.osDisk.osType), extensions = properties.virtualMachineProfile.osProfile.allowExtensionOperations, model = properties.virtualMachineProfile.extensionProfile.extensions | order by id asc",
        scale_sets,
    ),
    (
        "resources | where type =~ 'microsoft.compute/virtualmachines/extensions' and properties.publisher =~ 'Microsoft.Azure.NetworkWatcher' | project id, kind = tostring(properties.type), state = tostring(properties.provisioningState) | order by id asc",
        agents,
    ),
];
/// The rows of a query of this file, for the named subscriptions or for all.
pub(super) fn rows(
    world: &mut World,
    subscriptions: &Value,
    query: &str,
    _: time::OffsetDateTime,
) -> Option<Vec<Value>> {
    let text = query.split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, list) = QUERIES.iter().find(|(known, _)| *known == text)?;
    let named: Option<Vec<&str>> = subscriptions
        .as_array()
        .map(|list| list.iter().filter_map(Value::as_str).collect());
    let mut rows = list(world);
    rows.retain(|row| {
        let subscription = ids::subscription(row["id"].as_str().unwrap_or_default());
        named
            .as_ref()
            .is_none_or(|named| named.iter().any(|it| same(it, subscription)))
    });
    rows.sort_by_cached_key(|row| row["id"].as_str().unwrap_or_default().to_ascii_lowercase());
    Some(rows)
}

fn rules(world: &World) -> Vec<Value> {
    let read = |row: &&Value| {
        let kind = row["type"].as_str().unwrap_or_default();
        let id = row["id"].as_str().unwrap_or_default();
        !world.denies_at(&format!("{kind}/read"), id)
    };
    world.alert_rules.iter().filter(read).cloned().collect()
}

fn readable<'w>(world: &'w World, action: &'static str) -> impl Iterator<Item = &'w Machine> {
    let machines = world.machines.iter();
    machines.filter(move |machine| !world.denies_at(action, &machine.id))
}

fn machines(world: &World) -> Vec<Value> {
    let row = |machine: &Machine| {
        json!({
            "id": ids::lower_groups(&machine.id),
            "location": ids::region(&machine.location),
            "os": machine.os,
            "extensions": machine.extensions_allowed,
            "set": machine.scale_set.clone().unwrap_or_default(),
            "interfaces": [{"id": network::interface_of(&machine.id), "properties": {"primary": true}}],
        })
    };
    readable(world, "Microsoft.Compute/virtualMachines/read")
        .map(row)
        .collect()
}

fn agents(world: &World) -> Vec<Value> {
    let row = |machine: &Machine| {
        json!({
            "id": format!("{}/extensions/AzureNetworkWatcherExtension", ids::lower_groups(&machine.id)),
            "kind": format!("NetworkWatcherAgent{}", machine.os),
            "state": machine.agent_state,
        })
    };
    readable(world, "Microsoft.Compute/virtualMachines/extensions/read")
        .filter(|machine| machine.agent)
        .map(row)
        .collect()
}

fn scale_sets(world: &World) -> Vec<Value> {
    let action = "Microsoft.Compute/virtualMachineScaleSets/read";
    let sets = world.scale_sets.iter();
    sets.filter(|set| !world.denies_at(action, &set.id))
        .map(|set| {
            let agent = json!({"name": "agent", "properties": {
                "publisher": "Microsoft.Azure.NetworkWatcher",
                "type": "NetworkWatcherAgentLinux",
                "typeHandlerVersion": "1.4",
            }});
            let model: Vec<Value> = set.agent_in_model.then_some(agent).into_iter().collect();
            json!({
                "id": ids::lower_groups(&set.id),
                "location": ids::region(&set.location),
                "mode": if set.flexible { "Flexible" } else { "Uniform" },
                "os": "Linux",
                "extensions": Value::Null,
                "model": model,
            })
        })
        .collect()
}
