//! Times and limits that cannot be, from Azure and in stored jobs: no sum of them ends a process or a job.

use super::*;
use azure_sandbox::{ExistingCapture, SessionStatus};

const NAME: &str = "PSAzureFunction";

#[tokio::test]
async fn a_stored_job_with_impossible_times_is_followed_to_its_end() {
    for durable in [true, false] {
        let (azure, receiver) = (Azure::start().await, Receiver::start().await);
        let mut job: Value = serde_json::from_str(&durable::left_behind(&azure).await).unwrap();
        azure.remove_oldest_message(QUEUE);
        azure.add_capture(ExistingCapture {
            watcher: samples::WATCHER_WESTEUROPE.to_owned(),
            name: NAME.to_owned(),
            target: samples::WEB_01.to_owned(),
            status: SessionStatus::Running,
            started: Some(time::OffsetDateTime::now_utc()),
            time_limit_seconds: 300,
            stop_reason: None,
        });
        for member in ["takenAt", "inTheWaySince"] {
            job[member] = "9999-12-31T23:59:59-23:59".into();
        }
        for member in ["failures", "rounds"] {
            job[member] = u32::MAX.into();
        }
        let session = json!({ "watcher": samples::WATCHER_WESTEUROPE, "name": NAME });
        job["phase"] = json!({
            "name": "running", "session": session, "ends_at": "9999-12-31T23:59:59-23:59", "looks": u32::MAX,
        });
        let queue = match durable {
            true => azure.queue_settings(),
            false => Vec::new(),
        };
        let settings = [queue, receiver.settings_for("completed,failed")].concat();
        let world = app(&azure, settings, &[]).await;
        let taken = trigger(&world, job).await;
        assert_eq!(taken.status, 200, "{:?}", taken.body);
        let status = |lines: &[String]| lines.iter().any(|line| line.contains("queryStatus"));
        world.until(status).await;
        let url = format!("{}/api/PacketCaptures", world.url);
        let page = world.http.get(url).header("accept", "text/html");
        assert_eq!(page.send().await.unwrap().status(), 200);
        azure.finish_sessions();
        receiver.until(|events| events.len() == 1).await;
        assert_eq!(receiver.notices()[0]["data"]["event"], "completed");
        world.end().await;
    }
}

#[tokio::test]
async fn impossible_limits_and_starts_of_a_capture_in_the_way_end_nothing() {
    for (limit, started) in [
        (json!(i64::MAX), "9999-12-31T23:59:59-23:59"),
        (
            json!(9_223_372_036_854_775_808_u64),
            "0001-01-01T00:00:00+23:59",
        ),
        (json!(-1), "0000-01-01T00:00:00Z"),
        (json!(1e300), "-"),
        (json!(10.5), ""),
    ] {
        let azure = Azure::start().await;
        let ok = |on, body| Fault {
            on,
            times: 1,
            what: What::Status {
                code: 200,
                retry_after: None,
                body: FaultBody::Json(body),
            },
        };
        let properties = json!({
            "target": samples::WEB_02, "timeLimitInSeconds": limit, "provisioningState": "Succeeded",
            "storageLocation": {},
        });
        let id = format!("{}/packetCaptures/{NAME}", samples::WATCHER_WESTEUROPE);
        let list = json!({ "value": [{ "name": NAME, "id": id, "properties": properties }] });
        azure.fault(ok(Call::ListCaptures, list));
        let status = json!({ "packetCaptureStatus": "Running", "captureStartTime": started, "packetCaptureError": [] });
        azure.fault(ok(Call::QueryStatus, status));
        let world = World::on(azure, &[]).await;
        let reply = world.post(&common_alert(&[samples::WEB_01])).await;
        // The next list shows that nothing is in the way.
        assert_eq!(
            reply.body["outcome"], "created",
            "{limit} {started} {:?}",
            reply.body
        );
        assert_eq!(world.count("DELETE"), 0);
        world.end().await;
    }
}
