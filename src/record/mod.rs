//! The incident record: what happened to each machine, kept in this process or, as small texts that outlive it, in a store
//! that all instances share.

mod blob;
mod breaker;
mod clock;
mod document;
mod incidents;
mod keeper;
mod list;
mod looks;
mod memory;
mod runs;
mod shown;
mod store;
mod summary;

pub use blob::{BlobStore, CONTAINER, Checked};
pub use clock::Clock;
pub use incidents::{Claim, Incidents, RecordOptions};
pub use list::{ReadError, Rows};
pub use looks::LookPart;
pub use memory::MemoryStore;
pub use runs::RunInProgress;
pub use store::{
    Condition, Etag, Listed, MAX_BODY_BYTES, MAX_SUMMARY_BYTES, Page, Store, StoreError, Stored,
};

#[cfg(test)]
mod tests;
