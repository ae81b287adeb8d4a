//! A map that forgets: each entry after a while, and the older half when there is no more room.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard},
    time::Duration,
};
use tokio::time::Instant;

/// Answers of Azure by what was asked, in bounded memory.
pub(super) struct Remembered<K, V> {
    lifetime: Duration,
    most: usize,
    // Held for one map operation, never over an await.
    entries: Mutex<HashMap<K, (Instant, V)>>,
}

impl<K: Hash + Eq, V> Remembered<K, V> {
    pub fn new(lifetime: Duration, most: usize) -> Self {
        Self {
            lifetime,
            most,
            entries: Mutex::default(),
        }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<K, (Instant, V)>> {
        self.entries.lock().expect("no code panics with this lock")
    }

    pub fn get(&self, key: &K) -> Option<V>
    where
        V: Clone,
    {
        self.read(key, |value, _| value.clone())
    }

    /// What `read` makes of an entry and its age.
    pub fn read<T>(&self, key: &K, read: impl FnOnce(&V, Duration) -> T) -> Option<T> {
        let entries = self.entries();
        let (at, value) = entries.get(key)?;
        let age = at.elapsed();
        (age < self.lifetime).then(|| read(value, age))
    }

    pub fn change(&self, key: &K, change: impl FnOnce(&mut V)) {
        if let Some((_, value)) = self.entries().get_mut(key) {
            change(value);
        }
    }

    pub fn put(&self, key: K, value: V) {
        self.put_of(key, value, Instant::now());
    }

    /// Remembers what was true at `at`, unless something later is known.
    pub fn put_of(&self, key: K, value: V, at: Instant) {
        let mut entries = self.entries();
        match entries.get(&key) {
            Some((known_at, _)) if *known_at > at => return,
            None if entries.len() >= entries.capacity().min(self.most) => {
                self.make_room(&mut entries);
            }
            _ => {}
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

    pub fn remove(&self, key: &K) {
        self.entries().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn when_there_is_no_room_the_older_half_goes() {
        let map = Remembered::new(Duration::from_secs(60), 4);
        for n in 1..=5 {
            tokio::time::advance(Duration::from_secs(1)).await;
            map.put(n, ());
        }
        let known: Vec<i32> = (1..=5).filter(|n| map.get(n).is_some()).collect();
        assert_eq!(known, [4, 5]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_older_replaces_nothing() {
        let map = Remembered::new(Duration::from_secs(60), 4);
        let asked = Instant::now();
        tokio::time::advance(Duration::from_secs(1)).await;
        map.put("list", 2);
        map.put_of("list", 1, asked);
        assert_eq!(map.get(&"list"), Some(2));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(map.get(&"list"), None);
    }
}
