//! Tunnels that are followed: GRE (with ERSPAN), VXLAN, Geneve and GTP-U. IP in IP is a protocol number like others.

use super::{Layers, Next, Rest, Unread, unread};

const VXLAN_PORT: u16 = 4_789;
const GENEVE_PORT: u16 = 6_081;
const GTP_PORT: u16 = 2_152;
const TEREDO_PORT: u16 = 3_544;
const ESP_PORT: u16 = 4_500;
const WIREGUARD_PORT: u16 = 51_820;

/// RFC 2784 and 2890; version 1 is PPTP's.
pub(super) fn gre<'a>(rest: Rest<'a>, layers: &mut Layers) -> Next<'a> {
    layers.0 |= Layers::GRE;
    let (Some(bits), Some(kind)) = (rest.u16(0), rest.u16(2)) else {
        return unread(Unread::Snapped);
    };
    let has = |bit: u16| usize::from(bits & bit != 0) * 4;
    // Checksum, key, sequence number; routing is obsolete and has no fixed length.
    let mut header = 4 + has(0x8000) + has(0x2000) + has(0x1000);
    if bits & 0x4000 != 0 {
        return unread(Unread::Tunnel);
    }
    match (bits & 7, kind) {
        (1, 0x880b) => {
            header += has(0x80);
            ppp(rest.after(header))
        }
        // ERSPAN: type II has a header of 8 bytes, type I (without sequence number) has none.
        (0, 0x88be) => Next::Ethernet(rest.after(if bits & 0x1000 == 0 {
            header
        } else {
            header + 8
        })),
        (0, 0x0800 | 0x86dd | 0x6558 | 0x8847 | 0x8848) => Next::Type(kind, rest.after(header)),
        _ => unread(Unread::Tunnel),
    }
}

/// PPP with or without its address and control bytes, and with a protocol field of one or two bytes.
fn ppp(rest: Rest<'_>) -> Next<'_> {
    let rest = if rest.data.starts_with(&[0xff, 3]) {
        rest.after(2)
    } else {
        rest
    };
    match (rest.data.first(), rest.u16(0)) {
        (Some(0x21 | 0x57), _) => Next::Ip(rest.after(1)),
        (_, Some(0x21 | 0x57)) => Next::Ip(rest.after(2)),
        _ => unread(Unread::Tunnel),
    }
}

/// The layer within a datagram, if its ports say that it is a tunnel's.
pub(super) fn in_udp<'a>(ports: [u16; 2], rest: Rest<'a>, layers: &mut Layers) -> Option<Next<'a>> {
    let on = |port: u16| ports.contains(&port);
    if on(VXLAN_PORT) && rest.data.len() >= 8 {
        layers.0 |= Layers::VXLAN;
        return Some(Next::Ethernet(rest.after(8)));
    }
    if on(GENEVE_PORT) && rest.data.len() >= 8 {
        layers.0 |= Layers::GENEVE;
        let options = usize::from(rest.data[0] & 0x3f) * 4;
        return Some(Next::Type(rest.u16(2)?, rest.after(8 + options)));
    }
    if on(GTP_PORT) && rest.data.len() >= 8 {
        return gtp(rest);
    }
    // These ports can be those of any client, so the first bytes must fit, too: IPv6 or Teredo's own header, and
    // WireGuard's message types.
    let teredo = matches!(rest.data, [0x60..=0x6f, ..] | [0, 0 | 1, ..]);
    let wireguard = matches!(rest.data, [1..=4, 0, 0, 0, ..]);
    if on(TEREDO_PORT) && teredo || on(WIREGUARD_PORT) && wireguard {
        return Some(unread(Unread::Tunnel));
    }
    // Four zero bytes are IKE's, one byte of ff is a keep-alive.
    if on(ESP_PORT) && rest.data.len() >= 8 && !rest.data.starts_with(&[0; 4]) {
        return Some(unread(Unread::Encrypted));
    }
    None
}

/// Version 1, message 255 (a packet of the subscriber), with its extension headers.
fn gtp(rest: Rest<'_>) -> Option<Next<'_>> {
    let [bits, 255, ..] = *rest.data else {
        return None;
    };
    if bits & 0xf0 != 0x30 {
        return None;
    }
    let mut inner = rest.after(8);
    if bits & 7 != 0 {
        let mut extension = *inner.data.get(3)?;
        inner = inner.after(4);
        while extension != 0 {
            let size = usize::from(*inner.data.first()?).max(1) * 4;
            extension = *inner.data.get(size - 1)?;
            inner = inner.after(size);
        }
    }
    Some(Next::Ip(inner))
}
