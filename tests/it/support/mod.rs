//! What the tests stand on: Azure with its exit checks, the app against it, receivers, certificates and secrets.

pub mod azure;
#[cfg(feature = "azurite")]
pub mod azurite;
pub mod beside;
pub mod changes;
pub mod folder;
pub mod identities;
pub mod incidents;
pub mod length;
pub mod log;
pub mod operator;
pub mod people;
pub mod practice;
pub mod receiver;
pub mod secrets;
pub mod walk;
pub mod world;
