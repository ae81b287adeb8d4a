//! Whether an address is in a prefix or a service tag of a rule, and a port in a range.

use std::net::{IpAddr, Ipv4Addr};

/// Whether a part of a rule matches. In this order the least of several decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    No,
    /// Not known.
    Maybe,
    Yes,
}

/// Azure's DNS and health probes, and its metadata service.
const PLATFORM: [Ipv4Addr; 2] = [
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(169, 254, 169, 254),
];

/// Whether the address is of Azure's platform.
pub(super) fn is_platform(address: IpAddr) -> bool {
    PLATFORM.iter().any(|it| IpAddr::V4(*it) == address)
}

/// Whether an address is in a prefix, or in a service tag that was not expanded. `is_local`: it is the machine's own.
/// `peer`: the other end, whose IP version both have.
/// <https://learn.microsoft.com/en-us/azure/virtual-network/service-tags-overview>
pub(super) fn covers(
    prefix: &str,
    address: Option<IpAddr>,
    is_local: bool,
    peer: Option<IpAddr>,
) -> Fit {
    let prefix = prefix.trim();
    if prefix == "*" || prefix.eq_ignore_ascii_case("Any") {
        return Fit::Yes;
    }
    let Some((network, length)) = parse(prefix) else {
        return in_tag(prefix, address, is_local);
    };
    match address.map(|address| address.to_canonical()) {
        Some(address) => match contains(network, length, address) {
            true => Fit::Yes,
            false => Fit::No,
        },
        None => match peer.map(|peer| peer.to_canonical().is_ipv4() == network.is_ipv4()) {
            Some(false) => Fit::No,
            Some(true) if length == 0 => Fit::Yes,
            _ => Fit::Maybe,
        },
    }
}

fn in_tag(tag: &str, address: Option<IpAddr>, is_local: bool) -> Fit {
    let is = |name: &str| tag.eq_ignore_ascii_case(name);
    match address {
        _ if is("VirtualNetwork") && is_local => Fit::Yes,
        None => Fit::Maybe,
        // A route of the machine can add any address to it.
        Some(_) if is("VirtualNetwork") => Fit::Maybe,
        Some(address) if is("Internet") => match is_public(address) {
            true => Fit::Yes,
            false => Fit::No,
        },
        Some(address) if is("AzureLoadBalancer") => match is_platform(address) {
            true => Fit::Maybe,
            false => Fit::No,
        },
        // The other tags are public addresses of Azure's.
        Some(address) if !tag.is_empty() && !is_public(address) => Fit::No,
        Some(_) => Fit::Maybe,
    }
}

fn parse(prefix: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = match prefix.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (prefix, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    };
    let length = match length {
        Some(length) => length.parse().ok().filter(|length| *length <= most)?,
        None => most,
    };
    Some((address, length))
}

fn contains(network: IpAddr, length: u8, address: IpAddr) -> bool {
    let length = u32::from(length);
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(length));
            let mask = mask.unwrap_or_default();
            network.to_bits() & mask == address.to_bits() & mask
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(length));
            let mask = mask.unwrap_or_default();
            network.to_bits() & mask == address.to_bits() & mask
        }
        _ => false,
    }
}

/// Whether the Internet can reach it.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let shared = address.octets()[0] == 100 && address.octets()[1] & 0xc0 == 64;
            !(address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_multicast()
                || address.is_broadcast()
                || address.is_unspecified()
                || shared)
        }
        IpAddr::V6(address) => {
            !(address.is_unique_local()
                || address.is_loopback()
                || address.is_unicast_link_local()
                || address.is_multicast()
                || address.is_unspecified())
        }
    }
}

