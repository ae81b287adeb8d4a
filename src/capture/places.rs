//! Where things are: the region of a machine, the network watchers of a subscription. Both hardly ever change
//! and cost a call each, so they are remembered for a while, in bounded memory.

use crate::azure::{network_watcher::NetworkWatcher, resource_id::ResourceId};
use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// A machine does not move; its name can be given to a new one elsewhere.
const REGION_REMEMBERED: Duration = Duration::from_secs(3600);
/// Somebody may enable a network watcher at any time.
const WATCHERS_REMEMBERED: Duration = Duration::from_secs(600);
/// Entries of each kind.
const MOST_ENTRIES: usize = 10_000;

/// See the file's head.
pub struct Places {
    regions: Remembered<ResourceId, String>,
    watchers: Remembered<String, Arc<[NetworkWatcher]>>,
    turns: Mutex<HashMap<ResourceId, Arc<Semaphore>>>,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            regions: Remembered::new(REGION_REMEMBERED),
            watchers: Remembered::new(WATCHERS_REMEMBERED),
            turns: Mutex::default(),
        }
    }
}

impl Places {
    pub fn region(&self, machine: &ResourceId) -> Option<String> {
        self.regions.get(machine)
    }

    pub fn remember_region(&self, machine: &ResourceId, region: &str) {
        self.regions.put(machine.clone(), region.to_owned());
    }

    pub fn watchers(&self, subscription: &str) -> Option<Arc<[NetworkWatcher]>> {
        self.watchers.get(&subscription.to_owned())
    }

    pub fn remember_watchers(&self, subscription: &str, watchers: Arc<[NetworkWatcher]>) {
        self.watchers.put(subscription.to_owned(), watchers);
    }

    /// Whether a step for this machine would rely on what was learned before.
    pub fn remembers(&self, machine: &ResourceId) -> bool {
        self.region(machine).is_some() || self.watchers(machine.subscription()).is_some()
    }

    /// After a 404: neither the machine's region nor the subscription's watchers can be trusted.
    pub fn forget(&self, machine: &ResourceId) {
        self.regions.remove(machine);
        self.watchers.remove(&machine.subscription().to_owned());
    }

    /// Waits for its turn at a watcher: whoever looks at the list and then writes must be alone meanwhile, or
    /// two alerts find the same name free.
    pub async fn turn(&self, watcher: &ResourceId) -> Option<OwnedSemaphorePermit> {
        let turn = {
            let mut turns = self.turns.lock().expect("no code panics with this lock");
            // Only watchers that somebody is at, or waits for, are kept.
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            turns
                .entry(watcher.clone())
                .or_insert_with(|| Arc::new(Semaphore::new(1)))
                .clone()
        };
        turn.acquire_owned().await.ok()
    }
}

/// A map that forgets.
struct Remembered<K, V> {
    lifetime: Duration,
    // Held for one map operation, never over an await.
    entries: Mutex<HashMap<K, (Instant, V)>>,
}

impl<K: Hash + Eq, V: Clone> Remembered<K, V> {
    fn new(lifetime: Duration) -> Self {
        Self {
            lifetime,
            entries: Mutex::default(),
        }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<K, (Instant, V)>> {
        self.entries.lock().expect("no code panics with this lock")
    }

    fn get(&self, key: &K) -> Option<V> {
        let entries = self.entries();
        let (at, value) = entries.get(key)?;
        (at.elapsed() < self.lifetime).then(|| value.clone())
    }

    fn put(&self, key: K, value: V) {
        let mut entries = self.entries();
        if entries.len() >= MOST_ENTRIES {
            entries.retain(|_, (at, _)| at.elapsed() < self.lifetime);
        }
        if entries.len() >= MOST_ENTRIES {
            // All are fresh: whichever goes costs one call.
            entries.clear();
        }
        entries.insert(key, (Instant::now(), value));
    }

    fn remove(&self, key: &K) {
        self.entries().remove(key);
    }
}
