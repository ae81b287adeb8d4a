//! The places of a lane: how many calls may be in progress, and how many of them to one resource. A network watcher
//! that hangs keeps a quarter of the places, not all.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// The places of calls before the create, or of those in the background.
pub(super) struct Lane {
    places: Semaphore,
    /// Maximum places of one resource.
    share: usize,
    /// By resource. Locked for one map operation, never over an await.
    shares: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// A place, until it is dropped.
pub(super) struct Turn<'l> {
    _place: SemaphorePermit<'l>,
    _share: OwnedSemaphorePermit,
}

impl Lane {
    pub fn new(places: usize) -> Self {
        Self {
            places: Semaphore::new(places.max(1)),
            share: places.div_euclid(4).max(1),
            shares: Mutex::default(),
        }
    }

    /// Waits for a place. A call that waits for its resource's share holds no place of the lane.
    pub async fn turn(&self, resource: String) -> Turn<'_> {
        let share = {
            let mut shares = self.shares.lock().expect("no code panics with this lock");
            // Only resources with a call in progress or waiting are kept.
            shares.retain(|_, share| Arc::strong_count(share) > 1);
            shares
                .entry(resource)
                .or_insert_with(|| Arc::new(Semaphore::new(self.share)))
                .clone()
        };
        let share = share.acquire_owned().await;
        let place = self.places.acquire().await;
        Turn {
            _place: place.expect("the semaphore is never closed"),
            _share: share.expect("the semaphore is never closed"),
        }
    }
}
