//! An Azure Monitor alert starts a Network Watcher packet capture on the VM that it names.

#[cfg(feature = "sandbox")]
pub mod sandbox;
