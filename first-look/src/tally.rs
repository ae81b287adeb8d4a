//! Counts by key with a ceiling on keys. When it is reached, the lighter half is dropped, and that keys were dropped
//! stays known: "more than N". A key that comes back counts from zero, so only light ones can be counted too low.

use std::collections::HashMap;
use std::hash::Hash;

/// How much a key is worth keeping.
pub(crate) trait Weight {
    fn weight(&self) -> u64;
}

impl Weight for u64 {
    fn weight(&self) -> u64 {
        *self
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Tally<K, V = u64> {
    map: HashMap<K, V>,
    limit: usize,
    dropped: u64,
}

impl<K: Hash + Eq + Ord + Clone, V: Weight + Default> Tally<K, V> {
    pub fn new(limit: usize) -> Tally<K, V> {
        Tally {
            map: HashMap::new(),
            limit: limit.max(2),
            dropped: 0,
        }
    }

    pub fn entry(&mut self, key: K) -> &mut V {
        self.entry_or(key, |_, _| {})
    }

    /// Hands what has to be dropped to `dropping`.
    pub fn entry_or(&mut self, key: K, dropping: impl FnMut(&K, &V)) -> &mut V {
        if self.map.len() >= self.limit && !self.map.contains_key(&key) {
            self.drop_lighter_half(dropping);
        }
        self.map.entry(key).or_default()
    }

    fn drop_lighter_half(&mut self, mut dropping: impl FnMut(&K, &V)) {
        let mut weights: Vec<u64> = self.map.values().map(Weight::weight).collect();
        let half = weights.len() / 2;
        let (lighter, &mut median, _) = weights.select_nth_unstable(half);
        // Of those with the median's weight, as many as are needed.
        let mut equal = half - lighter.iter().filter(|weight| **weight < median).count();
        let before = self.map.len();
        self.map.retain(|key, value| {
            let weight = value.weight();
            let drop = weight < median || weight == median && equal > 0;
            if drop {
                equal -= usize::from(weight == median);
                dropping(key, value);
            }
            !drop
        });
        self.dropped += (before - self.map.len()) as u64;
    }

    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Keys that were dropped; a key that came back may be among them.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.map.iter()
    }

    /// All that is kept, the heaviest first; equals by key.
    pub fn sorted(&self) -> Vec<(&K, &V)> {
        let mut all: Vec<_> = self.map.iter().collect();
        all.sort_by(|(one, a), (other, b)| {
            b.weight().cmp(&a.weight()).then_with(|| one.cmp(other))
        });
        all
    }
}

impl<K: Hash + Eq + Ord + Clone> Tally<K> {
    pub fn add(&mut self, key: K, count: u64) {
        *self.entry(key) += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heavy_keys_survive_the_ceiling_and_the_rest_is_owned_up_to() {
        let mut tally: Tally<u32> = Tally::new(100);
        for round in 0..10_000u32 {
            tally.add(7, 1);
            tally.add(1_000 + round, 1);
        }
        assert!(tally.len() <= 100);
        assert_eq!(tally.sorted()[0], (&7, &10_000));
        assert!(tally.dropped() > 9_000);
    }

    #[test]
    fn equal_weights_are_dropped_too() {
        let mut tally: Tally<u32> = Tally::new(4);
        for key in 0..5 {
            tally.add(key, 1);
        }
        assert_eq!((tally.len(), tally.dropped()), (3, 2));
    }
}
