//! Which machines a run is about: from alert rules, allowed scopes or ids to a list, a thousand machines a call.

use super::{
    calls::{Calls, because},
    inventory::{self, Inventory, Listed, Set},
    query,
    rules::{self, Own},
    setup::note,
};
use crate::{
    azure::{
        authorization::AuthorizationClient,
        client::ArmClient,
        error::{AzureError, chain},
        resource_graph::{self, MAXIMUM_ROWS, ResourceGraphClient},
    },
    config::{ReadinessTargets, Settings},
    fleet::{Because, Weight},
    readiness::{
        fix,
        required::{EFFECTIVE_RULES, EXTENSIONS_READ, INTERFACES_READ, MACHINES_READ, RULES_READ},
        roles,
    },
    resource_id::ResourceId,
    shell::Word,
};
use serde_json::Value;
use std::collections::HashSet;

/// Maximum rows of a page of rules: each has some kilobytes.
const RULES_A_PAGE: usize = 200;
/// Maximum rows of a query. A tenant has fewer machines.
const MAXIMUM_ROWS_READ: usize = 100_000;
/// Maximum subscriptions that one query names, and places whose permissions are looked up.
const MAXIMUM_SUBSCRIPTIONS: usize = 100;
pub const MAXIMUM_PLACES: usize = 32;
const RULES: &str = "alert rules";
const TARGETS: &str = "readiness targets";

const VM: &str = "Microsoft.Compute/virtualMachines";
const SET: &str = "Microsoft.Compute/virtualMachineScaleSets";
const INSTANCE: &str = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines";

/// Lists the machines.
///
/// # Errors
/// Why the list is not known.
pub async fn list(
    calls: &mut Calls<'_>,
    arm: &ArmClient,
    settings: &Settings,
    inventory: &mut Inventory,
) -> Result<(), Because> {
    let mut graph = Graph {
        client: ResourceGraphClient::new(arm.clone()),
        calls,
        inventory,
    };
    let failed = |error: AzureError, inventory: &mut Inventory| {
        let message = format!("could not be listed: {}", chain(&error));
        inventory
            .findings
            .push(note(TARGETS, Weight::Unknown, message, None));
        because(&error, MACHINES_READ.action)
    };
    let scopes = match graph.scopes(settings).await {
        Ok(scopes) => scopes,
        Err(error) => return Err(failed(error, graph.inventory)),
    };
    let with_interfaces = settings.readiness.effective_rules;
    match graph.machines(&scopes, with_interfaces).await {
        Ok(()) => {
            graph.empty(&settings.readiness.targets);
            Ok(())
        }
        Err(error) => Err(failed(error, graph.inventory)),
    }
}

/// Where permissions are looked up and network watchers are needed: the allowed scopes, and the subscriptions of machines
/// outside of them. Without any, the subscription of the storage account.
pub fn places(settings: &Settings, inventory: &Inventory) -> Vec<ResourceId> {
    let allowed = settings.allowed.allowed.scopes.iter();
    let mut places: Vec<ResourceId> = allowed.take(MAXIMUM_PLACES).cloned().collect();
    for id in inventory.ids() {
        let known = places.iter().any(|place| place.contains(&id));
        if !known && places.len() < MAXIMUM_PLACES {
            places.push(id.subscription_id());
        }
    }
    let account = settings.capture.parameters.storage.storage_id.as_deref();
    if let Some(account) = account.and_then(|it| ResourceId::parse(it).ok())
        && places.is_empty()
    {
        places.push(account.subscription_id());
    }
    places
}

/// The rights of a run that only listing shows: what may not be read is missing from the lists without an error.
pub async fn unread(
    calls: &mut Calls<'_>,
    arm: &ArmClient,
    places: &[ResourceId],
    assignee: Option<&Word>,
    settings: &Settings,
    inventory: &mut Inventory,
) -> Vec<ResourceId> {
    let client = AuthorizationClient::new(arm.clone());
    let mut agents = Vec::new();
    let by_rules = settings.readiness.targets == ReadinessTargets::Rules;
    let with_outbound = settings.readiness.effective_rules;
    for place in places {
        let roles = calls.patiently(|| client.list_permissions(place)).await;
        // Where the roles cannot be listed, the doctor says so.
        let Ok(roles) = roles else {
            agents.push(place.clone());
            continue;
        };
        let lacks = |action: &str| !roles::allow(&roles, action);
        if lacks(EXTENSIONS_READ.action) {
            agents.push(place.clone());
        }
        let of_rules = RULES_READ.iter().filter(|_| by_rules);
        let of_rules = of_rules.map(|it| (it, "alert rules there are not known"));
        let outbound = [EFFECTIVE_RULES, INTERFACES_READ];
        let outbound = outbound.iter().filter(|_| with_outbound);
        let outbound = outbound.map(|it| (it, "outbound rules there are not known"));
        for (right, meaning) in of_rules.chain(outbound) {
            if !lacks(right.action) {
                continue;
            }
            let fix = assignee.map(|it| fix::assign_role(it, right.role, &place.to_string()));
            inventory.findings.push(note(
                &right.label(),
                Weight::Unknown,
                format!("missing on {place}: {meaning}"),
                fix.map(|it| it.to_string()),
            ));
        }
    }
    agents
}

