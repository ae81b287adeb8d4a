//! An alert that is resolved before its capture was created: there is nothing left to capture.

use crate::support::{
    azure::Azure,
    world::{World, classic_alert, common_alert},
};
use azure_sandbox::{ExistingCapture, SessionStatus, samples};
use std::time::Duration;
use time::OffsetDateTime;

const GUARD: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_resolved_alert_ends_a_job_that_waits_for_its_create() {
    // The classic schema gives an alert no id, and its resolution another time.
    for (durable, classic) in [(false, false), (true, false), (false, true)] {
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
        let queue = match durable {
            true => azure.queue_settings(),
            false => Vec::new(),
        };
        let mut settings: Vec<(&str, &str)> = queue.iter().map(|(n, v)| (&**n, &**v)).collect();
        settings.extend([
            ("PacketCapture__StopOnResolved", "true"),
            ("PacketCapture__ReplyWaitSeconds", "0"),
        ]);
        let pace = alert_packet_capture::app::Pace {
            first_look: Duration::from_millis(50),
            ..World::pace()
        };
        let world = World::paced(azure, &settings, pace).await;
        let (alert, mut resolution) = match classic {
            true => {
                let alert = || classic_alert(samples::WEB_01, "westeurope");
                (alert(), alert())
            }
            false => {
                let alert = common_alert(&[samples::WEB_01]);
                (alert.clone(), alert)
            }
        };
        let fired = world.post(&alert).await;
        let job = fired.body["captures"][0]["jobId"].as_str().unwrap();
        world
            .until(|lines| lines.iter().any(|line| line.contains("queryStatus")))
            .await;
        match classic {
            true => resolution["status"] = "Resolved".into(),
            false => resolution["data"]["essentials"]["monitorCondition"] = "Resolved".into(),
        }
        let resolved = world.post(&resolution).await;
        let message = resolved.body["message"].as_str().unwrap();
        assert!(
            message.ends_with("the packet capture on web-01 is being stopped"),
            "{message}"
        );
        let url = format!("{}/api/PacketCaptures/{job}", world.url);
        let ended = async {
            loop {
                let read = world.http.get(&url).send().await.unwrap();
                let read: serde_json::Value = read.json().await.unwrap();
                if read["phase"] == "done" {
                    return read;
                }
            }
        };
        let ended = tokio::time::timeout(GUARD, ended).await.expect("it ends");
        assert_eq!(
            (&ended["status"], &ended["reason"]),
            (&"ignored".into(), &"resolved".into()),
            "{ended}"
        );
        world.azure.finish_sessions();
        assert_eq!(world.count("PUT packetCaptures"), 0);
        world.end().await;
    }
}
