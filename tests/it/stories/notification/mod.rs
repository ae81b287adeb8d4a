//! Notifications on their way to a webhook: a real receiver on this machine, the notifier as the settings make it.

mod delivery;
mod refusals;

use alert_packet_capture::{
    alert::AlertFacts,
    app,
    config::{AppSettings, Settings},
    incident::{Event, JobId, Notification, Report, Status},
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

/// The part of the URL that is secret.
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

/// Answers in turn as the story says; without an answer left it never answers.
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
    only(&settings(&pairs), patience)
}

/// The one receiver of the settings.
fn only(settings: &Settings, patience: Timeouts) -> Arc<dyn Notifier> {
    let receivers = app::receivers(settings.notification.as_ref(), &[], patience).unwrap();
    let mut found: Vec<_> = receivers.iter().cloned().collect();
    assert_eq!(found.len(), 1);
    found.remove(0).notifier
}

/// The one receiver that these settings make.
pub fn only_of(pairs: &[(&str, &str)]) -> Arc<dyn Notifier> {
    only(&settings(pairs), PATIENT)
}

pub fn notification() -> Notification {
    Notification {
        event: Event::Failed,
        at: OffsetDateTime::from_unix_timestamp(1_769_850_312).unwrap(),
        job_id: JobId::parse(JOB).unwrap(),
        alert: AlertFacts {
            rule: Some("High CPU 🔥".to_owned()),
            ..AlertFacts::default()
        },
        target: VM.parse().unwrap(),
        report: Report {
            status: Status::Failed,
            reason: Some("StorageAccessDenied".to_owned()),
            message: "The capture has failed.".to_owned(),
            ..Report::default()
        },
        incident: None,
        profile: None,
        link: None,
        readiness: None,
    }
}