struct Graph<'g, 'c> {
    client: ResourceGraphClient,
    calls: &'g mut Calls<'c>,
    inventory: &'g mut Inventory,
}

impl Graph<'_, '_> {
    /// Where the machines are.
    async fn scopes(&mut self, settings: &Settings) -> Result<HashSet<ResourceId>, AzureError> {
        let allowed = &settings.allowed.allowed.scopes;
        match &settings.readiness.targets {
            ReadinessTargets::Ids(ids) => return Ok(ids.iter().cloned().collect()),
            ReadinessTargets::Scopes => {}
            ReadinessTargets::Rules => {
                let own = own(settings);
                if own.is_known() {
                    let mut rows = Vec::new();
                    let take = |row: Value, _: &mut Inventory| rows.push(row);
                    self.each(query::RULES, &[], RULES_A_PAGE, take).await?;
                    let found = rules::read(&rows, &own);
                    self.inventory.findings.extend(found.findings);
                    return Ok(found.scopes);
                }
                let message = "this function's address is not known (WEBSITE_HOSTNAME, Notification__PageBaseUrl): PacketCapture__AllowedScopes is checked instead";
                let finding = note(RULES, Weight::Unknown, message.to_owned(), None);
                self.inventory.findings.push(finding);
            }
        }
        if allowed.is_empty() {
            let message = "PacketCapture__AllowedScopes is not set: no machines are known";
            let finding = note(TARGETS, Weight::Unknown, message.to_owned(), None);
            self.inventory.findings.push(finding);
        }
        Ok(allowed.iter().cloned().collect())
    }

    async fn machines(
        &mut self,
        scopes: &HashSet<ResourceId>,
        with_interfaces: bool,
    ) -> Result<(), AzureError> {
        let mut subscriptions: Vec<&str> = scopes.iter().map(ResourceId::subscription).collect();
        subscriptions.sort_unstable();
        subscriptions.dedup();
        let mut flexible: Vec<ResourceId> = Vec::new();
        for part in subscriptions.chunks(MAXIMUM_SUBSCRIPTIONS) {
            let sets = |row: Value, inventory: &mut Inventory| {
                let Some(id) = resource_graph::id(&row, "id") else {
                    return;
                };
                let instances = instances_of(scopes, &id);
                let whole = is_within(scopes, &id);
                if !whole && instances.is_empty() {
                    return;
                }
                match inventory::set(&id, &row) {
                    Some(set) => inventory.sets.push(Set {
                        instances: if whole { Vec::new() } else { instances },
                        ..set
                    }),
                    None => flexible.push(id),
                }
            };
            self.each(query::SCALE_SETS, part, MAXIMUM_ROWS, sets)
                .await?;
            let machines = |row: Value, inventory: &mut Inventory| {
                let Some(id) = resource_graph::id(&row, "id") else {
                    return;
                };
                let set = resource_graph::id(&row, "set");
                let member = set.is_some_and(|set| flexible.contains(&set));
                if member || is_within(scopes, &id) {
                    inventory.add(id, inventory::machine(&row, with_interfaces));
                }
            };
            self.each(query::MACHINES, part, MAXIMUM_ROWS, machines)
                .await?;
            let agents = |row: Value, inventory: &mut Inventory| {
                let machine = resource_graph::id(&row, "id").and_then(|id| id.parent());
                let kind = row["kind"].as_str().unwrap_or_default();
                if let Some(listed) = machine.and_then(|id| inventory.get_mut(&id))
                    && crate::readiness::machine::is_agent_type(kind)
                {
                    listed.agent = Some(row["state"].as_str().unwrap_or_default().to_owned());
                }
            };
            self.each(query::AGENTS, part, MAXIMUM_ROWS, agents).await?;
        }
        // Machines that are named and not listed are asked for one by one: the list is some seconds old, and leaves out what
        // may not be read.
        for id in scopes.iter().filter(|id| id.is_type(VM)) {
            if self.inventory.get(id).is_none() {
                self.inventory.add(id.clone(), Listed::default());
            }
        }
        for id in scopes.iter().filter(|id| id.is_type(SET)) {
            let known = self.inventory.sets.iter().any(|set| set.id == *id);
            if !known && !flexible.contains(id) {
                self.inventory.sets.push(unlisted(id));
            }
        }
        Ok(())
    }

