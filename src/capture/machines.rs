//! The regions of a subscription's machines as they were listed ahead of alerts. There may be tens of thousands of
//! machines in a few dozen regions, so that each one takes some 20 bytes.

use crate::resource_id::ResourceId;
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

/// Maximum number of machines. The region of one that is left out is asked for when its alert comes.
const MOST_MACHINES: usize = 50_000;

/// Regions by machine. Should two machines have the same hash, a create in the wrong region is refused, and the region is
/// asked for then.
#[derive(Default)]
pub struct Machines {
    hasher: RandomState,
    regions: Vec<Arc<str>>,
    by_machine: HashMap<u64, u16>,
}

impl Machines {
    /// Adds a machine. `false`: there is no room.
    pub fn add(&mut self, machine: &ResourceId, region: &str) -> bool {
        let known = self.regions.iter().position(|known| **known == *region);
        let at = known.unwrap_or(self.regions.len());
        let (Ok(number), false) = (u16::try_from(at), self.is_full()) else {
            return false;
        };
        if known.is_none() {
            self.regions.push(region.into());
        }
        self.by_machine
            .insert(self.hasher.hash_one(machine), number);
        true
    }

    pub fn region(&self, machine: &ResourceId) -> Option<&str> {
        let number = self.by_machine.get(&self.hasher.hash_one(machine))?;
        self.regions
            .get(usize::from(*number))
            .map(|region| &**region)
    }

    pub fn forget(&mut self, machine: &ResourceId) {
        self.by_machine.remove(&self.hasher.hash_one(machine));
    }

    pub fn is_full(&self) -> bool {
        self.by_machine.len() >= MOST_MACHINES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(number: usize) -> ResourceId {
        format!("/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/m{number}")
            .parse()
            .unwrap()
    }

    #[test]
    fn machines_are_found_without_case_until_they_are_forgotten() {
        let mut machines = Machines::default();
        assert!(machines.add(&machine(1), "westeurope") && machines.add(&machine(2), "westus2"));
        let shouted = machine(1).to_string().to_uppercase().parse().unwrap();
        assert_eq!(machines.region(&shouted), Some("westeurope"));
        assert_eq!(machines.region(&machine(2)), Some("westus2"));
        assert_eq!(machines.region(&machine(3)), None);
        machines.forget(&machine(2));
        assert_eq!(machines.region(&machine(2)), None);
    }

    #[test]
    fn fifty_thousand_machines_take_less_than_two_mebibytes() {
        let mut machines = Machines::default();
        for number in 0..MOST_MACHINES {
            assert!(machines.add(&machine(number), &format!("region{}", number % 60)));
        }
        assert!(!machines.add(&machine(MOST_MACHINES), "region0"));
        assert_eq!(machines.regions.len(), 60);
        // An entry is 16 bytes, and hashbrown keeps a byte more for each place; at most seven places in eight are taken.
        let places = machines.by_machine.capacity() * 8 / 7;
        assert!(places * 17 < 2 * 1024 * 1024, "{places}");
    }
}
