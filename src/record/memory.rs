//! The record of a single process: fast, needs nothing, and is lost with the process.

use super::{
    store::{Condition, Etag, Listed, Page, Store, StoreError, Stored, check_size},
    summary::encoded,
};
use azure_core::Bytes;
use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Mutex, MutexGuard},
};

/// Maximum number of texts; beyond that the one that was written longest ago is removed.
const MOST: usize = 2_000;

/// The record of a single process, lost with it.
pub struct MemoryStore {
    most: usize,
    // Held for a few map operations, never over an await.
    state: Mutex<State>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::of(MOST)
    }
}

struct Entry {
    body: Bytes,
    summary: Option<String>,
    /// The number of the write, which is its version too.
    written: u64,
}

#[derive(Default)]
struct State {
    entries: BTreeMap<String, Entry>,
    /// Names by the number of their last write.
    by_write: BTreeMap<u64, String>,
    writes: u64,
}

impl State {
    fn remove(&mut self, name: &str) {
        if let Some(entry) = self.entries.remove(name) {
            self.by_write.remove(&entry.written);
        }
    }

    fn put(&mut self, name: &str, body: Bytes, summary: Option<String>, most: usize) -> u64 {
        self.remove(name);
        self.writes += 1;
        let written = self.writes;
        let entry = Entry {
            body,
            summary,
            written,
        };
        self.entries.insert(name.to_owned(), entry);
        self.by_write.insert(written, name.to_owned());
        if self.entries.len() > most
            && let Some((_, oldest)) = self.by_write.pop_first()
        {
            self.entries.remove(&oldest);
        }
        written
    }
}

impl MemoryStore {
    /// A store of at most this many texts.
    pub fn of(most: usize) -> Self {
        Self {
            most,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics with this lock")
    }
}

fn etag(written: u64) -> Etag {
    Etag(written.to_string())
}

#[async_trait::async_trait]
impl Store for MemoryStore {
    async fn read(&self, name: &str) -> Result<Option<Stored>, StoreError> {
        Ok(self.state().entries.get(name).map(|entry| Stored {
            body: entry.body.clone(),
            etag: etag(entry.written),
        }))
    }

    async fn write(
        &self,
        name: &str,
        body: Bytes,
        summary: Option<&str>,
        condition: Condition,
    ) -> Result<Etag, StoreError> {
        check_size(&body, summary.map(encoded).as_deref())?;
        let mut state = self.state();
        let known = state.entries.get(name).map(|entry| etag(entry.written));
        let holds = match (&condition, known) {
            (Condition::New, known) => known.is_none(),
            (Condition::Unchanged(expected), known) => known.as_ref() == Some(expected),
        };
        match holds {
            true => Ok(etag(state.put(
                name,
                body,
                summary.map(str::to_owned),
                self.most,
            ))),
            false => Err(StoreError::Conflict),
        }
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Page, StoreError> {
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let state = self.state();
        let below = state.entries.range::<str, _>((from, Bound::Unbounded));
        let mut below = below.take_while(|(name, _)| name.starts_with(prefix));
        let entries: Vec<Listed> = below
            .by_ref()
            .take(most)
            .map(|(name, entry)| Listed {
                name: name.clone(),
                summary: entry.summary.clone(),
            })
            .collect();
        let more = below.next().is_some();
        let last = entries.last().map(|entry| entry.name.clone());
        Ok(Page {
            next: last.filter(|_| more),
            entries,
        })
    }

    async fn remove(&self, name: &str, unchanged: Option<&Etag>) -> Result<(), StoreError> {
        let mut state = self.state();
        match (state.entries.get(name), unchanged) {
            (Some(entry), Some(expected)) if etag(entry.written) != *expected => {
                Err(StoreError::Conflict)
            }
            _ => {
                state.remove(name);
                Ok(())
            }
        }
    }

    fn is_durable(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_text_that_was_written_longest_ago_makes_room() {
        let store = MemoryStore::default();
        let body = || Bytes::from_static(b"x");
        let mut first = None;
        for number in 0..MOST {
            let name = format!("a/{number:04}");
            let written = store.write(&name, body(), None, Condition::New).await;
            first.get_or_insert(written.unwrap());
        }
        let again = Condition::Unchanged(first.unwrap());
        store.write("a/0000", body(), None, again).await.unwrap();
        let written = store.write("b", body(), None, Condition::New).await;
        written.unwrap();
        assert!(store.read("a/0000").await.unwrap().is_some(), "rewritten");
        assert!(store.read("a/0001").await.unwrap().is_none(), "the oldest");
        assert!(store.read("a/0002").await.unwrap().is_some());
        let state = store.state();
        assert_eq!((state.entries.len(), state.by_write.len()), (MOST, MOST));
    }
}
