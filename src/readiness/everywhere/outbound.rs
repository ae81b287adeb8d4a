//! Whether security rules keep the Network Watcher agent from what it needs. Pure.
//! <https://learn.microsoft.com/en-us/azure/network-watcher/packet-capture-overview#prerequisites>

use crate::{
    fleet::{Because, Cause, Check},
    resource_id::ResourceId,
    text,
};
use serde_json::Value;
use std::net::Ipv4Addr;

/// A rule in force on a network interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EffectiveRule {
    name: String,
    /// The network security group that it comes from; `None` for one of a virtual network manager.
    group: Option<ResourceId>,
    priority: u32,
    is_outbound: bool,
    allows: bool,
    /// `Tcp`, `Udp`, `All`.
    protocol: String,
    /// Such as `443-443` and `0-65535`.
    ports: Vec<String>,
    /// Prefixes and service tags as written, and the prefixes of the tags.
    destinations: Vec<String>,
}

/// The rules of the groups that Azure lists for an interface.
pub fn rules(groups: &[Value]) -> Vec<EffectiveRule> {
    let of_group = |group: &Value| {
        let id = group["networkSecurityGroup"]["id"].as_str();
        let id = id.and_then(|id| ResourceId::parse(id).ok());
        let rules = group["effectiveSecurityRules"].as_array();
        let rules = rules.map_or(&[][..], Vec::as_slice).iter();
        rules.map(|rule| read(rule, id.clone())).collect::<Vec<_>>()
    };
    groups.iter().flat_map(of_group).collect()
}

fn read(rule: &Value, group: Option<ResourceId>) -> EffectiveRule {
    let word = |member: &str| {
        let text = rule[member].as_str().unwrap_or_default();
        text::clean(text, text::NAME).into_owned()
    };
    let is = |member: &str, expected: &str| word(member).eq_ignore_ascii_case(expected);
    let all = |one: &str, many: &[&str]| {
        let lists = many.iter().filter_map(|it| rule[*it].as_array()).flatten();
        let texts = lists.chain([&rule[one]]).filter_map(Value::as_str);
        texts.map(str::to_owned).collect::<Vec<_>>()
    };
    let priority = rule["priority"].as_u64();
    EffectiveRule {
        name: word("name"),
        group,
        priority: priority
            .and_then(|it| u32::try_from(it).ok())
            .unwrap_or(u32::MAX),
        is_outbound: is("direction", "Outbound"),
        allows: is("access", "Allow"),
        protocol: word("protocol"),
        ports: all("destinationPortRange", &["destinationPortRanges"]),
        destinations: all(
            "destinationAddressPrefix",
            &[
                "destinationAddressPrefixes",
                "expandedDestinationAddressPrefix",
            ],
        ),
    }
}

/// An address that the agent needs, with the words that stand for it in rules.
struct Needed {
    shown: &'static str,
    /// `None`: an address of the storage service, which only tags name.
    address: Option<Ipv4Addr>,
    port: u16,
    tags: &'static [&'static str],
}

const HOST: Needed = Needed {
    shown: "168.63.129.16:8037",
    address: Some(Ipv4Addr::new(168, 63, 129, 16)),
    port: 8037,
    tags: &["VirtualNetwork"],
};
const METADATA: Needed = Needed {
    shown: "169.254.169.254:80",
    address: Some(Ipv4Addr::new(169, 254, 169, 254)),
    port: 80,
    tags: &["AzurePlatformIMDS"],
};
const ACCOUNT: Needed = Needed {
    shown: "Storage:443",
    address: None,
    port: 443,
    tags: &["Storage", "Internet", "AzureCloud"],
};

/// The default rules of a group never count: traffic to the platform passes them, and they allow the Internet.
const DEFAULT_RULES: &str = "defaultSecurityRules/";
const LEAST_DEFAULT: u32 = 65_000;

/// What the rules of a network interface block. `with_account`: whether the machine uploads to a storage account.
pub fn blocked(rules: &[EffectiveRule], with_account: bool) -> Vec<Cause> {
    let mut causes = Vec::new();
    for needed in [HOST, METADATA, ACCOUNT] {
        if needed.address.is_none() && !with_account {
            continue;
        }
        let mut groups: Vec<_> = rules.iter().map(|rule| &rule.group).collect();
        groups.sort_by_key(|group| group.as_ref().map(ToString::to_string));
        groups.dedup();
        // Those of the subnet and of the interface apply one after the other: each must let it pass.
        for group in groups {
            let of_group = rules.iter().filter(|rule| rule.group == *group);
            let Some(rule) = decides(of_group, &needed).filter(|rule| !rule.allows) else {
                continue;
            };
            causes.push(match group {
                Some(group) => Cause::Blocked {
                    to: needed.shown.to_owned(),
                    group: group.clone(),
                    rule: short(&rule.name),
                    priority: rule.priority,
                },
                // Those of a virtual network manager and of a group are in no known order.
                None => Cause::Unknown(Check::Outbound, Because::NotReported),
            });
        }
    }
    causes
}

/// The first rule that applies, in the order of priorities.
fn decides<'r>(
    rules: impl Iterator<Item = &'r EffectiveRule>,
    needed: &Needed,
) -> Option<&'r EffectiveRule> {
    rules
        .filter(|rule| rule.is_outbound && rule.priority < LEAST_DEFAULT)
        .filter(|rule| !rule.name.starts_with(DEFAULT_RULES))
        .filter(|rule| {
            !rule.protocol.eq_ignore_ascii_case("Udp")
                && !rule.protocol.eq_ignore_ascii_case("Icmp")
        })
        .filter(|rule| rule.ports.iter().any(|range| has_port(range, needed.port)))
        .filter(|rule| rule.destinations.iter().any(|it| reaches(it, needed)))
        .min_by_key(|rule| rule.priority)
}

