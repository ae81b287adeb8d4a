//! Whether effective security rules let a connection through: of each NSG the rule with the lowest priority that matches
//! decides, and every NSG on the way must allow. What cannot be known is said so: a rule that may match decides nothing.
//! <https://learn.microsoft.com/en-us/azure/virtual-network/network-security-group-how-it-works>

use super::{EffectiveRule, network::MOST_PREFIXES, prefix::Fit};
use std::net::IpAddr;

/// The direction of a connection, seen from the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Inbound,
    Outbound,
}

/// The transport of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Tcp,
    Udp,
}

/// A connection, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    pub direction: Direction,
    pub transport: Transport,
    /// The machine's address.
    pub local: Option<IpAddr>,
    /// The other end's address.
    pub remote: Option<IpAddr>,
    /// The port that is connected to.
    pub port: u16,
}

/// What effective rules do with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach<'a> {
    Allowed(&'a EffectiveRule),
    Denied(&'a EffectiveRule),
    /// No rules were read, or one that may match would decide otherwise.
    Unknown,
}

/// What the rules do with a connection. With several interfaces it is decided only where all decide alike, since it is not
/// known which of them the connection takes.
pub fn reach<'a>(rules: &'a [EffectiveRule], flow: &Flow) -> Reach<'a> {
    // Azure's own services at these addresses are reached whatever the rules say, unless a rule names their service tag.
    if flow.remote.is_some_and(super::prefix::is_platform) {
        return Reach::Unknown;
    }
    let mut interfaces: Vec<&str> = rules.iter().map(|rule| &*rule.interface).collect();
    interfaces.sort_unstable();
    interfaces.dedup_by(|one, other| one.eq_ignore_ascii_case(other));
    let mut all = interfaces.into_iter().map(|interface| {
        let of_interface = |rule: &&EffectiveRule| rule.interface.eq_ignore_ascii_case(interface);
        at_interface(rules.iter().filter(of_interface), flow)
    });
    let Some(first) = all.next() else {
        return Reach::Unknown;
    };
    let alike = |other: Reach<'_>| {
        matches!(
            (first, other),
            (Reach::Allowed(_), Reach::Allowed(_)) | (Reach::Denied(_), Reach::Denied(_))
        )
    };
    match all.all(alike) {
        true => first,
        false => Reach::Unknown,
    }
}

/// What the NSGs of one interface do: its own and its subnet's.
fn at_interface<'a>(rules: impl Iterator<Item = &'a EffectiveRule>, flow: &Flow) -> Reach<'a> {
    let word = match flow.direction {
        Direction::Inbound => "Inbound",
        Direction::Outbound => "Outbound",
    };
    let mut groups: Vec<Vec<&EffectiveRule>> = Vec::new();
    for rule in rules.filter(|rule| rule.direction.eq_ignore_ascii_case(word)) {
        let same = |group: &&mut Vec<&EffectiveRule>| {
            let known = group.first();
            known.is_some_and(|it| it.group == rule.group && it.of_subnet == rule.of_subnet)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(rule),
            None => groups.push(vec![rule]),
        }
    }
    let decisions: Vec<Reach<'a>> = groups
        .into_iter()
        .map(|mut group| {
            group.sort_by_key(|rule| rule.priority);
            of_group(&group, flow)
        })
        .collect();
    let denied = decisions.iter().find(|it| matches!(it, Reach::Denied(_)));
    let unknown = decisions.iter().find(|it| matches!(it, Reach::Unknown));
    let decided = denied.or(unknown).or(decisions.first());
    decided.copied().unwrap_or(Reach::Unknown)
}

/// What one NSG does, whose rules are in the order of their priority.
fn of_group<'a>(rules: &[&'a EffectiveRule], flow: &Flow) -> Reach<'a> {
    let mut doubtful = false;
    for rule in rules {
        match fit(rule, flow) {
            Fit::No => {}
            Fit::Maybe => doubtful = true,
            // A rule before it that may match could be the one that decides.
            Fit::Yes if doubtful => return Reach::Unknown,
            Fit::Yes if rule.access.eq_ignore_ascii_case("Allow") => return Reach::Allowed(rule),
            Fit::Yes if rule.access.eq_ignore_ascii_case("Deny") => return Reach::Denied(rule),
            Fit::Yes => return Reach::Unknown,
        }
    }
    // Default rules match everything: without them the list is not complete.
    Reach::Unknown
}

fn fit(rule: &EffectiveRule, flow: &Flow) -> Fit {
    let (source, destination) = match flow.direction {
        Direction::Outbound => (flow.local, flow.remote),
        Direction::Inbound => (flow.remote, flow.local),
    };
    let local_is_source = flow.direction == Direction::Outbound;
    let addresses = |list: &[Box<str>], address: Option<IpAddr>, peer, is_local: bool| {
        any(rule, list, |prefix| {
            super::prefix::covers(prefix, address, is_local, peer)
        })
    };
    let ports = |list: &[Box<str>], port: Option<u16>| {
        any(rule, list, |range| super::prefix::has_port(range, port))
    };
    [
        transport(&rule.protocol, flow.transport),
        ports(&rule.destination_ports, Some(flow.port)),
        addresses(&rule.destination, destination, source, !local_is_source),
        addresses(&rule.source, source, destination, local_is_source),
        ports(&rule.source_ports, None),
    ]
    .into_iter()
    .min()
    .unwrap_or(Fit::No)
}

/// Whether any entry of a list fits. One that was cut, or is missing, may have had it.
fn any(rule: &EffectiveRule, list: &[Box<str>], fits: impl Fn(&str) -> Fit) -> Fit {
    let best = list.iter().map(|entry| fits(entry)).max();
    let is_cut = rule.cut && list.len() >= MOST_PREFIXES;
    match best {
        Some(Fit::No) if is_cut => Fit::Maybe,
        Some(fit) => fit,
        None => Fit::Maybe,
    }
}

fn transport(protocol: &str, of_flow: Transport) -> Fit {
    let name = match of_flow {
        Transport::Tcp => "Tcp",
        Transport::Udp => "Udp",
    };
    match protocol {
        "*" => Fit::Yes,
        it if it.eq_ignore_ascii_case("All") || it.eq_ignore_ascii_case("Any") => Fit::Yes,
        it if it.eq_ignore_ascii_case(name) => Fit::Yes,
        _ => Fit::No,
    }
}

#[cfg(test)]
mod tests;
