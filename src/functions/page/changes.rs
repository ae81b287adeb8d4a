//! What changed around an alert, as a part of a page: the curve of the metric, the changes, what effective rules say of
//! endpoints that did not answer, and what could not be read. The incident's page and the report of the first look have it.

use super::{
    Link, Stamp,
    curve::{Curve, Moments, draw, span},
    timeline::Shape,
    words,
};
use crate::{
    changes::{Change, ControlPlane, MetricSeries, RuleNote, Verb, relative},
    incident::{Action, JobId, record::Entry},
    notify::Portal,
    resource_id::ResourceId,
};
use askama::Template;
use std::collections::HashMap;

/// What was stored of the changes around each alert, or why it cannot be read.
pub(in crate::functions) type Gathered = HashMap<JobId, Result<ControlPlane, String>>;

/// What changed around one alert.
#[derive(Template)]
#[template(path = "changes.html", config = "src/functions/askama.toml")]
pub(super) struct ChangesView<'a> {
    /// The alert's rule, where the page has several of these.
    rule: Option<&'a str>,
    /// The lines of the notification, where nothing else is there.
    lines: Vec<&'a str>,
    problem: Option<&'a str>,
    curves: Vec<CurveView>,
    rows: Vec<Row<'a>>,
    left_out: u32,
    /// What the machine's resources are, and since when they were asked about.
    nothing: Option<String>,
    rules: Vec<RuleNote>,
    health: Option<String>,
    missing: Vec<String>,
    asked: Option<Stamp>,
    complete: bool,
    /// The address of the same data as JSON.
    json: Option<String>,
}

struct CurveView {
    /// In the ids of the page's elements.
    key: String,
    title: String,
    words: String,
    spoken: String,
    wide: Curve,
    narrow: Curve,
    capture: bool,
    /// The alert's own, which stands first.
    first: bool,
}

struct Row<'a> {
    at: Stamp,
    when: String,
    noun: &'static str,
    resource: Link,
    what: String,
    failed: bool,
    by: Option<&'a str>,
    values: Vec<Value<'a>>,
    values_left_out: u32,
}

struct Value<'a> {
    path: &'a str,
    /// Without the `properties` that stand in every path.
    short: String,
    old: &'a str,
    new: &'a str,
}

impl<'a> ChangesView<'a> {
    /// `None`: nothing is known of the alert of this entry. `below`: the relative address of the incident.
    pub fn of(
        entry: &'a Entry,
        gathered: &'a Gathered,
        below: &str,
        portal: &Portal,
    ) -> Option<Self> {
        let note = entry.report.changes.as_ref();
        let found = gathered.get(&entry.job_id);
        if entry.action != Action::Capture || (note.is_none() && found.is_none()) {
            return None;
        }
        let mut view = Self {
            rule: None,
            lines: Vec::new(),
            problem: None,
            curves: Vec::new(),
            rows: Vec::new(),
            left_out: 0,
            nothing: None,
            rules: Vec::new(),
            health: None,
            missing: Vec::new(),
            asked: None,
            complete: note.is_some_and(|note| note.complete),
            json: None,
        };
        match found {
            Some(Ok(gathered)) => {
                view.fill(entry, gathered, portal);
                view.json = Some(format!("{below}looks/{}.changes.json", entry.job_id));
            }
            found => {
                let lines = note.map(|note| note.lines.iter());
                view.lines = lines.into_iter().flatten().map(|line| &**line).collect();
                view.problem = found.and_then(|found| found.as_ref().err().map(|it| &**it));
            }
        }
        Some(view)
    }

    /// With the alert's rule as its title.
    pub fn titled(mut self, entry: &'a Entry) -> Self {
        self.rule = Some(entry.alert.rule().unwrap_or("a rule without a name"));
        self
    }

    fn fill(&mut self, entry: &'a Entry, gathered: &'a ControlPlane, portal: &Portal) {
        let report = &entry.report;
        let moments = Moments {
            alert: gathered.alert_at,
            capture: report.began_at.map(|began| {
                let ended = report.ended_at.unwrap_or(gathered.asked_at);
                (began, ended.max(began))
            }),
        };
        let numbered = gathered.metrics.iter().enumerate();
        self.curves = numbered
            .map(|(number, series)| {
                let key = format!("{}-{number}", entry.job_id);
                curve(key, number == 0, series, gathered, &moments)
            })
            .collect();
        let row = |change| row(change, gathered, portal);
        self.rows = gathered.changes.iter().map(row).collect();
        self.left_out = gathered.changes_left_out;
        if gathered.changes.is_empty() {
            self.nothing = gathered.told().into_iter().next();
        }
        let look = report.look.as_ref();
        let silent = look.into_iter().flat_map(|look| look.silent());
        self.rules = gathered.rules_about(silent);
        self.health = gathered.health.as_ref().and_then(health);
        self.missing = gathered.missing.iter().map(|it| it.sentence()).collect();
        self.asked = Some(Stamp::of(gathered.asked_at));
        self.complete = gathered.complete;
    }

