//! Notifications on their way to a webhook: a real receiver on this machine, the notifier as the settings make it.

use alert_packet_capture::{
    app,
    config::{AppSettings, Settings},
    incident::{AlertSummary, Event, JobId, Notification, Report, Status},
    notify::{DeliveryError, Notifier, Timeouts},
};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response, Uri},
};
use azure_sandbox::{Options, Sandbox};
use serde_json::Value;
use standardwebhooks::Webhook;
use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use time::OffsetDateTime;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const JOB: &str = "7c1d0000-0000-4000-8000-000000000000";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// The part of the URL that nobody may see.
const KEY: &str = "AbCdEfGhIjKlMnOp";
const VM: &str = "/subscriptions/6f8e2a10-4b1c-4d7e-9a35-0d8f2ad7ab3c/resourceGroups/shop/providers/Microsoft.Compute/virtualMachines/web-1";

/// What the receiver got.
#[derive(Clone)]
struct Delivery {
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

type Answer = fn(&Uri) -> Response<Body>;

/// Answers in turn as it is told; without an answer left it never answers.
#[derive(Default)]
struct Desk {
    answers: Mutex<VecDeque<Answer>>,
    deliveries: Mutex<Vec<Delivery>>,
}

struct Receiver {
    desk: Arc<Desk>,
    url: String,
}

impl Receiver {
    async fn answering(answers: &[Answer]) -> Self {
        let desk = Arc::new(Desk::default());
        desk.answers.lock().unwrap().extend(answers);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "http://{}/services/{KEY}?sig={KEY}",
            listener.local_addr().unwrap()
        );
        let router = Router::new().fallback(receive).with_state(desk.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { desk, url }
    }

