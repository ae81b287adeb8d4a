//! `POST /api/AlertPacketCapture`: a caller is authenticated, then its alert is taken in.

use super::{
    Door, answer::Answer, envelope, refusal::Refusal, request, secure_webhook::SecureWebhook, stop,
};
use crate::{alert::MAX_BODY_BYTES, telemetry::continue_trace};
use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, request::Parts},
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use std::{sync::Arc, time::Duration};
use tracing::{Instrument, Span};

/// How long the body of a request may take. A client on the same machine sends it within milliseconds.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);

/// Maximum bytes that are read of a body that is too long.
const MOST_DISCARDED: usize = 16 * MAX_BODY_BYTES;

/// An alert from an action group.
pub(super) async fn alert(State(door): State<Arc<Door>>, request: Request) -> Response {
    let span = request_span(request.headers());
    let answer = async {
        let (parts, body) = request.into_parts();
        if let Some(guard) = &door.secure_webhook {
            admit(guard, &parts.headers).await?;
        }
        let answer = take(&door, &parts, body).await;
        match &answer {
            Ok(answer) => answer.log(),
            Err(refusal) => refusal.log(),
        }
        answer
    };
    answer.instrument(span).await.into_response()
}

/// Reads the alert of an admitted caller and takes it in. One that is not read is counted, too.
async fn take(door: &Door, parts: &Parts, body: Body) -> Result<Answer, Refusal> {
    let body = async {
        let body = read_body(body, MAX_BODY_BYTES, &door.stop).await?;
        match request::is_json(request::content_type(&parts.headers), &body) {
            true => Ok(body),
            false => Err(Refusal::NotJson),
        }
    };
    let body = (body.await).inspect_err(|refusal| door.intake.count_unread(refusal))?;
    let dry_run = request::asks_for_dry_run(parts.uri.query().unwrap_or_default());
    door.intake.take(body, dry_run, &door.stop).await
}

/// A job that another process left: the Functions host's queue trigger calls this itself, with no token. It is no
/// route of the function app, so no other caller reaches it.
pub(super) async fn abandoned_job(State(door): State<Arc<Door>>, request: Request) -> Response {
    let span = request_span(request.headers());
    let answer = async {
        let body = read_body(request.into_body(), envelope::MAX_BYTES, &door.stop).await?;
        super::job_trigger::take(&door.intake, body).await
    };
    answer.instrument(span).await.into_response()
}

/// Checks the caller, and writes a refusal to the log.
pub(super) async fn admit(guard: &SecureWebhook, headers: &HeaderMap) -> Result<(), Refusal> {
    let checked = guard.check(headers).await;
    checked.inspect_err(Refusal::log)
}

/// Reads a body. One that is not here when the process stops has not been accepted, and the stop does not wait for it.
pub(super) async fn read_body(
    body: Body,
    limit: usize,
    stop: &stop::Stop,
) -> Result<Bytes, Refusal> {
    tokio::select! {
        biased;
        read = read_whole(body, limit) => read,
        () = stop.asked() => Err(Refusal::NotTaken {
            message: "request not read: the function is stopping".to_owned(),
            retry_after: stop::RETRY_AFTER,
        }),
        () = tokio::time::sleep(BODY_TIMEOUT) => Err(Refusal::Timeout(BODY_TIMEOUT)),
    }
}

/// The rest of a body that is too long is read and discarded, up to a limit: closed with bytes on their way, the
/// connection is reset, and its client does not see the answer.
async fn read_whole(body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let mut parts = body.into_data_stream();
    let (mut whole, mut bytes) = (Vec::new(), 0_usize);
    while let Some(part) = parts.next().await {
        let part = part.map_err(|_| Refusal::IncompleteBody)?;
        bytes = bytes.saturating_add(part.len());
        if bytes <= limit {
            whole.extend_from_slice(&part);
        } else if bytes > MOST_DISCARDED {
            break;
        }
    }
    match bytes > limit {
        true => Err(Refusal::TooLarge),
        false => Ok(whole.into()),
    }
}

/// The span of a request, part of the host's trace.
fn request_span(headers: &HeaderMap) -> Span {
    let span = tracing::info_span!("request", invocation.id = invocation_id(headers));
    let value = |name: &str| headers.get(name)?.to_str().ok();
    continue_trace(&span, value("traceparent"), value("tracestate"));
    span
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
