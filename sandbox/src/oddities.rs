//! What Azure really does now and then and no document promises: switches that stay on, unlike faults, which are counted.

use super::server::lock;
use super::{Sandbox, calls::Call, capture::Provisioning};
use std::time::Duration;

/// A lasting oddity of packet captures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// A delete is done when it is answered: 204, and the capture is gone.
    DeletesAtOnce,
    /// A delete is answered with 204 and changes nothing.
    DeletesWithoutEffect,
    /// The status of each listed capture is answered with 404.
    StatusNotFound,
    /// Another write is always in the way of a stop: 409.
    StopConflicts,
    /// Lists have odd elements, and their last page names a page that was there before as the next one.
    OddLists,
}

impl Sandbox {
    /// Switches an oddity on, until the sandbox stops.
    pub fn be_odd(&self, oddity: Oddity) {
        self.shared
            .with_world(|world, _| world.oddities.push(oddity));
    }

    /// Switches all oddities off.
    pub fn be_even(&self) {
        self.shared.with_world(|world, _| world.oddities.clear());
    }

    /// From now on these watchers answer nothing, and no others.
    pub fn hang_watchers(&self, watchers: &[String]) {
        *lock(&self.shared.hanging) = watchers.to_vec();
    }

    /// From now on each call of this kind takes this long before it is applied.
    pub fn slow_down(&self, call: Call, by: Duration) {
        self.shared
            .with_world(|world, _| world.delays.push((call, by)));
    }

    /// Lists a capture as being deleted, for ever. Panics when it is not there.
    pub fn delete_for_ever(&self, watcher: &str, name: &str) {
        self.shared.with_world(|world, _| {
            let capture = world
                .watcher_mut(watcher)
                .and_then(|watcher| watcher.capture_mut(name));
            capture
                .unwrap_or_else(|| panic!("no packet capture {name} in the sandbox"))
                .provisioning = Provisioning::Deleting;
        });
    }
}
