//! A fake Azure that costs next to nothing: what it answers is ready before the question comes. It checks
//! nothing, which is the sandbox's work; it counts, waits a round trip and notes when a PUT came.

#[path = "azure/bodies.rs"]
mod bodies;
#[path = "azure/trips.rs"]
mod trips;

pub use bodies::{alert, machine_id, region_of};

use bodies::{capture, captures, machines, watchers};
use hyper::{
    Method, Request, Response,
    body::{Body as _, Bytes, Frame, Incoming},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    convert::Infallible,
    io,
    net::Ipv4Addr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, sync::oneshot};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
};
use trips::{Span, in_a_row};

pub const SUBSCRIPTION: &str = "/subscriptions/6d1f3a58-27c4-4e0b-9b5d-0a8e4c7f1b32";
pub const TENANT: &str = "72f1b9c4-3d0e-4a6b-8f57-c2e9d1a60b38";

/// How the fake is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long every answer takes.
    pub round_trip: Duration,
    /// Network watchers, each in a region `region0`, `region1` and so on.
    pub watchers: usize,
    /// Captures of others that every watcher lists.
    pub captures: usize,
    /// Machines that the subscription lists, beside those that [`Azure::list_machine`] adds.
    pub machines: usize,
    pub http2: bool,
}

/// The kinds of calls that are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Token,
    Machine,
    Machines,
    Watchers,
    List,
    Put,
    Operation,
    Status,
    Delete,
    Other,
}

pub const KINDS: [(Kind, &str); 10] = [
    (Kind::Token, "token"),
    (Kind::Machine, "virtualMachine"),
    (Kind::Machines, "listMachines"),
    (Kind::Watchers, "networkWatchers"),
    (Kind::List, "listCaptures"),
    (Kind::Put, "putCapture"),
    (Kind::Operation, "operation"),
    (Kind::Status, "queryStatus"),
    (Kind::Delete, "deleteCapture"),
    (Kind::Other, "other"),
];

/// A running fake. It lives as long as the process.
pub struct Azure {
    pub endpoint: String,
    pub ca_pem: String,
    shared: Arc<Shared>,
}

struct Shared {
    options: Options,
    endpoint: String,
    watchers: Bytes,
    /// The elements of a list in pieces, and no end yet.
    captures: Vec<Bytes>,
    counts: [AtomicU64; KINDS.len()],
    puts: Mutex<HashMap<String, Instant>>,
    awaited: Mutex<HashMap<String, oneshot::Sender<Instant>>>,
    /// Names that are taken by sessions that have ended.
    stale: Mutex<HashSet<String>>,
    /// When sessions end; none of them runs otherwise.
    running_until: Mutex<Option<Instant>>,
    listed_machines: Mutex<Vec<String>>,
    /// The calls, while they are recorded.
    spans: Mutex<Option<Vec<Span>>>,
}

impl Azure {
    /// # Errors
    /// No certificate, or no port.
    pub async fn start(options: Options) -> io::Result<Self> {
        let (ca_pem, acceptor) = identity(options.http2).map_err(io::Error::other)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let endpoint = format!("https://127.0.0.1:{}", listener.local_addr()?.port());
        let shared = Arc::new(Shared {
            watchers: watchers(options.watchers),
            captures: captures(options.captures),
            options,
            endpoint: endpoint.clone(),
            counts: Default::default(),
            puts: Mutex::default(),
            awaited: Mutex::default(),
            stale: Mutex::default(),
            running_until: Mutex::default(),
            listed_machines: Mutex::default(),
            spans: Mutex::default(),
        });
        tokio::spawn(accept(listener, acceptor, shared.clone()));
        Ok(Self {
            endpoint,
            ca_pem,
            shared,
        })
    }

