//! The HTTPS listener, and the plain one of App Service's identity endpoint. Connections are served by hand, not by a framework, so that a fault can cut
//! one in the middle of a call.

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use axum::body::{Body, to_bytes};
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::answer::Answer;
use super::arm::{self, Asked};
use super::assertions;
use super::calls::Call;
use super::chance::Chance;
use super::disk::Disk;
use super::faults::{self, Faults, What};
use super::headers;
use super::ids;
use super::journal::{Entry, Journal};
use super::managed_identity;
use super::patience::Patience;
use super::routes::Route;
use super::world::World;

const LARGEST_BODY: usize = 4 * 1024 * 1024;

/// What connections and handles share.
pub(super) struct Shared {
    world: Mutex<World>,
    pub faults: Mutex<Faults>,
    pub chance: Mutex<Option<Chance>>,
    /// Calls that wait until they are released.
    pub held: watch::Sender<Vec<Call>>,
    /// Watchers that answer nothing.
    pub hanging: Mutex<Vec<String>>,
    /// What each call to Blob Storage meets.
    pub blob_outage: Mutex<Option<What>>,
    pub patience: Mutex<Patience>,
    pub journal: Journal,
    pub disk: Disk,
}

impl Shared {
    pub fn new(world: World, disk: Disk) -> Self {
        Self {
            world: Mutex::new(world),
            faults: Mutex::default(),
            chance: Mutex::default(),
            held: watch::Sender::default(),
            hanging: Mutex::default(),
            blob_outage: Mutex::default(),
            patience: Mutex::default(),
            journal: Journal::new(),
            disk,
        }
    }

