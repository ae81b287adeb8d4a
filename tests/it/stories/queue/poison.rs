//! Jobs that the Functions host gave up: people are notified, and the page shows them.

use super::*;
use crate::support::azure::Azure;
use alert_packet_capture::app::Pace;
use std::time::Duration;

#[tokio::test]
async fn a_job_that_the_host_moved_to_the_poison_queue_is_notified_once() {
    let (azure, receiver) = (Azure::start().await, Receiver::start().await);
    let lost = durable::left_behind(&azure).await;
    let lost: Value = serde_json::from_str(&lost).unwrap();
    azure.give_up_oldest_message(QUEUE);
    azure.add_message(POISON, "{not base64}");
    let settings = [azure.queue_settings(), receiver.settings()].concat();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (&**n, &**v)).collect();
    let pace = Pace {
        poison_interval: Duration::from_millis(20),
        ..World::pace()
    };
    let world = World::paced(azure.clone(), &settings, pace.clone()).await;
    receiver.until(|events| !events.is_empty()).await;
    until_the_queue_is_empty(&world).await;
    let data = &receiver.notices()[0]["data"];
    assert_eq!(
        (&data["event"], &data["jobId"]),
        (&"failed".into(), &lost["jobId"])
    );
    let message = data["message"].as_str().unwrap();
    assert!(message.contains("poison queue"), "{message}");
    // It stays there for operators.
    let kept = azure.queue_messages(POISON);
    assert_eq!(kept.len(), 2);
    let kept: Vec<Value> = kept
        .iter()
        .filter_map(|it| serde_json::from_str(it).ok())
        .collect();
    assert_eq!(
        (&kept[0]["jobId"], &kept[0]["report"]["finished"]),
        (&lost["jobId"], &true.into())
    );

    let url = format!("{}/api/PacketCaptures", world.url);
    let listed: Value = world
        .http
        .get(&url)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(listed["poisoned"], 2, "{listed}");
    let page = world.http.get(&url).header("accept", "text/html");
    let page = page.send().await.unwrap().text().await.unwrap();
    assert!(
        page.contains("2 in the queue packet-capture-jobs-poison"),
        "{page}"
    );
    world.end().await;

    // Another process counts them as well, and sees that people were notified.
    azure.make_visible(POISON);
    let calls = azure.journal().len();
    let next = World::paced(azure.clone(), &settings, pace).await;
    azure
        .wait_for(|entries| {
            let counts = entries[calls..]
                .iter()
                .filter(|entry| entry.kind == Call::GetQueue);
            counts.count() >= 3
        })
        .await;
    next.end().await;
    assert_eq!(receiver.notices().len(), 1);
}
