//! Several receivers side by side: a webhook, PagerDuty and a bot of Slack, each with mishaps of its own.

mod pagerduty;
mod restart;
mod slack;

use crate::support::{
    azure::Azure,
    people::{BOT_TOKEN, CHANNEL, Mishap, People, ROUTING_KEY},
    receiver::Receiver,
    world::{World, common_alert},
};
use azure_sandbox::samples;
use serde_json::Value;
use std::time::Duration;

const PAGES: (&str, &str) = (
    "Notification__PageBaseUrl",
    "https://contoso.example/api/PacketCaptures",
);

async fn world(settings: &[(String, String)]) -> World {
    let pairs: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (&**n, &**v)).collect();
    let mut pace = World::pace();
    pace.notification.total = Duration::from_millis(500);
    World::paced(Azure::start().await, &[&pairs[..], &[PAGES]].concat(), pace).await
}

fn triggers(people: &People) -> Vec<Value> {
    let events = people.events().into_iter();
    events
        .filter(|it| it["event_action"] == "trigger")
        .collect()
}

#[tokio::test]
async fn a_receiver_that_is_down_holds_up_no_other_and_none_gets_a_repeat() {
    let (webhook, people) = (Receiver::start().await, People::start().await);
    let settings = [
        webhook.settings_for("completed"),
        people.pagerduty(0),
        people.slack(1),
    ]
    .concat();
    let world = world(&settings).await;
    webhook.down(3);
    world.post(&common_alert(&[samples::WEB_01])).await;
    // Slack has the start of the capture already.
    people.until(|people| people.messages().len() == 1).await;
    world.run_out();
    // The others have the end of it while the webhook refuses.
    people
        .until(|people| triggers(people).len() == 1 && people.messages().len() == 2)
        .await;
    webhook.until(|notices| !notices.is_empty()).await;
    world.end().await;
    assert_eq!((webhook.came(), webhook.notices().len()), (4, 1));
    assert_eq!(triggers(&people).len(), 1);
    assert_eq!(people.messages().len(), 2);
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_no_other() {
    let (webhook, people) = (Receiver::start().await, People::start().await);
    let settings = [webhook.settings_for("completed"), people.pagerduty(3)].concat();
    let world = world(&settings).await;
    webhook.lose(1);
    world.post(&common_alert(&[samples::WEB_01])).await;
    world.run_out();
    webhook.until_came(1).await;
    people.until(|people| triggers(people).len() == 1).await;
    webhook.until(|notices| notices.len() == 1).await;
    world.end().await;
    assert_eq!((webhook.came(), triggers(&people).len()), (2, 1));
}

#[tokio::test]
async fn a_receiver_that_refuses_for_good_is_given_up_alone() {
    let (webhook, people) = (Receiver::start().await, People::start().await);
    let settings = [webhook.settings_for("completed"), people.pagerduty(0)].concat();
    let world = world(&settings).await;
    people.next(Mishap::Status(403));
    webhook.down(1);
    world.post(&common_alert(&[samples::WEB_01])).await;
    world.run_out();
    webhook.until(|notices| notices.len() == 1).await;
    world.end().await;
    // The webhook was retried, PagerDuty was not.
    assert_eq!((webhook.came(), people.came()), (2, 1));
}

#[tokio::test]
async fn the_page_of_the_incident_is_in_every_format() {
    let (webhook, people) = (Receiver::start().await, People::start().await);
    let settings = [webhook.settings(), people.pagerduty(0), people.slack(1)].concat();
    let world = world(&settings).await;
    world.post(&common_alert(&[samples::WEB_01])).await;
    world.run_out();
    webhook.until(|notices| notices.len() == 2).await;
    people
        .until(|people| triggers(people).len() == 1 && people.messages().len() == 2)
        .await;
    world.end().await;
    let notices = webhook.notices();
    let page = notices[0]["data"]["links"]["page"].as_str().unwrap();
    assert!(
        page.starts_with("https://contoso.example/api/PacketCaptures/"),
        "{page}"
    );
    assert_eq!(notices[1]["data"]["links"]["page"], page);
    let event = &triggers(&people)[0];
    assert_eq!(event["client_url"], page);
    for text in [
        event["links"].to_string(),
        people.messages()[0].versions[0].to_string(),
    ] {
        assert!(text.contains(page), "{text}");
        assert!(text.contains("Open the machine"), "{text}");
    }
}
