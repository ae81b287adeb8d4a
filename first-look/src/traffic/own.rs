//! Which address is the VM's. A capture on a VM has the VM at one end of nearly every packet, so the address that takes
//! part in most of the first packets is it, unless the caller knows.

use std::collections::HashMap;
use std::net::IpAddr;

use super::seconds::Seconds;
use crate::address::Address;
use crate::frame::Ends;

/// Packets of the beginning that are looked through.
const SAMPLE: usize = 1_000;
/// It must take part in this share of the packets of its family.
const SHARE: usize = 60;

/// From the VM's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Sent,
    Received,
    Neither,
}

pub(crate) struct Own {
    addresses: Vec<Address>,
    decided: bool,
    /// Addresses come from the caller.
    pub given: bool,
    /// TCP packets that the VM sent and received.
    pub segments: [u64; 2],
    sample: Vec<Sample>,
}

/// A packet of the beginning.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    pub ends: Ends,
    /// Time since the first packet.
    pub since: i64,
    pub length: u32,
    pub is_tcp: bool,
}

impl Own {
    pub fn new(known: &[IpAddr]) -> Own {
        Own {
            addresses: known.iter().copied().map(Address::from).collect(),
            decided: !known.is_empty(),
            given: !known.is_empty(),
            segments: [0; 2],
            sample: Vec::new(),
        }
    }

    pub fn direction(&self, ends: Ends) -> Direction {
        if self.addresses.contains(&ends.from) {
            Direction::Sent
        } else if self.addresses.contains(&ends.to) {
            Direction::Received
        } else {
            Direction::Neither
        }
    }

    /// The direction of a packet, once the address is known; before, the packet is remembered.
    pub fn see(&mut self, packet: Sample, seconds: &mut Seconds) -> Direction {
        if self.decided {
            let direction = self.direction(packet.ends);
            self.count_segment(packet, direction);
            return direction;
        }
        self.sample.push(packet);
        if self.sample.len() >= SAMPLE {
            // The packet itself is part of the sample, which gets its direction when the VM is known.
            self.decide(seconds);
        }
        Direction::Neither
    }

    fn count_segment(&mut self, packet: Sample, direction: Direction) {
        match direction {
            Direction::Sent => self.segments[0] += u64::from(packet.is_tcp),
            Direction::Received => self.segments[1] += u64::from(packet.is_tcp),
            Direction::Neither => {}
        }
    }

    /// Decides by what was seen, and gives the remembered packets their direction.
    pub fn decide(&mut self, seconds: &mut Seconds) {
        if self.decided {
            return;
        }
        self.decided = true;
        for v4 in [true, false] {
            let family: Vec<Ends> = self
                .sample
                .iter()
                .map(|packet| packet.ends)
                .filter(|ends| ends.from.is_v4() == v4)
                .collect();
            self.addresses.extend(busiest(&family));
        }
        for packet in std::mem::take(&mut self.sample) {
            let direction = self.direction(packet.ends);
            self.count_segment(packet, direction);
            if direction != Direction::Neither {
                seconds.direct(packet.since, packet.length, direction);
            }
        }
    }

    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }
}

fn busiest(packets: &[Ends]) -> Option<Address> {
    #[derive(Default)]
    struct Votes {
        packets: usize,
        with_platform: usize,
        first: usize,
    }
    let mut votes: HashMap<Address, Votes> = HashMap::new();
    for (number, ends) in packets.iter().enumerate() {
        for (address, peer) in [(ends.from, ends.to), (ends.to, ends.from)] {
            if address.is_machine() && address.azure_name().is_none() {
                // Of two that take part in all packets, the one that sent first is before the other.
                let first = 2 * number + usize::from(address == ends.to);
                let votes = votes.entry(address).or_insert(Votes {
                    first,
                    ..Votes::default()
                });
                votes.packets += 1;
                votes.with_platform += usize::from(peer.azure_name().is_some());
            }
        }
    }
    let best = votes.iter().max_by_key(|(address, votes)| {
        (
            votes.packets,
            votes.with_platform,
            address.is_private(),
            std::cmp::Reverse((votes.first, **address)),
        )
    });
    best.filter(|(_, votes)| votes.packets * 100 >= packets.len() * SHARE)
        .map(|(address, _)| *address)
}
