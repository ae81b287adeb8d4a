//! The commands that mend, as people would type them. Pure; nothing here is ever run.

use crate::{config::AppSettings, resource_id::ResourceId};

/// Gives a built-in role at a scope. `assignee` is taken as it is.
pub fn assign_role(assignee: &str, role: &str, scope: &ResourceId) -> String {
    format!(
        "az role assignment create --assignee {assignee} --role \"{role}\" --scope {}",
        quoted(&scope.to_string())
    )
}

/// Sets an app setting; `pair` is `NAME=VALUE`. Within Azure the app's own name is known.
pub fn app_setting(environment: &AppSettings, pair: &str) -> String {
    let app = app(environment);
    let pair = quoted(pair);
    format!("az functionapp config appsettings set {app} --settings {pair}")
}

/// Gives the app its system-assigned identity, or the user-assigned one of this client id.
pub fn assign_identity(environment: &AppSettings, client_id: Option<&str>) -> String {
    let app = app(environment);
    let which = client_id.map_or(String::new(), |client_id| {
        let query = quoted(&format!("[?clientId=='{client_id}'].id"));
        format!(" --identities \"$(az identity list --query {query} --output tsv)\"")
    });
    format!("az functionapp identity assign {app}{which}")
}

/// Puts the app's files there again, after one of them was mended by hand.
pub fn publish(environment: &AppSettings, file: &str) -> String {
    let app = environment.get("WEBSITE_SITE_NAME");
    let app = app.map_or("<app>".to_owned(), quoted);
    format!("func azure functionapp publish {app} --custom   # with {file} as it should be")
}

/// Switches App Service authentication on.
pub fn enable_authentication(environment: &AppSettings) -> String {
    format!("az webapp auth update {} --enabled true", app(environment))
}

/// The tenant that `az` is signed in to has this id.
pub fn show_tenant(setting: &str) -> String {
    format!("az account show --query tenantId   # belongs into {setting}")
}

pub fn show_identity(environment: &AppSettings) -> String {
    format!("az functionapp identity show {}", app(environment))
}

pub fn restart(environment: &AppSettings) -> String {
    format!("az functionapp restart {}", app(environment))
}

fn app(environment: &AppSettings) -> String {
    let app = environment.get("WEBSITE_SITE_NAME");
    let group = environment.get("WEBSITE_RESOURCE_GROUP");
    format!(
        "--name {} --resource-group {}",
        app.map_or("<app>".to_owned(), quoted),
        group.map_or("<group>".to_owned(), quoted)
    )
}

pub fn enable_watcher(subscription: &ResourceId, location: &str) -> String {
    format!(
        "az network watcher configure --resource-group NetworkWatcherRG --locations {location} --enabled true{}",
        at(subscription)
    )
}

pub fn list_captures(watcher: &ResourceId, location: &str) -> String {
    format!(
        "az network watcher packet-capture list --location {location} --output table{}",
        at(watcher)
    )
}

pub fn delete_capture(watcher: &ResourceId, location: &str, name: &str) -> String {
    format!(
        "az network watcher packet-capture delete --location {location} --name {}{}",
        quoted(name),
        at(watcher)
    )
}

/// What the cloud that `az` is signed in to has for a setting of ours.
pub fn show_cloud(endpoint: &str, setting: &str) -> String {
    format!("az cloud show --query endpoints.{endpoint}   # belongs into {setting}")
}

pub fn show_subscription(subscription: &ResourceId) -> String {
    format!(
        "az account show --subscription {}",
        subscription.subscription()
    )
}

pub fn list_machines(machine: &ResourceId) -> String {
    format!("az vm list --query \"[].id\" --output tsv{}", at(machine))
}

pub fn start_machine(machine: &ResourceId) -> String {
    format!("az vm start --ids {}", quoted(&machine.to_string()))
}

/// `os_type` is Azure's word, `Linux` or `Windows`.
pub fn install_agent(machine: &ResourceId, os_type: Option<&str>) -> String {
    let windows = os_type.is_some_and(|os| os.eq_ignore_ascii_case("Windows"));
    format!(
        "az vm extension set --publisher Microsoft.Azure.NetworkWatcher --name NetworkWatcherAgent{} --vm-name {} --resource-group {}{}",
        if windows { "Windows" } else { "Linux" },
        quoted(machine.name().unwrap_or_default()),
        quoted(machine.resource_group().unwrap_or_default()),
        at(machine)
    )
}

pub fn allow_shared_keys(account: &ResourceId) -> String {
    format!(
        "az storage account update --ids {} --allow-shared-key-access true",
        quoted(&account.to_string())
    )
}

pub fn create_account(account: &ResourceId, name: &str) -> String {
    format!(
        "az storage account create --name {name} --resource-group {} --kind StorageV2 --sku Standard_LRS --allow-shared-key-access true{}",
        quoted(account.resource_group().unwrap_or("<group>")),
        at(account)
    )
}

fn at(resource: &ResourceId) -> String {
    format!(" --subscription {}", resource.subscription())
}

/// Fit for a shell: group names may have parentheses, for instance.
pub fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_read_is_quoted() {
        for (text, expected) in [
            ("rg-shop", "rg-shop"),
            ("rg(old)", "'rg(old)'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }
}
