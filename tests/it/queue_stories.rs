//! Jobs in Queue Storage: what outlives a process, how another one takes it up, and what happens when the queue
//! is not there.

use crate::world::{Reply, World, common_alert};
use alert_packet_capture::app::{App, Pace};
use alert_packet_capture::config::Settings;
use azure_sandbox::{Call, Fault, FaultBody, Sandbox, What, samples};
use serde_json::{Value, json};

const QUEUE: &str = "packet-capture-jobs";
const POISON: &str = "packet-capture-jobs-poison";
const PUT_JOB: &str = "POST queue packet-capture-jobs messages 201";
const JOB_GONE: &str = "DELETE queue packet-capture-jobs messages 204";
const CAPTURE: &str = "PUT packetCaptures/PSAzureFunction 201";

/// An app whose jobs are in Queue Storage.
async fn app(azure: &Sandbox, queue: Vec<(String, String)>, more: &[(&str, &str)]) -> World {
    let mut settings: Vec<(&str, &str)> = queue
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    settings.extend(more);
    World::on(azure.clone(), &settings).await
}

fn failing(times: usize, code: u16, on: Call) -> Fault {
    let what = What::Status {
        code,
        retry_after: None,
        body: FaultBody::Empty,
    };
    Fault { on, times, what }
}

fn at(lines: &[String], wanted: &str) -> usize {
    let position = lines.iter().position(|line| line == wanted);
    position.unwrap_or_else(|| panic!("no {wanted} in {lines:#?}"))
}

/// The host's call of the queue trigger.
async fn trigger(world: &World, job: Value) -> Reply {
    let envelope = json!({
        "Data": { "job": job },
        "Metadata": { "DequeueCount": "1", "Id": "\"5c2b7a1e\"", "sys": { "MethodName": "PacketCaptureJob" } }
    });
    world.post_to("/PacketCaptureJob", &envelope).await
}

async fn until_the_queue_is_empty(world: &World) {
    world.run_out();
    world
        .until(|lines| lines.iter().any(|line| line == JOB_GONE))
        .await;
    assert!(world.azure.queue_messages(QUEUE).is_empty());
}

/// A job that an app could not go on with before it was stopped. Its text is what is left in the queue.
async fn left_behind(azure: &Sandbox) -> String {
    let settings = azure.queue_settings();
    let world = app(azure, settings, &[("PacketCapture__ReplyWaitSeconds", "0")]).await;
    let throttled = What::Status {
        code: 429,
        retry_after: Some("250".to_owned()),
        body: FaultBody::Empty,
    };
    azure.fault(Fault {
        on: Call::ListWatchers,
        times: 1,
        what: throttled,
    });
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.status, 202, "{:?}", reply.body);
    world
        .until(|lines| {
            let throttled = lines.iter().position(|line| line.ends_with(" 429"));
            throttled.is_some_and(|at| {
                let after = &lines[at..];
                after
                    .iter()
                    .any(|line| line == "PUT queue packet-capture-jobs messages 204")
            })
        })
        .await;
    world.end().await;
    let mut left = azure.queue_messages(QUEUE);
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(azure.visible_messages(QUEUE), 0, "it is not due yet");
    left.remove(0)
}

#[tokio::test]
async fn a_job_is_in_the_queue_before_its_capture_and_gone_when_it_is_done() {
    let azure = World::azure().await;
    let world = app(&azure, azure.queue_settings(), &[]).await;
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    let lines = world.calls();
    assert!(at(&lines, PUT_JOB) < at(&lines, CAPTURE), "{lines:#?}");
    let jobs = azure.queue_messages(QUEUE);
    assert_eq!(jobs.len(), 1);
    let job: Value = serde_json::from_str(&jobs[0]).unwrap();
    assert_eq!(job["jobId"], reply.body["captures"][0]["jobId"]);
    assert_eq!(azure.visible_messages(QUEUE), 0, "nobody else sees it");
    until_the_queue_is_empty(&world).await;
    assert!(azure.queue_messages(POISON).is_empty());
    assert_eq!(world.count("GET queue"), 0, "its own jobs cost no poll");
    world.end().await;
}

