//! What pages and notifications say of an incident beside its record: its row now, its number of alerts, whether it is
//! closed, the messages that later notifications answer.

use super::Incidents;
use crate::{
    incident::{
        Incident, IncidentContext, IncidentId, Job, JobId, Machine, Summary, Thread,
        budget::Hour,
        record::{Addition, What},
    },
    resource_id::ResourceId,
};
use std::time::Duration;

/// How old what is known here of an incident may be for a notification.
const RECENT: Duration = Duration::from_secs(10);

impl Incidents {
    /// The row of an incident as it is now.
    pub fn summary(&self, incident: &Incident) -> Summary {
        incident.summary(self.now(), self.options.limits.quiet)
    }

    /// The incident of a job, as far as this process knows.
    pub fn here(&self, job: &JobId) -> Option<IncidentId> {
        let mut found = None;
        self.incidents.each(None, |_, incident| {
            found = incident.entry(job).map(|_| incident.id.clone());
            found.is_none()
        });
        found
    }

    /// The incident of an alert's job on a machine, or the one that is open there, as far as this process knows.
    pub fn incident_of(&self, machine: &ResourceId, job: Option<&JobId>) -> Option<IncidentId> {
        let name = Machine::blob_name(machine);
        let known = self.machines.with(&name, |known| {
            job.and_then(|job| known.find(job)?.incident.clone())
        });
        known.flatten().or_else(|| self.open_incident(machine))
    }

    /// What a notification of a job says of its incident.
    pub async fn context(&self, job: &Job) -> Option<IncidentContext> {
        let id = job.incident.as_ref()?;
        let (name, key) = (id.blob_name(), (id.clone(), job.target.id.clone()));
        let limit = self.options.answer_within;
        self.incidents.refresh(&name, &key, RECENT, limit).await;
        let context = self.incidents.with(&name, |incident| IncidentContext {
            id: id.clone(),
            alerts: incident.alerts().max(1),
            closed: incident.is_over(),
            threads: incident.threads.clone(),
        });
        Some(context.unwrap_or_else(|| IncidentContext {
            id: id.clone(),
            alerts: 1,
            closed: false,
            threads: Vec::new(),
        }))
    }

    /// Whether the Azure alert of a job's incident has a comment, as far as this process knows.
    pub fn has_comment(&self, job: &Job) -> bool {
        let Some(id) = &job.incident else {
            return false;
        };
        let has = self.incidents.with(&id.blob_name(), |incident| {
            let mut steps = incident.steps.iter();
            steps.any(|step| step.what == What::WrittenBack)
        });
        has.unwrap_or_default()
    }

    /// Keeps the message of a receiver that later notifications of the job's incident answer.
    pub fn keep_thread(&self, job: &Job, thread: Thread) {
        let Some(id) = &job.incident else { return };
        let key = (id.clone(), job.target.id.clone());
        let addition = Addition::of_thread(thread);
        self.incidents.apply(&id.blob_name(), &key, addition, false);
    }

    /// The alerts and machines that the budgets hold back in this hour or did in the one before; `None`: there were none,
    /// or there are no budgets.
    pub async fn held_back(&self) -> Option<(u64, u64)> {
        if !self.has_budgets() {
            return None;
        }
        let now = self.now();
        let limit = self.options.answer_within;
        let mut held = None;
        for at in [now, now.saturating_sub(time::Duration::HOUR)] {
            let begins_at = Hour::of(at);
            let name = Hour::blob_name(begins_at);
            self.hours
                .refresh(&name, &begins_at, Duration::from_secs(30), limit)
                .await;
            let found = self.hours.with(&name, Hour::counts);
            held = held.or(found.filter(|(alerts, _)| *alerts > 0));
        }
        held
    }
}
