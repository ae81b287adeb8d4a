//! Where things are: the region of a machine, the network watchers of a subscription. Both hardly ever change
//! and cost a call each, so they are remembered for a while, in bounded memory.

use super::{flights::Flights, plan::Names, turns::Turns};
use crate::{azure::network_watcher::NetworkWatcher, resource_id::ResourceId};
use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};

/// A machine does not move; its name can be given to a new one elsewhere.
const REGION_REMEMBERED: Duration = Duration::from_secs(3600);
/// How long a subscription's network watchers are cached. An operator may enable one at any time.
const WATCHERS_REMEMBERED: Duration = Duration::from_secs(600);
/// How long a watcher's list is cached, so that alerts that come in a burst share one read of it.
const LIST_REMEMBERED: Duration = Duration::from_secs(1);
/// Entries of each kind.
const MOST_ENTRIES: usize = 10_000;
/// Lists remembered, at some 16 KB each if they are very long: each region of many subscriptions has one.
const MOST_LISTS: usize = 1_000;

/// Cached answers of Azure about places: regions of machines, network watchers of subscriptions, and their lists.
pub struct Places {
    regions: Remembered<ResourceId, String>,
    /// Whether scale sets are flexible. A set never changes its mode.
    flexible: Remembered<ResourceId, bool>,
    watchers: Remembered<String, Arc<[NetworkWatcher]>>,
    lists: Remembered<ResourceId, Names>,
    turns: Turns<ResourceId>,
    pub region_reads: Flights<ResourceId, String>,
    pub watcher_reads: Flights<ResourceId, Arc<[NetworkWatcher]>>,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            regions: Remembered::new(REGION_REMEMBERED, MOST_ENTRIES),
            flexible: Remembered::new(REGION_REMEMBERED, MOST_ENTRIES),
            watchers: Remembered::new(WATCHERS_REMEMBERED, MOST_ENTRIES),
            lists: Remembered::new(LIST_REMEMBERED, MOST_LISTS),
            turns: Turns::new(1),
            region_reads: Flights::default(),
            watcher_reads: Flights::default(),
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

    /// Whether a scale set is flexible, if it was read before.
    pub fn is_flexible(&self, scale_set: &ResourceId) -> Option<bool> {
        self.flexible.get(scale_set)
    }

    pub fn remember_flexible(&self, scale_set: &ResourceId, is_flexible: bool) {
        self.flexible.put(scale_set.clone(), is_flexible);
    }

    pub fn watchers(&self, subscription: &str) -> Option<Arc<[NetworkWatcher]>> {
        self.watchers.get(&subscription.to_owned())
    }

    pub fn remember_watchers(&self, subscription: &str, watchers: Arc<[NetworkWatcher]>) {
        self.watchers.put(subscription.to_owned(), watchers);
    }

    /// Whether a watcher's list, read less than a second ago, has room and no capture of this name.
    pub fn is_free(&self, watcher: &ResourceId, name: &str, limit: usize) -> bool {
        let free = |names: &Names| names.count() < limit && !names.may_have(name);
        self.lists.look_at(watcher, free).unwrap_or_default()
    }

    /// `read_at`: when the list was asked for.
    pub fn remember_list(&self, watcher: &ResourceId, names: Names, read_at: Instant) {
        self.lists.put_of(watcher.clone(), names, read_at);
    }

    /// Adds a capture that this function created to a watcher's cached list.
    pub fn add_to_list(&self, watcher: &ResourceId, name: &str) {
        self.lists.change(watcher, |names| names.add(name));
    }

    /// A capture was deleted from a watcher's list.
    pub fn remove_from_list(&self, watcher: &ResourceId, name: &str) {
        self.lists.change(watcher, |names| names.remove(name));
    }