#[tokio::test]
async fn an_alert_that_the_queue_does_not_take_is_not_taken() {
    let azure = World::azure().await;
    let world = app(&azure, azure.queue_settings(), &[]).await;
    // As often as the call is repeated.
    azure.fault(failing(4, 503, Call::PutMessage));
    let alert = common_alert(&[samples::WEB_01]);
    let reply = world.post(&alert).await;
    assert_eq!(reply.status, 503, "{:?}", reply.body);
    assert!(reply.headers.contains_key("retry-after"));
    let message = reply.body["error"]["message"].as_str().unwrap();
    assert!(message.contains(QUEUE), "{message}");
    assert_eq!(world.count("PUT packetCaptures"), 0);
    // The sender repeats it, and it is new.
    let again = world.post(&alert).await;
    assert_eq!(again.body["outcome"], "created", "{:?}", again.body);
    until_the_queue_is_empty(&world).await;
    world.end().await;
}

#[tokio::test]
async fn all_jobs_of_an_alert_are_taken_or_none() {
    let azure = World::azure().await;
    let world = app(&azure, azure.queue_settings(), &[]).await;
    azure.fault(failing(1, 403, Call::PutMessage));
    let reply = world
        .post(&common_alert(&[samples::WEB_01, samples::SQL_01]))
        .await;
    assert_eq!(reply.status, 503, "{:?}", reply.body);
    let lines = world.calls();
    assert!(at(&lines, PUT_JOB) < at(&lines, JOB_GONE), "{lines:#?}");
    assert!(azure.queue_messages(QUEUE).is_empty());
    assert_eq!(world.count("PUT packetCaptures"), 0);
    world.end().await;
}

#[tokio::test]
async fn the_trigger_brings_a_job_that_another_process_left() {
    let azure = World::azure().await;
    let job = left_behind(&azure).await;
    let world = app(&azure, azure.queue_settings(), &[]).await;
    // The queue fails once more: the host keeps its message and comes again.
    azure.fault(failing(1, 403, Call::PutMessage));
    let refused = trigger(&world, Value::from(job.as_str())).await;
    assert_eq!(refused.status, 503, "{:?}", refused.body);
    assert_eq!(azure.queue_messages(QUEUE), [job.as_str()]);
    // As the host hands it over: JSON in a string in a string.
    let wrapped = Value::from(Value::from(job.as_str()).to_string());
    let taken = trigger(&world, wrapped).await;
    assert_eq!(taken.status, 200, "{:?}", taken.body);
    assert_eq!(taken.body["Outputs"], json!({}));
    assert!(taken.body["Logs"][0].is_string());
    azure.remove_oldest_message(QUEUE);
    world
        .until(|lines| lines.iter().any(|line| line == CAPTURE))
        .await;
    until_the_queue_is_empty(&world).await;
    assert_eq!(world.count(CAPTURE), 1);
    world.end().await;
}

#[tokio::test]
async fn a_process_that_polls_finds_such_a_job_itself() {
    let azure = World::azure().await;
    left_behind(&azure).await;
    let world = app(
        &azure,
        azure.queue_settings(),
        &[("JobQueue__Receive", "poll")],
    )
    .await;
    azure.make_visible(QUEUE);
    world
        .until(|lines| lines.iter().any(|line| line == CAPTURE))
        .await;
    until_the_queue_is_empty(&world).await;
    world.end().await;
}

#[tokio::test]
async fn a_message_that_is_not_base64_is_moved_out_of_the_way() {
    let azure = World::azure().await;
    left_behind(&azure).await;
    azure.remove_oldest_message(QUEUE);
    azure.add_message(QUEUE, "{not base64}");
    let world = app(
        &azure,
        azure.queue_settings(),
        &[("JobQueue__Receive", "poll")],
    )
    .await;
    until_the_queue_is_empty(&world).await;
    assert_eq!(azure.queue_messages(POISON), ["{not base64}"]);
    world.end().await;
}

