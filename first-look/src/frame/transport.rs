//! TCP, UDP and ICMP headers.

use etherparse::UdpHeaderSlice;

use super::{Content, Ends, Frame, Layers, Next, Rest, Unread, tunnel, unread};
use crate::address::{Address, Endpoint};

/// Bits of the TCP header.
pub(crate) mod flags {
    pub const FIN: u8 = 1;
    pub const SYN: u8 = 2;
    pub const RST: u8 = 4;
    pub const ACK: u8 = 16;
}

/// Whether a TCP header is all there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Header {
    Whole,
    /// Its length field is smaller than a header can be.
    TooShort,
    /// The record ends within it.
    Cut,
}

/// A TCP segment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment<'a> {
    pub from: Endpoint,
    pub to: Endpoint,
    pub sequence: u32,
    pub acknowledgment: u32,
    pub flags: u8,
    pub window: u16,
    pub header: Header,
    /// The shift of option 3, if the option is there.
    pub window_scale: Option<u8>,
    /// Length of the payload by the headers; `payload` can be shorter.
    pub length: u32,
    pub payload: &'a [u8],
}

impl Segment<'_> {
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// A UDP datagram.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Datagram<'a> {
    pub from: Endpoint,
    pub to: Endpoint,
    pub payload: &'a [u8],
}

/// An ICMP or ICMPv6 message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Icmp {
    pub v6: bool,
    pub kind: u8,
    pub code: u8,
    pub ends: Ends,
    /// Where the packet went that an error quotes, if the quote can be read.
    pub about: Option<Endpoint>,
    pub fragment: bool,
}

pub(super) fn by_protocol<'a>(
    protocol: u8,
    ends: Ends,
    rest: Rest<'a>,
    frame: &mut Frame<'a>,
) -> Next<'a> {
    match protocol {
        6 => tcp(ends, rest, frame),
        17 => udp(ends, rest, frame),
        1 | 58 => {
            frame.layers.0 |= if protocol == 58 {
                Layers::ICMPV6
            } else {
                Layers::ICMP
            };
            match Icmp::read(protocol == 58, ends, rest) {
                Some(icmp) => Next::End(Content::Icmp(icmp)),
                None => unread(Unread::Snapped),
            }
        }
        4 | 41 => Next::Ip(rest),
        47 => tunnel::gre(rest, &mut frame.layers),
        50 | 51 => unread(Unread::Encrypted),
        55 | 94 | 97 | 98 | 115 => unread(Unread::Tunnel),
        _ => unread(Unread::OtherTransport),
    }
}

fn tcp<'a>(ends: Ends, rest: Rest<'a>, frame: &mut Frame<'a>) -> Next<'a> {
    // Not etherparse: under a small snap length, sequence numbers and flags are there and the rest is not.
    let Some(header) = rest.data.first_chunk::<16>() else {
        return unread(Unread::Snapped);
    };
    frame.layers.0 |= Layers::TCP;
    let port = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let number = |at: usize| {
        u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    let length = usize::from(header[12] >> 4) * 4;
    let behind = rest.after(length);
    let options = rest
        .data
        .get(20..length.min(rest.data.len()))
        .unwrap_or(&[]);
    let flags = header[13];
    Next::End(Content::Tcp(Segment {
        from: Endpoint {
            address: ends.from,
            port: port(0),
        },
        to: Endpoint {
            address: ends.to,
            port: port(2),
        },
        sequence: number(4),
        acknowledgment: number(8),
        flags,
        window: port(14),
        header: match length {
            0..20 => Header::TooShort,
            _ if length > rest.data.len() => Header::Cut,
            _ => Header::Whole,
        },
        window_scale: if flags & flags::SYN == 0 {
            None
        } else {
            window_scale(options)
        },
        length: behind.length as u32,
        payload: behind.data,
    }))
}

fn window_scale(mut options: &[u8]) -> Option<u8> {
    while let Some(&kind) = options.first() {
        let size = match kind {
            0 => return None,
            1 => 1,
            _ => usize::from(*options.get(1)?).max(2),
        };
        if kind == 3 && size == 3 {
            return options.get(2).copied();
        }
        options = options.get(size..)?;
    }
    None
}

fn udp<'a>(ends: Ends, rest: Rest<'a>, frame: &mut Frame<'a>) -> Next<'a> {
    let Ok(header) = UdpHeaderSlice::from_slice(rest.data) else {
        return unread(Unread::Snapped);
    };
    frame.layers.0 |= Layers::UDP;
    let ports = [header.source_port(), header.destination_port()];
    frame.udp.get_or_insert((ends, ports));
    let length = usize::from(header.length());
    let inner = if length >= 8 {
        rest.at_most(length)
    } else {
        rest
    }
    .after(8);
    if let Some(next) = tunnel::in_udp(ports, inner, &mut frame.layers) {
        return next;
    }
    Next::End(Content::Udp(Datagram {
        from: Endpoint {
            address: ends.from,
            port: ports[0],
        },
        to: Endpoint {
            address: ends.to,
            port: ports[1],
        },
        payload: inner.data,
    }))
}

impl Icmp {
    pub fn read(v6: bool, ends: Ends, rest: Rest<'_>) -> Option<Icmp> {
        let (&kind, &code) = (rest.data.first()?, rest.data.get(1)?);
        let is_error = if v6 {
            (1..=4).contains(&kind)
        } else {
            matches!(kind, 3 | 4 | 5 | 11 | 12)
        };
        let about = if is_error {
            quoted(rest.after(8).data)
        } else {
            None
        };
        Some(Icmp {
            v6,
            kind,
            code,
            ends,
            about,
            fragment: false,
        })
    }

    /// Destination unreachable.
    pub fn unreachable(&self) -> bool {
        self.kind == if self.v6 { 1 } else { 3 }
    }

    /// The packet is larger than the next link takes.
    pub fn too_large(&self) -> bool {
        if self.v6 {
            self.kind == 2
        } else {
            self.kind == 3 && self.code == 4
        }
    }
}

/// Destination of the packet that an ICMP error quotes; port 0 if it has none.
fn quoted(packet: &[u8]) -> Option<Endpoint> {
    let (address, protocol, header) = match packet.first()? >> 4 {
        4 => {
            let header = etherparse::Ipv4HeaderSlice::from_slice(packet).ok()?;
            (
                Address::v4(header.destination()),
                header.protocol().0,
                header.slice().len(),
            )
        }
        6 => {
            let header = etherparse::Ipv6HeaderSlice::from_slice(packet).ok()?;
            (
                Address::v6(header.destination()),
                header.next_header().0,
                40,
            )
        }
        _ => return None,
    };
    let port = match packet.get(header + 2..header + 4) {
        Some(field) if matches!(protocol, 6 | 17) => u16::from_be_bytes([field[0], field[1]]),
        _ => 0,
    };
    Some(Endpoint { address, port })
}
