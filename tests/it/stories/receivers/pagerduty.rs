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

fn actions(people: &People) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let events = people.events().into_iter();
    events
        .map(|it| (text(&it["event_action"]), text(&it["dedup_key"])))
        .collect()
}

fn resolved(alert: &Value) -> Value {
    let mut alert = alert.clone();
    alert["data"]["essentials"]["monitorCondition"] = "Resolved".into();
    alert
}

#[tokio::test]
async fn two_alerts_of_an_incident_are_one_alert_there_which_their_resolutions_close() {
    let people = People::start().await;
    let world = world(&people.pagerduty(0)).await;
    let alerts = [
        common_alert(&[samples::WEB_01]),
        common_alert(&[samples::WEB_01]),
    ];
    let answer = world.post(&alerts[0]).await;
    let incident = answer.body["captures"][0]["incidentId"].as_str().unwrap();
    world.post(&alerts[1]).await;
    world.run_out();
    people.until(|people| triggers(people).len() == 2).await;
    // The captures ended; one alert is still fired.
    world.post(&resolved(&alerts[0])).await;
    let answer = world.post(&resolved(&alerts[1])).await;
    assert_eq!(answer.body["reason"], "resolved");
    let key = || incident.to_owned();
    people.until(|people| people.events().len() == 3).await;
    world.end().await;
    assert_eq!(
        actions(&people),
        [
            ("trigger".to_owned(), key()),
            ("trigger".to_owned(), key()),
            ("resolve".to_owned(), key()),
        ]
    );
    let events = people.events();
    let last = &events[1]["payload"]["custom_details"]["Incident"];
    assert_eq!(*last, format!("{incident} (2 alerts)"));
}

#[tokio::test]
async fn an_alert_that_is_resolved_first_is_closed_by_the_end_of_its_capture() {
    let people = People::start().await;
    let world = world(&people.pagerduty(0)).await;
    let alert = common_alert(&[samples::WEB_01]);
    world.post(&alert).await;
    world.azure.complete_operations();
    world.post(&resolved(&alert)).await;
    world.azure.finish_sessions();
    people.until(|people| people.events().len() == 2).await;
    world.end().await;
    let actions: Vec<String> = actions(&people).into_iter().map(|it| it.0).collect();
    assert_eq!(actions, ["trigger", "resolve"]);
}