    /// A list is not what it was: Azure refused what it allowed, or something of it is being deleted.
    pub fn forget_list(&self, watcher: &ResourceId) {
        self.lists.remove(watcher);
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

    /// The turn at a watcher, if it is free: a job that reads the list and then writes must be alone meanwhile, or two
    /// alerts find the same name free.
    pub fn try_turn(&self, watcher: &ResourceId) -> Option<OwnedSemaphorePermit> {
        self.turns.try_take(watcher)
    }

    /// Waits for the turn at a watcher.
    pub async fn turn(&self, watcher: &ResourceId) -> Option<OwnedSemaphorePermit> {
        self.turns.take(watcher).await
    }
}

/// A map that forgets.
struct Remembered<K, V> {
    lifetime: Duration,
    most: usize,
    // Held for one map operation, never over an await.
    entries: Mutex<HashMap<K, (Instant, V)>>,
}

impl<K: Hash + Eq, V> Remembered<K, V> {
    fn new(lifetime: Duration, most: usize) -> Self {
        Self {
            lifetime,
            most,
            entries: Mutex::default(),
        }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<K, (Instant, V)>> {
        self.entries.lock().expect("no code panics with this lock")
    }

    fn get(&self, key: &K) -> Option<V>
    where
        V: Clone,
    {
        self.look_at(key, V::clone)
    }

    fn look_at<T>(&self, key: &K, look: impl FnOnce(&V) -> T) -> Option<T> {
        let entries = self.entries();
        let (at, value) = entries.get(key)?;
        (at.elapsed() < self.lifetime).then(|| look(value))
    }

    fn change(&self, key: &K, change: impl FnOnce(&mut V)) {
        if let Some((_, value)) = self.entries().get_mut(key) {
            change(value);
        }
    }

    fn put(&self, key: K, value: V) {
        self.put_of(key, value, Instant::now());
    }

    fn put_of(&self, key: K, value: V, at: Instant) {
        let mut entries = self.entries();
        if entries.len() >= entries.capacity().min(self.most) && !entries.contains_key(&key) {
            self.make_room(&mut entries);
        }
        entries.insert(key, (at, value));
    }

    /// Forgets what is too old. Where that is not much, the map grows or, at its most, loses the older half too, which
    /// costs a call each: so the next time is far away.
    fn make_room(&self, entries: &mut HashMap<K, (Instant, V)>) {
        let now = Instant::now();
        entries.retain(|_, (at, _)| now.duration_since(*at) < self.lifetime);
        if entries.capacity() < self.most {
            entries.reserve(entries.len().saturating_add(1));
        } else if entries.len() > self.most / 2 {
            let mut ages: Vec<Instant> = entries.values().map(|(at, _)| *at).collect();
            let half = ages.len() / 2;
            let (_, &mut middle, _) = ages.select_nth_unstable(half);
            entries.retain(|_, (at, _)| *at > middle);
        }
    }

    fn remove(&self, key: &K) {
        self.entries().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_list_is_good_for_a_second_and_kept_in_step() {
        let places = Places::default();
        let watcher: ResourceId = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/g/providers/Microsoft.Network/networkWatchers/w"
            .parse()
            .unwrap();
        assert!(!places.is_free(&watcher, "a", 10));
        let remember = || {
            let mut names = Names::default();
            names.add("Taken");
            places.remember_list(&watcher, names, Instant::now());
        };
        remember();
        for (name, limit, free) in [("a", 2, true), ("a", 1, false), ("tAKEN", 9, false)] {
            assert_eq!(
                places.is_free(&watcher, name, limit),
                free,
                "{name} {limit}"
            );
        }
        places.add_to_list(&watcher, "a");
        assert!(!places.is_free(&watcher, "A", 9) && !places.is_free(&watcher, "b", 2));
        assert!(places.is_free(&watcher, "b", 3));
        tokio::time::advance(LIST_REMEMBERED).await;
        assert!(!places.is_free(&watcher, "b", 3));
        remember();
        places.forget_list(&watcher);
        assert!(!places.is_free(&watcher, "b", 3));
    }

    #[tokio::test(start_paused = true)]
    async fn lists_are_bounded() {
        let places = Places::default();
        for n in 0..=MOST_LISTS {
            let watcher = format!(
                "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/g/providers/Microsoft.Network/networkWatchers/w{n}"
            );
            places.remember_list(&watcher.parse().unwrap(), Names::default(), Instant::now());
        }
        assert!(places.lists.entries().len() <= MOST_LISTS);
    }

    #[tokio::test(start_paused = true)]
    async fn when_there_is_no_room_the_older_half_goes() {
        let places = Remembered::new(Duration::from_secs(60), 4);
        for n in 1..=5 {
            tokio::time::advance(Duration::from_secs(1)).await;
            places.put(n, ());
        }
        let known: Vec<i32> = (1..=5).filter(|n| places.get(n).is_some()).collect();
        assert_eq!(known, [4, 5]);
    }
}
