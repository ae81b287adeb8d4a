//! What became of the alerts: `GET /api/PacketCaptures` lists jobs as Resource Manager lists resources,
//! `/{jobId}` shows one, `/metrics` is for Prometheus. Browsers get a page.
//!
//! The function key guards these routes, checked by the Functions host. A secure webhook guards the taking of alerts
//! alone: whoever looks here has no token of an action group's, and needs the key in either case.

use super::{
    look::{below, prefers_html, read_query, skip_token},
    page,
};
use crate::{
    incident::{JobId, JobRecord, Ledger},
    queue::JobQueue,
    telemetry::Metrics,
};
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use time::OffsetDateTime;

/// The function's name, which is its folder's.
pub(super) const FUNCTION: &str = "PacketCaptures";
const JSON: &str = "application/json";

/// See the file's head.
pub(super) struct StatusRoutes {
    pub ledger: Arc<Ledger>,
    pub queue: Arc<dyn JobQueue>,
    pub metrics: Arc<Metrics>,
    /// The start of the process: nothing before it is known here.
    pub since: OffsetDateTime,
}

/// A request to these routes, in whichever form it came.
pub(super) struct Asked<'a> {
    pub method: &'a str,
    /// As the client wrote it.
    pub path: &'a str,
    /// Only `$top` and `$skiptoken` are looked at: it holds the key as well.
    pub query: &'a str,
    /// The `Accept` header.
    pub accept: &'a str,
}

/// An answer, whichever form it goes out in.
pub(super) struct Shown {
    pub status: StatusCode,
    pub content_type: &'static str,
    pub body: String,
}

impl StatusRoutes {
    pub async fn answer(&self, asked: &Asked<'_>) -> Shown {
        if !asked.method.eq_ignore_ascii_case("GET") {
            let message = "the status of captures is read with GET";
            return Shown::error(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message);
        }
        match below(asked.path) {
            Some("") => self.list(asked),
            Some(path) if path.eq_ignore_ascii_case("metrics") => Shown {
                status: StatusCode::OK,
                content_type: Metrics::CONTENT_TYPE,
                body: self.metrics.text(self.queue.waiting().await),
            },
            Some(job) if !job.contains('/') => self.job(job, asked),
            _ => Shown::error(
                StatusCode::NOT_FOUND,
                "NotFound",
                "GET /api/PacketCaptures lists jobs, /api/PacketCaptures/{jobId} shows one",
            ),
        }
    }

    fn list(&self, asked: &Asked<'_>) -> Shown {
        let (top, after) = match read_query(asked.query) {
            Ok(read) => read,
            Err(message) => return Shown::error(StatusCode::BAD_REQUEST, "InvalidQuery", message),
        };
        let (jobs, more) = self.ledger.page(after.as_ref(), top);
        // It holds for the address that was asked, so that no key need be written into it.
        let next = jobs.last().filter(|_| more).map(|last| {
            let token = skip_token(last.taken_at, &last.job_id);
            format!("?$top={top}&$skiptoken={token}")
        });
        if prefers_html(asked.accept) {
            let now = OffsetDateTime::now_utc();
            return Shown::html(page::list(
                &jobs,
                next.as_deref(),
                asked.path,
                self.since,
                now,
            ));
        }
        Shown::json(&json!({
            "value": jobs.iter().map(JobEntry::of).collect::<Vec<_>>(),
            "nextLink": next,
        }))
    }

    fn job(&self, id: &str, asked: &Asked<'_>) -> Shown {
        let Some(job) = JobId::parse(id).and_then(|id| self.ledger.job(&id)) else {
            return Shown::error(
                StatusCode::NOT_FOUND,
                "JobNotFound",
                "this instance of the function knows no such job: it remembers those under way and those of the last hour, since its own start",
            );
        };
        match prefers_html(asked.accept) {
            true => Shown::html(page::job(&job, asked.path)),
            false => Shown::json(&JobEntry::of(&job)),
        }
    }
}

/// A job in JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JobEntry<'a> {
    job_id: &'a JobId,
    target: String,
    rule: Option<&'a str>,
    action: &'static str,
    phase: &'static str,
    status: &'static str,
    reason: Option<&'a str>,
    message: &'a str,
    name: Option<&'a str>,
    network_watcher: Option<String>,
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

impl<'a> JobEntry<'a> {
    fn of(job: &'a JobRecord) -> Self {
        let report = &job.report;
        Self {
            job_id: &job.job_id,
            target: job.target.to_string(),
            rule: job.rule.as_deref(),
            action: job.action.as_str(),
            phase: job.phase,
            status: report.status.as_str(),
            reason: report.reason.as_deref(),
            message: &report.message,
            name: report.name.as_deref(),
            network_watcher: report.network_watcher.as_ref().map(ToString::to_string),
            storage_path: report.storage_path.as_deref(),
            taken_at: job.taken_at,
            updated_at: job.updated_at,
            began_at: report.began_at,
            ended_at: report.ended_at,
            stop_reason: report.stop_reason.as_deref(),
            errors: &report.errors,
            joined: report.joined,
            failures: job.failures,
        }
    }
}

impl Shown {
    fn json(value: &impl Serialize) -> Self {
        Self {
            status: StatusCode::OK,
            content_type: JSON,
            body: serde_json::to_string(value).unwrap_or_default(),
        }
    }

    fn html(body: String) -> Self {
        Self {
            status: StatusCode::OK,
            content_type: "text/html; charset=utf-8",
            body,
        }
    }

    fn error(status: StatusCode, code: &str, message: &str) -> Self {
        let error = json!({ "error": { "code": code, "message": message, "target": null } });
        Self {
            status,
            content_type: JSON,
            body: error.to_string(),
        }
    }

    /// The headers. An address of this page may hold a key: no cache keeps it, no referrer tells it.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("Content-Type", self.content_type),
            ("Cache-Control", "no-store"),
            ("Content-Security-Policy", page::CONTENT_SECURITY_POLICY),
            ("Referrer-Policy", "no-referrer"),
            ("Vary", "Accept"),
            ("X-Content-Type-Options", "nosniff"),
        ];
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.push(("Allow", "GET"));
        }
        let owned = |(name, value): (&'static str, &str)| (name, value.to_owned());
        headers.into_iter().map(owned).collect()
    }
}

impl IntoResponse for Shown {
    fn into_response(self) -> Response {
        let headers = self.headers();
        let mut response = (self.status, self.body).into_response();
        for (name, value) in headers {
            if let Ok(value) = value.parse() {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