/// `securityRules/deny-all` is `deny-all`.
fn short(name: &str) -> String {
    name.rsplit('/').next().unwrap_or_default().to_owned()
}

fn has_port(range: &str, port: u16) -> bool {
    let number = |text: &str| text.trim().parse::<u16>().ok();
    match range.split_once('-') {
        _ if range == "*" => true,
        None => number(range) == Some(port),
        Some((from, to)) => match (number(from), number(to)) {
            (Some(from), Some(to)) => (from..=to).contains(&port),
            _ => false,
        },
    }
}

fn reaches(destination: &str, needed: &Needed) -> bool {
    if ["*", "0.0.0.0/0", "0.0.0.0/0.0.0.0", "Any"].contains(&destination) {
        return true;
    }
    // A tag of one region, such as Storage.WestEurope, is the account's or is not: only whole tags decide.
    if needed
        .tags
        .iter()
        .any(|tag| tag.eq_ignore_ascii_case(destination))
    {
        return true;
    }
    needed
        .address
        .is_some_and(|address| contains(destination, address))
}

/// Whether an IPv4 prefix contains the address.
fn contains(prefix: &str, address: Ipv4Addr) -> bool {
    let (network, bits) = prefix.split_once('/').unwrap_or((prefix, "32"));
    let (Ok(network), Ok(bits)) = (network.parse::<Ipv4Addr>(), bits.parse::<u32>()) else {
        return false;
    };
    let mask = match bits {
        0 => 0,
        1..=32 => u32::MAX << 32_u32.saturating_sub(bits),
        _ => return false,
    };
    (network.to_bits() & mask) == (address.to_bits() & mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(
        name: &str,
        priority: u32,
        allows: bool,
        ports: &[&str],
        destinations: &[&str],
    ) -> EffectiveRule {
        let owned = |list: &[&str]| list.iter().map(|&it| it.to_owned()).collect();
        EffectiveRule {
            name: format!("securityRules/{name}"),
            group: Some(group("nsg-web")),
            priority,
            is_outbound: true,
            allows,
            protocol: "All".to_owned(),
            ports: owned(ports),
            destinations: owned(destinations),
        }
    }

    fn group(name: &str) -> ResourceId {
        format!("/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/{name}")
            .parse()
            .unwrap()
    }

    fn shown(rules: &[EffectiveRule]) -> Vec<String> {
        blocked(rules, true)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn what_is_blocked_follows_the_table() {
        let deny =
            |ports: &[&str], destinations: &[&str]| rule("deny", 200, false, ports, destinations);
        let host = "deny of nsg-web blocks 168.63.129.16:8037";
        let metadata = "deny of nsg-web blocks 169.254.169.254:80";
        let account = "deny of nsg-web blocks Storage:443";
        let all: &[&str] = &[host, metadata, account];
        let default = EffectiveRule {
            name: "defaultSecurityRules/DenyAllOutBound".to_owned(),
            ..deny(&["0-65535"], &["0.0.0.0/0"])
        };
        let inbound = EffectiveRule {
            is_outbound: false,
            ..deny(&["*"], &["*"])
        };
        let udp = EffectiveRule {
            protocol: "Udp".to_owned(),
            ..deny(&["*"], &["*"])
        };
        for (rules, expected) in [
            (vec![], &[][..]),
            (vec![default], &[]),
            (vec![inbound], &[]),
            (vec![udp], &[]),
            (vec![deny(&["0-65535"], &["*"])], all),
            (vec![deny(&["*"], &["0.0.0.0/0"])], all),
            (vec![deny(&["8037"], &["*"])], &[host]),
            (vec![deny(&["8000-9000"], &["168.63.0.0/16"])], &[host]),
            (vec![deny(&["0-65535"], &["169.254.169.254"])], &[metadata]),
            (vec![deny(&["443-443"], &["Internet"])], &[account]),
            (vec![deny(&["443"], &["Storage.WestEurope"])], &[]),
            (
                vec![deny(&["80"], &["10.0.0.0/8", "169.254.169.253/31"])],
                &[],
            ),
            (vec![deny(&["80"], &["169.254.169.253/30"])], &[metadata]),
            (
                vec![
                    deny(&["80-x"], &["*"]),
                    deny(&["8037"], &["1.2.3/4", "1.2.3.4/99"]),
                ],
                &[],
            ),
            // The rule of the least priority decides.
            (
                vec![
                    deny(&["*"], &["*"]),
                    rule("allow", 100, true, &["443"], &["Storage"]),
                ],
                &[host, metadata],
            ),
            (
                vec![
                    deny(&["443"], &["*"]),
                    rule("allow", 300, true, &["*"], &["*"]),
                ],
                &[account],
            ),
        ] {
            assert_eq!(shown(&rules), expected, "{rules:?}");
        }
    }

    #[test]
    fn a_rule_of_no_known_group_leaves_unknown_what_it_blocks() {
        let of_manager = EffectiveRule {
            group: None,
            ..rule("deny", 10, false, &["8037"], &["*"])
        };
        assert_eq!(
            blocked(&[of_manager], true),
            [Cause::Unknown(Check::Outbound, Because::NotReported)]
        );
    }

    #[test]
    fn each_group_must_let_it_pass() {
        let allow = rule("allow", 100, true, &["*"], &["*"]);
        let other = EffectiveRule {
            group: Some(group("nsg-subnet")),
            ..rule("deny", 4_000, false, &["8037"], &["*"])
        };
        assert_eq!(
            shown(&[allow, other]),
            ["deny of nsg-subnet blocks 168.63.129.16:8037"]
        );
        assert!(blocked(&[rule("deny", 200, false, &["443"], &["*"])], false).is_empty());
    }
}
