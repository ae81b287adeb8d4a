//! What kind of resource changed, and how: it decides which changes are read first.

use serde::{Deserialize, Serialize};

/// What was changed. In the order of reading: what touches the path of packets first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// A network security group or one of its rules.
    SecurityGroup,
    /// A route table or one of its routes.
    RouteTable,
    /// A network interface.
    NetworkInterface,
    /// A load balancer.
    LoadBalancer,
    /// A virtual network or one of its subnets.
    VirtualNetwork,
    /// A public IP address.
    PublicAddress,
    /// The machine: its size, its power, its settings.
    Machine,
    /// An extension of the machine.
    Extension,
    /// Anything else in the resource group.
    #[serde(other)]
    Other,
}

/// Resource types by their last part, without their provider.
const TYPES: [(&str, Kind); 10] = [
    (
        "microsoft.network/networksecuritygroups",
        Kind::SecurityGroup,
    ),
    ("microsoft.network/routetables", Kind::RouteTable),
    (
        "microsoft.network/networkinterfaces",
        Kind::NetworkInterface,
    ),
    ("microsoft.network/loadbalancers", Kind::LoadBalancer),
    ("microsoft.network/virtualnetworks", Kind::VirtualNetwork),
    ("microsoft.network/publicipaddresses", Kind::PublicAddress),
    (
        "microsoft.compute/virtualmachines/extensions",
        Kind::Extension,
    ),
    (
        "microsoft.compute/virtualmachinescalesets/extensions",
        Kind::Extension,
    ),
    ("microsoft.compute/virtualmachines", Kind::Machine),
    ("microsoft.compute/virtualmachinescalesets", Kind::Machine),
];

