//! Effective security rules and routes, reduced to what decides whether a packet passes.

use crate::changes::{EffectiveRoute, EffectiveRule};
use serde_json::Value;

pub(super) const RULES: &str =
    "Microsoft.Network/networkInterfaces/effectiveNetworkSecurityGroups/action";
pub(super) const ROUTES: &str = "Microsoft.Network/networkInterfaces/effectiveRouteTable/action";
/// Maximum number of prefixes of a service tag that are kept in its place.
const MOST_EXPANDED: usize = 40;

/// The rules of the NSGs that hold at an interface.
pub(super) fn rules(interface: &str, groups: &[Value]) -> Vec<EffectiveRule> {
    let mut found = Vec::new();
    for group in groups {
        let id = group["networkSecurityGroup"]["id"].as_str();
        let of_subnet = group["association"]["subnet"]["id"].is_string();
        let rules = group["effectiveSecurityRules"].as_array();
        let rules = rules.into_iter().flatten();
        found.extend(rules.map(|rule| {
            EffectiveRule {
                name: text(&rule["name"]),
                group: id.map(Into::into),
                interface: interface.into(),
                of_subnet,
                direction: text(&rule["direction"]),
                access: text(&rule["access"]),
                protocol: text(&rule["protocol"]),
                priority: rule["priority"]
                    .as_u64()
                    .and_then(|number| number.try_into().ok())
                    .unwrap_or(u32::MAX),
                source: prefixes(rule, "source", "Source"),
                source_ports: both(&rule["sourcePortRange"], &rule["sourcePortRanges"]),
                destination: prefixes(rule, "destination", "Destination"),
                destination_ports: both(
                    &rule["destinationPortRange"],
                    &rule["destinationPortRanges"],
                ),
                cut: false,
            }
            .bounded()
        }));
    }
    found
}

/// One row of the effective route table.
pub(super) fn route(interface: &str, row: &Value) -> EffectiveRoute {
    EffectiveRoute {
        interface: interface.into(),
        source: text(&row["source"]),
        state: text(&row["state"]),
        prefixes: texts(&row["addressPrefix"]),
        next_hop_type: text(&row["nextHopType"]),
        next_hop_addresses: texts(&row["nextHopIpAddress"]),
    }
    .bounded()
}

/// The prefixes that a side of a rule matches: of a service tag its prefixes where they are few, else its name.
fn prefixes(rule: &Value, side: &str, capital: &str) -> Vec<Box<str>> {
    let expanded = texts(&rule[format!("expanded{capital}AddressPrefix")]);
    if !expanded.is_empty() && expanded.len() <= MOST_EXPANDED {
        return expanded;
    }
    both(
        &rule[format!("{side}AddressPrefix")],
        &rule[format!("{side}AddressPrefixes")],
    )
}

/// Azure writes one value, a list of them, or both with the same content.
fn both(one: &Value, more: &Value) -> Vec<Box<str>> {
    let mut all = texts(more);
    let one = text(one);
    if !one.is_empty() && !all.contains(&one) {
        all.insert(0, one);
    }
    all
}

fn text(value: &Value) -> Box<str> {
    value.as_str().unwrap_or_default().into()
}

fn texts(value: &Value) -> Vec<Box<str>> {
    let all = value.as_array().into_iter().flatten();
    all.filter_map(|it| it.as_str().map(Into::into)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rules_keep_what_decides() {
        let huge: Vec<String> = (0..3_000).map(|number| format!("{number}")).collect();
        let groups = [json!({
            "networkSecurityGroup": { "id": "/nsg" },
            "association": { "subnet": { "id": "/subnet" } },
            "effectiveSecurityRules": [
                {
                    "name": "securityRules/deny-sql", "protocol": "Tcp", "direction": "Outbound",
                    "access": "Deny", "priority": 200,
                    "sourceAddressPrefix": "*", "sourcePortRange": "0-65535",
                    "destinationAddressPrefixes": ["10.1.2.0/24"], "destinationPortRange": "1433-1433",
                    "destinationPortRanges": ["1433-1433"],
                },
                {
                    "name": "defaultSecurityRules/AllowVnetOutBound", "priority": 65000,
                    "destinationAddressPrefix": "VirtualNetwork",
                    "expandedDestinationAddressPrefix": ["10.1.0.0/16"],
                    "sourceAddressPrefix": "Internet", "expandedSourceAddressPrefix": huge,
                },
            ],
        })];
        let found = rules("/nic", &groups);
        assert_eq!(found.len(), 2);
        assert!(found[0].of_subnet && !found[0].cut);
        assert_eq!(found[0].priority, 200);
        assert_eq!(*found[0].destination, ["10.1.2.0/24".into()]);
        assert_eq!(*found[0].destination_ports, ["1433-1433".into()]);
        assert_eq!(*found[1].destination, ["10.1.0.0/16".into()]);
        assert_eq!(*found[1].source, ["Internet".into()]);
    }

    #[test]
    fn routes_keep_where_packets_go() {
        let row = json!({
            "source": "User", "state": "Active", "addressPrefix": ["0.0.0.0/0"],
            "nextHopType": "VirtualAppliance", "nextHopIpAddress": ["10.0.9.4"],
        });
        let found = route("/nic", &row);
        assert_eq!(&*found.next_hop_type, "VirtualAppliance");
        assert_eq!(*found.next_hop_addresses, ["10.0.9.4".into()]);
        assert_eq!(*found.prefixes, ["0.0.0.0/0".into()]);
    }
}
