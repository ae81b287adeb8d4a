//! What Azure enforces on a machine's interfaces, and how Azure says that the machine is.

use crate::text;
use serde::{Deserialize, Serialize};

/// Maximum number of entries of one list of a rule: expanded service tags have thousands.
pub(super) const MOST_PREFIXES: usize = 40;

/// One effective security rule of an interface. Of an NSG the rule with the lowest priority that matches decides; where
/// there are two NSGs, at the interface and at its subnet, both must allow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EffectiveRule {
    pub name: Box<str>,
    /// The id of the NSG.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Box<str>>,
    /// The interface's id.
    pub interface: Box<str>,
    /// Whether the NSG is the subnet's; otherwise it is the interface's own.
    #[serde(default)]
    pub of_subnet: bool,
    /// `Inbound` or `Outbound`, as Azure writes it.
    pub direction: Box<str>,
    /// `Allow` or `Deny`, as Azure writes it.
    pub access: Box<str>,
    /// `Tcp`, `Udp` or `All`, as Azure writes it.
    pub protocol: Box<str>,
    pub priority: u32,
    /// Address prefixes, `*`, or a service tag that has too many to be kept.
    pub source: Vec<Box<str>>,
    /// Ranges of ports, such as `0-65535`.
    pub source_ports: Vec<Box<str>>,
    pub destination: Vec<Box<str>>,
    pub destination_ports: Vec<Box<str>>,
    /// A list was longer than what is kept: the rule may match more than it says.
    #[serde(default)]
    pub cut: bool,
}

/// One effective route of an interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EffectiveRoute {
    /// The interface's id.
    pub interface: Box<str>,
    /// `Default`, `User` or `VirtualNetworkGateway`, as Azure writes it.
    pub source: Box<str>,
    /// `Active` or `Invalid`, as Azure writes it.
    pub state: Box<str>,
    pub prefixes: Vec<Box<str>>,
    pub next_hop_type: Box<str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next_hop_addresses: Vec<Box<str>>,
}

/// How Azure says that the machine is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Health {
    /// Of the instance view: `running`, `deallocated`.
    pub power: Option<Box<str>>,
    /// Of Resource Health: `Available`, `Unavailable`, `Degraded`, `Unknown`.
    pub availability: Option<Box<str>>,
    /// Resource Health's sentence.
    pub summary: Option<Box<str>>,
    /// Resource Health's word for why, such as `Unplanned`.
    pub reason: Option<Box<str>>,
}

impl Health {
    /// With its texts cleaned.
    pub fn bounded(mut self) -> Self {
        for (text, most) in [
            (&mut self.power, text::WORD),
            (&mut self.availability, text::WORD),
            (&mut self.summary, text::MESSAGE),
            (&mut self.reason, text::WORD),
        ] {
            *text = text
                .take()
                .and_then(|text| text::cleaned(&text, most))
                .map(Into::into);
        }
        self
    }
}

impl EffectiveRule {
    /// With its texts cleaned and its lists within their limits.
    pub fn bounded(mut self) -> Self {
        self.name = text::clean(&self.name, text::VALUE).into();
        for word in [&mut self.direction, &mut self.access, &mut self.protocol] {
            *word = text::clean(word, text::WORD).into();
        }
        for list in [
            &mut self.source,
            &mut self.source_ports,
            &mut self.destination,
            &mut self.destination_ports,
        ] {
            self.cut |= bound(list);
        }
        self
    }
}

impl EffectiveRoute {
    /// With its texts cleaned and its lists within their limits.
    pub fn bounded(mut self) -> Self {
        for word in [&mut self.source, &mut self.state, &mut self.next_hop_type] {
            *word = text::clean(word, text::WORD).into();
        }
        bound(&mut self.prefixes);
        bound(&mut self.next_hop_addresses);
        self
    }
}

/// Whether something was left out.
fn bound(list: &mut Vec<Box<str>>) -> bool {
    let cut = list.len() > MOST_PREFIXES;
    list.truncate(MOST_PREFIXES);
    for text in list {
        *text = text::clean(text, text::WORD).into();
    }
    cut
}
