//! What a create's body points at: the machines and accounts have to exist, within the watcher's
//! reach and the caller's rights.

use super::answer::{Answer, gateway_error, provider_error};
use super::calls::Call;
use super::capture::Wanted;
use super::ids::{self, same};
use super::world::{Watcher, World};

/// What the body points at must exist where the watcher can reach it.
pub(super) fn check(world: &World, watcher: &Watcher, wanted: &Wanted) -> Result<(), Answer> {
    let dangling = |id: &str| {
        let message = format!(
            "Resource {id} referenced by resource {} was not found.",
            watcher.id
        );
        provider_error(400, "InvalidResourceReference", message)
    };
    let target = &wanted.target;
    let machine = world
        .machine(target)
        .filter(|_| wanted.target_type == "AzureVM");
    let scale_set = world
        .scale_set(target)
        .filter(|_| wanted.target_type == "AzureVMSS");
    let location = machine
        .map(|machine| &machine.location)
        .or(scale_set.map(|scale_set| &scale_set.location))
        .ok_or_else(|| dangling(target))?;
    if ids::region(location) != ids::region(&watcher.location)
        || !same(ids::subscription(target), ids::subscription(&watcher.id))
    {
        return Err(dangling(target));
    }
    if let Some(machine) = machine {
        if !machine.agent {
            let message = format!("The Network Watcher extension is not installed on {target}.");
            return Err(provider_error(
                400,
                "NetworkWatcherVmExtensionNotInstalled",
                message,
            ));
        }
        let outside = |path: &String| !path.starts_with("/var/captures");
        if machine.os == "Linux" && wanted.file_path.as_ref().is_some_and(outside) {
            let message = "On Linux the filePath must be under /var/captures.";
            return Err(provider_error(400, "InvalidRequest", message));
        }
    }
    if let Some(scale_set) = scale_set {
        for chosen in wanted.include.iter().chain(&wanted.exclude) {
            let is_chosen = |name: &String| {
                same(chosen, name)
                    || same(chosen, &format!("{}/virtualMachines/{name}", scale_set.id))
            };
            if !scale_set.instances.iter().any(is_chosen) {
                return Err(dangling(chosen));
            }
        }
    }
    match &wanted.storage_id {
        Some(account) if world.storage_account(account).is_none() => Err(dangling(account)),
        _ => Ok(()),
    }
}

/// The service acts on VM and account in the caller's name.
pub(super) fn check_rights(world: &World, wanted: &Wanted) -> Result<(), Answer> {
    let storage = [
        "Microsoft.Storage/storageAccounts/read",
        "Microsoft.Storage/storageAccounts/listKeys/action",
        "Microsoft.Storage/storageAccounts/listServiceSas/action",
        "Microsoft.Storage/storageAccounts/listAccountSas/action",
    ];
    let set = "Microsoft.Compute/virtualMachineScaleSets/read";
    let instances = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read";
    let chosen = !wanted.include.is_empty() || !wanted.exclude.is_empty();
    // Microsoft lists the right on machines; that scale sets have theirs is taken from that.
    let target: &[&str] = match (wanted.target_type.as_str(), chosen) {
        ("AzureVMSS", true) => &[set, instances],
        ("AzureVMSS", false) => &[set],
        _ => &["Microsoft.Compute/virtualMachines/read"],
    };
    let linked = target.iter().map(|action| (action, Some(&wanted.target)));
    let linked = linked.chain(
        storage
            .iter()
            .map(|action| (action, wanted.storage_id.as_ref())),
    );
    for (action, scope) in linked {
        if let Some(scope) = scope.filter(|_| world.denies(action)) {
            let message = format!(
                "The client has permission to perform action '{}', however, it does not have \
                 permission to perform action '{action}' on the linked scope '{scope}'.",
                Call::PutCapture.action()
            );
            return Err(gateway_error(403, "LinkedAuthorizationFailed", message));
        }
    }
    Ok(())
}
