//! ICMP messages and ARP.

use std::collections::HashSet;

use crate::address::{Address, Endpoint};
use crate::frame::{Arp, Icmp};
use crate::tally::Tally;

/// Counts of ICMP; what an error quotes is not traffic of the file.
pub(crate) struct Icmps {
    pub v4: Tally<(u8, u8)>,
    pub v6: Tally<(u8, u8)>,
    pub unreachable: u64,
    pub too_large: u64,
    pub unreachable_by_sender: Tally<Address>,
    /// Errors by version 6, type, code, and where the quoted packet went.
    pub about: Tally<(bool, u8, u8, Endpoint)>,
}

impl Icmps {
    pub fn new(limit: usize) -> Icmps {
        let limit = (limit / 8).max(16);
        Icmps {
            v4: Tally::new(1_024),
            v6: Tally::new(1_024),
            unreachable: 0,
            too_large: 0,
            unreachable_by_sender: Tally::new(limit),
            about: Tally::new(limit),
        }
    }

    /// `sender` is by the outermost IP header.
    pub fn add(&mut self, icmp: &Icmp, sender: Option<Address>) {
        let counts = if icmp.v6 { &mut self.v6 } else { &mut self.v4 };
        counts.add((icmp.kind, icmp.code), 1);
        if icmp.unreachable() {
            self.unreachable += 1;
            self.unreachable_by_sender
                .add(sender.unwrap_or(icmp.ends.from), 1);
        }
        self.too_large += u64::from(icmp.too_large());
        if let Some(about) = icmp.about {
            self.about.add((icmp.v6, icmp.kind, icmp.code, about), 1);
        }
    }
}

/// Who was asked for by ARP, and who replied.
pub(crate) struct Arps {
    pub requests: u64,
    pub replies: u64,
    asked: HashSet<(Address, Address)>,
    replied: HashSet<Address>,
    limit: usize,
    /// Addresses beyond the ceiling are counted in sum only.
    pub beyond: bool,
}

impl Arps {
    pub fn new(limit: usize) -> Arps {
        Arps {
            requests: 0,
            replies: 0,
            asked: HashSet::new(),
            replied: HashSet::new(),
            limit,
            beyond: false,
        }
    }

    pub fn add(&mut self, arp: &Arp) {
        const REQUEST: u16 = 1;
        const REPLY: u16 = 2;
        match arp.operation {
            REQUEST => {
                self.requests += 1;
                // An announcement of one's own address asks for nothing.
                if arp.sender != arp.target {
                    insert(
                        &mut self.asked,
                        (arp.sender, arp.target),
                        self.limit,
                        &mut self.beyond,
                    );
                }
            }
            REPLY => {
                self.replies += 1;
                insert(&mut self.replied, arp.sender, self.limit, &mut self.beyond);
            }
            _ => {}
        }
    }

    pub fn held(&self) -> usize {
        self.asked.len().max(self.replied.len())
    }

    /// Addresses that were asked for and never replied, in order.
    pub fn silent(&self) -> Vec<Address> {
        let mut silent: Vec<Address> = self
            .asked
            .iter()
            .map(|(_, target)| *target)
            .filter(|target| !self.replied.contains(target))
            .collect();
        silent.sort_unstable();
        silent.dedup();
        silent
    }

    /// How many addresses each sender asked for.
    pub fn targets_by_sender(&self) -> Tally<Address> {
        let mut targets = Tally::new(self.limit);
        for (sender, _) in &self.asked {
            targets.add(*sender, 1);
        }
        targets
    }
}

fn insert<T: Eq + std::hash::Hash>(
    set: &mut HashSet<T>,
    value: T,
    limit: usize,
    beyond: &mut bool,
) {
    if set.len() < limit {
        set.insert(value);
    } else {
        *beyond |= !set.contains(&value);
    }
}
