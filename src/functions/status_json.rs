//! Incidents and jobs as JSON for programs. A list is as Resource Manager writes lists: `value` and `nextLink`.

use super::{incidents::Found, page::Gathered};
use crate::{
    changes::{ChangesNote, ControlPlane},
    incident::{
        Action, ChosenProfile, FileLook, JobId, JobRecord, Report, Status,
        record::{Entry, IncidentId, Step, Summary},
    },
    resource_id::ResourceId,
};
use serde::Serialize;
use time::OffsetDateTime;

/// A page of incidents.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IncidentList<'a> {
    pub value: &'a [Summary],
    pub next_link: Option<String>,
    /// Jobs in the poison queue; null when it could not be read.
    pub poisoned: Option<usize>,
    /// What the budgets held back; null when nothing was.
    pub held_back: Option<&'a str>,
}

/// An incident with all that is known of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Whole<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    entries: &'a [Entry],
    entries_left_out: u32,
    steps: &'a [Step],
    steps_left_out: u32,
    /// What changed around each alert, where it was gathered.
    changes: Vec<ChangesWire<'a>>,
}

/// What changed around the alert of one job.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChangesWire<'a> {
    job_id: JobId,
    #[serde(flatten)]
    gathered: &'a ControlPlane,
    /// What the effective rules say of endpoints that did not answer.
    silent_endpoints: Vec<SilentWire>,
}

#[derive(Serialize)]
struct SilentWire {
    message: String,
    /// Null: the rules do not decide about it.
    denied: Option<bool>,
}

impl<'a> ChangesWire<'a> {
    fn of(entry: &Entry, gathered: &'a Gathered) -> Option<Self> {
        let gathered = gathered.get(&entry.job_id)?.as_ref().ok()?;
        let look = entry.report.look.as_ref();
        let silent = look.into_iter().flat_map(|look| look.silent());
        let silent = gathered.rules_about(silent).into_iter();
        let silent = silent.map(|note| SilentWire {
            message: note.sentence,
            denied: note.denied,
        });
        Some(Self {
            job_id: entry.job_id,
            gathered,
            silent_endpoints: silent.collect(),
        })
    }
}

impl<'a> Whole<'a> {
    pub fn of(found: &'a Found, gathered: &'a Gathered) -> Self {
        let incident = &found.incident;
        Self {
            summary: &found.summary,
            entries: &incident.entries,
            entries_left_out: incident.entries_left_out,
            steps: &incident.steps,
            steps_left_out: incident.steps_left_out,
            changes: {
                let entries = incident.entries.iter();
                entries
                    .filter_map(|entry| ChangesWire::of(entry, gathered))
                    .collect()
            },
        }
    }
}

/// A job of an incident.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobWire<'a> {
    job_id: JobId,
    incident_id: Option<&'a IncidentId>,
    target: &'a ResourceId,
    rule: Option<&'a str>,
    action: Action,
    phase: &'a str,
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
    look: Option<&'a FileLook>,
    changes: Option<&'a ChangesNote>,
    failures: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<&'a ChosenProfile>,
}

impl<'a> JobWire<'a> {
    /// A job of an incident; `None` when the incident does not have it.
    pub fn of(found: &'a Found, job: &JobId) -> Option<Self> {
        let incident = &found.incident;
        let entry = incident.entries.iter().find(|it| it.job_id == *job)?;
        let report: &Report = &entry.report;
        Some(Self {
            job_id: entry.job_id,
            incident_id: Some(&incident.id),
            target: &incident.machine,
            rule: entry.alert.rule(),
            action: entry.action,
            phase: &entry.phase,
            status: report.status,
            reason: report.reason.as_deref(),
            message: &report.message,
            name: report.name.as_deref(),
            network_watcher: report.network_watcher.as_ref(),
            storage_path: report.storage_path.as_deref(),
            taken_at: entry.accepted_at,
            updated_at: entry.updated_at,
            began_at: report.began_at,
            ended_at: report.ended_at,
            stop_reason: report.stop_reason.as_deref(),
            errors: &report.errors,
            joined: report.joined,
            look: report.look.as_deref(),
            changes: report.changes.as_deref(),
            failures: entry.failures,
            profile: entry.profile.as_deref(),
        })
    }
}

/// A job of this process.
impl<'a> From<&'a JobRecord> for JobWire<'a> {
    fn from(job: &'a JobRecord) -> Self {
        let report = &job.report;
        Self {
            job_id: job.job_id,
            incident_id: job.incident.as_ref(),
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
            look: report.look.as_deref(),
            changes: report.changes.as_deref(),
            failures: job.failures,
            profile: job.profile.as_deref(),
        }
    }
}
