//! The last readiness run as a page: the result in a sentence, what changed, the machines by cause with the commands that fix
//! them.

use super::{Link, Stamp, html, words};
use crate::{
    fleet::{Finding, Fix, Run, Verdict, fixes, groups},
    functions::readiness::InProgress,
    notify::Portal,
    resource_id::ResourceId,
};
use askama::Template;
use axum::response::Response;

/// Maximum machines of one cause that the page names.
const MOST_NAMED: usize = 100;

#[derive(Template)]
#[template(path = "readiness.html", config = "src/functions/askama.toml")]
struct ReadinessPage<'a> {
    last: Option<RunView<'a>>,
    running: Option<String>,
    /// Seconds until the page reloads itself.
    reload: Option<u32>,
}

struct RunView<'a> {
    sentence: String,
    finished: Option<Stamp>,
    calls: u32,
    ready: bool,
    changes: Vec<Change>,
    findings: Vec<&'a Finding>,
    groups: Vec<GroupView>,
    fixes: Vec<Fix>,
}

struct Change {
    label: &'static str,
    bad: bool,
    machines: Vec<Link>,
    checks: String,
}

struct GroupView {
    verdict: &'static str,
    cause: String,
    count: String,
    machines: Vec<Link>,
    more: usize,
}

/// The page of the last run, and of the one in progress.
pub(in crate::functions) fn readiness(
    last: Option<&Run>,
    running: Option<&InProgress>,
    portal: &Portal,
) -> Response {
    html(&ReadinessPage {
        last: last.map(|run| view(run, portal)),
        running: running.map(|it| {
            format!(
                "A run is in progress since {} UTC: {} of {} machines checked.",
                words::day_and_time(it.started),
                it.checked,
                it.machines
            )
        }),
        reload: running.map(|_| 10),
    })
}

fn view<'a>(run: &'a Run, portal: &Portal) -> RunView<'a> {
    let links = |ids: &[ResourceId]| -> Vec<Link> {
        ids.iter().map(|id| Link::of_resource(portal, id)).collect()
    };
    let change = &run.change;
    let machines = |label, bad, ids: &[ResourceId]| Change {
        label,
        bad,
        machines: links(ids),
        checks: String::new(),
    };
    let checks = |label, bad, names: &[String]| Change {
        label,
        bad,
        machines: Vec::new(),
        checks: names.join(", "),
    };
    let mut changes = vec![
        machines("Not ready any more", true, &change.worse),
        machines("Not known any more", true, &change.unknown),
        checks("Failed checks", true, &change.failed),
        machines("Ready again", false, &change.recovered),
        checks("Passed checks", false, &change.fixed),
    ];
    changes.retain(|it| !it.machines.is_empty() || !it.checks.is_empty());
    let mut all = Vec::new();
    for (verdict, word) in [
        (Verdict::NotReady, "Not ready"),
        (Verdict::Unknown, "Unknown"),
    ] {
        for group in groups(run, verdict) {
            let named = group.machines.iter().take(MOST_NAMED);
            all.push(GroupView {
                verdict: word,
                count: words::count(
                    u64::try_from(group.machines.len()).unwrap_or(u64::MAX),
                    "machine",
                ),
                machines: named.map(|id| Link::of_resource(portal, id)).collect(),
                more: group.machines.len().saturating_sub(MOST_NAMED),
                cause: group.cause,
            });
        }
    }
    RunView {
        sentence: run.sentence(),
        finished: run.finished.map(Stamp::of),
        calls: run.calls,
        ready: run.is_ready(),
        changes,
        findings: run.findings.iter().collect(),
        groups: all,
        fixes: fixes(run),
    }
}
