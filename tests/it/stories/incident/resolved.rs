//! An alert is resolved at another instance than the one whose job waits for its create.

use super::*;
use azure_sandbox::{ExistingCapture, SessionStatus};
use time::OffsetDateTime;

#[tokio::test]
async fn a_resolution_at_another_instance_ends_a_job_that_waits() {
    let azure = Azure::start().await;
    azure.add_capture(ExistingCapture {
        watcher: samples::WATCHER_WESTEUROPE.to_owned(),
        name: "PSAzureFunction".to_owned(),
        target: samples::WEB_02.to_owned(),
        status: SessionStatus::Running,
        started: Some(OffsetDateTime::now_utc()),
        time_limit_seconds: 300,
        stop_reason: None,
    });
    let settings = durable(
        &azure,
        &[
            ("PacketCapture__StopOnResolved", "true"),
            ("PacketCapture__ReplyWaitSeconds", "0"),
        ],
    );
    let pace = alert_packet_capture::app::Pace {
        first_look: Duration::from_millis(50),
        ..World::pace()
    };
    let pairs: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (&**n, &**v)).collect();
    let waits = World::paced(azure.clone(), &pairs, pace).await;
    let other = instance(&azure, &settings).await;
    let alert = common_alert(&[samples::WEB_01]);
    let fired = waits.post(&alert).await;
    assert_eq!(fired.status, 202, "{:?}", fired.body);
    waits
        .until(|lines| lines.iter().any(|line| line.contains("queryStatus")))
        .await;
    let mut resolution = alert.clone();
    resolution["data"]["essentials"]["monitorCondition"] = "Resolved".into();
    let resolved = other.post(&resolution).await;
    assert_eq!(resolved.status, 202, "{:?}", resolved.body);
    assert_eq!(incident(&resolved), incident(&fired));
    until_the_queue_is_empty(&azure).await;
    assert_eq!(waits.count("PUT packetCaptures"), 0);
    waits.end().await;
    other.end().await;
    let story = story(&azure).await;
    assert!(story.entries[0].resolved_at.is_some(), "{story:#?}");
}