    /// Reads the world as it is now, or changes it. Files that landed are on the disk before the
    /// lock is released, so a caller that sees a stopped session finds its file; they are small.
    pub fn with_world<T>(&self, act: impl FnOnce(&mut World, OffsetDateTime) -> T) -> T {
        let now = OffsetDateTime::now_utc();
        let mut world = lock(&self.world);
        world.advance(now);
        let result = act(&mut world, now);
        let landed = std::mem::take(&mut world.unwritten);
        for path in landed {
            if let Some(blob) = world.blobs.get(&path) {
                self.disk.write(&path, &blob.whole());
            }
        }
        result
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Accepts until the last handle is gone. Without TLS it is the identity endpoint.
pub(super) async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    mut stopped: watch::Receiver<()>,
) {
    // Dropping the set at the end cuts every connection, the hanging ones too.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // The sender never sends: an answer means that it is gone.
            _ = stopped.changed() => return,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    let (tls, shared) = (tls.clone(), Arc::clone(&shared));
                    connections.spawn(async move {
                        match tls {
                            None => serve(stream, true, shared).await,
                            // A client that distrusts the certificate ends here; that is its own affair.
                            Some(tls) => if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, false, shared).await;
                            },
                        }
                    });
                }
            }
        }
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    platform: bool,
    shared: Arc<Shared>,
) {
    let service = service_fn(move |request| call(Arc::clone(&shared), platform, request));
    // An error is a cut connection, ordered by a fault or by the client.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// One call: fault, world, journal, answer. An error makes hyper drop the connection.
async fn call(
    shared: Arc<Shared>,
    platform: bool,
    request: Request<Incoming>,
) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let body = to_bytes(Body::new(body), LARGEST_BODY)
        .await
        .map_err(io::Error::other)?;
    let route = Route::at(
        platform,
        head.method.as_str(),
        head.uri.path(),
        head.uri.query().unwrap_or_default(),
    );
    let query = head.uri.query().unwrap_or_default();
    let api_version = arm::parameter(query, "api-version").unwrap_or_default();
    let asked = |now| Asked {
        method: head.method.as_str(),
        path: head.uri.path(),
        query,
        headers: &head.headers,
        body: &body,
        route: &route,
        api_version: &api_version,
        now,
    };
    let answer = || shared.with_world(|world, now| arm::answer(world, &asked(now)));
    let record = |answer: Option<&Answer>, fault: Option<&What>| {
        shared
            .journal
            .record(entry(&asked(OffsetDateTime::now_utc()), answer, fault));
    };

    let delay = shared.with_world(|world, _| {
        let mut slow = world.delays.iter();
        slow.find(|(call, _)| *call == route.call)
            .map(|slow| slow.1)
    });
    if let Some(delay) = delay {
        tokio::time::sleep(delay).await;
    }
    // The sender lives as long as this task's share of it.
    let mut held = shared.held.subscribe();
    let _ = held.wait_for(|held| !held.contains(&route.call)).await;
    let reads = head.method.is_safe();
    let request_id = head.headers.get("x-ms-client-request-id");
    let request_id = request_id
        .and_then(|id| id.to_str().ok())
        .filter(|_| route.call.is_arm());
    if let Some(id) = request_id {
        lock(&shared.patience).arrived(id, Instant::now());
    }
    let hangs = lock(&shared.hanging)
        .iter()
        .any(|it| ids::same(it, &route.scope));
    let ordered = match hangs {
        true => Some(What::Hang),
        false => lock(&shared.faults).take(route.call),
    };
    let outage = || {
        let outage = lock(&shared.blob_outage);
        outage.clone().filter(|_| route.call.is_blob())
    };
    let fault = ordered.or_else(outage).or_else(|| {
        let mut chance = lock(&shared.chance);
        chance.as_mut()?.take(route.call, reads)
    });
    let answer = match &fault {
        None => answer(),
        Some(What::Late(wait)) => {
            let answer = answer();
            tokio::time::sleep(*wait).await;
            answer
        }
        Some(What::Status {
            code,
            retry_after,
            body,
        }) => {
            let answer = faults::answer(*code, retry_after.clone(), body.clone());
            headers::added(&asked(OffsetDateTime::now_utc()), answer)
        }
        Some(hang @ (What::Hang | What::HangAfterApplying)) => {
            if matches!(hang, What::HangAfterApplying) {
                answer();
            }
            record(None, fault.as_ref());
            let never: Infallible = std::future::pending().await;
            match never {}
        }
        Some(What::DropBefore) => {
            record(None, fault.as_ref());
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Some(What::DropAfterApplying) => {
            answer();
            record(None, fault.as_ref());
            return Err(io::ErrorKind::ConnectionReset.into());
        }
    };
    if let (Some(id), Some(wait), 429 | 503) =
        (request_id, answer.header("retry-after"), answer.status)
    {
        lock(&shared.patience).sent_away(id, wait, Instant::now(), SystemTime::now());
    }
    record(Some(&answer), fault.as_ref());
    Ok(answer.into_response())
}

fn entry(asked: &Asked<'_>, answer: Option<&Answer>, fault: Option<&What>) -> Entry {
    let body = match asked.route.call {
        // The form holds the client secret, and the query is all there is to an identity's call.
        Call::Token => assertions::described(asked.body),
        Call::ManagedIdentityToken => managed_identity::described(asked.query),
        _ if asked.body.is_empty() => Value::Null,
        _ => serde_json::from_slice(asked.body)
            .unwrap_or_else(|_| String::from_utf8_lossy(asked.body).into()),
    };
    Entry {
        seq: 0,
        time: asked.now,
        method: asked.method.to_owned(),
        path: asked.path.to_owned(),
        short: asked.route.short.clone(),
        kind: asked.route.call,
        status: answer.map(|answer| answer.status),
        fault: fault.map(|fault| fault.name().to_owned()),
        note: answer.and_then(|answer| answer.note).map(str::to_owned),
        api_version: Some(asked.api_version.to_owned()).filter(|version| !version.is_empty()),
        body,
        client_request_id: asked.header("x-ms-client-request-id").map(str::to_owned),
        authorized: asked.headers.contains_key("authorization"),
    }
}
