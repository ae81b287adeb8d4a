//! Connection strings, keys and signatures, and what is no job.

use super::*;

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
    let error = Settings::read(&settings.into_iter().collect()).unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(
        text.contains("AzureWebJobsStorage") && text.contains("base64"),
        "{text}"
    );
    assert!(!text.contains("s3cr3t"), "{text}");
}

#[tokio::test]
async fn what_is_no_job_goes_back_to_the_host() {
    let azure = Azure::start().await;
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
async fn a_signature_or_the_identity_opens_the_queue_as_well_as_the_key() {
    for opened_with in [
        Sandbox::queue_settings_with_sas,
        Sandbox::queue_settings_with_identity,
    ] {
        let azure = Azure::start().await;
        let world = app(&azure, opened_with(&azure), &[]).await;
        let reply = world.post(&common_alert(&[samples::WEB_01])).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        until_the_queue_is_empty(&world).await;
        world.end().await;
    }
}

#[tokio::test]
async fn a_wrong_key_or_signature_is_refused_and_never_repeated_to_the_caller() {
    let azure = Azure::start().await;
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
