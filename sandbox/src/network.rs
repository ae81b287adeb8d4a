//! `Microsoft.Network` beside the watchers: quotas of a region, and the effective security rules of a network interface.

use serde_json::{Value, json};

use super::answer::Outcome;
use super::arm::{Asked, page};
use super::ids::{self, same};
use super::world::World;

/// The one interface of a machine.
pub(super) fn interface_of(machine: &str) -> String {
    let (group, _) = machine.split_once("/providers/").unwrap_or((machine, ""));
    format!(
        "{group}/providers/Microsoft.Network/networkInterfaces/nic-{}",
        ids::name(machine)
    )
}

/// <https://learn.microsoft.com/en-us/rest/api/virtualnetwork/usages/list>
pub(super) fn list_usages(world: &World, asked: &Asked<'_>) -> Outcome {
    let region = &asked.route.child;
    let watcher = world.watchers.iter().find(|it| {
        same(&ids::region(&it.location), region)
            && same(
                ids::subscription(&it.id),
                ids::subscription(&asked.route.scope),
            )
    });
    let captures = watcher.map_or(0, |it| it.captures.len());
    let usage = |name: &str, current: usize, limit: usize| {
        json!({
            "id": format!("{}/providers/Microsoft.Network/locations/{region}/usages/{name}", asked.route.scope),
            "currentValue": current as f64,
            "limit": limit as f64,
            "unit": "Count",
            "name": {"value": name, "localizedValue": name},
        })
    };
    let all = vec![
        usage("VirtualNetworks", 4, 1_000),
        usage("PacketCaptures", captures, world.capture_limit),
    ];
    page(world, asked, all, None)
}

/// The rules in force on the interface of a machine.
pub(super) fn effective_rules(world: &World, interface: &str) -> Option<Value> {
    let mut machines = world.machines.iter();
    let machine = machines.find(|machine| same(&interface_of(&machine.id), interface))?;
    let default = json!({
        "name": "defaultSecurityRules/DenyAllOutBound",
        "protocol": "All",
        "sourcePortRange": "0-65535",
        "destinationPortRange": "0-65535",
        "sourceAddressPrefix": "0.0.0.0/0",
        "destinationAddressPrefix": "0.0.0.0/0",
        "access": "Deny",
        "priority": 65_500,
        "direction": "Outbound",
    });
    let group = |group: &(String, Vec<Value>)| {
        let (id, rules) = group;
        let rules: Vec<&Value> = rules.iter().chain([&default]).collect();
        json!({
            "networkSecurityGroup": {"id": id},
            "association": {"networkInterface": {"id": interface_of(&machine.id)}},
            "effectiveSecurityRules": rules,
        })
    };
    let all: Vec<Value> = machine
        .groups
        .iter()
        .filter_map(|name| world.groups.iter().find(|(id, _)| same(id, name)))
        .map(group)
        .collect();
    Some(json!(all))
}
