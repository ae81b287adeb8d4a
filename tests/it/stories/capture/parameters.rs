//! What the settings say of a capture is in the body of its create, and nothing else is.

use super::*;
use serde_json::{Value, json};

/// The `properties` of the create's body for an alert, with these settings.
async fn put(settings: &[(&str, &str)]) -> Value {
    let world = World::with(settings).await;
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    let journal = world.azure.journal();
    let put = journal.iter().find(|entry| entry.kind == Call::PutCapture);
    let properties = put.expect("a create").body["properties"].clone();
    world.end().await;
    properties
}

#[tokio::test]
async fn byte_limits_and_filters_are_in_the_body_of_the_create() {
    let filters = json!([
        { "protocol": "TCP", "remotePort": "443;8443;" },
        { "protocol": "Any", "localIPAddress": "10.0.0.4-10.0.0.9", "localPort": "80-85" },
        { "remoteIPAddress": "10.1.0.4" },
    ]);
    let properties = put(&[
        ("PacketCapture__BytesToCapturePerPacket", "96"),
        ("PacketCapture__TotalBytesPerSession", "4294967295"),
        ("PacketCapture__TimeLimitInSeconds", "18000"),
        ("PacketCapture__Filters", &filters.to_string()),
        ("PacketCapture__FilePath", "/var/captures/alert.cap"),
    ])
    .await;
    assert_eq!(
        properties,
        json!({
            "target": samples::WEB_01,
            "bytesToCapturePerPacket": 96,
            "totalBytesPerSession": 4_294_967_295_u32,
            "timeLimitInSeconds": 18_000,
            "filters": filters,
            "storageLocation": {
                "storageId": samples::STORAGE_ACCOUNT,
                "filePath": "/var/captures/alert.cap",
            },
        })
    );
}

/// What is not set is left to Azure's own defaults.
#[tokio::test]
async fn without_these_settings_azure_decides() {
    assert_eq!(
        put(&[]).await,
        json!({
            "target": samples::WEB_01,
            "timeLimitInSeconds": 10,
            "storageLocation": { "storageId": samples::STORAGE_ACCOUNT },
        })
    );
}
