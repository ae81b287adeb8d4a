//! A scripted transport: it answers each request from a function and records what was sent.

use crate::azure::{
    client::{ArmClient, ArmOptions},
    credentials::RenewableCredential,
    network_watcher::{NetworkWatcherClient, PacketCaptureParameters, StorageLocation},
    retry::RetryLimits,
    sign_in::{SignIn, Way},
};
use crate::resource_id::ResourceId;
use azure_core::{
    Bytes,
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    http::{AsyncRawResponse, HttpClient, Request, headers::Headers},
    time::{Duration as Span, OffsetDateTime},
};
use futures_core::Stream;
use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

pub const SUBSCRIPTION: &str = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee";

/// A network watcher of the subscription.
pub fn watcher(name: &str) -> ResourceId {
    let id = format!(
        "{SUBSCRIPTION}/resourceGroups/net/providers/Microsoft.Network/networkWatchers/{name}"
    );
    id.parse().unwrap()
}

/// The body of a create.
pub fn parameters() -> PacketCaptureParameters {
    PacketCaptureParameters {
        target: watcher("stands-for-a-machine"),
        target_type: None,
        scope: None,
        storage_location: StorageLocation::default(),
        time_limit_in_seconds: 10,
        bytes_to_capture_per_packet: None,
        total_bytes_per_session: None,
        filters: Vec::new(),
    }
}

/// What one request gets.
pub enum Scripted {
    Answer(u16, Vec<(&'static str, String)>, String),
    /// The first text, then the second one without end.
    Endless(u16, String, String),
    Hang,
}

pub fn answer(status: u16, body: &str) -> Scripted {
    Scripted::Answer(status, Vec::new(), body.to_owned())
}

pub fn with(status: u16, name: &'static str, value: &str, body: &str) -> Scripted {
    Scripted::Answer(status, vec![(name, value.to_owned())], body.to_owned())
}

type Answers = dyn Fn(&str, usize) -> Scripted + Send + Sync;

pub struct Script {
    /// From "METHOD path?query" and the number of requests before it.
    answers: Box<Answers>,
    asked: Mutex<Vec<String>>,
    /// Bytes of bodies that were drawn.
    drawn: Arc<AtomicUsize>,
}

impl Script {
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    pub fn drawn(&self) -> usize {
        self.drawn.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

#[async_trait::async_trait]
impl HttpClient for Script {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let (url, method) = (request.url(), request.method());
        let line = format!(
            "{method} {}?{}",
            url.path(),
            url.query().unwrap_or_default()
        );
        let scripted = {
            let mut asked = self.asked.lock().unwrap();
            let scripted = (self.answers)(&line, asked.len());
            asked.push(line);
            scripted
        };
        let mut headers = Headers::new();
        let (status, start, rest) = match scripted {
            Scripted::Hang => std::future::pending().await,
            Scripted::Endless(status, start, rest) => (status, start, Some(rest)),
            Scripted::Answer(status, named, body) => {
                for (name, value) in named {
                    headers.insert(name, value);
                }
                (status, body, None)
            }
        };
        let body = Chunks {
            start: Some(start).filter(|start| !start.is_empty()),
            rest: rest.map(|rest| rest.repeat(16 * 1024 / rest.len())),
            drawn: self.drawn.clone(),
        };
        Ok(AsyncRawResponse::new(
            status.into(),
            headers,
            Box::pin(body),
        ))
    }
}

struct Chunks {
    start: Option<String>,
    rest: Option<String>,
    drawn: Arc<AtomicUsize>,
}

impl Stream for Chunks {
    type Item = azure_core::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let chunk = self.start.take().or_else(|| self.rest.clone());
        if let Some(chunk) = &chunk {
            let drawn = self.drawn.fetch_add(chunk.len(), Ordering::Relaxed);
            assert!(drawn < 512 * 1024 * 1024, "the body is read without end");
        }
        Poll::Ready(chunk.map(|chunk| Ok(chunk.into())))
    }
}

#[derive(Debug)]
struct AnyToken;

#[async_trait::async_trait]
impl TokenCredential for AnyToken {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let expires_on = OffsetDateTime::now_utc() + Span::hours(1);
        Ok(AccessToken::new("t0ken", expires_on))
    }
}

/// A client whose requests the function answers.
pub fn scripted(
    answers: impl Fn(&str, usize) -> Scripted + Send + Sync + 'static,
) -> (NetworkWatcherClient, Arc<Script>) {
    let (arm, script) = scripted_arm(answers);
    (NetworkWatcherClient::new(arm), script)
}

/// The same for the other clients.
pub fn scripted_arm(
    answers: impl Fn(&str, usize) -> Scripted + Send + Sync + 'static,
) -> (ArmClient, Arc<Script>) {
    let script = Arc::new(Script {
        answers: Box::new(answers),
        asked: Mutex::default(),
        drawn: Arc::default(),
    });
    let options = ArmOptions {
        endpoint: "https://arm.example".parse().unwrap(),
        audience: "https://arm.example".to_owned(),
        retry: RetryLimits {
            tries: 4,
            first_wait: Duration::from_millis(1),
            longest_wait: Duration::from_secs(5),
        },
        try_timeout: Duration::from_secs(20),
        concurrent_calls: 32,
        api_versions: Default::default(),
    };
    let sign_in = SignIn {
        way: Way::ClientSecret,
        tenant: "",
        client: "",
        proof: "",
    };
    let credential = RenewableCredential::new(sign_in, || Ok(Arc::new(AnyToken))).unwrap();
    let http = reqwest::Client::new();
    let arm = ArmClient::over(script.clone(), options, Arc::new(credential), http);
    (arm, script)
}
