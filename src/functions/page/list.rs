//! The list of incidents as a page: a row each, and links that narrow it to a state, a machine or a day.

use super::{Link, Stamp, html, words};
use crate::{
    functions::{incidents::IncidentPage, status_filter::Asked},
    incident::{filter::Filter, record::Summary},
    notify::Portal,
};
use askama::Template;
use axum::response::Response;
use time::{OffsetDateTime, UtcOffset};

#[derive(Template)]
#[template(path = "incidents.html", config = "src/functions/askama.toml")]
struct ListPage<'a> {
    rows: Vec<Row<'a>>,
    states: Vec<Choice>,
    /// What the list is narrowed to by machine or day, and the address without that.
    narrowed: Vec<Choice>,
    next: Option<String>,
    /// The relative address of what is below this page.
    below: &'static str,
    now: Stamp,
    poisoned: usize,
    held_back: Option<&'a str>,
    filtered: bool,
    /// Seconds until the page reloads itself.
    reload: Option<u32>,
}

/// A row of the list.
struct Row<'a> {
    summary: &'a Summary,
    opened: Stamp,
    state: &'static str,
    class: &'static str,
    hint: &'static str,
    machine: Link,
    same_machine: String,
    same_day: String,
    alerts: String,
    size: Option<String>,
}

/// A link that changes what the list shows.
struct Choice {
    text: String,
    href: String,
    chosen: bool,
}

/// The list as a page. `path` is its address as the client wrote it, `poisoned` the number of jobs that were given up.
pub(in crate::functions) fn list(
    page: &IncidentPage,
    asked: &Asked,
    path: &str,
    now: OffsetDateTime,
    portal: &Portal,
    poisoned: usize,
) -> Response {
    let row = |summary| row(summary, asked, portal);
    html(&ListPage {
        rows: page.value.iter().map(row).collect(),
        states: states(asked),
        narrowed: narrowed(asked),
        next: page.next.as_deref().map(|after| asked.next(after)),
        below: super::below(path),
        now: Stamp::of(now),
        poisoned,
        held_back: page.held_back.as_deref(),
        filtered: asked.filter != Filter::default(),
        reload: (asked.after.is_none()).then_some(30),
    })
}

fn row<'a>(summary: &'a Summary, asked: &Asked, portal: &Portal) -> Row<'a> {
    let opened = summary.opened_at.checked_to_offset(UtcOffset::UTC);
    Row {
        summary,
        opened: Stamp::of(summary.opened_at),
        state: words::state(summary.state),
        class: words::state_name(summary.state),
        hint: words::state_hint(summary.state),
        machine: Link::of_resource(portal, &summary.machine),
        same_machine: asked.with(|filter| {
            filter.machine = Some(summary.machine.short_name().into());
        }),
        same_day: asked.with(|filter| filter.day = opened.map(OffsetDateTime::date)),
        alerts: words::count(summary.alerts.into(), "alert"),
        size: summary.file_bytes.map(words::size),
    }
}

fn states(asked: &Asked) -> Vec<Choice> {
    let all = Choice {
        text: "All".to_owned(),
        href: asked.with(|filter| filter.state = None),
        chosen: asked.filter.state.is_none(),
    };
    let choice = |(state, _, word): (_, _, &str)| Choice {
        text: word.to_owned(),
        href: asked.with(|filter| filter.state = Some(state)),
        chosen: asked.filter.state == Some(state),
    };
    std::iter::once(all)
        .chain(words::STATES.map(choice))
        .collect()
}

fn narrowed(asked: &Asked) -> Vec<Choice> {
    let machine = asked.filter.machine.as_ref().map(|machine| Choice {
        text: format!("only {machine}"),
        href: asked.with(|filter| filter.machine = None),
        chosen: true,
    });
    let day = asked.filter.day.map(|day| Choice {
        text: format!("only {day}"),
        href: asked.with(|filter| filter.day = None),
        chosen: true,
    });
    machine.into_iter().chain(day).collect()
}
