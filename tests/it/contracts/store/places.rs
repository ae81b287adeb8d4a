//! The contract on each store: in memory, in the sandbox, in the emulator.

use super::*;
use alert_packet_capture::record::MemoryStore;

#[tokio::test]
async fn the_memory_store_keeps_the_contract() {
    contract(&|| Arc::new(MemoryStore::default())).await;
}
