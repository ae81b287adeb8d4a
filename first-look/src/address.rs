//! Addresses and the two ends of a conversation, small enough to be kept by the hundred thousand.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An IP address. IPv4 is kept as the IPv6 address that maps it (`::ffff:a.b.c.d`), which has no business on a wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address([u8; 16]);

impl Hash for Address {
    /// One write, without the length that an array writes before itself.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0);
    }
}

/// DNS, DHCP, health probes of load balancers and the host's agent.
/// <https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16>
const AZURE_PLATFORM: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);
/// <https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service>
const AZURE_METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

impl Address {
    pub fn v4(bytes: [u8; 4]) -> Address {
        Address(Ipv4Addr::from(bytes).to_ipv6_mapped().octets())
    }

    pub fn v6(bytes: [u8; 16]) -> Address {
        Address(bytes)
    }

    pub fn ip(self) -> IpAddr {
        let address = Ipv6Addr::from(self.0);
        address
            .to_ipv4_mapped()
            .map_or(IpAddr::V6(address), IpAddr::V4)
    }

    pub fn is_v4(self) -> bool {
        matches!(self.ip(), IpAddr::V4(_))
    }

    /// What the address is on Azure, if it has a meaning there.
    pub fn azure_name(self) -> Option<&'static str> {
        match self.ip() {
            IpAddr::V4(AZURE_PLATFORM) => Some("Azure platform: DNS, DHCP, probes"),
            IpAddr::V4(AZURE_METADATA) => Some("Azure instance metadata"),
            IpAddr::V4(address) if address.is_link_local() => Some("no DHCP lease"),
            _ => None,
        }
    }

    /// An address of a private network.
    pub fn is_private(self) -> bool {
        match self.ip() {
            IpAddr::V4(address) => address.is_private(),
            IpAddr::V6(address) => address.is_unique_local(),
        }
    }

    /// Whether the address can be that of one machine on a network.
    pub fn is_machine(self) -> bool {
        match self.ip() {
            IpAddr::V4(address) => {
                !(address.is_multicast()
                    || address.is_broadcast()
                    || address.is_unspecified()
                    || address.is_loopback())
            }
            IpAddr::V6(address) => {
                !(address.is_multicast() || address.is_unspecified() || address.is_loopback())
            }
        }
    }
}

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Address {
        match address {
            IpAddr::V4(address) => Address::v4(address.octets()),
            IpAddr::V6(address) => Address::v6(address.octets()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ip().fmt(f)
    }
}

/// An address and a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Endpoint {
    pub address: Address,
    pub port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address.ip() {
            IpAddr::V4(address) => write!(f, "{address}:{}", self.port),
            IpAddr::V6(address) => write!(f, "[{address}]:{}", self.port),
        }
    }
}

impl Hash for Endpoint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut bytes = [0; 18];
        bytes[..16].copy_from_slice(&self.address.0);
        bytes[16..].copy_from_slice(&self.port.to_ne_bytes());
        state.write(&bytes);
    }
}

/// Two endpoints, in either order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pair {
    low: Endpoint,
    high: Endpoint,
}

impl Pair {
    pub fn of(one: Endpoint, other: Endpoint) -> Pair {
        if one <= other {
            Pair {
                low: one,
                high: other,
            }
        } else {
            Pair {
                low: other,
                high: one,
            }
        }
    }
}

impl Hash for Pair {
    /// One write instead of four: hashing is a good part of what a packet costs.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut bytes = [0; 36];
        bytes[..16].copy_from_slice(&self.low.address.0);
        bytes[16..32].copy_from_slice(&self.high.address.0);
        bytes[32..34].copy_from_slice(&self.low.port.to_ne_bytes());
        bytes[34..].copy_from_slice(&self.high.port.to_ne_bytes());
        state.write(&bytes);
    }
}
