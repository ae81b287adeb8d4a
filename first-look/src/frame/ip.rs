//! IPv4 and IPv6 headers, with the extension headers of IPv6.

use etherparse::{Ipv4HeaderSlice, Ipv6HeaderSlice};

use super::{Content, Ends, Frame, Icmp, Layers, Next, Rest, Unread, unread};
use crate::address::Address;

/// More extension headers than this are not followed.
const MAXIMUM_EXTENSIONS: usize = 12;

pub(super) fn ip<'a>(rest: Rest<'a>, frame: &mut Frame<'a>) -> Next<'a> {
    match rest.data.first().map(|byte| byte >> 4) {
        Some(4) => v4(rest, frame),
        Some(6) => v6(rest, frame),
        Some(_) => unread(Unread::Malformed),
        None => unread(Unread::Snapped),
    }
}

fn v4<'a>(rest: Rest<'a>, frame: &mut Frame<'a>) -> Next<'a> {
    frame.layers.0 |= Layers::IPV4;
    let Ok(header) = Ipv4HeaderSlice::from_slice(rest.data) else {
        return unread(if rest.data.len() < 20 {
            Unread::Snapped
        } else {
            Unread::Malformed
        });
    };
    let ends = Ends {
        from: Address::v4(header.source()),
        to: Address::v4(header.destination()),
    };
    frame.outer.get_or_insert(ends);
    let length = usize::from(header.ihl()) * 4;
    let total = usize::from(header.total_len());
    // Zero: the guest sent a segment that the host splits (TSO); its length is that of the record.
    let bounded = if total == 0 {
        rest
    } else {
        rest.at_most(total)
    };
    if total != 0 && total < length {
        return unread(Unread::Malformed);
    }
    let inner = bounded.after(length);
    let protocol = header.protocol().0;
    if header.is_fragmenting_payload() {
        return fragment(
            protocol,
            header.fragments_offset().value() == 0,
            ends,
            inner,
            frame,
        );
    }
    Next::Protocol(protocol, ends, inner)
}

fn v6<'a>(rest: Rest<'a>, frame: &mut Frame<'a>) -> Next<'a> {
    frame.layers.0 |= Layers::IPV6;
    let Ok(header) = Ipv6HeaderSlice::from_slice(rest.data) else {
        return unread(Unread::Snapped);
    };
    let ends = Ends {
        from: Address::v6(header.source()),
        to: Address::v6(header.destination()),
    };
    frame.outer.get_or_insert(ends);
    let length = usize::from(header.payload_length());
    let mut inner = rest.after(40);
    if length != 0 {
        inner = inner.at_most(length);
    }
    let mut protocol = header.next_header().0;
    for _ in 0..MAXIMUM_EXTENSIONS {
        let (Some(&next), Some(&size)) = (inner.data.first(), inner.data.get(1)) else {
            break;
        };
        let size = usize::from(size);
        match protocol {
            0 | 43 | 60 => inner = inner.after((size + 1) * 8),
            51 => inner = inner.after((size + 2) * 4),
            44 => {
                let Some(field) = inner.u16(2) else {
                    return unread(Unread::Snapped);
                };
                inner = inner.after(8);
                // An offset and a mark of zero: a fragment that is the whole.
                if field & 0xfff9 != 0 {
                    return fragment(next, field >> 3 == 0, ends, inner, frame);
                }
            }
            _ => break,
        }
        protocol = next;
    }
    Next::Protocol(protocol, ends, inner)
}

/// Fragments are not put together. The first of an ICMP message still says what it is.
fn fragment<'a>(
    protocol: u8,
    first: bool,
    ends: Ends,
    rest: Rest<'a>,
    frame: &mut Frame<'a>,
) -> Next<'a> {
    if first
        && matches!(protocol, 1 | 58)
        && let Some(icmp) = Icmp::read(protocol == 58, ends, rest)
    {
        frame.layers.0 |= if protocol == 58 {
            Layers::ICMPV6
        } else {
            Layers::ICMP
        };
        return Next::End(Content::Icmp(Icmp {
            fragment: true,
            ..icmp
        }));
    }
    unread(Unread::Fragment)
}
