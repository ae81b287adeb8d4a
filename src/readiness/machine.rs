//! One virtual machine: whether an alert on it could start a capture.

use super::{
    azure::{AzureChecks, names},
    fix,
    required::{EXTENSIONS_READ, INSTANCE_VIEW_READ, MACHINES_READ},
};
use crate::{
    azure::{
        compute::{ComputeClient, Extension},
        network_watcher::NetworkWatcher,
    },
    resource_id::ResourceId,
};

const REGION: &str = "watcher of its region";
const AGENT: &str = "agent";
const POWER: &str = "power";

impl AzureChecks<'_> {
    /// `watchers` are those of its subscription, if they could be listed.
    pub async fn machine(&mut self, id: &ResourceId, watchers: Option<&[NetworkWatcher]>) {
        const CHECK: &str = "virtual machine";
        let name = id.name().unwrap_or_default();
        let mut os_type = None;
        match self.compute().get_virtual_machine(id).await {
            Ok(machine) => {
                self.has(MACHINES_READ, name);
                self.report
                    .ok(CHECK, format!("{name} is in {}", machine.location));
                self.watcher_of(id, &machine.location, watchers);
                os_type = machine.os_type;
            }
            Err(error) => {
                let fix = fix::list_machines(id);
                self.refused(CHECK, MACHINES_READ, id, &error, fix);
                self.report
                    .skipped(REGION, format!("the region of {name} is not known"));
                if error.is_not_found() {
                    for check in [AGENT, POWER] {
                        self.report.skipped(check, format!("{name} does not exist"));
                    }
                    return;
                }
            }
        }
        self.agent(id, os_type.as_deref()).await;
        self.power(id).await;
    }

    fn compute(&self) -> ComputeClient {
        ComputeClient::new(self.arm.clone())
    }

    fn watcher_of(&mut self, id: &ResourceId, location: &str, watchers: Option<&[NetworkWatcher]>) {
        let Some(watchers) = watchers else {
            self.report
                .skipped(REGION, "the network watchers are not known");
            return;
        };
        match watchers.iter().find(|it| it.location == location) {
            Some(watcher) => self.report.ok(REGION, names(&[&watcher.id])),
            None => self.report.failed(
                REGION,
                format!("{location} has no network watcher in this subscription"),
                fix::enable_watcher(&id.subscription_id(), location),
            ),
        }
    }

    async fn agent(&mut self, id: &ResourceId, os_type: Option<&str>) {
        let name = id.name().unwrap_or_default();
        let fix = fix::install_agent(id, os_type);
        let extensions = match self.compute().list_extensions(id).await {
            Ok(extensions) => extensions,
            Err(error) => return self.refused(AGENT, EXTENSIONS_READ, id, &error, fix),
        };
        match extensions.iter().find(|it| is_agent(it)) {
            None => self.report.failed(
                AGENT,
                format!("the Network Watcher extension is not installed on {name}"),
                fix,
            ),
            Some(agent) => match agent.provisioning_state.as_deref() {
                Some(state) if state.eq_ignore_ascii_case("Failed") => self.report.warning(
                    AGENT,
                    format!("the installation of {} on {name} failed", agent.kind),
                    fix,
                ),
                _ => self
                    .report
                    .ok(AGENT, format!("{} is installed on {name}", agent.kind)),
            },
        }
    }

    async fn power(&mut self, id: &ResourceId) {
        let name = id.name().unwrap_or_default();
        let fix = fix::start_machine(id);
        let view = self.compute().get_instance_view(id).await;
        match view.map(|view| view.power) {
            Err(error) => self.refused(POWER, INSTANCE_VIEW_READ, id, &error, fix),
            Ok(Some(state)) if state.eq_ignore_ascii_case("running") => {
                self.report.ok(POWER, format!("{name} is running"));
            }
            Ok(state) => {
                let state = state.as_deref().unwrap_or("in an unknown state");
                let message = format!("{name} is {state}: captures need a running machine");
                self.report.failed(POWER, message, fix);
            }
        }
    }
}

/// By publisher and type: the name of an extension is free.
fn is_agent(extension: &Extension) -> bool {
    extension.publisher.eq_ignore_ascii_case(AGENT_PUBLISHER) && is_agent_type(&extension.kind)
}

pub(super) const AGENT_PUBLISHER: &str = "Microsoft.Azure.NetworkWatcher";

/// Whether an extension of that publisher is the agent.
pub(super) fn is_agent_type(kind: &str) -> bool {
    ["NetworkWatcherAgentLinux", "NetworkWatcherAgentWindows"]
        .iter()
        .any(|it| it.eq_ignore_ascii_case(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agent_is_known_by_publisher_and_type() {
        for (publisher, kind, expected) in [
            (
                "Microsoft.Azure.NetworkWatcher",
                "NetworkWatcherAgentLinux",
                true,
            ),
            (
                "microsoft.azure.networkwatcher",
                "NetworkWatcherAgentWINDOWS",
                true,
            ),
            ("Microsoft.Azure.NetworkWatcher", "Something", false),
            ("Microsoft.Azure.Monitor", "NetworkWatcherAgentLinux", false),
            ("", "", false),
        ] {
            let extension = Extension {
                publisher: publisher.to_owned(),
                kind: kind.to_owned(),
                provisioning_state: None,
            };
            assert_eq!(is_agent(&extension), expected, "{publisher} {kind}");
        }
    }
}
