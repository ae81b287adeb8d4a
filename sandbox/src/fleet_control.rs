//! What a test does to machines, scale sets, alert rules and rights by the thousand, for stories of readiness.

use serde_json::{Value, json};

use super::Sandbox;
use super::ids::same;
use super::world::{Machine, ScaleSet};

impl Sandbox {
    /// Virtual machines in a resource group, named `{name}-00000` and so on; the last names come first in the list.
    pub fn add_vms(&self, group: &str, name: &str, location: &str, count: usize) {
        for number in (0..count).rev() {
            let id =
                format!("{group}/providers/Microsoft.Compute/virtualMachines/{name}-{number:05}");
            self.add_vm(&id, location);
        }
    }

    /// Sets the provisioning state of a VM's agent, such as `Failed`.
    pub fn set_agent_state(&self, vm: &str, state: &'static str) {
        self.change_vm(vm, |machine| machine.agent_state = state);
    }

    /// Sets the version of a VM's agent.
    pub fn set_agent_version(&self, vm: &str, version: &'static str) {
        self.change_vm(vm, |machine| machine.agent_version = version);
    }

    /// Installs the agent, or its latest version.
    pub fn install_agent(&self, vm: &str) {
        self.change_vm(vm, |machine| {
            machine.agent = true;
            machine.agent_state = "Succeeded";
            machine.agent_version = "1.4.905.3";
        });
    }

    /// Sets the status of a VM's own agent, such as `Not Ready`.
    pub fn set_vm_agent(&self, vm: &str, status: &'static str) {
        self.change_vm(vm, |machine| machine.vm_agent = status);
    }

    /// Whether extensions may be installed on a VM.
    pub fn allow_extensions(&self, vm: &str, allowed: bool) {
        self.change_vm(vm, |machine| machine.extensions_allowed = Some(allowed));
    }

    /// Starts a VM.
    pub fn start_vm(&self, vm: &str) {
        self.change_vm(vm, |machine| machine.power = "running");
    }

    /// Deletes a VM.
    pub fn delete_vm(&self, vm: &str) {
        self.shared
            .with_world(|world, _| world.machines.retain(|it| !same(&it.id, vm)));
    }

    /// Puts a network security group on a VM's interface; the group is created without rules.
    pub fn add_security_group(&self, group: &str, vm: &str) {
        self.shared.with_world(|world, _| {
            if !world.groups.iter().any(|(id, _)| same(id, group)) {
                world.groups.push((group.to_owned(), Vec::new()));
            }
        });
        self.change_vm(vm, |machine| machine.groups.push(group.to_owned()));
    }

    /// Adds an outbound rule to a network security group.
    pub fn add_security_rule(
        &self,
        group: &str,
        name: &str,
        priority: u32,
        access: &str,
        destination: &str,
        ports: &str,
    ) {
        let rule = json!({
            "name": format!("securityRules/{name}"),
            "protocol": "Tcp",
            "sourcePortRange": "0-65535",
            "destinationPortRange": ports,
            "sourceAddressPrefix": "0.0.0.0/0",
            "destinationAddressPrefix": destination,
            "access": access,
            "priority": priority,
            "direction": "Outbound",
        });
        self.shared.with_world(|world, _| {
            let mut groups = world.groups.iter_mut();
            let (_, rules) = groups
                .find(|(id, _)| same(id, group))
                .unwrap_or_else(|| panic!("no security group {group} in the sandbox"));
            rules.push(rule);
        });
    }

    /// Adds an alert rule or an action group, as Resource Graph shows it.
    pub fn add_alert_resource(&self, id: &str, kind: &str, properties: Value) {
        let row = json!({"id": id, "type": kind, "properties": properties});
        self.shared.with_world(|world, _| {
            world.know(id);
            world.alert_rules.push(row);
        });
    }

    /// Changes the properties of an alert rule or an action group.
    pub fn change_alert_resource(&self, id: &str, change: impl FnOnce(&mut Value)) {
        self.shared.with_world(|world, _| {
            let mut rules = world.alert_rules.iter_mut();
            let found = rules.find(|row| same(row["id"].as_str().unwrap_or_default(), id));
            let row = found.unwrap_or_else(|| panic!("no alert resource {id} in the sandbox"));
            change(&mut row["properties"]);
        });
    }

    /// Puts the agent into the model of a scale set, or takes it out. Instances have it once they are updated.
    pub fn set_agent_in_model(&self, set: &str, there: bool) {
        self.change_scale_set(set, |set| {
            set.agent_in_model = there;
            set.outdated = set.instances.clone();
        });
    }

    /// Updates instances of a scale set to its latest model.
    pub fn update_instances(&self, set: &str, instances: &[&str]) {
        self.change_scale_set(set, |set| {
            let updated = |name: &String| instances.contains(&name.as_str());
            set.outdated.retain(|name| !updated(name));
            set.with_agent.retain(|name| !updated(name));
            if set.agent_in_model {
                set.with_agent
                    .extend(instances.iter().map(|&it| it.to_owned()));
            }
        });
    }

    /// Stops an instance of a scale set, or starts it.
    pub fn set_instance_running(&self, set: &str, instance: &str, running: bool) {
        self.change_scale_set(set, |set| {
            set.stopped.retain(|name| name != instance);
            if !running {
                set.stopped.push(instance.to_owned());
            }
        });
    }

    /// Takes a right away at a scope and below it.
    pub fn deny_at(&self, action: &str, scope: &str) {
        let denied = (action.to_owned(), scope.to_owned());
        self.shared
            .with_world(|world, _| world.denied_at.push(denied));
    }

    /// Gives all rights back.
    pub fn allow_all(&self) {
        self.shared.with_world(|world, _| {
            world.denied.clear();
            world.denied_at.clear();
            world.granted = None;
        });
    }

    /// Allows access to a storage account by its keys.
    pub fn allow_shared_keys(&self, account: &str) {
        self.change_account(account, |account| account.shared_keys = true);
    }

    /// Closes a storage account to all but selected networks, as its resource says. Blobs can be read all the same.
    pub fn restrict_network(&self, account: &str) {
        self.change_account(account, |account| account.restricted = true);
    }

    /// Moves a storage account to another region.
    pub fn move_account(&self, account: &str, location: &str) {
        self.change_account(account, |account| account.location = location.to_owned());
    }

    fn change_scale_set(&self, id: &str, change: impl FnOnce(&mut ScaleSet)) {
        self.shared.with_world(|world, _| {
            let mut sets = world.scale_sets.iter_mut();
            let found = sets.find(|set| same(&set.id, id));
            change(found.unwrap_or_else(|| panic!("no scale set {id} in the sandbox")));
        });
    }

    pub(super) fn change_vm(&self, vm: &str, change: impl FnOnce(&mut Machine)) {
        self.shared.with_world(|world, _| {
            let mut machines = world.machines.iter_mut();
            let found = machines.find(|machine| same(&machine.id, vm));
            change(found.unwrap_or_else(|| panic!("no VM {vm} in the sandbox")));
        });
    }
}
