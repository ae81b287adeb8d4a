//! What the Functions host sees: the routes, the raw and the wrapped form of a request, the limits on it.
//! <https://learn.microsoft.com/en-us/azure/azure-functions/functions-custom-handlers>

mod answer;
mod claims;
mod envelope;
mod explanation;
mod intake;
mod job_trigger;
mod look;
mod page;
mod request;
mod secure_webhook;
mod status;

pub use answer::{Answer, Refusal};
pub use claims::Expected;
pub use explanation::Explanation;
pub use intake::Intake;
pub use secure_webhook::{KeysUnavailable, Proof, SecureWebhook, SigningKeys};

use crate::{alert::MAX_BODY_BYTES, telemetry::continue_trace};
use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header::ACCEPT},
    response::{IntoResponse, Response},
};
use status::{Asked, StatusRoutes};
use std::sync::Arc;
use time::OffsetDateTime;
use tracing::{Instrument, Span};

/// The function's name, which is its folder's.
const FUNCTION: &str = "AlertPacketCapture";
/// The name of the function that the Functions host's queue trigger calls.
const JOB_FUNCTION: &str = "PacketCaptureJob";
/// The envelope escapes the alert's body once more and adds headers.
const MOST_ENVELOPE_BYTES: usize = 3 * MAX_BODY_BYTES;

/// What every request meets.
struct Door {
    intake: Arc<Intake>,
    /// `None` when the function key is enough.
    secure_webhook: Option<SecureWebhook>,
    status: StatusRoutes,
}

/// All routes. Paths come as the client wrote them, in any case and perhaps with a trailing slash, so they are
/// compared here rather than by a router.
pub fn router(intake: Arc<Intake>, secure_webhook: Option<SecureWebhook>) -> Router {
    let door = Door {
        status: StatusRoutes {
            ledger: intake.ledger.clone(),
            queue: intake.queue.clone(),
            metrics: intake.metrics.clone(),
            since: OffsetDateTime::now_utc(),
        },
        intake,
        secure_webhook,
    };
    Router::new().fallback(dispatch).with_state(Arc::new(door))
}

async fn dispatch(State(door): State<Arc<Door>>, request: Request) -> Response {
    let path = request
        .uri()
        .path()
        .trim_end_matches('/')
        .to_ascii_lowercase();
    let function = FUNCTION.to_ascii_lowercase();
    if look::below(request.uri().path()).is_some() {
        return show(&door.status, request).await;
    }
    let invocation = invocation_id(request.headers());
    let span = tracing::info_span!("request", invocation.id = invocation);
    join_trace(&span, request.headers());
    if path.is_empty() {
        // The host's readiness probe, every 25 ms at start.
        return (StatusCode::OK, "alert-packet-capture is ready\n").into_response();
    }
    if path.strip_prefix('/') == Some(&JOB_FUNCTION.to_ascii_lowercase()) {
        return abandoned_job(&door, request).instrument(span).await;
    }
    let Some(name) = path.strip_suffix(&function) else {
        return Refusal::NoSuchRoute.into_response();
    };
    match name {
        "/api/" => raw(&door, request).instrument(span).await,
        "/" => wrapped_or_raw(&door, request).instrument(span).await,
        _ => Refusal::NoSuchRoute.into_response(),
    }
}

/// The host passes the client's request on as it is.
async fn raw(door: &Door, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if let Some(guard) = &door.secure_webhook
        && let Err(refusal) = guard.check(&parts.headers).await
    {
        return refused(refusal).into_response();
    }
    let body = match read_body(&parts.method, body, MAX_BODY_BYTES).await {
        Ok(body) => body,
        Err(refusal) => return refusal.into_response(),
    };
    let query = parts.uri.query().unwrap_or_default();
    let content_type = request::content_type(&parts.headers);
    respond(&door.intake, query, content_type.as_deref(), body)
        .await
        .into_response()
}

