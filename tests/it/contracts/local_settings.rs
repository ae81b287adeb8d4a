//! local.settings.json points `func start` at the sandbox of `cargo run -- --no-app`; the two must not drift apart.

use crate::support::azure::Azure;
use serde_json::Value;
use std::collections::BTreeMap;

/// What the sandbox does not say: who runs the function, and where the executable puts the CA's certificate.
/// `func start` insists on a storage account once there is a queue trigger, disabled or not; nothing uses it here.
const OTHERS: [(&str, &str); 8] = [
    ("AzureWebJobs.PacketCaptureDrill.Disabled", "true"),
    ("AzureWebJobs.PacketCaptureJob.Disabled", "true"),
    ("AzureWebJobsStorage", "UseDevelopmentStorage=true"),
    ("FUNCTIONS_WORKER_RUNTIME", "custom"),
    ("AzureWebJobs.PacketCaptureReadiness.Disabled", "true"),
    // The host resolves them although the timers are off.
    ("Readiness__DrillSchedule", "0 30 2 * * *"),
    ("Readiness__Schedule", "0 0 16 * * *"),
    ("SSL_CERT_FILE", "target/sandbox/ca.pem"),
];

#[tokio::test]
async fn local_settings_are_the_sandbox_s() {
    let sandbox = Azure::start().await;
    let here = sandbox.endpoint();
    let expected: BTreeMap<String, String> = sandbox
        .app_settings()
        .into_iter()
        .map(|(name, value)| (name, value.replace(&here, "https://127.0.0.1:7443")))
        .chain(OTHERS.map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect();

    let file: Value =
        serde_json::from_str(include_str!("../../../local.settings.json")).expect("JSON");
    assert_eq!(file["IsEncrypted"], false);
    let values: BTreeMap<String, String> =
        serde_json::from_value(file["Values"].clone()).expect("texts");
    assert_eq!(values, expected);
}
