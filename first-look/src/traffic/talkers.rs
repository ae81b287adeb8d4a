//! Packets and bytes by pairs of addresses, outermost IP header; hosts are the sums of their pairs. When there are too
//! many pairs, the lighter half is added to its hosts and no longer counted by itself.

use std::hash::{Hash, Hasher};

use crate::address::Address;
use crate::frame::Ends;
use crate::tally::{Tally, Weight};

/// Both directions between two addresses; `low` sorts before `high`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Conversation {
    /// From the lower address to the higher one, and back.
    pub packets: [u64; 2],
    pub bytes: [u64; 2],
}

impl Weight for Conversation {
    fn weight(&self) -> u64 {
        self.bytes[0] + self.bytes[1]
    }
}

/// What one host sent and received.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Host {
    pub sent_packets: u64,
    pub sent_bytes: u64,
    pub received_packets: u64,
    pub received_bytes: u64,
}

impl Weight for Host {
    fn weight(&self) -> u64 {
        self.sent_bytes + self.received_bytes
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Between {
    pub low: Address,
    pub high: Address,
}

impl Hash for Between {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.low.hash(state);
        self.high.hash(state);
    }
}

pub(crate) struct Talkers {
    pub pairs: Tally<Between, Conversation>,
    /// Hosts of pairs that were dropped.
    hosts: Tally<Address, Host>,
    /// Counts of the pair of the packet before, not yet in `pairs`: most packets come in runs.
    latest: Option<(Between, Conversation)>,
}

impl Talkers {
    pub fn new(limit: usize) -> Talkers {
        Talkers {
            pairs: Tally::new(limit),
            hosts: Tally::new(limit),
            latest: None,
        }
    }

    pub fn add(&mut self, ends: Ends, length: u32) {
        let forward = ends.from <= ends.to;
        let between = if forward {
            Between {
                low: ends.from,
                high: ends.to,
            }
        } else {
            Between {
                low: ends.to,
                high: ends.from,
            }
        };
        let side = usize::from(!forward);
        if self.latest.is_none_or(|(latest, _)| latest != between) {
            self.flush();
            self.latest = Some((between, Conversation::default()));
        }
        if let Some((_, sums)) = &mut self.latest {
            sums.packets[side] += 1;
            sums.bytes[side] += u64::from(length);
        }
    }

    fn flush(&mut self) {
        let Some((between, sums)) = self.latest.take() else {
            return;
        };
        let hosts = &mut self.hosts;
        let known = self
            .pairs
            .entry_or(between, |dropped, sums| share(hosts, *dropped, sums));
        for side in 0..2 {
            known.packets[side] += sums.packets[side];
            known.bytes[side] += sums.bytes[side];
        }
    }

    pub fn held(&self) -> usize {
        self.pairs.len().max(self.hosts.len())
    }

    /// All hosts, and how many pairs were dropped.
    pub fn finish(mut self) -> (Tally<Address, Host>, Tally<Between, Conversation>) {
        self.flush();
        for (between, sums) in self.pairs.iter() {
            share(&mut self.hosts, *between, sums);
        }
        (self.hosts, self.pairs)
    }
}

fn share(hosts: &mut Tally<Address, Host>, between: Between, sums: &Conversation) {
    for (address, out) in [(between.low, 0), (between.high, 1)] {
        let host = hosts.entry(address);
        host.sent_packets += sums.packets[out];
        host.sent_bytes += sums.bytes[out];
        host.received_packets += sums.packets[1 - out];
        host.received_bytes += sums.bytes[1 - out];
    }
}
