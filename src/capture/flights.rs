//! One read of one resource at a time, shared by all that need it (single flight): forty alerts about a machine that does
//! not answer cost one call, and leave the others' places free.

use crate::azure::error::AzureError;
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use std::{collections::HashMap, hash::Hash, sync::Mutex};

type Flight<V> = Shared<BoxFuture<'static, Result<V, AzureError>>>;

/// The reads that are in progress, by what is read.
pub struct Flights<K, V> {
    // Held for a few map operations, never over an await.
    reads: Mutex<HashMap<K, Flight<V>>>,
}

impl<K, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self {
            reads: Mutex::default(),
        }
    }
}

impl<K: Hash + Eq + Clone, V: Clone + Send + Sync + 'static> Flights<K, V> {
    /// Whether a read of `key` is in progress.
    pub fn is_in_progress(&self, key: &K) -> bool {
        let reads = self.reads.lock().expect("no code panics with this lock");
        reads.contains_key(key)
    }

    /// The result of the read of `key` that is in progress, or of a new one.
    ///
    /// # Errors
    /// What the read failed with; all that waited for it get the same.
    pub async fn join(
        &self,
        key: &K,
        read: impl FnOnce() -> BoxFuture<'static, Result<V, AzureError>>,
    ) -> Result<V, AzureError> {
        let flight = {
            let mut reads = self.reads.lock().expect("no code panics with this lock");
            let flight = reads.entry(key.clone()).or_insert_with(|| read().shared());
            flight.clone()
        };
        let result = flight.clone().await;
        let mut reads = self.reads.lock().expect("no code panics with this lock");
        if reads.get(key).is_some_and(|known| known.ptr_eq(&flight)) {
            reads.remove(key);
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };
    use tokio::sync::Notify;

    #[tokio::test]
    async fn those_who_come_meanwhile_share_one_read() {
        let flights = Arc::new(Flights::<&str, usize>::default());
        let (reads, answer) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let join = || {
            let (flights, reads, answer) = (flights.clone(), reads.clone(), answer.clone());
            tokio::spawn(async move {
                let read = || {
                    async move {
                        let number = reads.fetch_add(1, Ordering::Relaxed);
                        answer.notified().await;
                        Ok(number)
                    }
                    .boxed()
                };
                flights.join(&"web-01", read).await.unwrap()
            })
        };
        let (first, second) = (join(), join());
        tokio::task::yield_now().await;
        // The one that began leaves; the other still gets the answer.
        first.abort();
        answer.notify_one();
        assert_eq!(second.await.unwrap(), 0);
        let third = join();
        answer.notify_one();
        assert_eq!(third.await.unwrap(), 1, "a read that ended is not shared");
        assert!(flights.reads.lock().unwrap().is_empty());
    }
}
