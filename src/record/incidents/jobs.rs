//! What becomes of a job, written into its machine's document and into its incident; and what other instances wrote of it.

use super::Incidents;
use crate::{
    incident::{
        Incident, IncidentId, Job, Machine, Reason,
        machine::Change,
        record::{Addition, Step},
        report::{Report, Status},
    },
    resource_id::ResourceId,
};
use std::{sync::Arc, time::Duration};
use time::OffsetDateTime;

impl Incidents {
    /// Writes down how far a job is.
    pub fn record(&self, job: &Arc<Job>) {
        let machine = &job.target.id;
        let Report {
            status, finished, ..
        } = job.report;
        let (job_id, copy) = (job.job_id, job.copy);
        let outcome = || job.report.message.as_str().into();
        match (finished, status) {
            (true, _) => drop(self.change(
                machine,
                Change::Ended {
                    job_id,
                    copy,
                    status,
                    outcome: outcome(),
                    at: job.report.ended_at.unwrap_or_else(|| self.now()),
                },
            )),
            (false, Status::Created | Status::Joined) => drop(self.change(
                machine,
                // Its sentence says no more than its status.
                Change::Created {
                    job_id,
                    copy,
                    status,
                    outcome: Box::default(),
                },
            )),
            (false, _) => {}
        }
        self.add(job, |incident, now| incident.news_of(job, now));
    }

    /// Waits until other instances can know that the job's capture is created, so that no other copy of the job notifies of
    /// it again.
    pub async fn created(&self, job: &Job) {
        let machine = &job.target.id;
        let name = Machine::blob_name(machine);
        let limit = self.options.answer_within;
        self.machines
            .refresh(&name, machine, Duration::ZERO, limit)
            .await;
    }

    /// Adds to the incident of a job.
    fn add(&self, job: &Job, addition: impl FnOnce(&Incident, OffsetDateTime) -> Addition) {
        let Some(id) = &job.incident else { return };
        let key = (id.clone(), job.target.id.clone());
        let addition = self.addition(&key, addition);
        self.incidents.apply(&id.blob_name(), &key, addition, false);
    }

    fn addition(
        &self,
        (id, machine): &(IncidentId, ResourceId),
        addition: impl FnOnce(&Incident, OffsetDateTime) -> Addition,
    ) -> Addition {
        let now = self.now();
        let mut addition = Some(addition);
        let made = self.incidents.with(&id.blob_name(), |incident| {
            addition.take().map(|addition| addition(incident, now))
        });
        let made = made.flatten().unwrap_or_else(|| {
            let empty = Incident::open(id.clone(), machine.clone());
            let addition = addition.take().map(|addition| addition(&empty, now));
            addition.unwrap_or_else(|| Addition::of_steps(Vec::new()))
        });
        match self.is_shared() {
            true => made,
            false => made.packed(),
        }
    }

    /// The job has opened its incident: its document is new, and its first news are written without a read.
    pub fn open(&self, job: &Arc<Job>) {
        let Some(id) = &job.incident else { return };
        let key = (id.clone(), job.target.id.clone());
        let news = self.addition(&key, |incident, now| incident.news_of(job, now));
        self.incidents.apply(&id.blob_name(), &key, news, true);
    }

    /// Adds a step to the incident of a job.
    pub fn note(&self, job: &Job, step: Step) {
        self.add(job, |_, _| Addition::of_steps(vec![step]));
    }

    /// Writes down that nothing is left to do for a job. `false`: the store did not take it in time, or another copy counts.
    pub async fn finish(&self, job: &Arc<Job>) -> bool {
        let limit = self.options.answer_within;
        if let Some(id) = &job.incident {
            let key = (id.clone(), job.target.id.clone());
            let news = self.addition(&key, |incident, now| incident.news_of(job, now));
            let name = id.blob_name();
            let written = self.incidents.confirm(&name, &key, news, limit).await;
            if !written.by_store {
                return false;
            }
        }
        let change = Change::Done {
            job_id: job.job_id,
            copy: job.copy,
        };
        let machine = &job.target.id;
        let name = Machine::blob_name(machine);
        let written = self.machines.confirm(&name, machine, change, limit).await;
        written.by_store
    }

    /// Whether another copy of a job counts by now, as far as this process knows.
    pub fn is_elsewhere(&self, job: &Job) -> bool {
        let name = Machine::blob_name(&job.target.id);
        let elsewhere = self.machines.with(&name, |machine| {
            let seen = machine.find(&job.job_id);
            seen.is_some_and(|seen| seen.copy != job.copy && seen.next != Some(job.copy))
        });
        elsewhere.unwrap_or_default()
    }

    /// Another copy of this job counts. While the store did not answer, this copy may have opened an incident of its own, in
    /// this process or another: the job's entry there ends, since no instance continues it.
    pub async fn leave(&self, job: &Job) {
        let counts = self
            .machines
            .with(&Machine::blob_name(&job.target.id), |machine| {
                let seen = machine.find(&job.job_id);
                seen.and_then(|seen| seen.incident.clone())
            });
        let (Some(counts), Some(id)) = (counts.flatten(), &job.incident) else {
            return;
        };
        if counts == *id {
            return;
        }
        let (name, key) = (id.blob_name(), (id.clone(), job.target.id.clone()));
        let limit = self.options.answer_within;
        self.incidents
            .refresh(&name, &key, Duration::ZERO, limit)
            .await;
        let open = self.incidents.with(&name, |incident| {
            let entry = incident.entry(&job.job_id);
            entry.is_some_and(|entry| !entry.report.finished)
        });
        if open != Some(true) {
            return;
        }
        let mut left = job.clone();
        left.report.finished = true;
        left.report.status = Status::Ignored;
        left.report.reason = Some(Reason::Duplicate.as_str().to_owned());
        left.report.message =
            format!("Another instance took the same alert: see incident {counts}");
        let left = Arc::new(left);
        self.add(&left, |incident, now| incident.news_of(&left, now));
    }

    /// Whether a job's alert is resolved, as far as this process knows.
    pub fn is_resolved(&self, job: &Job) -> bool {
        let name = Machine::blob_name(&job.target.id);
        let resolved = self.machines.with(&name, |machine| {
            machine.find(&job.job_id).is_some_and(|seen| seen.resolved)
        });
        resolved.unwrap_or_default()
    }

    /// How a job ended, as its incident says.
    pub async fn end_of(&self, job: &Job) -> Option<Report> {
        let id = job.incident.as_ref()?;
        let (name, key) = (id.blob_name(), (id.clone(), job.target.id.clone()));
        let limit = self.options.answer_within;
        let within = Duration::from_secs(60);
        self.incidents.refresh(&name, &key, within, limit).await;
        let report = self.incidents.with(&name, |incident| {
            let entry = incident.entry(&job.job_id)?;
            Some(Report::clone(&entry.report)).filter(|report| report.finished)
        });
        report.flatten()
    }
}
