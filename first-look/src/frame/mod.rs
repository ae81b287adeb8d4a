//! From one record to what it carries: link, IP, tunnels, transport. Lengths count by headers, not by the bytes that
//! are in the file, so that a small snap length changes no figure.

mod ip;
mod link;
mod transport;
mod tunnel;

pub(crate) use link::Arp;
pub(crate) use transport::{Datagram, Header, Icmp, Segment, flags};

use crate::address::Address;
use crate::container::Record;

/// Layers within layers are followed this far.
const MAXIMUM_DEPTH: usize = 24;

/// What one frame carries.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frame<'a> {
    /// Source and destination of the outermost IP header.
    pub outer: Option<Ends>,
    /// Where the outermost IP header starts in the record.
    pub ip_start: usize,
    /// Ports of the outermost UDP header and its addresses.
    pub udp: Option<(Ends, [u16; 2])>,
    pub content: Content<'a>,
    pub layers: Layers,
}

/// The innermost layer that is understood.
#[derive(Debug, Clone, Default)]
pub(crate) enum Content<'a> {
    #[default]
    Nothing,
    Arp(Arp),
    Tcp(Segment<'a>),
    Udp(Datagram<'a>),
    Icmp(Icmp),
    Unread(Unread),
}

/// Why a frame was not followed to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// A link type that is not known.
    Link,
    /// IP fragments: what they carry is spread over several frames.
    Fragment,
    /// A tunnel that is not followed, or layers nested too deep.
    Tunnel,
    /// IPsec.
    Encrypted,
    /// The record ends within a header: the snap length is too small.
    Snapped,
    /// A header that contradicts itself.
    Malformed,
    /// No IP: spanning tree, LLDP and others.
    OtherNetwork,
    /// IP with a transport other than TCP, UDP and ICMP.
    OtherTransport,
}

/// Source and destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ends {
    pub from: Address,
    pub to: Address,
}

/// Which layers a frame has; a frame counts once for each.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Layers(pub u16);

impl Layers {
    pub const ALL: [(u16, &'static str); 15] = [
        (1, "eth"),
        (1 << 1, "sll"),
        (1 << 2, "vlan"),
        (1 << 3, "pppoes"),
        (1 << 4, "mpls"),
        (1 << 5, "arp"),
        (1 << 6, "ip"),
        (1 << 7, "ipv6"),
        (1 << 8, "tcp"),
        (1 << 9, "udp"),
        (1 << 10, "icmp"),
        (1 << 11, "icmpv6"),
        (1 << 12, "gre"),
        (1 << 13, "vxlan"),
        (1 << 14, "geneve"),
    ];
    pub const ETHERNET: u16 = 1;
    pub const COOKED: u16 = 1 << 1;
    pub const VLAN: u16 = 1 << 2;
    pub const PPPOE: u16 = 1 << 3;
    pub const MPLS: u16 = 1 << 4;
    pub const ARP: u16 = 1 << 5;
    pub const IPV4: u16 = 1 << 6;
    pub const IPV6: u16 = 1 << 7;
    pub const TCP: u16 = 1 << 8;
    pub const UDP: u16 = 1 << 9;
    pub const ICMP: u16 = 1 << 10;
    pub const ICMPV6: u16 = 1 << 11;
    pub const GRE: u16 = 1 << 12;
    pub const VXLAN: u16 = 1 << 13;
    pub const GENEVE: u16 = 1 << 14;
}

/// What is left of a frame: the bytes in the file, and the length by the headers around them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rest<'a> {
    pub data: &'a [u8],
    pub length: usize,
}

impl<'a> Rest<'a> {
    /// Behind a header of this many bytes.
    pub fn after(self, header: usize) -> Rest<'a> {
        Rest {
            data: self.data.get(header..).unwrap_or(&[]),
            length: self.length.saturating_sub(header),
        }
    }

    /// Not longer than a length field says.
    pub fn at_most(self, length: usize) -> Rest<'a> {
        Rest {
            data: &self.data[..self.data.len().min(length)],
            length: self.length.min(length),
        }
    }

    pub fn u16(self, at: usize) -> Option<u16> {
        self.data
            .get(at..at + 2)
            .map(|field| u16::from_be_bytes([field[0], field[1]]))
    }
}

/// The layer that comes next.
enum Next<'a> {
    Ethernet(Rest<'a>),
    /// By its EtherType.
    Type(u16, Rest<'a>),
    /// IPv4 or IPv6, by its first four bits.
    Ip(Rest<'a>),
    /// By its IP protocol number.
    Protocol(u8, Ends, Rest<'a>),
    End(Content<'a>),
}

/// Follows a record's layers to the innermost.
pub(crate) fn decode<'a>(record: &Record<'a>) -> Frame<'a> {
    let mut frame = Frame::default();
    let whole = Rest {
        data: record.data,
        length: record.original as usize,
    };
    let mut next = link::first(record.link, whole, &mut frame.layers);
    for _ in 0..MAXIMUM_DEPTH {
        next = match next {
            Next::Ethernet(rest) => link::ethernet(rest, &mut frame.layers),
            Next::Type(kind, rest) => link::by_type(kind, rest, &mut frame.layers),
            Next::Ip(rest) => {
                if frame.outer.is_none() {
                    frame.ip_start = record.data.len() - rest.data.len().min(record.data.len());
                }
                ip::ip(rest, &mut frame)
            }
            Next::Protocol(protocol, ends, rest) => {
                transport::by_protocol(protocol, ends, rest, &mut frame)
            }
            Next::End(content) => {
                frame.content = content;
                return frame;
            }
        };
    }
    frame.content = Content::Unread(Unread::Tunnel);
    frame
}

/// Ends a frame that is not followed further.
fn unread<'a>(why: Unread) -> Next<'a> {
    Next::End(Content::Unread(why))
}
