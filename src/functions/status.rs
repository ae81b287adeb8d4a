//! What became of the alerts: `GET /api/PacketCaptures` lists jobs as Resource Manager lists resources,
//! `/{jobId}` shows one, `/metrics` is for Prometheus. Browsers get a page.
//!
//! The function key guards these routes, checked by the Functions host. A secure webhook guards the taking of alerts
//! alone: whoever looks here has no token of an action group's, and needs the key in either case.

use super::page;
use crate::{
    capture::{JobId, JobView, Ledger},
    queue::JobQueue,
    telemetry::Metrics,
};
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use time::OffsetDateTime;

/// The function's name, which is its folder's.
pub(super) const FUNCTION: &str = "PacketCaptures";
/// Jobs on a page, where `$top` says nothing, and at most.
const USUAL_TOP: usize = 50;
const MOST_TOP: usize = 200;
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

/// What comes after the function's name in a path of these routes, without slashes at its ends.
pub(super) fn below(path: &str) -> Option<&str> {
    let strip = |path: &'_ str, start: &str| {
        let head = path.get(..start.len())?;
        head.eq_ignore_ascii_case(start).then_some(start.len())
    };
    let path = &path[strip(path, "/api/").map_or(0, |length| length - 1)..];
    let rest = &path[strip(path, "/PacketCaptures")?..];
    (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_matches('/'))
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
        let Some(job) = self
            .ledger
            .job(&JobId::from(id.to_ascii_lowercase().as_str()))
        else {
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
    fn of(job: &'a JobView) -> Self {
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

/// `$top` and the place after which the page begins.
fn read_query(query: &str) -> Result<(usize, Option<(OffsetDateTime, JobId)>), &'static str> {
    let (mut top, mut after) = (USUAL_TOP, None);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if name.eq_ignore_ascii_case("$top") {
            let wanted = value
                .parse()
                .ok()
                .filter(|top| (1..=MOST_TOP).contains(top));
            top = wanted.ok_or("$top is a whole number from 1 to 200")?;
        } else if name.eq_ignore_ascii_case("$skiptoken") {
            let place = read_skip_token(&value);
            after = Some(place.ok_or("$skiptoken comes out of a nextLink, unchanged")?);
        }
    }
    Ok((top, after))
}

fn skip_token(taken_at: OffsetDateTime, job_id: &JobId) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("{} {job_id}", taken_at.unix_timestamp_nanos()))
}

fn read_skip_token(token: &str) -> Option<(OffsetDateTime, JobId)> {
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let (nanos, job_id) = text.split_once(' ')?;
    let taken_at = OffsetDateTime::from_unix_timestamp_nanos(nanos.parse().ok()?).ok()?;
    Some((taken_at, JobId::from(job_id)))
}

/// Whether HTML is wanted more than JSON. The closest of the ranges counts (RFC 9110, 12.5.1).
fn prefers_html(accept: &str) -> bool {
    let quality = |kind: &str, subkind: &str| {
        let mut best = (0, 0.0);
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
            let closeness = match essence.split_once('/') {
                Some((k, s)) if k == kind && s == subkind => 3,
                Some((k, "*")) if k == kind => 2,
                Some(("*", "*")) => 1,
                _ => continue,
            };
            let weight = parts.find_map(|part| {
                let (name, value) = part.split_once('=')?;
                name.trim()
                    .eq_ignore_ascii_case("q")
                    .then_some(value.trim())
            });
            let weight = weight.map_or(1.0, |value| value.parse().unwrap_or(0.0));
            if closeness > best.0 {
                best = (closeness, weight);
            }
        }
        best.1
    };
    let (html, json): (f64, f64) = (quality("text", "html"), quality("application", "json"));
    html > json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_follow_the_table() {
        for (path, expected) in [
            ("/api/PacketCaptures", Some("")),
            ("/API/packetcaptures/", Some("")),
            ("/PacketCaptures", Some("")),
            ("/api/PacketCaptures/metrics", Some("metrics")),
            ("/api/PacketCaptures/a/b/", Some("a/b")),
            ("/api/PacketCapturesX", None),
            ("/api/AlertPacketCapture", None),
            ("/x/api/PacketCaptures", None),
            ("/api/", None),
            ("/", None),
            ("", None),
            ("/api/PacketCapture€s", None),
        ] {
            assert_eq!(below(path), expected, "{path}");
        }
    }

    #[test]
    fn browsers_get_a_page_and_programs_get_json() {
        for (accept, expected) in [
            ("", false),
            ("*/*", false),
            ("application/json", false),
            ("text/html", true),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                true,
            ),
            ("application/json, text/html;q=0.9", false),
            ("text/html;q=0.5, */*;q=0.1", true),
            ("text/*;q=0.4, application/json;q=0.3", true),
            ("text/*, text/html;q=0", false),
            ("TEXT/HTML; charset=utf-8; Q=1", true),
            ("text/html;q=high", false),
        ] {
            assert_eq!(prefers_html(accept), expected, "{accept}");
        }
    }

    #[test]
    fn queries_follow_the_table() {
        let at = OffsetDateTime::from_unix_timestamp_nanos(1_795_000_000_123_456_789).unwrap();
        let token = skip_token(at, &JobId::from("j"));
        let place = Some((at, JobId::from("j")));
        for (query, expected) in [
            ("", Some((50, None))),
            ("code=k3y&$top=1", Some((1, None))),
            ("%24TOP=200", Some((200, None))),
            ("$top=0", None),
            ("$top=201", None),
            ("$top=x", None),
            ("$skiptoken=!", None),
            ("$skiptoken=", None),
            (&format!("$skiptoken={token}&$top=7"), Some((7, place))),
        ] {
            assert_eq!(read_query(query).ok(), expected, "{query}");
        }
    }
}