impl Kind {
    /// The kind of a resource by its type in full (`Microsoft.Network/networkInterfaces/ipConfigurations`), in any letter
    /// case; children count as their parent.
    pub fn of(resource_type: &str) -> Self {
        let wanted = resource_type.to_ascii_lowercase();
        let known = TYPES.iter().find(|(of_type, _)| {
            let rest = wanted.strip_prefix(of_type);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        known.map_or(Self::Other, |(_, kind)| *kind)
    }

    /// Whether packets go through it, so that a change of it may be the cause of what they show.
    pub fn is_on_path(self) -> bool {
        self != Self::Other
    }

    /// What people call it, at the beginning of a sentence; empty where the name says enough.
    pub fn noun(self) -> &'static str {
        match self {
            Self::SecurityGroup => "NSG",
            Self::RouteTable => "Route table",
            Self::NetworkInterface => "NIC",
            Self::LoadBalancer => "Load balancer",
            Self::VirtualNetwork => "Virtual network",
            Self::PublicAddress => "Public IP address",
            Self::Extension => "Extension",
            Self::Machine | Self::Other => "",
        }
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verb {
    Created,
    Changed,
    Deleted,
    Started,
    Restarted,
    /// Powered off or deallocated.
    Stopped,
    /// An action without a word of its own.
    #[serde(other)]
    Acted,
}

impl Verb {
    /// The verb of an operation of the activity log, such as `Microsoft.Compute/virtualMachines/restart/action`.
    pub fn of(operation: &str) -> Self {
        let operation = operation.to_ascii_lowercase();
        let mut words = operation.rsplit('/');
        match (words.next(), words.next()) {
            (Some("write"), _) => Self::Changed,
            (Some("delete"), _) => Self::Deleted,
            (Some("action"), Some("start")) => Self::Started,
            (Some("action"), Some("restart" | "redeploy" | "reimage" | "reapply")) => {
                Self::Restarted
            }
            (Some("action"), Some("deallocate" | "poweroff")) => Self::Stopped,
            _ => Self::Acted,
        }
    }

    /// As a participle.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Deleted => "deleted",
            Self::Started => "started",
            Self::Restarted => "restarted",
            Self::Stopped => "stopped",
            Self::Acted => "acted on",
        }
    }
}

/// The resource that people know, and what is below it: a rule is a part of its NSG, a subnet one of its virtual network.
/// An extension of a machine stands alone. `(id, type in full, child)`.
pub fn subject(id: &str) -> (&str, String, Option<(&str, &str)>) {
    let lower = id.to_ascii_lowercase();
    let Some(at) = lower.rfind("/providers/") else {
        return (id, String::new(), None);
    };
    let start = at.saturating_add("/providers/".len());
    let Some(path) = id.get(start..) else {
        return (id, String::new(), None);
    };
    let parts: Vec<&str> = path.split('/').collect();
    let [provider, kind, name, rest @ ..] = parts.as_slice() else {
        return (id, path.to_owned(), None);
    };
    let of_type = format!("{provider}/{kind}");
    match rest {
        [child, child_name, ..] => {
            let whole = format!("{of_type}/{child}");
            if Kind::of(&whole) != Kind::of(&of_type) {
                return (id, whole, None);
            }
            let length = start
                .saturating_add(provider.len())
                .saturating_add(kind.len())
                .saturating_add(name.len())
                .saturating_add(2);
            (
                id.get(..length).unwrap_or(id),
                of_type,
                Some((child, child_name)),
            )
        }
        _ => (id, of_type, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_follow_the_table() {
        for (of_type, kind) in [
            (
                "Microsoft.Network/networkSecurityGroups",
                Kind::SecurityGroup,
            ),
            (
                "microsoft.network/networksecuritygroups/securityRules",
                Kind::SecurityGroup,
            ),
            ("Microsoft.Network/networkSecurityGroupsX", Kind::Other),
            ("Microsoft.Compute/virtualMachines", Kind::Machine),
            (
                "Microsoft.Compute/virtualMachines/extensions",
                Kind::Extension,
            ),
            ("Microsoft.Web/sites", Kind::Other),
            ("", Kind::Other),
        ] {
            assert_eq!(Kind::of(of_type), kind, "{of_type}");
        }
        assert!(Kind::SecurityGroup < Kind::RouteTable && Kind::Extension < Kind::Other);
    }

    #[test]
    fn verbs_follow_the_table() {
        for (operation, verb) in [
            (
                "Microsoft.Network/networkSecurityGroups/securityRules/write",
                Verb::Changed,
            ),
            ("MICROSOFT.NETWORK/NETWORKINTERFACES/DELETE", Verb::Deleted),
            (
                "Microsoft.Compute/virtualMachines/restart/action",
                Verb::Restarted,
            ),
            (
                "Microsoft.Compute/virtualMachines/powerOff/action",
                Verb::Stopped,
            ),
            (
                "Microsoft.Compute/virtualMachines/runCommand/action",
                Verb::Acted,
            ),
            ("Update", Verb::Acted),
        ] {
            assert_eq!(Verb::of(operation), verb, "{operation}");
        }
    }

    #[test]
    fn a_child_is_a_part_of_what_people_know() {
        const GROUP: &str = "/subscriptions/s/resourceGroups/g/providers/";
        for (below, subject_below, of_type, child) in [
            (
                "Microsoft.Network/networkSecurityGroups/nsg/securityRules/deny",
                "Microsoft.Network/networkSecurityGroups/nsg",
                "Microsoft.Network/networkSecurityGroups",
                Some(("securityRules", "deny")),
            ),
            (
                "Microsoft.Compute/virtualMachines/web/extensions/agent",
                "Microsoft.Compute/virtualMachines/web/extensions/agent",
                "Microsoft.Compute/virtualMachines/extensions",
                None,
            ),
            (
                "Microsoft.Compute/virtualMachines/web",
                "Microsoft.Compute/virtualMachines/web",
                "Microsoft.Compute/virtualMachines",
                None,
            ),
            ("odd", "odd", "odd", None),
        ] {
            let id = format!("{GROUP}{below}");
            let expected = format!("{GROUP}{subject_below}");
            assert_eq!(
                subject(&id),
                (expected.as_str(), of_type.to_owned(), child),
                "{below}"
            );
        }
        assert_eq!(subject("/x"), ("/x", String::new(), None));
    }
}
