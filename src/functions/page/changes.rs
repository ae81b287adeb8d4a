//! What changed around an alert, as a part of a page: the curve of the metric, the changes, what effective rules say of
//! endpoints that did not answer, and what could not be read. The incident's page and the report of the first look have it.

use super::{
    Stamp,
    change_row::{Row, row},
    curve::Moments,
    metric::{CurveView, curve},
};
use crate::{
    changes::{ControlPlane, RuleNote},
    incident::{Action, JobId, record::Entry},
    notify::Portal,
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
        // An incident that was not asked about again is as complete as it gets.
        self.complete |= gathered.complete;
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
