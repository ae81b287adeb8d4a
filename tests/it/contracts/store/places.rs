//! The contract on each store: in memory, in the sandbox, in the emulator.

use super::*;
use crate::support::azure::Azure;
use alert_packet_capture::{
    record::{BlobStore, MemoryStore},
    storage::Connection,
};
use azure_sandbox::Sandbox;

#[tokio::test]
async fn the_memory_store_keeps_the_contract() {
    contract(&|| Arc::new(MemoryStore::default())).await;
}

fn blob_store(connection: &str, http: reqwest::Client) -> Arc<dyn Store> {
    let connection = Connection::parse(connection).expect("a connection string");
    let store = BlobStore::connect(connection, http).expect("a store");
    Arc::new(store.expect("a blob service"))
}

#[tokio::test]
async fn the_blob_store_keeps_the_contract_in_the_sandbox() {
    for connection in [
        Sandbox::storage_connection as fn(&Sandbox) -> String,
        Sandbox::storage_connection_with_sas,
    ] {
        let azure = Azure::start().await;
        let http = trusting(&azure);
        let connection = connection(&azure);
        contract(&|| blob_store(&connection, http.clone())).await;
        let names = azure.blob_names("packet-capture-incidents");
        assert!(names.contains(&"list/0.json".to_owned()), "{names:?}");
    }
}

pub(super) fn trusting(azure: &Azure) -> reqwest::Client {
    let certificate = reqwest::Certificate::from_pem(azure.ca_pem().as_bytes()).expect("PEM");
    let http = reqwest::Client::builder().tls_certs_only([certificate]);
    http.build().expect("a client")
}

#[cfg(feature = "azurite")]
#[tokio::test]
async fn the_blob_store_keeps_the_contract_in_azurite() {
    let azurite = crate::support::azurite::Azurite::blobs();
    let http = alert_packet_capture::azure::transport::emulator_client().expect("a client");
    let connection = azurite.connection();
    contract(&|| blob_store(&connection, http.clone())).await;
}
