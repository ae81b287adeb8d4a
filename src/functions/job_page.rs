//! The pages of jobs for people, as templates in `pages/`. No scripts, nothing from elsewhere, and askama escapes every
//! text: alerts fill names. Links are relative, so that a key in the address never gets into a page.

use super::http::text_ok;
use crate::{
    incident::{JobRecord, ledger},
    resource_id::ResourceId,
};
use askama::Template;
use axum::response::Response;
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};
use url::Url;

const HTML: &str = "text/html; charset=utf-8";
const TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");

#[derive(Template)]
#[template(path = "jobs.html", config = "src/functions/askama.toml")]
struct JobsPage<'a> {
    jobs: &'a [JobRecord],
    next: Option<&'a str>,
    /// The relative address of what is below this page.
    below: &'static str,
    since: OffsetDateTime,
    now: OffsetDateTime,
    portal: &'a Url,
    /// Jobs in the poison queue.
    poisoned: usize,
    reload: bool,
}

#[derive(Template)]
#[template(path = "job.html", config = "src/functions/askama.toml")]
struct JobPage<'a> {
    job: &'a JobRecord,
    /// The relative address of the page of all jobs.
    up: &'static str,
    portal: &'a Url,
    reload: bool,
}

/// A page of jobs. `path` is its address as the client wrote it, `next` the query of the next page.
pub(super) fn list(
    jobs: &[JobRecord],
    next: Option<&str>,
    path: &str,
    since: OffsetDateTime,
    now: OffsetDateTime,
    portal: &Url,
    poisoned: usize,
) -> Response {
    html(&JobsPage {
        jobs,
        next,
        // A relative address counts from the last slash.
        below: match path.ends_with('/') {
            true => "",
            false => "PacketCaptures/",
        },
        since,
        now,
        portal,
        poisoned,
        reload: true,
    })
}

/// One job with all that is known of it.
pub(super) fn job(job: &JobRecord, path: &str, portal: &Url) -> Response {
    html(&JobPage {
        job,
        up: match path.ends_with('/') {
            true => "../",
            false => "./",
        },
        portal,
        reload: ![ledger::DONE, ledger::ELSEWHERE].contains(&job.phase),
    })
}

fn html(page: &impl Template) -> Response {
    // Writing into a text does not fail.
    text_ok(HTML, page.render().unwrap_or_default())
}

fn time(at: &OffsetDateTime) -> String {
    // A foreign time at the end of the calendar may have no UTC.
    let utc = at.checked_to_offset(time::UtcOffset::UTC);
    utc.and_then(|utc| utc.format(TIME).ok())
        .unwrap_or_default()
}

fn time_or_dash(at: &Option<OffsetDateTime>) -> String {
    at.as_ref().map_or_else(|| "-".to_owned(), time)
}

fn or_dash(text: Option<&str>) -> &str {
    text.filter(|text| !text.is_empty()).unwrap_or("-")
}

fn errors(errors: &[String]) -> String {
    match errors {
        [] => "-".to_owned(),
        errors => errors.join("; "),
    }
}

fn yes_or_no(yes: &bool) -> &'static str {
    if *yes { "yes" } else { "no" }
}

/// The sentence about the job, with the file's name in place of its URL.
fn result(job: &JobRecord) -> String {
    let message = job.report.message.as_str();
    match &job.report.storage_path {
        _ if message.is_empty() => "in progress".to_owned(),
        Some(path) if message.contains(path.as_str()) => message.replace(path, file_name(path)),
        Some(path) => format!("{message}. File: {}", file_name(path)),
        None => message.to_owned(),
    }
}

/// The last segment of a file's URL.
fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The page of a resource in the Azure portal.
fn resource(portal: &Url, id: &ResourceId) -> Url {
    let mut url = portal.clone();
    url.set_fragment(Some(&format!("resource{id}")));
    url
}
