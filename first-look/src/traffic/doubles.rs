//! Packets that are in the file twice: with accelerated networking, an agent may see one at two interfaces.

use std::hash::{BuildHasher, RandomState};

/// A packet with the same bytes this soon after is the same packet.
const WITHIN: i64 = 1_000_000;
/// Bytes from the IP header on that are compared: headers with their checksums and a piece of payload.
const COMPARED: usize = 96;
/// Packets that are remembered: more than a fast network has in a millisecond.
const SLOTS: usize = 4_096;

pub(crate) struct Doubles {
    /// Seeded by chance, so that no sender can choose packets that are taken for doubles.
    seed: u64,
    slots: Vec<(u64, i64)>,
    pub count: u64,
}

impl Doubles {
    pub fn new() -> Doubles {
        Doubles {
            seed: RandomState::new().hash_one(0) | 1,
            slots: vec![(0, i64::MIN); SLOTS],
            count: 0,
        }
    }

    /// Takes the packet from its IP header on.
    pub fn see(&mut self, packet: &[u8], original: u32, now: i64) -> bool {
        let mut hash = self.seed ^ u64::from(original);
        for chunk in packet[..packet.len().min(COMPARED)].chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            let product = u128::from(hash ^ u64::from_le_bytes(word))
                * u128::from(self.seed.rotate_left(23) | 1);
            hash = (product as u64) ^ (product >> 64) as u64;
        }
        let slot = &mut self.slots[(hash % SLOTS as u64) as usize];
        let age = now.saturating_sub(slot.1);
        let double = slot.0 == hash && (0..WITHIN).contains(&age);
        *slot = (hash, now);
        self.count += u64::from(double);
        double
    }
}
