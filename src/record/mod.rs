//! The incident record: what happened to a machine, kept as small texts that outlive the process.

mod blob;
mod memory;
mod store;
mod summary;

pub use blob::{BlobStore, CONTAINER, Checked};
pub use memory::MemoryStore;
pub use store::{
    Condition, Etag, Listed, MAX_BODY_BYTES, MAX_SUMMARY_BYTES, Page, Store, StoreError, Stored,
};
