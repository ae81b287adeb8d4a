//! Incidents in PagerDuty.

use super::*;

#[tokio::test]
async fn an_event_has_what_the_alert_says() {
    let people = People::start().await;
    let world = world(&people.pagerduty(0)).await;
    let mut alert = common_alert(&[samples::WEB_01]);
    alert["data"]["essentials"]["severity"] = "Sev1".into();
    alert["data"]["essentials"]["alertRule"] = "tcp-burst".into();
    world.post(&alert).await;
    world.run_out();
    people.until(|people| triggers(people).len() == 1).await;
    world.end().await;
    let event = &triggers(&people)[0];
    let payload = &event["payload"];
    assert_eq!(payload["severity"], "error");
    assert_eq!(payload["source"], "web-01");
    assert_eq!(payload["class"], "completed");
    let summary = payload["summary"].as_str().unwrap();
    assert!(
        summary.starts_with("Packet capture completed on web-01: "),
        "{summary}"
    );
    let rule = payload["custom_details"]["Alert rule"].as_str().unwrap();
    assert!(rule.starts_with("tcp-burst"), "{rule}");
    let command = payload["custom_details"]["Command"].as_str().unwrap();
    assert!(command.starts_with("az storage blob download"), "{command}");
}

#[tokio::test]
async fn a_wrong_routing_key_is_said_with_what_to_check_and_never_shown() {
    let people = People::start().await;
    let wrong = ROUTING_KEY.to_uppercase();
    let pairs = [
        ("Notification__PagerDutyRoutingKey", wrong.as_str()),
        (
            "Notification__WebhookUrl",
            &format!("{}/v2/enqueue", people.url),
        ),
        ("Notification__Format", "pagerduty"),
    ];
    let notifier = super::super::notification::only_of(&pairs);
    let error = notifier
        .send(&super::super::notification::notification())
        .await
        .unwrap_err();
    assert!(!error.is_temporary());
    let text = format!("{error} {error:?}");
    assert!(
        text.contains("Notification__PagerDutyRoutingKey) answered 400"),
        "{text}"
    );
    assert!(
        text.contains("integration key of an Events API v2 integration"),
        "{text}"
    );
    assert!(!text.contains(&wrong), "{text}");
}
