//! A few places for each key (a network watcher, a machine), so that one that hangs keeps nothing but its own waiting.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Semaphores by key. Only keys that are in use are kept.
pub struct Turns<K> {
    places: usize,
    // Held for a few map operations, never over an await.
    keys: Mutex<HashMap<K, Arc<Semaphore>>>,
}

impl<K: Hash + Eq + Clone> Turns<K> {
    /// `places`: how many may have their turn at one key at the same time.
    pub fn new(places: usize) -> Self {
        Self {
            places,
            keys: Mutex::default(),
        }
    }

    fn of(&self, key: &K) -> Arc<Semaphore> {
        let mut keys = self.keys.lock().expect("no code panics with this lock");
        if let Some(known) = keys.get(key) {
            return known.clone();
        }
        keys.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
        let semaphore = Arc::new(Semaphore::new(self.places));
        keys.insert(key.clone(), semaphore.clone());
        semaphore
    }

    /// A turn, if one is free now.
    pub fn try_take(&self, key: &K) -> Option<OwnedSemaphorePermit> {
        self.of(key).try_acquire_owned().ok()
    }

    /// Waits for a turn, first come, first served.
    pub async fn take(&self, key: &K) -> Option<OwnedSemaphorePermit> {
        self.of(key).acquire_owned().await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_key_waits_for_itself_alone() {
        let turns = Turns::new(1);
        let first = turns.take(&"a").await;
        assert!(first.is_some() && turns.try_take(&"a").is_none());
        assert!(turns.try_take(&"b").is_some());
        drop(first);
        assert!(turns.try_take(&"a").is_some());
        assert!(turns.try_take(&"c").is_some());
        assert_eq!(
            turns.keys.lock().unwrap().len(),
            1,
            "keys out of use are forgotten"
        );
    }
}
