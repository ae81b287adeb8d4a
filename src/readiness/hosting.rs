//! What the platform says about the function app, and the commands that change the app itself.

use crate::config::{AppSettings, Platform};
use crate::shell::{ShellCommand, Word};
use std::path::PathBuf;

/// The app as App Service describes it to the process. All of it is missing elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Hosting {
    app: Option<String>,
    resource_group: Option<String>,
    /// Where the app's files are.
    pub root: PathBuf,
    /// Whether App Service authentication checks callers before they reach this process.
    pub authentication: bool,
}

impl Hosting {
    pub fn of(settings: &AppSettings) -> Self {
        Self::on(&Platform::of(settings))
    }

    pub fn on(platform: &Platform) -> Self {
        Self {
            app: platform.site.clone(),
            resource_group: platform.resource_group.clone(),
            root: platform.root.clone(),
            authentication: platform.authentication,
        }
    }

    /// Sets an app setting; `pair` is `NAME=VALUE`.
    pub fn set(&self, pair: &str) -> ShellCommand {
        self.named(ShellCommand::new("az functionapp config appsettings set"))
            .with("--settings", pair)
    }

    /// Gives the app its system-assigned identity, or the user-assigned one of this client id.
    pub fn assign_identity(&self, client_id: Option<&str>) -> ShellCommand {
        let command = self.named(ShellCommand::new("az functionapp identity assign"));
        let Some(client_id) = client_id else {
            return command;
        };
        let query = format!("[?clientId=='{client_id}'].id");
        let id = ShellCommand::new("az identity list")
            .with("--query", &query)
            .words("--output tsv");
        command.with("--identities", Word::output_of(&id))
    }

    pub fn show_identity(&self) -> ShellCommand {
        self.named(ShellCommand::new("az functionapp identity show"))
    }

    pub fn restart(&self) -> ShellCommand {
        self.named(ShellCommand::new("az functionapp restart"))
    }

    /// Switches App Service authentication on.
    pub fn enable_authentication(&self) -> ShellCommand {
        self.named(ShellCommand::new("az webapp auth update"))
            .words("--enabled true")
    }

    /// Uploads the app's files again.
    pub fn publish(&self, file: &str) -> ShellCommand {
        let app = self.app.as_deref().unwrap_or("<app>");
        ShellCommand::new("func azure functionapp")
            .with("publish", app)
            .words("--custom")
            .remark(&format!("after correcting {file}"))
    }

    fn named(&self, command: ShellCommand) -> ShellCommand {
        let app = self.app.as_deref().unwrap_or("<app>");
        let group = self.resource_group.as_deref().unwrap_or("<group>");
        command.with("--name", app).with("--resource-group", group)
    }
}
