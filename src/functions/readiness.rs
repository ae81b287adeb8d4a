//! Readiness runs: `GET /api/PacketCaptures/readiness` shows the last one, as JSON or as a page, `POST` starts one, and so does
//! the host's timer. The function key guards these routes, as those of incidents.

use super::{
    Refusal,
    alerts::read_body,
    http::{Done, json_ok},
    incidents::Unreadable,
    only_get, only_post, page,
    status::{self, accept},
    status_query::prefers_html,
    stop::Stop,
};
use crate::{
    fleet::{Finding, Run, Start, Verdict, fixes},
    notify::Portal,
    record::Incidents,
};
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// How long the timer's call waits for its run, below `functionTimeout` in host.json: as long as the call lasts, the host keeps
/// this instance. A run that is cut is continued by the next process.
const MOST_WAIT: Duration = Duration::from_secs(4 * 60);
/// Maximum bytes of the timer's envelope.
const MOST_BYTES: usize = 64 * 1024;
/// Maximum machines that the JSON lists; ready ones are counted only.
const MOST_MACHINES: usize = 1_000;

/// What these routes share.
pub(super) struct Runs {
    pub incidents: Arc<Incidents>,
    pub start: Start,
    pub portal: Portal,
    pub stop: Stop,
}

/// A run that is under way.
pub(super) struct InProgress {
    pub started: OffsetDateTime,
    pub checked: usize,
    pub machines: usize,
}

/// The routes below `/api`.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(runs: Arc<Runs>) -> Router<S> {
    Router::new()
        .route(
            "/packetcaptures/readiness",
            get(show).post(start).fallback(only_get),
        )
        .layer(middleware::map_response(status::private))
        .with_state(runs)
}

/// The route of the host's timer. Others than the host do not reach it: it is no route of the function app.
pub(super) fn timer_route<S: Clone + Send + Sync + 'static>(runs: Arc<Runs>) -> Router<S> {
    Router::new()
        .route("/packetcapturereadiness", post(timer).fallback(only_post))
        .with_state(runs)
}

async fn show(State(runs): State<Arc<Runs>>, headers: HeaderMap) -> Result<Response, Refusal> {
    let unreadable = |error: crate::record::StoreError| Unreadable::Store(error.to_string());
    let last = runs.incidents.last_run().await.map_err(unreadable)?;
    let running = runs.incidents.run_in_progress().await.map_err(unreadable)?;
    let running = running.map(|it| InProgress {
        started: it.run.started,
        checked: it.run.progress(),
        machines: it.run.counts().machines(),
    });
    if prefers_html(&accept(&headers)) {
        return Ok(page::readiness(
            last.as_ref(),
            running.as_ref(),
            &runs.portal,
        ));
    }
    Ok(json_ok(&json!({
        "last": last.as_ref().map(as_json),
        "inProgress": running.map(|it| json!({
            "started": rfc3339(it.started), "checked": it.checked, "machines": it.machines,
        })),
    })))
}

/// Starts a run; it is shown when it has ended.
async fn start(State(runs): State<Arc<Runs>>) -> Response {
    runs.start.ask();
    let body = json!({ "message": "readiness run started; GET this address shows its result" });
    (StatusCode::ACCEPTED, json_ok(&body)).into_response()
}

/// The host's timer.
async fn timer(State(runs): State<Arc<Runs>>, request: Request) -> Response {
    // The envelope says nothing that a run needs; it is read so that the connection can be used again.
    if let Err(refusal) = read_body(request.into_body(), MOST_BYTES, &runs.stop).await {
        return refusal.into_response();
    }
    let mut ends = runs.start.ends();
    runs.start.ask();
    let log = tokio::select! {
        ended = tokio::time::timeout(MOST_WAIT, ends.changed()) => match ended {
            Ok(_) => match runs.incidents.last_run().await {
                Ok(Some(run)) => run.sentence(),
                _ => "readiness run ended".to_owned(),
            },
            Err(_) => "readiness run in progress".to_owned(),
        },
        () = runs.stop.asked() => "readiness run continues in the next process".to_owned(),
    };
    json_ok(&Done::of(log))
}

fn as_json(run: &Run) -> Value {
    let mut value = run.news_json();
    let not_ready = run
        .machines()
        .iter()
        .filter(|it| run.verdict(it) != Verdict::Ready);
    let machines = not_ready.take(MOST_MACHINES).map(|machine| {
        json!({
            "id": machine.id,
            "verdict": match run.verdict(machine) {
                Verdict::Ready => "ready",
                Verdict::NotReady => "not_ready",
                Verdict::Unknown => "unknown",
            },
            "causes": machine.causes.iter().map(|cause| json!({
                "key": cause.key(), "text": cause.to_string(),
            })).collect::<Vec<_>>(),
            "fix": run.fixes_of(machine),
        })
    });
    value["list"] = machines.collect();
    value["findings"] = run.findings.iter().map(finding).collect();
    value["fixes"] = fixes(run)
        .iter()
        .map(
            |fix| json!({ "cause": fix.cause, "machines": fix.machines, "commands": fix.commands }),
        )
        .collect();
    value["sentence"] = run.sentence().into();
    value["targets"] = run.targets.as_str().into();
    value["calls"] = run.calls.into();
    value["started"] = rfc3339(run.started).into();
    value["finished"] = run.finished.and_then(rfc3339).into();
    value
}

fn finding(finding: &Finding) -> Value {
    json!({ "check": finding.check, "message": finding.message, "fix": finding.fix })
}

fn rfc3339(at: OffsetDateTime) -> Option<String> {
    at.format(&Rfc3339).ok()
}
