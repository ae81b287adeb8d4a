//! Where things are: the region of a machine, the network watchers of a subscription, and what they list. They hardly ever
//! change and cost a call each, so they are remembered for a while, in bounded memory.

use super::{
    flights::Flights,
    machines::Machines,
    names::{Identity, Names},
    remembered::Remembered,
    turns::Turns,
    writes::Writes,
};
use crate::{
    azure::network_watcher::{NetworkWatcher, PacketCapture},
    resource_id::ResourceId,
};
use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};

/// A machine does not move; its name can be given to a new one elsewhere.
const REGION_REMEMBERED: Duration = Duration::from_secs(3600);
/// How long a remembered region is relied upon where Azure would not refuse a wrong one.
const REGION_BELIEVED: Duration = Duration::from_secs(60);
/// How long a subscription's network watchers are cached, which is longer than the interval in which those of the allowed
/// subscriptions are read. One that was enabled since is found: a region without a watcher is looked up again.
const WATCHERS_REMEMBERED: Duration = Duration::from_secs(20 * 60);
/// How long a watcher's list is believed, so that alerts that come in a burst share one read of it.
pub(super) const LIST_BELIEVED: Duration = Duration::from_secs(1);
/// How long a watcher's list is remembered. Older than a second, it only says which captures are worth a question.
const LIST_REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// How long a watcher that did not list its captures is not asked for them ahead of the machine's region.
const SILENCE_REMEMBERED: Duration = Duration::from_secs(600);
/// Entries of each kind.
const MOST_ENTRIES: usize = 10_000;
/// Lists remembered, at some 16 KB each if they are very long: each region of many subscriptions has one.
const MOST_LISTS: usize = 1_000;
/// Maximum number of subscriptions whose used watchers are remembered.
const MOST_SUBSCRIPTIONS: usize = 256;
/// Maximum number of watchers that are asked for their captures ahead of the machine's region.
pub(super) const MOST_AHEAD: usize = 4;

/// Cached answers of Azure about places: regions of machines, network watchers of subscriptions, and their lists.
pub struct Places {
    regions: Remembered<ResourceId, String>,
    /// What was listed ahead of alerts. Locked for one map operation, never over an await.
    machines: Mutex<Machines>,
    /// Whether scale sets are flexible. A set never changes its mode.
    flexible: Remembered<ResourceId, bool>,
    watchers: Remembered<String, Arc<[NetworkWatcher]>>,
    /// By subscription, the watchers that jobs needed, the last one first.
    used: Remembered<String, Vec<NetworkWatcher>>,
    lists: Remembered<ResourceId, Names>,
    silent: Remembered<ResourceId, ()>,
    /// Watchers that a job has asked outside of their turn.
    asked_ahead: Remembered<ResourceId, ()>,
    turns: Turns<ResourceId>,
    pub writes: Writes,
    pub region_reads: Flights<ResourceId, String>,
    pub watcher_reads: Flights<ResourceId, Arc<[NetworkWatcher]>>,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            regions: Remembered::new(REGION_REMEMBERED, MOST_ENTRIES),
            machines: Mutex::default(),
            flexible: Remembered::new(REGION_REMEMBERED, MOST_ENTRIES),
            watchers: Remembered::new(WATCHERS_REMEMBERED, MOST_ENTRIES),
            used: Remembered::new(LIST_REMEMBERED, MOST_SUBSCRIPTIONS),
            lists: Remembered::new(LIST_REMEMBERED, MOST_LISTS),
            silent: Remembered::new(SILENCE_REMEMBERED, MOST_LISTS),
            asked_ahead: Remembered::new(LIST_BELIEVED, MOST_LISTS),
            turns: Turns::new(1),
            writes: Writes::default(),
            region_reads: Flights::default(),
            watcher_reads: Flights::default(),
        }
    }
}

impl Places {
    pub fn region(&self, machine: &ResourceId) -> Option<String> {
        let read = self.regions.get(machine);
        read.or_else(|| self.machines().region(machine).map(str::to_owned))
    }

