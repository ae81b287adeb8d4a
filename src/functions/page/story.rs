//! One incident as a page: what fired and why, the picture of its time, captures, failures with what to do, notifications.

use super::{
    Link, Stamp,
    changes::{ChangesView, Gathered},
    file_look::FileLookView,
    html,
    timeline::{Drawing, Shape, draw, milestones},
    words,
};
use crate::{
    advice,
    functions::incidents::Found,
    incident::{
        Action, Event, JobId, Status,
        drill::Drill,
        record::{Entry, Incident, State, Step, What},
    },
    notify::{HowToOpen, Portal, condition_in_words, how_to_open},
};
use askama::Template;
use axum::response::Response;
use std::collections::{BTreeSet, HashMap};

#[derive(Template)]
#[template(path = "incident.html", config = "src/functions/askama.toml")]
struct StoryPage<'a> {
    incident: &'a Incident,
    outcome: &'a str,
    /// What a drill came to.
    drill: Option<String>,
    state: &'static str,
    class: &'static str,
    hint: &'static str,
    machine: Link,
    opened: Stamp,
    day: String,
    /// `2 alerts`, `1 capture`, `3.4 MiB`.
    figures: String,
    wide: Drawing,
    narrow: Drawing,
    /// The picture in words.
    spoken: String,
    /// What changed around each alert.
    changes: Vec<ChangesView<'a>>,
    first: Option<AlertView<'a>>,
    joined: Vec<AlertView<'a>>,
    captures: Vec<CaptureView<'a>>,
    failures: Vec<FailureView<'a>>,
    notifications: Vec<StepView<'a>>,
    steps: Vec<StepView<'a>>,
    /// The job by whose id the page was asked for.
    asked: Option<JobId>,
    /// The relative address of the list.
    up: &'static str,
    /// Seconds until the page reloads itself.
    reload: Option<u32>,
}

struct AlertView<'a> {
    entry: &'a Entry,
    rule: &'a str,
    conditions: Vec<String>,
    severity: &'a str,
    accepted: Stamp,
    resolved: Option<Stamp>,
}

struct CaptureView<'a> {
    entry: &'a Entry,
    name: &'a str,
    watcher: Option<Link>,
    began: Option<Stamp>,
    ended: Option<Stamp>,
    took: Option<String>,
    size: Option<String>,
    file: Option<Link>,
    how: Option<HowToOpen>,
    look: Option<FileLookView<'a>>,
}

struct FailureView<'a> {
    entry: &'a Entry,
    code: Option<&'a str>,
    advice: Option<String>,
}

struct StepView<'a> {
    step: &'a Step,
    at: Stamp,
    name: String,
    bad: bool,
}

/// The page of one incident. `asked`: the job by whose id it was asked for.
pub(in crate::functions) fn story(
    found: &Found,
    reports: &HashMap<JobId, String>,
    gathered: &Gathered,
    asked: Option<JobId>,
    path: &str,
    portal: &Portal,
) -> Response {
    let (incident, summary) = (&found.incident, &found.summary);
    let below = super::below_incident(path, &incident.id);
    let captures: Vec<CaptureView<'_>> = incident
        .entries
        .iter()
        .filter_map(|entry| {
            let report = reports.get(&entry.job_id).map(String::as_str);
            let look = FileLookView::of(entry, &below, report);
            capture(entry, look, portal)
        })
        .collect();
    let mut alerts = incident
        .entries
        .iter()
        .filter(|entry| entry.action == Action::Capture)
        .map(alert);
    let marks = milestones(incident);
    let steps = || incident.steps.iter();
    let notified = |step: &&Step| matches!(step.what, What::Notified(_) | What::NotNotified(_));
    let spoken = marks.iter().map(|mark| {
        let at = words::day_and_time(mark.at);
        format!("{} {at} UTC", mark.kind.label())
    });
    html(&StoryPage {
        incident,
        outcome: &summary.outcome,
        drill: incident
            .entries
            .first()
            .filter(|_| incident.is_drill())
            .map(|entry| Drill::of(entry, &incident.steps).sentence()),
        state: words::state(summary.state),
        class: words::state_name(summary.state),
        hint: words::state_hint(summary.state),
        machine: Link::of_resource(portal, &incident.machine),
        opened: Stamp::of(incident.opened_at),
        day: words::day_and_time(incident.opened_at)
            .chars()
            .take(10)
            .collect(),
        figures: figures(summary.alerts, captures.len(), summary.file_bytes),
        wide: draw(&marks, Shape::Wide),
        narrow: draw(&marks, Shape::Narrow),
        spoken: spoken.collect::<Vec<_>>().join(", "),
        changes: changes(incident, gathered, &below, portal),
        first: alerts.next(),
        joined: alerts.collect(),
        captures,
        failures: incident.entries.iter().filter_map(failure).collect(),
        notifications: steps().filter(notified).map(step).collect(),
        steps: steps().map(step).collect(),
        asked,
        up: super::up(path),
        reload: (summary.state == State::InProgress).then_some(5),
    })
}