    fn deliveries(&self) -> Vec<Delivery> {
        self.desk.deliveries.lock().unwrap().clone()
    }
}

async fn receive(
    State(desk): State<Arc<Desk>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let delivery = Delivery {
        uri: uri.clone(),
        headers,
        body,
    };
    desk.deliveries.lock().unwrap().push(delivery);
    let answer = desk.answers.lock().unwrap().pop_front();
    match answer {
        Some(answer) => answer(&uri),
        None => std::future::pending().await,
    }
}

fn answer(status: u16, body: impl Into<Body>) -> Response<Body> {
    Response::builder()
        .status(status)
        .body(body.into())
        .unwrap()
}

fn settings(pairs: &[(&str, &str)]) -> Settings {
    let pairs = pairs.iter().map(|(n, v)| (n.to_string(), v.to_string()));
    let settings: AppSettings = pairs.collect();
    Settings::read_for_dry_run(&settings).unwrap()
}

/// Long enough never to be what ends a test.
const PATIENT: Timeouts = Timeouts {
    connect: Duration::from_secs(60),
    total: Duration::from_secs(60),
};

fn notifier(url: &str, more: &[(&str, &str)], patience: Timeouts) -> Arc<dyn Notifier> {
    let pairs = [&[("Notification__WebhookUrl", url)], more].concat();
    app::notifier(settings(&pairs).notification.as_ref(), patience).unwrap()
}

fn notification() -> Notification {
    Notification {
        event: Event::Failed,
        at: OffsetDateTime::from_unix_timestamp(1_769_850_312).unwrap(),
        job_id: JobId::parse(JOB).unwrap(),
        alert: AlertSummary {
            rule: Some("High CPU 🔥".to_owned()),
            ..AlertSummary::default()
        },
        target: VM.parse().unwrap(),
        report: Report {
            status: Status::Failed,
            reason: Some("StorageAccessDenied".to_owned()),
            message: "The capture has failed.".to_owned(),
            ..Report::default()
        },
    }
}

#[tokio::test]
async fn a_notice_arrives_and_its_signature_verifies() {
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
async fn only_events_that_are_asked_for_are_told() {
    let told = |notifier: Arc<dyn Notifier>| Event::ALL.map(|event| notifier.wants(event));
    let url = "https://hooks.example/x";
    assert_eq!(told(notifier(url, &[], PATIENT)), [false, true, true, true]);
    let more = [("Notification__Events", "created,failed")];
    assert_eq!(
        told(notifier(url, &more, PATIENT)),
        [true, false, true, false]
    );
    let log = app::notifier(settings(&[]).notification.as_ref(), PATIENT).unwrap();
    assert_eq!(told(log), [false; 4]);
}

#[tokio::test]
async fn a_receiver_that_is_down_is_worth_another_attempt() {
    let receiver =
        Receiver::answering(&[|_| answer(500, "try later"), |_| answer(200, "ok")]).await;
    let notifier = notifier(&receiver.url, &[], PATIENT);
    let error = notifier.send(&notification()).await.unwrap_err();
    assert!(error.is_temporary());
    assert!(error.to_string().contains("500 (try later)"), "{error}");
    assert_eq!(error.retry_after(), None);
    notifier.send(&notification()).await.unwrap();
    assert_eq!(receiver.deliveries().len(), 2);
}

#[tokio::test]
async fn a_refusal_is_final_and_says_what_to_look_at() {
    for (answer, contained) in [
        (
            (|_| answer(400, "invalid_blocks")) as Answer,
            "400 (invalid_blocks); check that Notification__Format",
        ),
        (
            |_| answer(404, "no_service\n"),
            "404 (no_service); check that the webhook still exists",
        ),
    ] {
        let receiver = Receiver::answering(&[answer]).await;
        let notifier = notifier(&receiver.url, &[], PATIENT);
        let error = notifier.send(&notification()).await.unwrap_err();
        assert!(!error.is_temporary());
        assert!(error.to_string().contains(contained), "{error}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let redirect: Answer = |_| {
        Response::builder()
            .status(307)
            .header("location", "/elsewhere")
            .body(Body::empty())
            .unwrap()
    };
    let receiver = Receiver::answering(&[redirect, |_| answer(200, "ok")]).await;
    let notifier = notifier(&receiver.url, &[], PATIENT);
    let error = notifier.send(&notification()).await.unwrap_err();
    assert!(!error.is_temporary());
    assert!(error.to_string().contains("redirects are not followed"));
    assert_eq!(receiver.deliveries().len(), 1);
}

#[tokio::test]
async fn a_busy_receiver_says_how_long_to_leave_it_alone() {
    fn busy(retry_after: &str) -> Response<Body> {
        let mut response = answer(429, "rate_limited");
        let value = retry_after.parse().unwrap();
        response.headers_mut().insert("retry-after", value);
        response
    }
    for (answer, at_least, at_most) in [
        ((|_| busy("30")) as Answer, 30, 30),
        (|_| busy("86400"), 3600, 3600),
        (
            |_| {
                let later = SystemTime::now() + Duration::from_secs(1800);
                busy(&httpdate::fmt_http_date(later))
            },
            1,
            1800,
        ),
        (|_| busy("Sun, 06 Nov 1994 08:49:37 GMT"), 0, 0),
    ] {
        let receiver = Receiver::answering(&[answer]).await;
        let notifier = notifier(&receiver.url, &[], PATIENT);
        let error = notifier.send(&notification()).await.unwrap_err();
        assert!(error.is_temporary());
        let wait = error.retry_after().unwrap().as_secs();
        assert!((at_least..=at_most).contains(&wait), "{wait}");
    }
}

#[tokio::test]
async fn a_receiver_that_hangs_is_given_up() {
    let receiver = Receiver::answering(&[]).await;
    let impatient = Timeouts {
        total: Duration::from_millis(200),
        ..PATIENT
    };
    let notifier = notifier(&receiver.url, &[], impatient);
    let error = notifier.send(&notification()).await.unwrap_err();
    assert!(matches!(error, DeliveryError::NoAnswer { .. }), "{error}");
    assert!(error.is_temporary());
    assert_eq!(receiver.deliveries().len(), 1);
}

/// Refuses, and then talks until it is hung up on.
async fn endless_refusal() -> (String, tokio::task::JoinHandle<io::Error>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let talk = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut [0; 1024]).await.unwrap();
        let head = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 999999999999999\r\n\r\n";
        socket.write_all(head).await.unwrap();
        // Far more than the buffers between the two take.
        for _ in 0..256 {
            if let Err(error) = socket.write_all(&[b'x'; 1024 * 1024]).await {
                return error;
            }
        }
        panic!("nobody hung up");
    });
    (url, talk)
}

#[tokio::test]
async fn a_long_answer_is_not_listened_to_until_its_end() {
    let (url, talk) = endless_refusal().await;
    let error = notifier(&url, &[], PATIENT)
        .send(&notification())
        .await
        .unwrap_err();
    let DeliveryError::Refused { status, answer, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(*status, 403);
    assert_eq!(answer.chars().count(), 200);
    // It ended because it was hung up on, long before it had said all.
    talk.await.unwrap();
}

/// The sandbox is no receiver of notices, but it answers over HTTPS with a certificate that its own CA signed.
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
    let gone = app::notifier(settings(&pairs).notification.as_ref(), PATIENT);
    let gone = gone.err().unwrap().to_string();
    assert!(gone.contains("SSL_CERT_FILE"), "{gone}");
}

/// A log that can be read.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn nobody_gets_to_see_the_url() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    // A receiver that repeats where it was called, one that tells what went wrong in the usual way, a hanging one.
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
    let notifier = app::notifier(settings.notification.as_ref(), impatient).unwrap();
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

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("a webhook is told how captures went"), "{log}");
    for text in [&seen, &log] {
        assert!(text.contains("bad token"), "{text}");
        assert!(text.contains("left out"), "{text}");
        assert!(!text.contains(KEY), "{text}");
        assert!(!text.contains("MfKQ9r8"), "{text}");
    }
}