/// `POST /AlertPacketCapture`: the host's envelope, or a raw request where `routePrefix` is empty.
async fn wrapped_or_raw(door: &Door, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // The caller's token may be in the envelope, which then has to be opened first.
    let mut inside = None;
    if let Some(guard) = &door.secure_webhook {
        if guard.may_be_inside(&parts.headers) {
            inside = Some(guard);
        } else if let Err(refusal) = guard.check(&parts.headers).await {
            return refused(refusal).into_response();
        }
    }
    let body = match read_body(&parts.method, body, MOST_ENVELOPE_BYTES).await {
        Ok(body) => body,
        Err(refusal) => return refusal.into_response(),
    };
    let envelope = request::read(body.clone(), envelope::open).await;
    if let Some(guard) = inside {
        let values = envelope.iter().flat_map(|inner| &inner.authorization);
        let values: Vec<&str> = values.map(String::as_str).collect();
        if let Err(refusal) = guard.check_authorization(&values).await {
            let refusal = refused(refusal);
            return match envelope {
                Some(_) => envelope::close(answer::into_parts(Err(refusal))).into_response(),
                None => refusal.into_response(),
            };
        }
    }
    let (intake, query) = (&door.intake, parts.uri.query().unwrap_or_default());
    match envelope {
        Some(inner) => {
            let answer = match inner.method.eq_ignore_ascii_case("POST") {
                true => {
                    let body = inner.body.into();
                    respond(intake, &inner.query, inner.content_type.as_deref(), body).await
                }
                false => Err(Refusal::MethodNotAllowed),
            };
            // The host throws everything but a 2xx away, so the status goes inside.
            envelope::close(answer::into_parts(answer)).into_response()
        }
        None => {
            let content_type = request::content_type(&parts.headers);
            respond(intake, query, content_type.as_deref(), body)
                .await
                .into_response()
        }
    }
}

/// `POST /PacketCaptureJob`: the host itself calls it. It is no route of the function app's own, so nobody
/// else can, and no webhook's token is asked for.
async fn abandoned_job(door: &Door, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match read_body(&parts.method, body, MOST_ENVELOPE_BYTES).await {
        Ok(body) => job_trigger::take(&door.intake, body).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// The status routes, raw or as the host's envelope at `POST /PacketCaptures`.
async fn show(routes: &StatusRoutes, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().trim_end_matches('/');
    if parts.method == Method::POST
        && path[1..].eq_ignore_ascii_case(status::FUNCTION)
        && let Ok(body) = to_bytes(body, MOST_ENVELOPE_BYTES).await
        && let Some(inner) = request::read(body, envelope::open).await
    {
        let asked = Asked {
            method: &inner.method,
            path: &inner.path,
            query: &inner.query,
            accept: &inner.accept,
        };
        let shown = routes.answer(&asked).await;
        let log = format!("answered {}", shown.status.as_u16());
        let headers = shown.headers();
        return envelope::close_text(shown.status, headers, shown.body, log).into_response();
    }
    let accept = parts.headers.get_all(ACCEPT).iter();
    let accept: Vec<&str> = accept.filter_map(|value| value.to_str().ok()).collect();
    let asked = Asked {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        accept: &accept.join(","),
    };
    routes.answer(&asked).await.into_response()
}

fn refused(refusal: Refusal) -> Refusal {
    refusal.log();
    refusal
}

async fn respond(
    intake: &Arc<Intake>,
    query: &str,
    content_type: Option<&str>,
    body: Bytes,
) -> Result<Answer, Refusal> {
    if !request::is_json(content_type, &body) {
        return Err(Refusal::NotJson);
    }
    let dry_run = request::asks_for_dry_run(query);
    let answer = intake.take(body, dry_run).await;
    match &answer {
        Ok(answer) => answer.log(),
        Err(refusal) => refusal.log(),
    }
    answer
}

async fn read_body(method: &Method, body: Body, limit: usize) -> Result<Bytes, Refusal> {
    if method != Method::POST {
        return Err(Refusal::MethodNotAllowed);
    }
    // The sender going away in the middle looks the same as too long a body, and nobody reads that answer.
    to_bytes(body, limit).await.map_err(|_| Refusal::TooLarge)
}

/// The host's trace goes on here.
fn join_trace(span: &Span, headers: &HeaderMap) {
    let value = |name: &str| headers.get(name)?.to_str().ok();
    continue_trace(span, value("traceparent"), value("tracestate"));
}

/// In forwarding mode the host appends its id to one that the client sent: the last one is the host's.
fn invocation_id(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all("x-azure-functions-invocationid")
        .iter()
        .next_back()
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.rsplit(',').next())
        .map(|value| value.trim().chars().take(64).collect())
}