    /// The subscriptions and groups in the setting without a machine: what may not be read is missing from the lists.
    fn empty(&mut self, targets: &ReadinessTargets) {
        let ReadinessTargets::Ids(ids) = targets else {
            return;
        };
        let known = self.inventory.ids();
        for id in ids
            .iter()
            .filter(|id| !known.iter().any(|it| id.contains(it)))
        {
            // Instances are checked with their set, and the members of a flexible one are elsewhere.
            if id.is_type(INSTANCE) || id.is_type(SET) {
                continue;
            }
            let message = format!("no machine that can be read is in {id}");
            let finding = note(TARGETS, Weight::Unknown, message, None);
            self.inventory.findings.push(finding);
        }
    }

    /// Hands each row of a query to `take`.
    async fn each(
        &mut self,
        query: &'static str,
        subscriptions: &[&str],
        rows: usize,
        mut take: impl FnMut(Value, &mut Inventory),
    ) -> Result<(), AzureError> {
        let mut next: Option<String> = None;
        let mut left = MAXIMUM_ROWS_READ;
        loop {
            let after = next.as_deref();
            let read = || self.client.resources(query, subscriptions, after, rows);
            let page = self.calls.patiently(read).await?;
            left = left.saturating_sub(page.rows.len().max(1));
            for row in page.rows {
                take(row, self.inventory);
            }
            match page.next {
                Some(token) if left > 0 && Some(&token) != next.as_ref() => next = Some(token),
                _ => return Ok(()),
            }
        }
    }
}

/// Whether a resource, or what contains it, is one of the scopes. A rule may name 5,000 machines: they are not gone through one
/// by one.
fn is_within(scopes: &HashSet<ResourceId>, id: &ResourceId) -> bool {
    let mut inner = Some(id.clone());
    while let Some(id) = inner {
        if scopes.contains(&id) {
            return true;
        }
        inner = id.parent();
    }
    false
}

/// The instances of this set that scopes name.
fn instances_of(scopes: &HashSet<ResourceId>, set: &ResourceId) -> Vec<ResourceId> {
    let named = scopes.iter();
    named
        .filter(|id| id.is_type(INSTANCE) && set.contains(id))
        .cloned()
        .collect()
}

/// A set that is named and not listed: asking for its instances says why.
fn unlisted(id: &ResourceId) -> Set {
    Set {
        id: id.clone(),
        region: String::new(),
        is_windows: false,
        forbids_extensions: false,
        has_agent_in_model: false,
        instances: Vec::new(),
    }
}

/// How this function is called.
fn own(settings: &Settings) -> Own {
    let pages = settings
        .notification
        .as_ref()
        .and_then(|it| it.pages.as_ref());
    let pages = pages.and_then(|it| it.host_str()).map(str::to_owned);
    let mut hosts: Vec<String> = settings.platform.host_name.clone().into_iter().collect();
    hosts.extend(pages);
    let webhook = settings.secure_webhook.as_ref();
    Own {
        hosts,
        site: settings.platform.site.clone(),
        audiences: webhook.map_or_else(Vec::new, |it| it.expected.audiences.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_within_what_contains_it() {
        const SUB: &str = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee";
        let id = |below: &str| -> ResourceId { format!("{SUB}{below}").parse().unwrap() };
        let set = "/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/pool";
        let instance = id(&format!("{set}/virtualMachines/3"));
        for (scope, expected) in [
            ("", true),
            ("/resourceGroups/G", true),
            (
                &set.to_uppercase()
                    .replace("RESOURCEGROUPS", "resourceGroups"),
                true,
            ),
            (&format!("{set}/virtualMachines/3"), true),
            (&format!("{set}/virtualMachines/33"), false),
            ("/resourceGroups/g2", false),
        ] {
            let scopes = HashSet::from([id(scope)]);
            assert_eq!(is_within(&scopes, &instance), expected, "{scope}");
        }
    }
}