/// Whether a port is in a range such as `0-65535`. A source port that is not known is in a range of all.
pub(super) fn has_port(range: &str, port: Option<u16>) -> Fit {
    let range = range.trim();
    if range == "*" {
        return Fit::Yes;
    }
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let bounds = first.trim().parse::<u16>().ok();
    let Some((first, last)) = bounds.zip(last.trim().parse::<u16>().ok()) else {
        return Fit::Maybe;
    };
    match port {
        Some(port) if (first..=last).contains(&port) => Fit::Yes,
        Some(_) => Fit::No,
        None if first <= 1 && last == u16::MAX => Fit::Yes,
        None => Fit::Maybe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_follow_the_table() {
        use Fit::{Maybe, No, Yes};
        for (prefix, address, expected) in [
            ("*", "10.1.2.3", Yes),
            ("0.0.0.0/0", "10.1.2.3", Yes),
            ("0.0.0.0/0", "fd00::1", No),
            ("::/0", "fd00::1", Yes),
            ("10.1.0.0/16", "10.1.2.3", Yes),
            ("10.1.2.3/16", "10.1.9.9", Yes),
            ("10.2.0.0/16", "10.1.2.3", No),
            ("10.1.2.3", "10.1.2.3", Yes),
            ("10.1.2.3/32", "10.1.2.4", No),
            ("10.1.2.2/31", "10.1.2.3", Yes),
            ("128.0.0.0/1", "200.1.1.1", Yes),
            ("128.0.0.0/1", "100.1.1.1", No),
            ("fd00:db8::/32", "fd00:db8:1::9", Yes),
            ("fd00:db8::/32", "fd00:db9::9", No),
            ("fd00::1", "fd00::1", Yes),
            ("10.1.0.0/16", "::ffff:10.1.2.3", Yes),
            ("Internet", "93.184.216.34", Yes),
            ("Internet", "10.1.2.3", No),
            ("Internet", "100.64.1.1", No),
            ("internet", "2001:4860:4860::8888", Yes),
            ("Internet", "fd00::1", No),
            ("VirtualNetwork", "10.1.2.3", Maybe),
            ("VirtualNetwork", "93.184.216.34", Maybe),
            ("Sql.WestEurope", "52.236.184.163", Maybe),
            ("Sql.WestEurope", "10.1.2.3", No),
            ("AzureLoadBalancer", "10.1.2.3", No),
            ("10.1.0.0/33", "10.1.2.3", No),
            ("", "10.1.2.3", Maybe),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(
                covers(prefix, Some(address), false, None),
                expected,
                "{prefix} {address}"
            );
        }
        for (prefix, is_local, peer, expected) in [
            ("*", true, None, Yes),
            ("VirtualNetwork", true, None, Yes),
            ("VirtualNetwork", false, None, Maybe),
            ("10.0.0.0/8", true, Some("10.1.2.3"), Maybe),
            ("10.0.0.0/8", true, Some("fd00::1"), No),
            ("0.0.0.0/0", true, Some("10.1.2.3"), Yes),
            ("0.0.0.0/0", true, Some("fd00::1"), No),
            ("::/0", true, Some("fd00::1"), Yes),
            ("0.0.0.0/0", true, None, Maybe),
            ("Internet", false, None, Maybe),
        ] {
            let peer = peer.map(|peer: &str| peer.parse().unwrap());
            assert_eq!(covers(prefix, None, is_local, peer), expected, "{prefix}");
        }
    }

    #[test]
    fn ports_follow_the_table() {
        use Fit::{Maybe, No, Yes};
        for (range, port, expected) in [
            ("0-65535", Some(1_433), Yes),
            ("*", Some(1), Yes),
            ("1433", Some(1_433), Yes),
            ("1433-1433", Some(1_433), Yes),
            ("1434", Some(1_433), No),
            ("1400-1500", Some(1_433), Yes),
            ("1500-1400", Some(1_433), No),
            ("0-65535", None, Yes),
            ("1-65535", None, Yes),
            ("1024-65535", None, Maybe),
            ("http", Some(80), Maybe),
            ("", Some(80), Maybe),
            ("0-99999", Some(80), Maybe),
        ] {
            assert_eq!(has_port(range, port), expected, "{range} {port:?}");
        }
    }
}