/// What changed around the alerts that this is known of; titled with their rules if there are several.
fn changes<'a>(
    incident: &'a Incident,
    gathered: &'a Gathered,
    below: &str,
    portal: &Portal,
) -> Vec<ChangesView<'a>> {
    let of = |entry| Some((entry, ChangesView::of(entry, gathered, below, portal)?));
    let views: Vec<(&Entry, ChangesView<'_>)> = incident.entries.iter().filter_map(of).collect();
    let several = views.len() > 1;
    let titled = |(entry, view): (&'a Entry, ChangesView<'a>)| match several {
        true => view.titled(entry),
        false => view,
    };
    views.into_iter().map(titled).collect()
}

fn figures(alerts: u32, captures: usize, file_bytes: Option<u64>) -> String {
    let captures = u64::try_from(captures).unwrap_or(u64::MAX);
    let mut figures = vec![
        words::count(alerts.into(), "alert"),
        words::count(captures, "capture"),
    ];
    figures.extend(file_bytes.map(words::size));
    figures.join(" · ")
}

fn alert(entry: &Entry) -> AlertView<'_> {
    let facts = entry.alert.read();
    AlertView {
        entry,
        rule: entry.alert.rule().unwrap_or("a rule without a name"),
        conditions: facts
            .conditions
            .iter()
            .filter_map(condition_in_words)
            .collect(),
        severity: entry.alert.severity().unwrap_or("-"),
        accepted: Stamp::of(entry.accepted_at),
        resolved: entry.resolved_at.map(Stamp::of),
    }
}

/// A capture that this entry's job made; one that joined it is the same capture.
fn capture<'a>(
    entry: &'a Entry,
    look: Option<FileLookView<'a>>,
    portal: &Portal,
) -> Option<CaptureView<'a>> {
    let report = &entry.report;
    let name = report.name.as_deref()?;
    if report.joined || entry.action != Action::Capture {
        return None;
    }
    let event = Event::of_end(entry.action, report.status).filter(|_| report.finished);
    let took = report.began_at.zip(report.ended_at).map(|(from, to)| {
        // Both are times of Azure's clock, and a difference always fits.
        #[allow(clippy::arithmetic_side_effects)]
        let took = to - from;
        words::duration(took)
    });
    Some(CaptureView {
        entry,
        name,
        watcher: report
            .network_watcher
            .as_ref()
            .map(|id| Link::of_resource(portal, id)),
        began: report.began_at.map(Stamp::of),
        ended: report.ended_at.map(Stamp::of),
        took,
        size: entry.file_bytes.map(words::size),
        file: report.storage_path.as_deref().map(|url| Link {
            text: url.rsplit('/').next().unwrap_or(url).to_owned(),
            title: url.to_owned(),
            href: portal.file(url).map(String::from),
        }),
        how: how_to_open(event.unwrap_or(Event::Created), report),
        look,
    })
}

/// What Azure said, and what can be done about it.
fn failure(entry: &Entry) -> Option<FailureView<'_>> {
    let report = &entry.report;
    let failed = report.status == Status::Failed;
    (failed || !report.errors.is_empty()).then(|| FailureView {
        entry,
        code: report.reason.as_deref().filter(|_| failed),
        advice: report
            .reason
            .as_deref()
            .filter(|_| failed)
            .and_then(advice::for_code),
    })
}

fn step(step: &Step) -> StepView<'_> {
    StepView {
        step,
        at: Stamp::of(step.at),
        name: words::step(step.what),
        bad: matches!(
            step.what,
            What::Failed | What::NotNotified(_) | What::HeldBack | What::NotWrittenBack
        ),
    }
}

impl StoryPage<'_> {
    /// Every resource that the page names, for the element with the full ids.
    fn resources(&self) -> BTreeSet<String> {
        let watchers = self.captures.iter().filter_map(|it| it.watcher.as_ref());
        std::iter::once(&self.machine)
            .chain(watchers)
            .map(|link| link.title.clone())
            .collect()
    }
}