    /// App settings that point the function here.
    pub fn app_settings(&self) -> Vec<(String, String)> {
        [
            ("AZURE_TENANT_ID", TENANT),
            ("AZURE_CLIENT_ID", "b3c6a1d2-5e4f-4708-9a1b-6c7d8e9f0a12"),
            ("AZURE_CLIENT_SECRET", "load~test"),
            ("AZURE_AUTHORITY_HOST", &self.endpoint),
            ("AZURE_RESOURCE_MANAGER_ENDPOINT", &self.endpoint),
            ("PacketCapture__FilePath", "/var/captures/load.cap"),
            ("PacketCapture__Name", "PSAzureFunction-{vm}"),
            ("PacketCapture__Limit", "10000"),
            ("PacketCapture__AllowedScopes", SUBSCRIPTION),
            // The fake knows the calls up to the end of a capture.
            ("Changes__Enabled", "false"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// What costs most at start, for measuring that alone: the system's certificate authorities, which do not know
    /// the fake, and everything that has a client of its own.
    pub fn production_settings(&self) -> Vec<(String, String)> {
        let more = [
            ("JobQueue__Kind", "storage"),
            ("AzureWebJobsStorage__accountName", "stload"),
            ("Notification__WebhookUrl", "https://127.0.0.1:1/hook"),
            ("SecureWebhook__TenantId", TENANT),
            ("SecureWebhook__Audience", "api://load"),
        ];
        let mut settings = self.app_settings();
        settings.extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
        settings
    }

    pub fn count(&self, kind: Kind) -> u64 {
        self.shared.counts[index(kind)].load(Ordering::Relaxed)
    }

    /// When the capture of this machine was PUT; forgets it.
    pub fn put_at(&self, machine: &str) -> Option<Instant> {
        lock(&self.shared.puts).remove(machine)
    }

    /// Resolves when the capture of this machine is PUT.
    pub fn awaited(&self, machine: &str) -> oneshot::Receiver<Instant> {
        let (sender, receiver) = oneshot::channel();
        lock(&self.shared.awaited).insert(machine.to_owned(), sender);
        receiver
    }

    /// Sessions run for this time from now on. Otherwise they end at once.
    pub fn keep_running(&self, time: Duration) {
        *lock(&self.shared.running_until) = Instant::now().checked_add(time);
    }

    /// From now on every list has an ended session of this name, until it is deleted.
    pub fn add_stale(&self, name: &str) {
        lock(&self.shared.stale).insert(name.to_owned());
    }

    /// From now on the subscription lists this machine.
    pub fn list_machine(&self, name: &str) {
        lock(&self.shared.listed_machines).push(name.to_owned());
    }

    /// Records the calls from now on.
    pub fn record(&self) {
        *lock(&self.shared.spans) = Some(Vec::new());
    }

    /// Ends the record: how many calls about this machine were made in a row between these times, each after the answer
    /// to the one before.
    pub fn in_a_row(&self, machine: &str, sent: Instant, put: Instant) -> usize {
        let spans = lock(&self.shared.spans).take().unwrap_or_default();
        in_a_row(spans, machine, sent, put)
    }
}

fn index(kind: Kind) -> usize {
    KINDS
        .iter()
        .position(|(known, _)| *known == kind)
        .unwrap_or(KINDS.len() - 1)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().expect("no panic while the lock is held")
}

fn identity(
    http2: bool,
) -> Result<(String, TlsAcceptor), Box<dyn std::error::Error + Send + Sync>> {
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let ca_key = KeyPair::generate()?;
    let ca_pem = ca.self_signed(&ca_key)?.pem();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate()?;
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()])?.signed_by(&key, &issuer)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )?;
    if http2 {
        config.alpn_protocols.push(b"h2".to_vec());
    }
    config.alpn_protocols.push(b"http/1.1".to_vec());
    Ok((ca_pem, TlsAcceptor::from(Arc::new(config))))
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, shared) = (acceptor.clone(), shared.clone());
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let service = service_fn(move |request| {
                let shared = shared.clone();
                async move { Ok::<_, Infallible>(call(&shared, request).await) }
            });
            // It ends with the handler's process.
            let _ = auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn call(shared: &Shared, request: Request<Incoming>) -> Response<Pieces> {
    let (path, arrived) = (request.uri().path().to_owned(), Instant::now());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let put = request.method() == Method::PUT;
    let name = parts.get(9).copied().unwrap_or_default();
    if put {
        // `PSAzureFunction-{vm}` and a hash.
        let machine = name.strip_prefix("PSAzureFunction-").unwrap_or(name);
        let machine = machine.rsplit_once('-').map_or(machine, |(it, _)| it);
        if let Some(awaited) = lock(&shared.awaited).remove(machine) {
            let _ = awaited.send(arrived);
        } else {
            lock(&shared.puts).insert(machine.to_owned(), arrived);
        }
    }
    let method = request.method().clone();
    let mut body = request.into_body();
    while let Some(Ok(_)) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {}
    if !shared.options.round_trip.is_zero() {
        tokio::time::sleep(shared.options.round_trip).await;
    }
    let (kind, answer) = answer(shared, &method, &parts, &query, name);
    shared.counts[index(kind)].fetch_add(1, Ordering::Relaxed);
    if let Some(spans) = &mut *lock(&shared.spans) {
        spans.push(Span {
            kind,
            path,
            arrived,
            answered: Instant::now(),
        });
    }
    answer
}

