//! How many creates, deletes and stops of this process each watcher has seen: a list that was read outside of the watcher's turn
//! is believed only if none came between.

use crate::resource_id::ResourceId;
use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

/// Watchers share this many counters. Two that share one cost a list read again, and nothing else.
const COUNTERS: u8 = 64;

/// The writes so far.
pub struct Writes {
    hasher: RandomState,
    counters: [AtomicU64; COUNTERS as usize],
}

impl Default for Writes {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            counters: [const { AtomicU64::new(0) }; COUNTERS as usize],
        }
    }
}

/// A write in progress. It counts when it has ended, however it ended, for its caller may be gone by then.
#[must_use]
pub struct Write<'w>(&'w AtomicU64);

impl Drop for Write<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Writes {
    /// Changes whenever a write to this watcher has ended.
    pub fn generation(&self, watcher: &ResourceId) -> u64 {
        self.counter(watcher).load(Ordering::Relaxed)
    }

    /// A write to this watcher, until it is dropped. Only one who has the watcher's turn may begin one: who has the
    /// turn later finds it counted.
    pub fn begin(&self, watcher: &ResourceId) -> Write<'_> {
        Write(self.counter(watcher))
    }

    fn counter(&self, watcher: &ResourceId) -> &AtomicU64 {
        let hash = self.hasher.hash_one(watcher);
        let at = hash.checked_rem(COUNTERS.into()).unwrap_or_default();
        &self.counters[at as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_counts_when_it_has_ended() {
        let watcher: ResourceId = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/g/providers/Microsoft.Network/networkWatchers/w"
            .parse()
            .unwrap();
        let writes = Writes::default();
        let before = writes.generation(&watcher);
        let write = writes.begin(&watcher);
        assert_eq!(writes.generation(&watcher), before);
        drop(write);
        assert_ne!(writes.generation(&watcher), before);
    }
}
