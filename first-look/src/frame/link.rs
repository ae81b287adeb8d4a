//! Link layers: Ethernet with VLANs, PPPoE and MPLS; Linux cooked; loopback; raw IP; and ARP.
//! Numbers of link types: <https://www.tcpdump.org/linktypes.html>

use etherparse::{ArpPacketSlice, Ethernet2HeaderSlice, SingleVlanHeaderSlice};

use super::{Content, Layers, Next, Rest, Unread, unread};
use crate::address::Address;

/// Below this, the field is a length (IEEE 802.3).
const FIRST_ETHER_TYPE: u16 = 0x600;

/// An ARP packet for IPv4.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arp {
    pub operation: u16,
    pub sender: Address,
    pub target: Address,
}

pub(super) fn first<'a>(link: u16, rest: Rest<'a>, layers: &mut Layers) -> Next<'a> {
    match link {
        1 => Next::Ethernet(rest),
        12 | 14 | 101 | 228 | 229 => Next::Ip(rest),
        113 | 276 => {
            layers.0 |= Layers::COOKED;
            // Version 1 has the type at byte 14, version 2 at the front.
            let (at, header) = if link == 113 { (14, 16) } else { (0, 20) };
            match rest.u16(at) {
                Some(kind) if rest.data.len() >= header => Next::Type(kind, rest.after(header)),
                _ => unread(Unread::Snapped),
            }
        }
        0 | 108 => loopback(rest),
        _ => unread(Unread::Link),
    }
}

/// The address family in front is in the byte order of the machine that wrote the file, so both are tried.
fn loopback(rest: Rest<'_>) -> Next<'_> {
    let Some(family) = rest.data.first_chunk::<4>() else {
        return unread(Unread::Snapped);
    };
    let family = u32::from_le_bytes(*family);
    match if family > 0xffff {
        family.swap_bytes()
    } else {
        family
    } {
        2 | 10 | 24 | 28 | 30 => Next::Ip(rest.after(4)),
        _ => unread(Unread::OtherNetwork),
    }
}

pub(super) fn ethernet<'a>(rest: Rest<'a>, layers: &mut Layers) -> Next<'a> {
    let Ok(header) = Ethernet2HeaderSlice::from_slice(rest.data) else {
        return unread(Unread::Snapped);
    };
    layers.0 |= Layers::ETHERNET;
    let kind = header.ether_type().0;
    let behind = rest.after(14);
    if kind >= FIRST_ETHER_TYPE {
        return Next::Type(kind, behind);
    }
    // SNAP: the EtherType comes behind the LLC header and a vendor's number of zero.
    if behind.data.starts_with(&[0xaa, 0xaa, 3, 0, 0, 0])
        && let Some(kind) = behind.u16(6)
    {
        return Next::Type(
            kind,
            behind.at_most(usize::from(header.ether_type().0)).after(8),
        );
    }
    unread(Unread::OtherNetwork)
}

pub(super) fn by_type<'a>(kind: u16, rest: Rest<'a>, layers: &mut Layers) -> Next<'a> {
    match kind {
        0x0800 | 0x86dd => Next::Ip(rest),
        0x8100 | 0x88a8 | 0x9100 => {
            layers.0 |= Layers::VLAN;
            match SingleVlanHeaderSlice::from_slice(rest.data) {
                Ok(header) => Next::Type(header.ether_type().0, rest.after(4)),
                Err(_) => unread(Unread::Snapped),
            }
        }
        0x8864 => pppoe(rest, layers),
        0x8847 | 0x8848 => mpls(rest, layers),
        0x6558 => Next::Ethernet(rest),
        0x0806 => arp(rest, layers),
        _ => unread(Unread::OtherNetwork),
    }
}

fn pppoe<'a>(rest: Rest<'a>, layers: &mut Layers) -> Next<'a> {
    layers.0 |= Layers::PPPOE;
    let (Some(length), Some(&first)) = (rest.u16(4), rest.data.get(6)) else {
        return unread(Unread::Snapped);
    };
    let inner = rest.after(6).at_most(usize::from(length));
    // The protocol field may be one byte; its last bit says so (RFC 1661, section 2).
    let (protocol, header) = if first & 1 == 1 {
        (Some(u16::from(first)), 1)
    } else {
        (inner.u16(0), 2)
    };
    match protocol {
        Some(0x21 | 0x57) => Next::Ip(inner.after(header)),
        Some(_) => unread(Unread::OtherNetwork),
        None => unread(Unread::Snapped),
    }
}

fn mpls<'a>(mut rest: Rest<'a>, layers: &mut Layers) -> Next<'a> {
    layers.0 |= Layers::MPLS;
    while let Some(&label) = rest.data.first_chunk::<4>() {
        rest = rest.after(4);
        if label[2] & 1 == 1 {
            return match rest.data.first().map(|byte| byte >> 4) {
                Some(4 | 6) => Next::Ip(rest),
                _ => unread(Unread::Tunnel),
            };
        }
    }
    unread(Unread::Snapped)
}

fn arp<'a>(rest: Rest<'a>, layers: &mut Layers) -> Next<'a> {
    layers.0 |= Layers::ARP;
    let Ok(packet) = ArpPacketSlice::from_slice(rest.data) else {
        return unread(Unread::Snapped);
    };
    match (
        packet.sender_protocol_addr().try_into(),
        packet.target_protocol_addr().try_into(),
    ) {
        (Ok(sender), Ok(target)) => Next::End(Content::Arp(Arp {
            operation: packet.operation().0,
            sender: Address::v4(sender),
            target: Address::v4(target),
        })),
        _ => unread(Unread::OtherNetwork),
    }
}
