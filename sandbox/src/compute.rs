//! `Microsoft.Compute`, read only: where a VM is and whether the capture agent is on it.

use serde_json::{Value, json};

use super::answer::{Answer, Outcome};
use super::arm::{Asked, page, parent_not_found, resource_not_found};
use super::ids::{self, same};
use super::world::{Machine, ScaleSet, World};

/// <https://learn.microsoft.com/en-us/rest/api/compute/virtual-machines/list-all>
pub(super) fn list_virtual_machines(world: &World, asked: &Asked<'_>) -> Outcome {
    let scope = &asked.route.scope;
    let group = ids::part(scope, "resourceGroups");
    let found = world.machines.iter().filter(|machine| {
        same(ids::subscription(&machine.id), ids::subscription(scope))
            && group.is_none_or(|group| same(ids::group(&machine.id), group))
    });
    let all = found.map(virtual_machine).collect();
    page(world, asked, all, world.machine_page_size)
}

pub(super) fn get_virtual_machine(world: &World, asked: &Asked<'_>) -> Outcome {
    Ok(answer(virtual_machine(machine(world, asked)?)))
}

fn virtual_machine(machine: &Machine) -> Value {
    let agents: Vec<Value> = agent(machine).into_iter().collect();
    let scale_set = machine.scale_set.as_ref().map(|id| json!({"id": id}));
    json!({
        "name": ids::name(&machine.id),
        "id": ids::shouting_group(&machine.id),
        "type": "Microsoft.Compute/virtualMachines",
        "location": machine.location,
        "tags": {},
        "properties": {
            "provisioningState": "Succeeded",
            "vmId": "5c0d1f3e-9a52-4b7c-8a36-1d2e3f405162",
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "osProfile": {"allowExtensionOperations": machine.extensions_allowed},
            "networkProfile": {"networkInterfaces": [{"id": super::network::interface_of(&machine.id)}]},
            "storageProfile": {"osDisk": {"osType": machine.os, "createOption": "FromImage"}},
            "virtualMachineScaleSet": scale_set,
        },
        "resources": agents,
    })
}

pub(super) fn get_instance_view(world: &World, asked: &Asked<'_>) -> Outcome {
    let machine = machine(world, asked)?;
    let agent = machine
        .agent
        .then_some((machine.os, machine.agent_version, machine.agent_state));
    let mut view = view(machine.power, machine.vm_agent, agent);
    view["computerName"] = json!(ids::name(&machine.id));
    view["osName"] = json!(machine.os);
    Ok(answer(view))
}

/// What Azure sees of a machine: of one that does not run, only that. The agent is its system, version and state.
fn view(power: &str, vm_agent: &str, agent: Option<(&str, &str, &str)>) -> Value {
    let status =
        |code: &str, text: &str| json!({"code": code, "level": "Info", "displayStatus": text});
    let mut view = json!({
        "statuses": [
            status("ProvisioningState/succeeded", "Provisioning succeeded"),
            status(&format!("PowerState/{power}"), &format!("VM {power}")),
        ],
    });
    if power != "running" {
        return view;
    }
    view["vmAgent"] = json!({
        "vmAgentVersion": "2.12.0.4",
        "statuses": [status("ProvisioningState/succeeded", vm_agent)],
    });
    if let Some((os, version, state)) = agent {
        let code = format!("ProvisioningState/{}", state.to_ascii_lowercase());
        view["extensions"] = json!([{
            "name": "AzureNetworkWatcherExtension",
            "type": format!("Microsoft.Azure.NetworkWatcher.NetworkWatcherAgent{os}"),
            "typeHandlerVersion": version,
            "statuses": [status(&code, state)],
        }]);
    }
    view
}

pub(super) fn list_extensions(world: &World, asked: &Asked<'_>) -> Outcome {
    let id = &asked.route.scope;
    let machine = world.machine(id).ok_or_else(|| parent_not_found(id))?;
    let agents: Vec<Value> = agent(machine).into_iter().collect();
    Ok(answer(json!({"value": agents})))
}

/// The extension that captures need; its resource name is free to choose.
fn agent(machine: &Machine) -> Option<Value> {
    machine.agent.then(|| {
        json!({
            "name": "AzureNetworkWatcherExtension",
            "id": format!("{}/extensions/AzureNetworkWatcherExtension", ids::shouting_group(&machine.id)),
            "type": "Microsoft.Compute/virtualMachines/extensions",
            "location": machine.location,
            "properties": {
                "publisher": "Microsoft.Azure.NetworkWatcher",
                "type": format!("NetworkWatcherAgent{}", machine.os),
                "typeHandlerVersion": "1.4",
                "autoUpgradeMinorVersion": true,
                "provisioningState": machine.agent_state,
            },
        })
    })
}

pub(super) fn get_scale_set(world: &World, asked: &Asked<'_>) -> Outcome {
    let id = &asked.route.scope;
    let scale_set = world.scale_set(id).ok_or_else(|| resource_not_found(id))?;
    let mode = match scale_set.flexible {
        true => "Flexible",
        false => "Uniform",
    };
    Ok(answer(json!({
        "name": ids::name(&scale_set.id),
        "id": ids::shouting_group(&scale_set.id),
        "type": "Microsoft.Compute/virtualMachineScaleSets",
        "location": scale_set.location,
        "sku": {"name": "Standard_D2s_v5", "tier": "Standard", "capacity": scale_set.instances.len()},
        "properties": {"provisioningState": "Succeeded", "orchestrationMode": mode},
    })))
}

pub(super) fn list_instances(world: &World, asked: &Asked<'_>) -> Outcome {
    let id = &asked.route.scope;
    let scale_set = world.scale_set(id).ok_or_else(|| parent_not_found(id))?;
    let all = scale_set
        .instances
        .iter()
        .map(|name| instance(scale_set, name))
        .collect();
    page(world, asked, all, None)
}

pub(super) fn get_instance(world: &World, asked: &Asked<'_>) -> Outcome {
    let (id, name) = (&asked.route.scope, &asked.route.child);
    let scale_set = world.scale_set(id).ok_or_else(|| parent_not_found(id))?;
    let found = scale_set
        .instances
        .iter()
        .find(|known| ids::same(known, name));
    let found = found.ok_or_else(|| resource_not_found(&format!("{id}/virtualMachines/{name}")))?;
    Ok(answer(instance(scale_set, found)))
}

fn instance(scale_set: &ScaleSet, name: &str) -> Value {
    let among = |names: &[String]| names.iter().any(|it| it == name);
    let power = match among(&scale_set.stopped) {
        true => "deallocated",
        false => "running",
    };
    let agent = among(&scale_set.with_agent).then_some(("Linux", "1.4.905.3", "Succeeded"));
    json!({
        "name": format!("{}_{name}", ids::name(&scale_set.id)),
        "id": format!("{}/virtualMachines/{name}", ids::shouting_group(&scale_set.id)),
        "type": "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
        "instanceId": name,
        "location": scale_set.location,
        "properties": {
            "provisioningState": "Succeeded",
            "latestModelApplied": !among(&scale_set.outdated),
            "instanceView": view(power, "Ready", agent),
        },
    })
}

fn machine<'a>(world: &'a World, asked: &Asked<'_>) -> Result<&'a Machine, Answer> {
    let id = &asked.route.scope;
    world.machine(id).ok_or_else(|| resource_not_found(id))
}

fn answer(body: Value) -> Answer {
    Answer::json(200, body).with(
        "x-ms-ratelimit-remaining-resource",
        "Microsoft.Compute/LowCostGetSubscriptionMaximum;23999,Microsoft.Compute/LowCostGetResource;35",
    )
}