    /// As a part of a page that has [`STYLE`].
    pub fn html(&self) -> String {
        // Writing into a text does not fail.
        self.render().unwrap_or_default()
    }
}

/// The style of these parts; all its rules are below `.changed`.
pub(super) const STYLE: &str = include_str!("../pages/changed.css");

/// The stored report of an entry's file with what changed around its alert in front.
pub(in crate::functions) fn with_changes(
    report: String,
    entry: &Entry,
    gathered: &Gathered,
    portal: &Portal,
) -> String {
    let Some(mut view) = ChangesView::of(entry, gathered, "", portal) else {
        return report;
    };
    // The report is beside it.
    view.json = Some(format!("{}.changes.json", entry.job_id));
    match report.rsplit_once("</main>") {
        Some((before, after)) => format!(
            "{before}<style>{STYLE}</style><h2>What changed</h2>{}</main>{after}",
            view.html()
        ),
        None => report,
    }
}

fn curve(
    key: String,
    first: bool,
    series: &MetricSeries,
    gathered: &ControlPlane,
    moments: &Moments,
) -> CurveView {
    let value = |value: f64| words::metric(value, series.unit.as_deref());
    let values = || series.points().map(|(_, value)| value);
    let (begin, end) = span(series, moments);
    let words = match values().next() {
        None => "Azure has no value of this metric in this time.".to_owned(),
        Some(_) => {
            let (least, most) = (
                values().fold(f64::INFINITY, f64::min),
                values().fold(f64::NEG_INFINITY, f64::max),
            );
            let minute = time::Duration::MINUTE;
            let mut points = series.points();
            let at_alert = points
                .find(|(at, _)| *at <= moments.alert && moments.alert < at.saturating_add(minute));
            let at_alert = at_alert.map_or(String::new(), |(_, it)| {
                format!("; {} in the minute of the alert", value(it))
            });
            format!("From {} to {}{at_alert}.", value(least), value(most))
        }
    };
    let wide = draw(series, gathered, moments, Shape::Wide);
    let capture = moments.capture.map_or(String::new(), |(from, to)| {
        format!(
            " Packets were captured from {} to {}.",
            words::time_of_day(from),
            words::time_of_day(to)
        )
    });
    let marked = words::count(
        u64::try_from(wide.marks.len()).unwrap_or(u64::MAX),
        "change",
    );
    let spoken = format!(
        "From {} to {} UTC. {words} The alert fired at {}.{capture} {marked} marked.",
        words::time_of_day(begin),
        words::time_of_day(end),
        words::time_of_day(moments.alert),
    );
    CurveView {
        key,
        title: format!(
            "{}, {} a minute",
            series.name,
            series.aggregation.to_lowercase()
        ),
        words,
        spoken,
        wide,
        narrow: draw(series, gathered, moments, Shape::Narrow),
        capture: moments.capture.is_some(),
        first,
    }
}

fn row<'a>(change: &'a Change, gathered: &ControlPlane, portal: &Portal) -> Row<'a> {
    let resource = match change.resource.parse::<ResourceId>() {
        Ok(id) => Link {
            text: change.name().to_owned(),
            ..Link::of_resource(portal, &id)
        },
        Err(_) => Link {
            text: change.name().to_owned(),
            title: change.resource.to_string(),
            href: None,
        },
    };
    let verb = change.verb.as_str();
    let done = match (change.verb, &change.failed) {
        (Verb::Acted, None) => "action".to_owned(),
        (Verb::Acted, Some(code)) => format!("action failed ({code})"),
        (_, None) => verb.to_owned(),
        (_, Some(code)) => format!("could not be {verb} ({code})"),
    };
    let values = change.values.iter().map(|value| Value {
        path: &value.path,
        short: value.path.replace("properties.", ""),
        old: value.old.as_deref().unwrap_or("nothing"),
        new: value.new.as_deref().unwrap_or("nothing"),
    });
    Row {
        at: Stamp::of(change.at),
        when: relative(change.at, gathered.alert_at),
        noun: change.kind.noun(),
        resource,
        what: match &change.what {
            Some(what) => format!("{done}: {what}"),
            None => done,
        },
        failed: change.failed.is_some(),
        by: change.by.as_deref(),
        values: values.collect(),
        values_left_out: change.values_left_out,
    }
}

fn health(health: &crate::changes::Health) -> Option<String> {
    let power = health
        .power
        .as_ref()
        .map(|power| format!("Power state: {power}."));
    let state = health.availability.as_ref().map(|state| {
        let more = health
            .summary
            .as_ref()
            .map_or(String::new(), |it| format!(" {it}"));
        format!("Azure reports the machine as {state}.{more}")
    });
    let parts: Vec<String> = power.into_iter().chain(state).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}
