//! The page of jobs for people. No scripts, nothing from elsewhere, and every text escaped: names of rules are
//! anybody's. Links are relative, so that a key in the address never gets into the page.

use crate::incident::{JobRecord, Status};
use std::fmt::Write;
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

pub(super) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");

const HEAD: &str = r#"<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="5">
<title>Packet captures</title>
<style>
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif }
body { margin: 1.5rem auto; max-width: 90rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid #8886; overflow-wrap: anywhere }
td:first-child, .status { white-space: nowrap }
small, footer { opacity: .8 }
.failed, .skipped { color: light-dark(#a40000, #ff9a8f) }
.completed { color: light-dark(#00642d, #7fdc9f) }
</style></head><body>
"#;

const FOOT: &str = r#"<footer><p>Links do not carry the function key. With <code>?code=…</code> in the address, add it again;
with the header <code>x-functions-key</code> they work as they are. The page loads itself anew every 5 s.</p></footer>
</body></html>
"#;

/// `path` is the address as the client wrote it, `next` the query of the next page.
pub(super) fn list(
    jobs: &[JobRecord],
    next: Option<&str>,
    path: &str,
    since: OffsetDateTime,
    now: OffsetDateTime,
) -> String {
    // A relative address counts from the last slash.
    let below = match path.ends_with('/') {
        true => "",
        false => "PacketCaptures/",
    };
    let mut html = HEAD.to_owned();
    let _ = write!(
        html,
        "<h1>Packet captures</h1>\n<p>The jobs that this process has seen since its start at {}, as of {}: those under \
         way, and those that were over within the last hour, at most 10,000. Other instances of the function have \
         their own.</p>\n<p><a href=\"{below}metrics\">Metrics</a></p>\n",
        time(since),
        time(now),
    );
    if jobs.is_empty() {
        html.push_str("<p>There are none.</p>\n");
    } else {
        html.push_str("<table><thead><tr><th>Taken</th><th>Status</th><th>Rule</th><th>Target</th><th>What became of it</th></tr></thead><tbody>\n");
        for job in jobs {
            row(&mut html, job, below);
        }
        html.push_str("</tbody></table>\n");
    }
    if let Some(next) = next {
        let _ = writeln!(html, "<p><a href=\"{}\">Older jobs</a></p>", escaped(next));
    }
    html + FOOT
}

fn row(html: &mut String, job: &JobRecord, below: &str) {
    let report = &job.report;
    let status = report.status.as_str();
    let id = escaped(&job.job_id.to_string());
    let rule = escaped(job.rule.as_deref().unwrap_or("-"));
    let target = escaped(&job.target.to_string());
    let message = match (report.status, report.message.as_str()) {
        (Status::Accepted, "") => "under way",
        (_, message) => message,
    };
    let _ = write!(
        html,
        "<tr><td><a href=\"{below}{id}\">{}</a></td><td class=\"status {status}\">{status}<br><small>{}</small></td>\
         <td>{rule}</td><td>{target}</td><td>{}",
        time(job.taken_at),
        job.phase,
        escaped(message),
    );
    if let Some(path) = &report.storage_path {
        let _ = write!(html, "<br><small>{}</small>", escaped(path));
    }
    html.push_str("</td></tr>\n");
}

/// One job with all that is known of it.
pub(super) fn job(job: &JobRecord, path: &str) -> String {
    let up = match path.ends_with('/') {
        true => "../",
        false => "./",
    };
    let report = &job.report;
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let mut html = HEAD.to_owned();
    let _ = write!(
        html,
        "<h1>Packet capture job</h1>\n<p><a href=\"{up}\">All jobs</a></p>\n<table><tbody>\n"
    );
    let watcher = report.network_watcher.as_ref().map(ToString::to_string);
    for (label, text) in [
        ("Job", job.job_id.to_string()),
        ("Target", job.target.to_string()),
        (
            "Alert rule",
            or_none(job.rule.as_deref().map(str::to_owned)),
        ),
        ("Action", job.action.as_str().to_owned()),
        ("Status", report.status.as_str().to_owned()),
        ("Phase", job.phase.to_owned()),
        ("What became of it", report.message.clone()),
        ("Reason", or_none(report.reason.clone())),
        ("Capture", or_none(report.name.clone())),
        (
            "Joined",
            if report.joined { "yes" } else { "no" }.to_owned(),
        ),
        ("Network watcher", or_none(watcher)),
        ("File", or_none(report.storage_path.clone())),
        ("Taken", time(job.taken_at)),
        ("Updated", time(job.updated_at)),
        ("Began", or_none(report.began_at.map(time))),
        ("Ended", or_none(report.ended_at.map(time))),
        ("Stop reason", or_none(report.stop_reason.clone())),
        ("Errors", report.errors.join("; ")),
        ("Failed attempts", job.failures.to_string()),
    ] {
        let _ = writeln!(html, "<tr><th>{label}</th><td>{}</td></tr>", escaped(&text));
    }
    html.push_str("</tbody></table>\n");
    html + FOOT
}

fn time(at: OffsetDateTime) -> String {
    at.to_offset(time::UtcOffset::UTC)
        .format(TIME)
        .unwrap_or_default()
}

/// For text and for attributes in quotes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