    /// The region of a machine, if it is remembered from earlier than a minute ago or from a list.
    pub fn old_region(&self, machine: &ResourceId) -> Option<String> {
        let is_old = |_: &String, age| age >= REGION_BELIEVED;
        let is_old = self.regions.read(machine, is_old).unwrap_or(true);
        self.region(machine).filter(|_| is_old)
    }

    pub fn remember_region(&self, machine: &ResourceId, region: &str) {
        self.regions.put(machine.clone(), region.to_owned());
    }

    /// Remembers where a machine is that was listed ahead of alerts. `false`: there is no room.
    pub fn add_machine(&self, machine: &ResourceId, region: &str) -> bool {
        // What an alert read before that may be as old as an hour.
        if self.regions.read(machine, |known, _| known != region) == Some(true) {
            self.regions.remove(machine);
        }
        self.machines().add(machine, region)
    }

    /// Forgets the machines that were listed ahead of alerts, if there is no room for others.
    pub fn make_room_for_machines(&self) {
        let mut machines = self.machines();
        if machines.is_full() {
            *machines = Machines::default();
        }
    }

    fn machines(&self) -> MutexGuard<'_, Machines> {
        self.machines.lock().expect("no code panics with this lock")
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

    /// The watchers of a subscription that jobs needed, the last one first.
    pub fn used_watchers(&self, subscription: &str) -> Vec<NetworkWatcher> {
        self.used.get(&subscription.to_owned()).unwrap_or_default()
    }

    /// A job needs this watcher.
    pub fn use_watcher(&self, watcher: &NetworkWatcher) {
        let subscription = watcher.id.subscription().to_owned();
        let is_last = |used: &Vec<NetworkWatcher>| used.first() == Some(watcher);
        if self.used.read(&subscription, |used, _| is_last(used)) == Some(true) {
            return;
        }
        let mut used = self.used.get(&subscription).unwrap_or_default();
        used.retain(|other| other.id != watcher.id);
        used.insert(0, watcher.clone());
        used.truncate(MOST_AHEAD);
        self.used.put(subscription, used);
    }

    /// Whether a watcher's list, read less than a second ago, has room and no capture of this name.
    pub fn is_free(&self, watcher: &ResourceId, name: &str, limit: usize) -> bool {
        let free = |names: &Names, age| {
            age < LIST_BELIEVED && names.count() < limit && !names.may_have(name)
        };
        self.lists.read(watcher, free).unwrap_or_default()
    }

    /// Which capture had this name when the watcher's list was last read.
    pub fn last_known(&self, watcher: &ResourceId, name: &str) -> Option<Identity> {
        let known = |names: &Names, _| names.identity(name);
        self.lists.read(watcher, known).flatten()
    }

    /// Remembers a list unless it is older than a write of this process. `generation` and `read_at`: when it was asked
    /// for.
    pub fn remember_list(
        &self,
        watcher: &ResourceId,
        names: Names,
        generation: u64,
        read_at: Instant,
    ) {
        if self.writes.generation(watcher) == generation {
            self.lists.put_of(watcher.clone(), names, read_at);
        }
    }

    /// Adds a capture that this function created to a watcher's cached list.
    pub fn add_to_list(&self, watcher: &ResourceId, name: &str, capture: Option<&PacketCapture>) {
        self.lists.change(watcher, |names| names.add(name, capture));
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
        self.machines().forget(machine);
        self.watchers.remove(&machine.subscription().to_owned());
        self.used.remove(&machine.subscription().to_owned());
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

    /// Whether a job may ask a watcher outside of its turn: one does in a second, so that a storm of alerts asks no more
    /// than that, and none does if the watcher did not answer lately.
    pub fn may_ask_ahead(&self, watcher: &ResourceId) -> bool {
        let may = self.silent.get(watcher).is_none() && self.asked_ahead.get(watcher).is_none();
        if may {
            self.asked_ahead.put(watcher.clone(), ());
        }
        may
    }

    /// A watcher did not answer outside of its turn: the next jobs wait until they know that they need it.
    pub fn remember_silence(&self, watcher: &ResourceId) {
        self.silent.put(watcher.clone(), ());
    }
}

#[cfg(test)]
mod tests;
