//! Receivers over the end of a process: what one of them has is in the job and in the record.

use super::*;

/// Jobs and incidents outlive the process, which polls for those of others.
fn durable(azure: &Azure, more: &[(String, String)]) -> Vec<(String, String)> {
    let mut settings = azure.queue_settings();
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    settings.push(own("JobQueue__Receive", "poll"));
    settings.push(own(PAGES.0, PAGES.1));
    settings.extend(more.iter().cloned());
    settings
}

async fn process(azure: &Azure, settings: &[(String, String)]) -> World {
    let pairs: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (&**n, &**v)).collect();
    let mut pace = World::pace();
    pace.notification.total = Duration::from_millis(500);
    World::paced(azure.clone(), &pairs, pace).await
}

#[tokio::test]
async fn the_next_process_notifies_only_the_receiver_that_is_left() {
    let azure = Azure::start().await;
    let (webhook, people) = (Receiver::start().await, People::start().await);
    let settings = [webhook.settings_for("completed"), people.pagerduty(0)].concat();
    let settings = durable(&azure, &settings);
    let first = process(&azure, &settings).await;
    webhook.down(1_000);
    first.post(&common_alert(&[samples::WEB_01])).await;
    first.run_out();
    people.until(|people| triggers(people).len() == 1).await;
    let refused = webhook.came();
    webhook.until_came(refused + 2).await;
    first.end().await;
    webhook.up();
    let second = process(&azure, &settings).await;
    webhook.until(|notices| notices.len() == 1).await;
    second.end().await;
    assert_eq!(triggers(&people).len(), 1);
    assert_eq!(webhook.notices().len(), 1);
}

#[tokio::test]
async fn the_next_process_answers_the_message_of_the_first() {
    let azure = Azure::start().await;
    let people = People::start().await;
    let settings = durable(&azure, &people.slack(0));
    let first = process(&azure, &settings).await;
    let answer = first.post(&common_alert(&[samples::WEB_01])).await;
    let incident = answer.body["captures"][0]["incidentId"].as_str().unwrap();
    people.until(|people| people.messages().len() == 1).await;
    first.end().await;
    let second = process(&azure, &settings).await;
    second.run_out();
    people.until(|people| people.messages().len() == 2).await;
    // It shows the incident of the other process.
    let path = format!("{}/api/PacketCaptures/{incident}", second.url);
    let shown: Value = second
        .http
        .get(path)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(shown["id"], incident);
    second.end().await;
    let messages = people.messages();
    assert_eq!(messages[1].thread, Some(messages[0].ts.clone()));
    assert_eq!(messages[0].versions.len(), 2);
}