#[test]
fn a_connection_string_that_is_none_stops_the_start_and_is_not_repeated() {
    let settings = [
        ("PacketCapture__DryRun", "true"),
        ("JobQueue__Kind", "storage"),
        (
            "AzureWebJobsStorage",
            "AccountName=stjobs;AccountKey=s3cr3t!",
        ),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings = Settings::read(&settings.into_iter().collect()).expect("all is there");
    let error = App::build(&settings, &Pace::default())
        .err()
        .expect("no app");
    let text = format!("{error} {error:?}");
    assert!(
        text.contains("AzureWebJobsStorage") && text.contains("base64"),
        "{text}"
    );
    assert!(!text.contains("s3cr3t"), "{text}");
}

#[tokio::test]
async fn what_is_no_job_goes_back_to_the_host() {
    let azure = World::azure().await;
    // The host calls, not a webhook: no token is asked for.
    let world = app(
        &azure,
        azure.queue_settings(),
        &[
            ("SecureWebhook__Audience", "api://packet-capture"),
            ("SecureWebhook__TenantId", samples::TENANT_ID),
        ],
    )
    .await;
    for (body, word) in [
        (json!("plain text"), "no JSON"),
        (json!("[1, 2]"), "job"),
        (json!({ "jobId": "5c2b7a1e" }), "not that of a job"),
        (Value::Null, "job"),
    ] {
        let reply = trigger(&world, body.clone()).await;
        assert_eq!(reply.status, 500, "{body}: {:?}", reply.body);
        let message = reply.body["error"]["message"].as_str().unwrap();
        assert!(message.contains(word), "{message}");
    }
    let no_envelope = world.post_to("/PacketCaptureJob", &json!([])).await;
    assert_eq!(no_envelope.status, 500);
    let get = world.http.get(format!("{}/packetcapturejob/", world.url));
    assert_eq!(get.send().await.unwrap().status(), 405);
    for path in ["/api/PacketCaptureJob", "/x/PacketCaptureJob"] {
        assert_eq!(world.post_to(path, &json!({})).await.status, 404, "{path}");
    }
    assert!(azure.queue_messages(QUEUE).is_empty());
    world.end().await;
}

#[tokio::test]
async fn the_memory_queue_refuses_the_trigger() {
    let world = World::start().await;
    let reply = trigger(&world, json!({})).await;
    assert_eq!(reply.status, 503);
    let message = reply.body["error"]["message"].as_str().unwrap();
    assert!(message.contains("JobQueue__Kind is memory"), "{message}");
    world.end().await;
}

#[tokio::test]
async fn a_signature_or_the_identity_opens_the_queue_as_well_as_the_key() {
    for opened_with in [
        Sandbox::queue_settings_with_sas,
        Sandbox::queue_settings_with_identity,
    ] {
        let azure = World::azure().await;
        let world = app(&azure, opened_with(&azure), &[]).await;
        let reply = world.post(&common_alert(&[samples::WEB_01])).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        until_the_queue_is_empty(&world).await;
        world.end().await;
    }
}

#[tokio::test]
async fn a_wrong_key_or_signature_is_refused_and_never_repeated_to_the_caller() {
    let azure = World::azure().await;
    for (settings, right, wrong) in [
        (azure.queue_settings(), "AccountKey=", "AccountKey=d3Jvbmc="),
        (azure.queue_settings_with_sas(), "&sig=", "&sig=d3Jvbmc="),
    ] {
        let spoiled = settings.into_iter().map(|(name, value)| {
            let value = match value.split_once(right) {
                Some((before, _)) => format!("{before}{wrong}"),
                None => value,
            };
            (name, value)
        });
        let world = app(&azure, spoiled.collect(), &[]).await;
        let reply = world.post(&common_alert(&[samples::WEB_01])).await;
        assert_eq!(reply.status, 503, "{:?}", reply.body);
        assert!(!reply.body.to_string().contains("d3Jvbmc"));
        assert!(
            world
                .calls()
                .contains(&"POST queue packet-capture-jobs messages 403".to_owned())
        );
        assert!(azure.queue_messages(QUEUE).is_empty());
        world.end().await;
    }
}
