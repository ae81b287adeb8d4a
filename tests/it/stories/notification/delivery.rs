//! What arrives at a receiver, and that its URL is a secret.

use super::*;
use crate::support::log::Log;

#[tokio::test]
async fn a_notification_arrives_and_its_signature_verifies() {
    let receiver = Receiver::answering(&[|_| answer(202, ""), |_| answer(200, "ok")]).await;
    let notifier = notifier(&receiver.url, &[("Notification__Secret", SECRET)], PATIENT);
    notifier.send(&notification()).await.unwrap();
    notifier.send(&notification()).await.unwrap();

    let verifier = Webhook::new(SECRET).unwrap();
    let stranger = Webhook::from_bytes(b"another secret of enough bytes".to_vec()).unwrap();
    let deliveries = receiver.deliveries();
    assert_eq!(deliveries.len(), 2);
    for Delivery { uri, headers, body } in &deliveries {
        assert_eq!(uri.path(), format!("/services/{KEY}"));
        assert_eq!(
            headers["content-type"],
            "application/cloudevents+json; charset=utf-8"
        );
        let agent = headers["user-agent"].to_str().unwrap();
        assert!(agent.starts_with("alert-packet-capture/"));
        assert_eq!(
            headers["webhook-id"].to_str().unwrap(),
            format!("{JOB}-failed")
        );
        // The library refuses timestamps more than five minutes away, too.
        verifier.verify(body, headers).unwrap();
        stranger.verify(body, headers).unwrap_err();
        let event: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(event["id"], format!("{JOB}-failed"));
        assert_eq!(event["data"]["alert"]["rule"], "High CPU 🔥");
        let altered = String::from_utf8_lossy(body).replace("web-1", "web-2");
        verifier.verify(altered.as_bytes(), headers).unwrap_err();
    }
}

#[tokio::test]
async fn without_a_secret_nothing_is_signed_and_the_format_is_the_set_one() {
    for (format, member, expected) in [
        ("teams", "type", "message"),
        ("slack", "mrkdwn", "false"),
        ("json", "specversion", "1.0"),
    ] {
        let receiver = Receiver::answering(&[|_| answer(200, "ok")]).await;
        let more = [("Notification__Format", format)];
        let notifier = notifier(&receiver.url, &more, PATIENT);
        notifier.send(&notification()).await.unwrap();
        let delivery = receiver.deliveries().remove(0);
        assert!(
            delivery
                .headers
                .keys()
                .all(|name| !name.as_str().starts_with("webhook-"))
        );
        let body: Value = serde_json::from_slice(&delivery.body).unwrap();
        assert_eq!(body[member].to_string().trim_matches('"'), expected);
    }
}

#[tokio::test]
async fn only_events_that_are_asked_for_are_sent() {
    let told = |notifier: Arc<dyn Notifier>| Event::ALL.map(|event| notifier.wants(event));
    let url = "https://hooks.example/x";
    assert_eq!(
        told(notifier(url, &[], PATIENT)),
        [false, true, true, true, true, true, true, true]
    );
    let more = [("Notification__Events", "created,failed")];
    assert_eq!(
        told(notifier(url, &more, PATIENT)),
        [true, false, true, false, false, false, false, false]
    );
    let log = app::receivers(settings(&[]).notification.as_ref(), &[], PATIENT).unwrap();
    assert_eq!(Event::ALL.map(|event| log.want(event, None)), [false; 8]);
}

/// The sandbox is no receiver of notifications, but it answers over HTTPS with a certificate that its own CA signed.
#[tokio::test]
async fn a_receiver_of_a_private_authority_is_known_by_the_ca_file() {
    let name = format!("notify-ca-{}.pem", uuid::Uuid::new_v4());
    let ca_file = std::env::temp_dir().join(name);
    let options = Options {
        ca_file: Some(ca_file.clone()),
        ..Options::default()
    };
    let sandbox = Sandbox::start(options).await.unwrap();
    let url = format!("{}/hook", sandbox.endpoint());
    let ca = [("SSL_CERT_FILE", ca_file.to_str().unwrap())];
    let known = notifier(&url, &ca, PATIENT).send(&notification()).await;
    let unknown = notifier(&url, &[], PATIENT).send(&notification()).await;
    std::fs::remove_file(&ca_file).unwrap();
    let known = known.unwrap_err();
    assert!(matches!(known, DeliveryError::Refused { .. }), "{known}");
    let unknown = unknown.unwrap_err();
    assert!(
        matches!(unknown, DeliveryError::NoAnswer { .. }),
        "{unknown}"
    );
    assert!(unknown.to_string().contains("certificate"), "{unknown}");

    let pairs = [&[("Notification__WebhookUrl", url.as_str())], &ca[..]].concat();
    let gone = app::receivers(settings(&pairs).notification.as_ref(), &[], PATIENT);
    let gone = gone.err().unwrap().to_string();
    assert!(gone.contains("SSL_CERT_FILE"), "{gone}");
}

#[tokio::test]
async fn no_text_shows_the_url() {
    let (log, _guard) = Log::of_this_thread(tracing::Level::TRACE);

    // A receiver that repeats where it was called, one that says what went wrong in the usual way, a hanging one.
    let receiver = Receiver::answering(&[
        |uri| answer(404, format!("Nothing at {uri}")),
        |_| answer(403, "bad token"),
    ])
    .await;
    let impatient = Timeouts {
        total: Duration::from_millis(200),
        ..PATIENT
    };
    let secret = [("Notification__Secret", SECRET)];
    let pairs = [
        &[("Notification__WebhookUrl", receiver.url.as_str())],
        &secret[..],
    ]
    .concat();
    let settings = settings(&pairs);
    app::log_settings(&settings);
    let notifier = only(&settings, impatient);
    let mut seen = format!("{settings:?}");
    for _ in 0..3 {
        let error = notifier.send(&notification()).await.unwrap_err();
        tracing::error!("{error}");
        seen += &format!("{error} {error:?}");
    }
    // And one that is not there.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let gone = format!("http://user:{KEY}@{address}/services/{KEY}");
    let error = self::notifier(&gone, &[], PATIENT)
        .send(&notification())
        .await
        .unwrap_err();
    assert!(error.is_temporary());
    assert!(error.to_string().contains("connect"), "{error}");
    seen += &format!("{error} {error:?}");
    assert!(seen.contains(&address.to_string()), "{seen}");

    let log = log.text();
    assert!(log.contains("notifications are sent to a webhook"), "{log}");
    for text in [&seen, &log] {
        assert!(text.contains("bad token"), "{text}");
        assert!(text.contains("left out"), "{text}");
        assert!(!text.contains(KEY), "{text}");
        assert!(!text.contains("MfKQ9r8"), "{text}");
    }
}
