//! Messages of a bot of Slack.

use super::*;
use crate::stories::notification::{notification, only_of};

fn bot(people: &People) -> Vec<(String, String)> {
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    vec![
        own("Notification__WebhookUrl", &format!("{}/api/", people.url)),
        own("Notification__SlackToken", BOT_TOKEN),
        own("Notification__SlackChannel", CHANNEL),
        own("Notification__Format", "slack"),
    ]
}

fn title(message: &Value) -> &str {
    message["blocks"][0]["text"]["text"].as_str().unwrap()
}

#[tokio::test]
async fn an_incident_is_one_message_that_is_updated_and_answered() {
    let people = People::start().await;
    let world = world(&people.slack(0)).await;
    world.post(&common_alert(&[samples::WEB_01])).await;
    people.until(|people| people.messages().len() == 1).await;
    world.run_out();
    people.until(|people| people.messages().len() == 2).await;
    world.end().await;
    let messages = people.messages();
    let [root, answer] = &messages[..] else {
        panic!("{messages:#?}");
    };
    assert_eq!(root.thread, None);
    let titles: Vec<&str> = root.versions.iter().map(title).collect();
    assert_eq!(
        titles,
        [
            "Packet capture running on web-01",
            "Packet capture completed on web-01"
        ]
    );
    assert_eq!(answer.thread.as_ref(), Some(&root.ts));
    assert_eq!(
        title(&answer.versions[0]),
        "Packet capture completed on web-01"
    );
}

#[tokio::test]
async fn refusals_are_said_with_what_to_fix_and_the_token_is_never_shown() {
    let people = People::start().await;
    let pairs = bot(&people);
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (&**n, &**v)).collect();
    let notifier = only_of(&pairs);
    for (mishap, temporary, contained) in [
        (Mishap::Refused("ratelimited"), true, "answered ratelimited"),
        (Mishap::Status(429), true, "answered 429"),
        (Mishap::Status(503), true, "answered 503"),
        (
            Mishap::Refused("not_in_channel"),
            false,
            "invite the app to the channel",
        ),
        (Mishap::Refused("is_archived"), false, "not archived"),
        (
            Mishap::Refused("missing_scope"),
            false,
            "give the app the scope chat:write",
        ),
        (
            Mishap::Refused(BOT_TOKEN),
            false,
            "repeats parts of the URL or a key and is left out",
        ),
    ] {
        people.next(mishap.clone());
        let error = notifier.send(&notification()).await.unwrap_err();
        assert_eq!(error.is_temporary(), temporary, "{mishap:?}");
        let text = format!("{error} {error:?}");
        assert!(text.contains(contained), "{text}");
        assert!(!text.contains(BOT_TOKEN), "{text}");
    }
    assert!(people.messages().is_empty());
    notifier.send(&notification()).await.unwrap();
    assert_eq!(people.messages().len(), 1);
}

#[tokio::test]
async fn a_message_that_was_deleted_is_posted_again() {
    let people = People::start().await;
    let pairs = bot(&people);
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (&**n, &**v)).collect();
    let notifier = only_of(&pairs);
    let first = notifier.send(&notification()).await.unwrap();
    people.next(Mishap::Refused("message_not_found"));
    let second = notifier.send(&notification()).await.unwrap();
    assert_ne!(first.thread, second.thread);
    let messages = people.messages();
    assert_eq!(messages.len(), 2);
    assert!(messages.iter().all(|message| message.thread.is_none()));
    // What another process posted, as the record has it, is answered by this one.
    let pairs: Vec<(&str, &str)> = pairs.to_vec();
    let other = only_of(&pairs);
    let mut later = notification();
    later.incident = Some(alert_packet_capture::incident::IncidentContext {
        id: serde_json::from_str("\"20260131-090500-3fa9c2d1\"").unwrap(),
        alerts: 2,
        closed: false,
        threads: second.thread.clone().into_iter().collect(),
    });
    let third = other.send(&later).await.unwrap();
    assert_eq!(third.thread, second.thread);
    let messages = people.messages();
    assert_eq!(messages.len(), 3);
    assert_eq!(messages[2].thread, Some(messages[1].ts.clone()));
    assert_eq!(messages[1].versions.len(), 2);
}

/// Two jobs of an incident that report at the same time post one message.
#[tokio::test]
async fn two_notifications_at_once_are_one_message_and_an_answer() {
    let people = People::start().await;
    let pairs = bot(&people);
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (&**n, &**v)).collect();
    let notifier = only_of(&pairs);
    let (one, two) = (notification(), notification());
    let (one, two) = tokio::join!(notifier.send(&one), notifier.send(&two));
    assert_eq!(one.unwrap(), two.unwrap());
    let messages = people.messages();
    let threads: Vec<bool> = messages.iter().map(|it| it.thread.is_some()).collect();
    assert_eq!(threads, [false, true]);
}

#[tokio::test]
async fn two_alerts_of_an_incident_are_one_message() {
    let people = People::start().await;
    let world = world(&people.slack(0)).await;
    let first = world.post(&common_alert(&[samples::WEB_01])).await;
    people.until(|people| people.messages().len() == 1).await;
    world.post(&common_alert(&[samples::WEB_01])).await;
    world.run_out();
    people.until(|people| people.messages().len() == 3).await;
    let messages = people.messages();
    let roots = messages.iter().filter(|it| it.thread.is_none());
    assert_eq!(roots.count(), 1);
    assert_eq!(messages[0].versions.len(), 3);
    let last = messages[0].versions[2].to_string();
    assert!(last.contains("(2 alerts)"), "{last}");
    // The record has the message, for other processes.
    let id = first.body["captures"][0]["incidentId"].as_str().unwrap();
    assert!(last.contains(id), "{last}");
    world.end().await;
}
