//! The store does not answer in a storm: captures come first, and what could not be written is written later.

use super::*;
use azure_sandbox::{FaultBody, What};

const MACHINES: usize = 12;

fn machine(number: usize) -> String {
    samples::WEB_01.replace("web-01", &format!("vm-{number:02}"))
}

#[tokio::test]
async fn while_the_store_is_down_alerts_are_captured_and_recorded_later() {
    let azure = Azure::start().await;
    for number in 0..MACHINES {
        azure.add_vm(&machine(number), "westeurope");
    }
    let settings = durable(
        &azure,
        &[
            ("PacketCapture__Name", "PSAzureFunction-{vm}"),
            ("PacketCapture__Limit", "1000"),
        ],
    );
    let (one, other) = (
        instance(&azure, &settings).await,
        instance(&azure, &settings).await,
    );
    azure.break_blobs(Some(What::Status {
        code: 503,
        retry_after: None,
        body: FaultBody::StorageError("ServerBusy"),
    }));
    let alerts: Vec<Value> = (0..MACHINES)
        .map(|n| common_alert(&[&machine(n)]))
        .collect();
    for alert in &alerts {
        let reply = one.post(alert).await;
        assert_eq!(outcome(&reply), (200, "created", "-"), "{:?}", reply.body);
        // This process knows it still.
        let again = one.post(alert).await;
        assert_eq!(
            outcome(&again),
            (200, "ignored", "duplicate"),
            "{:?}",
            again.body
        );
    }
    // The end of half of them is due while the store is down: their messages stay until it is recorded.
    one.run_out();
    azure.break_blobs(None);
    run_out(&one).await;
    one.end().await;
    assert_eq!(azure.captures_made().len(), MACHINES);
    assert_eq!(rows(&azure).await.len(), MACHINES);
    for alert in &alerts {
        let again = other.post(alert).await;
        assert_eq!(
            outcome(&again),
            (200, "ignored", "duplicate"),
            "{:?}",
            again.body
        );
        assert_eq!(again.body["captures"][0]["status"], "completed");
    }
    other.end().await;
}
