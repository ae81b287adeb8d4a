//! Answers of Azure that people had trouble with, kept beside this package: what becomes of the alert.

use crate::support::{
    beside::field,
    identities::nobody,
    receiver::Receiver,
    world::{World, common_alert},
};
use azure_sandbox::{Call, ExistingCapture, Fault, FaultBody, SessionStatus, What, samples};
use serde_json::Value;

const NAME: &str = "PSAzureFunction";

/// The order of an answer as the input writes it down.
fn fault(on: Call, times: usize, answer: &Value) -> Fault {
    let code = u16::try_from(answer["status"].as_u64().expect("a status")).unwrap();
    let body = match (&answer["body"], answer["code"].as_str()) {
        (_, Some(code)) => FaultBody::ArmError {
            code: code.to_owned(),
            message: "Another write is in progress.".to_owned(),
        },
        (Value::String(text), _) if text.is_empty() => FaultBody::Empty,
        (Value::String(text), _) => FaultBody::Json(serde_json::from_str(text).unwrap()),
        (body, _) => FaultBody::Json(body.clone()),
    };
    let what = What::Status {
        code,
        retry_after: None,
        body,
    };
    Fault { on, times, what }
}

async fn told(more: &[(&str, &str)]) -> (World, Receiver) {
    let told = Receiver::start().await;
    let settings = told.settings();
    let mut settings: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (&**n, &**v)).collect();
    settings.extend(more);
    (World::with(&settings).await, told)
}

/// The event and the message of a notification, once it came.
async fn event(told: &Receiver, number: usize) -> (String, String) {
    told.until(|notices| notices.len() >= number).await;
    let data = &told.notices()[number - 1]["data"];
    let text = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
    (text("event"), text("message"))
}

#[tokio::test]
async fn a01_a_status_without_a_body_is_not_known_yet() {
    let Some(input) = field("a01-status-without-body") else {
        return;
    };
    for answer in input["answers"].as_array().unwrap() {
        let (world, told) = told(&[]).await;
        // More than a job has attempts.
        world.azure.fault(fault(Call::QueryStatus, 8, answer));
        let reply = world.post(&common_alert(&[samples::WEB_01])).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        world.run_out();
        assert_eq!(event(&told, 2).await.0, "completed", "{answer}");
        assert!(world.count("POST packetCaptures") > 8, "{answer}");
        world.end().await;
    }
}

#[tokio::test]
async fn a02_the_detail_is_in_the_answer_and_the_notification() {
    let Some(input) = field("a02-refusal-with-details") else {
        return;
    };
    let (world, told) = told(&[]).await;
    world.azure.fault(fault(Call::PutCapture, 1, &input));
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    let detail = &input["body"]["error"]["details"][0]["message"];
    let detail = detail.as_str().unwrap();
    let answered = reply.body["error"]["message"].as_str().unwrap();
    assert!(answered.contains(detail), "{answered}");
    let (event, message) = event(&told, 1).await;
    assert_eq!(event, "failed");
    assert!(message.contains(detail), "{message}");
    world.end().await;
}

#[tokio::test]
async fn a06_the_identity_endpoint_refuses_or_is_flaky() {
    let Some(input) = field("a06-identity-endpoint") else {
        return;
    };
    for (number, refused) in [(0, true), (1, false)] {
        let case = &input[number];
        // The first token is requested ahead of alerts.
        let times = case["times"].as_u64().unwrap_or(100) as usize;
        let world = World::prepared(|azure| {
            azure.fault(fault(Call::ManagedIdentityToken, times, case));
            nobody(azure.managed_identity_settings())
        })
        .await;
        let reply = world.post(&common_alert(&[samples::WEB_01])).await;
        if refused {
            let message = reply.body["error"]["message"].as_str().unwrap_or_default();
            let (_, advice) = message.split_once("Managed Identity.").expect("the reason");
            assert!(
                advice.find("AZURE_CLIENT_ID") < advice.find("identity assign"),
                "{message}"
            );
        } else {
            assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        }
        world.azure.withdraw_faults();
        world.end().await;
    }
}

#[tokio::test]
async fn a08_an_early_end_is_reported_with_its_reason_and_the_setting() {
    let Some(input) = field("a08-capture-ends-early") else {
        return;
    };
    let limit = input["timeLimitInSeconds"].to_string();
    for (reason, errors, event_expected, words) in [
        (
            "MaxTotalBytesReached",
            &[][..],
            "completed",
            "PacketCapture__TotalBytesPerSession",
        ),
        ("Error", &["StorageFailed"], "failed", "shared keys"),
    ] {
        let settings = [("PacketCapture__TimeLimitInSeconds", &*limit)];
        let (world, told) = told(&settings).await;
        let reply = world.post(&common_alert(&[samples::WEB_01])).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        world.azure.complete_operations();
        let watcher = samples::WATCHER_WESTEUROPE;
        world
            .azure
            .finish_session_with(watcher, NAME, reason, errors);
        let (event, message) = event(&told, 2).await;
        assert_eq!(event, event_expected, "{message}");
        assert!(message.contains(words), "{message}");
        world.end().await;
    }
}

#[tokio::test]
async fn a09_a_conflict_with_another_write_passes() {
    let Some(input) = field("a09-transient-conflicts") else {
        return;
    };
    for answer in input["answers"].as_array().unwrap() {
        for on in [Call::PutCapture, Call::DeleteCapture] {
            let (world, told) = told(&[]).await;
            world.azure.add_capture(ExistingCapture {
                watcher: samples::WATCHER_WESTEUROPE.to_owned(),
                name: NAME.to_owned(),
                target: samples::WEB_02.to_owned(),
                status: SessionStatus::Stopped,
                started: None,
                time_limit_seconds: 10,
                stop_reason: None,
            });
            world.azure.fault(fault(on, 1, answer));
            let reply = world.post_later(&common_alert(&[samples::WEB_01]));
            world
                .until(|lines| {
                    lines
                        .iter()
                        .any(|it| it.starts_with("DELETE") && it.ends_with("202"))
                })
                .await;
            world.azure.complete_operations();
            let reply = reply.await.unwrap();
            assert_eq!(
                reply.body["outcome"], "created",
                "{answer}: {:?}",
                reply.body
            );
            world.run_out();
            assert_eq!(event(&told, 2).await.0, "completed", "{answer}");
            world.end().await;
        }
    }
}
