//! Alerts that a cool-down or a budget holds back: they join the incident of their machine, and operators are notified of
//! them once an hour.

use super::Intake;
use crate::{
    alert::Alert,
    incident::{
        Action, CopyId, IncidentId, Job, JobId, LeftOut, Reason,
        budget::{Hour, Spent},
        machine::{Admission, Verdict},
    },
    queue::Payload,
};
use std::{collections::HashSet, time::Duration};

/// An alert's jobs that the budget of the hour has room for.
pub(super) struct Budgeted {
    pub jobs: Vec<Job>,
    /// Those that were taken from it now, and not by an earlier delivery of the alert.
    pub taken: HashSet<JobId>,
}

impl Intake {
    /// The jobs that the budget of the hour has room for.
    pub(super) async fn within_budget(
        &self,
        jobs: Vec<Job>,
        left_out: &mut Vec<LeftOut>,
    ) -> Budgeted {
        let (mut granted, mut taken) = (Vec::with_capacity(jobs.len()), HashSet::new());
        for mut job in jobs {
            job.copy = CopyId::new(rand::random());
            let captures = Admission::of(&job).captures;
            let spent = match captures {
                true => self.incidents.take_from_budget(job.job_id).await,
                false => Spent::Again,
            };
            if spent == Spent::Granted {
                taken.insert(job.job_id);
            }
            if spent == Spent::Refused {
                let admission = Admission::of(&job);
                let held = self
                    .incidents
                    .hold_back_all(&job.target.id, admission)
                    .await;
                if let Verdict::OverBudget { incident, .. } = held {
                    self.hold_back(&job, &incident, Reason::BudgetExhausted);
                    left_out.push(LeftOut {
                        incident: Some(incident),
                        ..LeftOut::because(Reason::BudgetExhausted)(job.target)
                    });
                }
                continue;
            }
            granted.push(job);
        }
        Budgeted {
            jobs: granted,
            taken,
        }
    }

    /// Notifies operators once an hour of what the budgets held back. Never ends.
    pub async fn notify_held_back(&self, interval: Duration) {
        let mut checked = None;
        loop {
            let now = self.incidents.now();
            let hour = Hour::of(now);
            if checked.replace(hour) != Some(hour)
                && let Some(held_back) = self.incidents.held_back_before(now).await
            {
                tracing::warn!("{}", held_back.sentence());
                let jobs = held_back.job().map(Payload::from);
                if let Err(error) = self.queue.put(jobs.into_iter().collect()).await {
                    tracing::error!("notification not delivered; giving up: {error}");
                }
            }
            tokio::time::sleep(interval).await;
        }
    }

    fn hold_back(&self, job: &Job, incident: &IncidentId, reason: Reason) {
        self.metrics.held_back(reason.as_str());
        let machine = &job.target.id;
        let alert = job.alert.clone();
        self.incidents
            .hold_back(incident, machine, job.job_id, alert, reason);
    }

    /// Alerts that are held back join the incident of their machine.
    pub(super) fn held_back(&self, alert: &Alert, left_out: Vec<LeftOut>) -> Vec<LeftOut> {
        let mut left_out = left_out;
        for left in &mut left_out {
            if !matches!(left.reason, Reason::Cooldown | Reason::BudgetExhausted)
                || left.incident.is_some()
            {
                continue;
            }
            left.incident = self.incidents.open_incident(&left.target.id);
            if let Some(incident) = &left.incident {
                let job = Job::new(Action::Capture, left.target.clone(), alert);
                self.hold_back(&job, incident, left.reason);
            }
        }
        left_out
    }
}