fn answer(
    shared: &Shared,
    method: &Method,
    parts: &[&str],
    query: &str,
    name: &str,
) -> (Kind, Response<Pieces>) {
    let json = |status: u16, text: String| Pieces::answer(status, vec![text.into()]);
    match (method, parts) {
        (&Method::POST, [_, "oauth2", "v2.0", "token"]) => (
            Kind::Token,
            json(200, r#"{"token_type":"Bearer","expires_in":86399,"access_token":"t"}"#.to_owned()),
        ),
        (&Method::GET, [.., "providers", "Microsoft.Compute", "virtualMachines", machine]) => {
            (Kind::Machine, json(200, format!(r#"{{"location":"{}"}}"#, region_of(machine))))
        }
        (&Method::GET, [.., "providers", "Microsoft.Compute", "virtualMachines"]) => {
            let page = query.rsplit_once("page=").and_then(|(_, page)| page.parse().ok());
            let (named, others) = (lock(&shared.listed_machines).clone(), shared.options.machines);
            let body = machines(&named, others, page.unwrap_or_default(), &shared.endpoint);
            (Kind::Machines, Pieces::answer(200, vec![body]))
        }
        (&Method::GET, [.., "networkWatchers"]) => (
            Kind::Watchers,
            Pieces::answer(200, vec![shared.watchers.clone()]),
        ),
        (&Method::GET, [.., "packetCaptures"]) => {
            let mut pieces = shared.captures.clone();
            let mut comma = if shared.options.captures > 0 { "," } else { "" };
            for stale in lock(&shared.stale).iter() {
                pieces.push(format!("{comma}{}", capture(stale)).into());
                comma = ",";
            }
            pieces.push(Bytes::from_static(b"]}"));
            (Kind::List, Pieces::answer(200, pieces))
        }
        (&Method::PUT, _) => {
            let mut answer = json(201, capture(name));
            let operation = format!(
                "{}{SUBSCRIPTION}/providers/Microsoft.Network/locations/region0/operations/1?api-version=1",
                shared.endpoint
            );
            if let Ok(value) = operation.parse() {
                answer.headers_mut().insert("azure-asyncoperation", value);
            }
            // Else it is asked after ten seconds.
            answer.headers_mut().insert("retry-after", 1.into());
            (Kind::Put, answer)
        }
        (&Method::GET, [.., "operations", _]) => {
            (Kind::Operation, json(200, r#"{"status":"Succeeded"}"#.to_owned()))
        }
        (&Method::POST, [.., "queryStatus"])
            if lock(&shared.running_until).is_some_and(|until| Instant::now() < until) =>
        (
            Kind::Status,
            json(
                200,
                r#"{"packetCaptureStatus":"Running","captureStartTime":"2026-11-23T01:02:03Z","packetCaptureError":[]}"#.to_owned(),
            ),
        ),
        (&Method::POST, [.., "queryStatus"]) => (
            Kind::Status,
            json(
                200,
                r#"{"packetCaptureStatus":"Stopped","stopReason":"TimeExceeded","captureStartTime":"2026-11-23T01:02:03Z","packetCaptureError":[]}"#.to_owned(),
            ),
        ),
        (&Method::DELETE, _) => {
            lock(&shared.stale).remove(name);
            (Kind::Delete, Pieces::answer(204, Vec::new()))
        }
        _ => (Kind::Other, json(200, "[]".to_owned())),
    }
}

/// A body in pieces that are ready.
struct Pieces(VecDeque<Bytes>);

impl Pieces {
    fn answer(status: u16, pieces: Vec<Bytes>) -> Response<Self> {
        let mut response = Response::new(Self(pieces.into()));
        *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
        response
    }
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        hyper::body::SizeHint::with_exact(self.0.iter().map(|piece| piece.len() as u64).sum())
    }
}
