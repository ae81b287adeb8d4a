//! REST clients for Azure Resource Manager and the tokens they need, one client for each resource provider. They know
//! Azure's resources and nothing of alerts: to read them one needs only the vendor's pages.

// Azure's numbers are not to be trusted: none may overflow.
#![warn(clippy::arithmetic_side_effects)]

pub mod alerts_management;
pub mod api_versions;
pub mod authorization;
mod bounded;
pub mod client;
pub mod compute;
pub mod credentials;
pub mod entra_keys;
pub mod error;
pub mod instance_view;
mod lenient;
pub mod monitor;
pub mod network;
pub mod network_interfaces;
pub mod network_watcher;
pub mod operation;
mod page;
pub mod resource_graph;
pub mod resource_health;
pub mod retry;
pub mod sign_in;
pub mod storage;
#[cfg(test)]
mod tests;
pub mod transport;
