//! What packets of a machine pass: its interfaces, their NSGs, subnets, route tables, and the load balancers in front. Two
//! queries of Resource Graph find them.

use crate::{changes::subject, resource_id::ResourceId};
use serde_json::Value;

/// The action that shows a resource to Resource Graph.
pub(super) const ACTION: &str = "Microsoft.Network/networkInterfaces/read";
/// Maximum number of resources, and of resource groups whose activity log is asked for.
const MOST: usize = 36;
const MOST_GROUPS: usize = 4;

/// What is around a machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Around {
    machine: ResourceId,
    interfaces: Vec<ResourceId>,
    /// Subnets, whose changes stand at their virtual network.
    subnets: Vec<ResourceId>,
    /// NSGs, route tables, load balancers, public addresses.
    others: Vec<ResourceId>,
}

/// The interfaces of a machine. An id of a machine has no character that ends a text of the query.
pub(super) fn interfaces_query(machine: &ResourceId) -> String {
    format!(
        "resources | where type =~ 'microsoft.network/networkinterfaces' | where tostring(properties.virtualMachine.id) =~ {} | project id, nsg = tostring(properties.networkSecurityGroup.id), configurations = properties.ipConfigurations | order by id asc",
        quoted(&machine.to_string())
    )
}

/// A text of Kusto.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

pub(super) fn list(ids: impl Iterator<Item = String>) -> String {
    ids.map(|id| quoted(&id)).collect::<Vec<_>>().join(", ")
}

impl Around {
    /// A machine of which nothing else is known.
    pub fn of(machine: &ResourceId) -> Self {
        Self {
            machine: machine.clone(),
            interfaces: Vec::new(),
            subnets: Vec::new(),
            others: Vec::new(),
        }
    }

    /// What was found before, by its ids as [`Around::ids`] gives them.
    pub fn known(machine: &ResourceId, ids: &[Box<str>]) -> Self {
        let mut known = Self::of(machine);
        for id in ids {
            let Ok(id) = ResourceId::parse(id) else {
                continue;
            };
            if id.name().is_none() || id == *machine {
                continue;
            }
            match id.is_type("Microsoft.Network/networkInterfaces") {
                true => known.interfaces.push(id),
                false => known.others.push(id),
            }
        }
        known
    }

    pub fn interfaces(&self) -> &[ResourceId] {
        &self.interfaces
    }

    /// The machine's group first, then the groups of what is around it.
    pub fn groups(&self) -> Vec<ResourceId> {
        let mut groups: Vec<ResourceId> = Vec::new();
        for id in self.all() {
            let group = id
                .resource_group()
                .and_then(|name| id.subscription_id().child("resourceGroups", name).ok());
            groups.extend(group.filter(|group| !groups.contains(group)));
        }
        groups.truncate(MOST_GROUPS);
        groups
    }

    /// Whether a change of this resource is one of what is around the machine.
    pub fn has(&self, id: &str) -> bool {
        self.roots().any(|known| known.eq_ignore_ascii_case(id))
    }

    /// The ids, the machine's first and its group's last.
    pub fn ids(&self) -> Vec<Box<str>> {
        let group = self.groups().into_iter().next();
        let group = group.map(|group| group.to_string().into());
        self.roots().map(Into::into).chain(group).collect()
    }

    /// Each once, subnets as their virtual networks.
    pub(super) fn roots(&self) -> impl Iterator<Item = String> {
        let mut roots: Vec<String> = Vec::new();
        for id in self.all() {
            let id = id.to_string();
            let (root, _, _) = subject(&id);
            if !roots.iter().any(|known| known.eq_ignore_ascii_case(root)) {
                roots.push(root.to_owned());
            }
        }
        roots.into_iter()
    }

    fn all(&self) -> impl Iterator<Item = &ResourceId> {
        std::iter::once(&self.machine)
            .chain(&self.interfaces)
            .chain(&self.others)
            .chain(&self.subnets)
    }

