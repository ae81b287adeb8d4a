//! The checks that ask Azure Resource Manager, in their order.

use super::{
    Parts, Report, Targets,
    required::{ALERTS_CHANGE_STATE, ALERTS_READ, INSTANCES_READ, MACHINES_READ, SCALE_SETS_READ},
};
use crate::shell::Word;
use crate::{
    azure::{client::ArmClient, network_watcher::NetworkWatcher},
    config::Settings,
    resource_id::ResourceId,
};

/// What these checks share.
pub struct AzureChecks<'a> {
    pub parts: &'a Parts,
    pub settings: &'a Settings,
    pub arm: &'a ArmClient,
    /// The principal that missing roles are assigned to.
    pub assignee: Word,
    pub report: Report,
    /// Resource Manager did not answer: further calls would only take time.
    pub unreachable: bool,
    pub learned: Learned,
}

/// What the checks learned that those of machines need.
#[derive(Debug, Default)]
pub struct Learned {
    /// The network watchers of each subscription, if they could be listed.
    pub watchers: Vec<(ResourceId, Option<Vec<NetworkWatcher>>)>,
    /// The network watchers without room for another capture.
    pub full: Vec<ResourceId>,
    /// The region of the storage account.
    pub account_region: Option<String>,
}

impl AzureChecks<'_> {
    pub async fn run(&mut self, targets: &Targets) {
        let accounts = storage_accounts(self.settings);
        let scopes = scopes(self.settings, accounts.first(), targets);
        if scopes.is_empty() && targets.machines.is_empty() {
            self.report.skipped(
                "network watchers",
                "no subscription is known; --subscription names one",
            );
        }
        let mut subscriptions: Vec<ResourceId> = Vec::new();
        for scope in scopes.iter().chain(&targets.machines) {
            let subscription = scope.subscription_id();
            if !subscriptions.contains(&subscription) {
                subscriptions.push(subscription);
            }
        }
        for subscription in &subscriptions {
            self.report.about(Some(subscription));
            let watchers = self.subscription(subscription).await;
            self.report.about(None);
            self.learned.watchers.push((subscription.clone(), watchers));
            if self.unreachable {
                return self.without_answer();
            }
        }
        self.write_back(&subscriptions).await;
        for scope in &scopes {
            let needed = [MACHINES_READ, SCALE_SETS_READ, INSTANCES_READ];
            self.report.about(Some(scope));
            self.look_up(&needed, &[scope], scope).await;
        }
        self.report.about(None);
        for scope in scopes.iter().chain(&targets.machines) {
            self.what_changed(scope).await;
        }
        for account in &accounts {
            self.storage_account(account).await;
        }
        // With several, profiles decide which one a capture goes to.
        if accounts.len() > 1 {
            self.learned.account_region = None;
        }
        if accounts.is_empty() {
            self.report.skipped(
                "storage account",
                "PacketCapture__StorageAccountId is not set",
            );
        }
        self.record_retention().await;
        for machine in &targets.machines {
            let watchers = self.learned.watchers_of(machine).map(<[_]>::to_vec);
            self.machine(machine, watchers.as_deref()).await;
        }
    }

    /// The comments on Azure alerts, where they are switched on: Azure keeps alerts below their subscription.
    async fn write_back(&mut self, subscriptions: &[ResourceId]) {
        const CHECK: &str = "alert comments";
        let Some(write_back) = &self.settings.write_back else {
            return;
        };
        match &write_back.pages {
            Some(_) => self.report.ok(
                CHECK,
                "switched on; alerts become Acknowledged",
            ),
            None => self.report.warning(
                CHECK,
                "switched on without an address of the incidents' pages: comments do not lead there",
                self.parts
                    .hosting
                    .set("Notification__PageBaseUrl=https://<name>.azurewebsites.net/api/PacketCaptures"),
            ),
        }
        for subscription in subscriptions {
            let needed = [ALERTS_READ, ALERTS_CHANGE_STATE];
            self.look_up(&needed, &[subscription], subscription).await;
        }
    }

    fn without_answer(&mut self) {
        for check in ["storage account", "virtual machine"] {
            self.report
                .skipped(check, "Azure Resource Manager does not answer");
        }
    }
}

impl Learned {
    /// The network watchers of a machine's subscription, if they are known.
    pub fn watchers_of(&self, machine: &ResourceId) -> Option<&[NetworkWatcher]> {
        let mut known = self.watchers.iter();
        let (_, watchers) = known.find(|(subscription, _)| subscription.contains(machine))?;
        watchers.as_deref()
    }
}

/// Where the machines are whose captures need permissions: as asked for, else as allowed, else next to the storage
/// account. Machines that were asked for are checked one by one.
fn scopes(settings: &Settings, account: Option<&ResourceId>, targets: &Targets) -> Vec<ResourceId> {
    if !targets.subscriptions.is_empty() || !targets.machines.is_empty() {
        return targets.subscriptions.clone();
    }
    let allowed = &settings.allowed.allowed.scopes;
    if !allowed.is_empty() {
        return allowed.clone();
    }
    account
        .map(ResourceId::subscription_id)
        .into_iter()
        .collect()
}

/// The accounts that capture files are uploaded to: those of all profiles.
fn storage_accounts(settings: &Settings) -> Vec<ResourceId> {
    let accounts = settings.storage_accounts().into_iter();
    accounts
        .filter_map(|id| ResourceId::parse(id).ok())
        .collect()
}

/// The names of resources in a row, or how many when they are too many to read.
pub fn names(ids: &[&ResourceId]) -> String {
    const MAXIMUM: usize = 4;
    if ids.len() > MAXIMUM {
        return format!("{} resources", ids.len());
    }
    let name = |id: &&ResourceId| match (id.name(), id.resource_group()) {
        (Some(name), _) => name.to_owned(),
        (None, Some(group)) => format!("resource group {group}"),
        (None, None) => format!("subscription {}", id.subscription()),
    };
    ids.iter().map(name).collect::<Vec<_>>().join(", ")
}
