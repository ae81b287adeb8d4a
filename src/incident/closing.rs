//! The job of a resolved alert that stops no capture: it lets receivers that keep an incident open, such as PagerDuty, close
//! it once its captures ended, too.

use super::{Action, IncidentId, Job, Phase, Report, Status};
use crate::alert::{Alert, Target};

impl Job {
    /// A job that only closes an incident.
    pub fn closing(alert: &Alert, target: Target, incident: IncidentId) -> Self {
        let mut job = Self::new(Action::Stop, target, alert);
        job.incident = Some(incident);
        job.report = Report {
            status: Status::Ignored,
            message: format!("The alert on {} is resolved", job.target.id.short_name()),
            ended_at: Some(job.taken_at),
            finished: true,
            ..Report::default()
        };
        job.phase = Phase::Notifying;
        job
    }
}