    /// Adds the rows of [`interfaces_query`].
    pub(super) fn add_interfaces(&mut self, rows: &[Value]) {
        for row in rows {
            add(&mut self.interfaces, row["id"].as_str());
            add(&mut self.others, row["nsg"].as_str());
            let configurations = row["configurations"].as_array();
            for configuration in configurations.into_iter().flatten() {
                let properties = &configuration["properties"];
                add(&mut self.subnets, properties["subnet"]["id"].as_str());
                add(
                    &mut self.others,
                    properties["publicIPAddress"]["id"].as_str(),
                );
                let pools = properties["loadBalancerBackendAddressPools"].as_array();
                for pool in pools.into_iter().flatten() {
                    let pool = pool["id"].as_str();
                    add(&mut self.others, pool.map(|pool| subject(pool).0));
                }
            }
        }
    }

    /// The NSGs and route tables of the subnets; `None`: no subnet is known.
    pub(super) fn subnets_query(&self) -> Option<String> {
        let networks = self.subnets.iter().filter_map(ResourceId::parent);
        let networks = list(networks.map(|id| id.to_string()));
        let subnets = list(self.subnets.iter().map(ToString::to_string));
        (!self.subnets.is_empty()).then(|| format!(
            "resources | where type =~ 'microsoft.network/virtualnetworks' | where id in~ ({networks}) | mv-expand subnet = properties.subnets | where tostring(subnet.id) in~ ({subnets}) | project id = tostring(subnet.id), nsg = tostring(subnet.properties.networkSecurityGroup.id), routes = tostring(subnet.properties.routeTable.id) | order by id asc"
        ))
    }

    /// Adds the rows of [`Around::subnets_query`].
    pub(super) fn add_subnets(&mut self, rows: &[Value]) {
        for row in rows {
            add(&mut self.others, row["nsg"].as_str());
            add(&mut self.others, row["routes"].as_str());
        }
    }
}

fn add(ids: &mut Vec<ResourceId>, id: Option<&str>) {
    let id = id.and_then(|id| ResourceId::parse(id).ok());
    ids.extend(id.filter(|id| !ids.contains(id)));
    ids.truncate(MOST);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const GROUP: &str = "/subscriptions/6d1f3a58-27c4-4e0b-9b5d-0a8e4c7f1b32/resourceGroups";

    fn network(group: &str, below: &str) -> String {
        format!("{GROUP}/{group}/providers/Microsoft.Network/{below}")
    }

    #[test]
    fn the_rows_of_two_queries_are_what_is_around_a_machine() {
        let machine = format!("{GROUP}/rg-shop/providers/Microsoft.Compute/virtualMachines/web-01");
        let mut around = Around::of(&machine.parse().unwrap());
        assert_eq!(around.subnets_query(), None);
        let pool = network("rg-net", "loadBalancers/lb-front/backendAddressPools/web");
        around.add_interfaces(&[json!({
            "id": network("rg-shop", "networkInterfaces/nic-web-01"),
            "nsg": network("RG-SHOP", "networkSecurityGroups/nsg-web"),
            "configurations": [{ "properties": {
                "subnet": { "id": network("rg-net", "virtualNetworks/vnet/subnets/web") },
                "loadBalancerBackendAddressPools": [{ "id": pool }],
            } }],
        })]);
        let query = around.subnets_query().unwrap();
        assert!(
            query.contains(&network("rg-net", "virtualNetworks/vnet'")),
            "{query}"
        );
        around.add_subnets(&[json!({
            "nsg": network("rg-shop", "networkSecurityGroups/nsg-web"),
            "routes": "",
        })]);
        let ids = around.ids();
        let names: Vec<&str> = ids
            .iter()
            .map(|id| id.rsplit('/').next().unwrap())
            .collect();
        assert_eq!(
            names,
            [
                "web-01",
                "nic-web-01",
                "nsg-web",
                "lb-front",
                "vnet",
                "rg-shop"
            ]
        );
        let groups: Vec<String> = around.groups().iter().map(ToString::to_string).collect();
        assert_eq!(
            groups,
            [format!("{GROUP}/rg-shop"), format!("{GROUP}/rg-net")]
        );
        let known = Around::known(&machine.parse().unwrap(), &ids);
        assert_eq!(
            (known.ids(), known.interfaces()),
            (ids, around.interfaces())
        );
        assert!(around.has(&network("rg-net", "VIRTUALNETWORKS/vnet")));
        assert!(!around.has(&network("rg-net", "virtualNetworks/other")));
    }

    #[test]
    fn a_quote_ends_no_text_of_a_query() {
        assert_eq!(quoted(r"a'b\c"), r"'a\'b\\c'");
    }
}
