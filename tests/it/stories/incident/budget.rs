//! Budgets: what they hold back is `skipped`, survives restarts, and is notified of once an hour.

use super::*;
use time::OffsetDateTime;

#[tokio::test]
async fn the_budget_of_an_hour_is_one_for_all_machines_and_instances() {
    let azure = Azure::start().await;
    let settings = durable(
        &azure,
        &[
            ("Budget__CapturesPerHour", "2"),
            ("PacketCapture__Name", "PSAzureFunction-{vm}"),
        ],
    );
    let mut replies = Vec::new();
    // Each machine's alert meets an instance that was just started.
    for machine in [
        samples::WEB_01,
        samples::WEB_02,
        samples::SQL_01,
        samples::SQL_01,
    ] {
        let world = instance(&azure, &settings).await;
        replies.push(world.post(&common_alert(&[machine])).await);
        world.end().await;
    }
    let outcomes: Vec<_> = replies.iter().map(outcome).collect();
    // The hour may turn between two of them; then there is room again.
    if outcomes[2].1 == "skipped" {
        assert_eq!(
            outcomes,
            [
                (200, "created", "-"),
                (200, "created", "-"),
                (200, "skipped", "budget_exhausted"),
                (200, "skipped", "budget_exhausted"),
            ]
        );
        assert_eq!(incident(&replies[2]), incident(&replies[3]));
        assert_eq!(azure.captures_made().len(), 2);
        assert_eq!(azure.queue_messages(QUEUE).len(), 2);
        assert_eq!(rows(&azure).await.len(), 3);
    } else {
        let minute = OffsetDateTime::now_utc().minute();
        assert!(minute < 2, "{outcomes:?}");
    }
}

#[tokio::test]
async fn a_machine_has_a_budget_of_its_own() {
    for in_storage in [false, true] {
        let azure = Azure::start().await;
        let budget = ("Budget__CapturesPerMachinePerDay", "1");
        let settings = match in_storage {
            true => durable(&azure, &[budget]),
            false => vec![(budget.0.to_owned(), budget.1.to_owned())],
        };
        let world = instance(&azure, &settings).await;
        let first = world.post(&common_alert(&[samples::WEB_01])).await;
        assert_eq!(outcome(&first), (200, "created", "-"), "{:?}", first.body);
        let alert = common_alert(&[samples::WEB_01, samples::SQL_01]);
        let second = world.post(&alert).await;
        let captures = second.body["captures"].as_array().unwrap();
        let of = |machine: &str| {
            let found = captures.iter().find(|it| it["target"] == machine);
            found.unwrap()["status"].as_str().unwrap()
        };
        assert_eq!(of(samples::WEB_01), "skipped", "{captures:#?}");
        assert_eq!(of(samples::SQL_01), "created", "{captures:#?}");
        let metrics = world
            .http
            .get(format!("{}/api/PacketCaptures/metrics", world.url));
        let metrics = metrics.send().await.unwrap().text().await.unwrap();
        let line = "apc_held_back_total{reason=\"budget_exhausted\"} 1";
        assert!(metrics.contains(line), "{metrics}");
        world.end().await;
    }
}

#[tokio::test]
async fn operators_are_notified_once_of_what_was_held_back() {
    let azure = Azure::start().await;
    let receiver = Receiver::start().await;
    let mut settings = durable(&azure, &[("Budget__CapturesPerHour", "2")]);
    settings.extend(receiver.settings());
    // What another instance left of the last hour.
    let now = OffsetDateTime::now_utc();
    let hour = now - time::Duration::hours(1);
    let begins_at = hour.replace_time(time::Time::from_hms(hour.hour(), 0, 0).unwrap());
    let body = serde_json::json!({
        "version": 1, "captures": [], "heldBack": 214, "machines": ["a", "b"], "machine": samples::WEB_01,
        "beginsAt": begins_at.format(&time::format_description::well_known::Rfc3339).unwrap(),
    });
    let world = instance(&azure, &settings).await;
    // The container is there once something was written.
    assert_eq!(
        world.post(&common_alert(&[samples::SQL_01])).await.status,
        200
    );
    world.end().await;
    let name = format!(
        "{:04}{:02}{:02}{:02}.json",
        begins_at.year(),
        u8::from(begins_at.month()),
        begins_at.day(),
        begins_at.hour()
    );
    let url = format!(
        "{}/packet-capture-incidents/budgets/{name}",
        azure.storage_endpoint()
    );
    azure.put_blob(&url, body.to_string());
    let (one, other) = (
        instance(&azure, &settings).await,
        instance(&azure, &settings).await,
    );
    azure.make_visible(QUEUE);
    let held_back = |event: &Value| {
        let message = event["data"]["message"].as_str().unwrap_or_default();
        message.starts_with("Held back")
    };
    receiver.until(|events| events.iter().any(held_back)).await;
    run_out(&one).await;
    one.end().await;
    other.end().await;
    let events = receiver.notices();
    let events: Vec<&Value> = events.iter().filter(|it| held_back(it)).collect();
    assert_eq!(events.len(), 1, "{events:#?}");
    let data = &events[0]["data"];
    assert_eq!(data["event"], "skipped");
    let message = data["message"].as_str().unwrap();
    assert!(
        message.starts_with("Held back: 214 alerts on 2 machines"),
        "{message}"
    );
}
