//! The status of alerts: `GET /api/PacketCaptures` lists jobs as Resource Manager lists resources, `/{jobId}` shows one,
//! `/metrics` is for Prometheus. Browsers get a page.
//!
//! The function key guards these routes, checked by the Functions host. The secure webhook guards alerts alone: an
//! operator has no token of an action group, and needs the key in either case.

use super::{
    Door,
    http::{json_ok, text_ok},
    job_page, page,
    path::AsWritten,
    refusal::Refusal,
    status_query::{prefers_html, read_query, skip_token},
};
use crate::{
    incident::{Action, JobId, JobRecord, Status},
    resource_id::ResourceId,
    telemetry::Metrics,
};
use axum::{
    Extension,
    extract::{Path, State, rejection::PathRejection},
    http::{
        HeaderMap, HeaderValue, Uri,
        header::{
            ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, VARY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::Response,
};
use serde::Serialize;
use std::sync::Arc;
use time::OffsetDateTime;

/// A page of jobs, the newest first.
pub(super) async fn list(
    State(door): State<Arc<Door>>,
    Extension(AsWritten(path)): Extension<AsWritten>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (top, after) =
        read_query(uri.query().unwrap_or_default()).map_err(Refusal::InvalidQuery)?;
    let (jobs, more) = door.intake.ledger.page(after.as_ref(), top);
    // Relative to the address of this page, so that no key has to be written into it.
    let next_link = jobs.last().filter(|_| more).map(|last| {
        let token = skip_token(last.taken_at, &last.job_id);
        format!("?$top={top}&$skiptoken={token}")
    });
    let poisoned = door.intake.queue.poisoned().await.ok();
    if prefers_html(&accept(&headers)) {
        let (since, now) = (door.since, OffsetDateTime::now_utc());
        return Ok(job_page::list(
            &jobs,
            next_link.as_deref(),
            &path,
            since,
            now,
            &door.portal,
            poisoned.unwrap_or_default(),
        ));
    }
    Ok(json_ok(&JobList {
        value: jobs.iter().map(JobEntry).collect(),
        next_link,
        poisoned,
    }))
}

/// One job.
pub(super) async fn job(
    State(door): State<Arc<Door>>,
    Extension(AsWritten(path)): Extension<AsWritten>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let id = id.ok().and_then(|Path(id)| JobId::parse(&id));
    let job = id.and_then(|id| door.intake.ledger.job(&id));
    let job = job.ok_or(Refusal::JobNotFound)?;
    Ok(match prefers_html(&accept(&headers)) {
        true => job_page::job(&job, &path, &door.portal),
        false => json_ok(&JobEntry(&job)),
    })
}

/// The metrics of this process.
pub(super) async fn metrics(State(door): State<Arc<Door>>) -> Response {
    let waiting = door.intake.queue.waiting().await;
    text_ok(Metrics::CONTENT_TYPE, door.intake.metrics.text(waiting))
}

/// The headers of these routes. An address here may hold the function key: no cache keeps it, and no referrer passes it
/// on.
pub(super) async fn private(mut response: Response) -> Response {
    const HEADERS: [(HeaderName, &str); 5] = [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, page::CONTENT_SECURITY_POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (VARY, "Accept"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

pub(super) fn accept(headers: &HeaderMap) -> String {
    let values = headers.get_all(ACCEPT).iter();
    let values: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
    values.join(",")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JobList<'a> {
    value: Vec<JobEntry<'a>>,
    next_link: Option<String>,
    /// Jobs in the poison queue; null when it could not be read.
    poisoned: Option<usize>,
}

/// A job in JSON.
struct JobEntry<'a>(&'a JobRecord);

impl Serialize for JobEntry<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire<'a> {
            job_id: &'a JobId,
            target: &'a ResourceId,
            rule: Option<&'a str>,
            action: Action,
            phase: &'static str,
            status: Status,
            reason: Option<&'a str>,
            message: &'a str,
            name: Option<&'a str>,
            network_watcher: Option<&'a ResourceId>,
            storage_path: Option<&'a str>,
            #[serde(with = "time::serde::rfc3339")]
            taken_at: OffsetDateTime,
            #[serde(with = "time::serde::rfc3339")]
            updated_at: OffsetDateTime,
            #[serde(with = "time::serde::rfc3339::option")]
            began_at: Option<OffsetDateTime>,
            #[serde(with = "time::serde::rfc3339::option")]
            ended_at: Option<OffsetDateTime>,
            stop_reason: Option<&'a str>,
            errors: &'a [String],
            joined: bool,
            failures: u32,
        }
        let job = self.0;
        let report = &job.report;
        let wire = Wire {
            job_id: &job.job_id,
            target: &job.target.id,
            rule: job.rule(),
            action: job.action,
            phase: job.phase,
            status: report.status,
            reason: report.reason.as_deref(),
            message: &report.message,
            name: report.name.as_deref(),
            network_watcher: report.network_watcher.as_ref(),
            storage_path: report.storage_path.as_deref(),
            taken_at: job.taken_at,
            updated_at: job.updated_at,
            began_at: report.began_at,
            ended_at: report.ended_at,
            stop_reason: report.stop_reason.as_deref(),
            errors: &report.errors,
            joined: report.joined,
            failures: job.failures,
        };
        wire.serialize(serializer)
    }
}
