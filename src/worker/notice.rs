//! What people are told of a job, from the job's own report.

use crate::{
    incident::{Job, Status},
    notify::{AlertFacts, CaptureFacts, Condition, Event, Failure, Notice},
};
use time::OffsetDateTime;

/// The notice of an event of this job.
pub(super) fn of(job: &Job, event: Event, at: OffsetDateTime) -> Notice {
    let (report, alert) = (&job.report, &job.alert);
    let conditions = alert.conditions.iter().map(|condition| Condition {
        metric: condition.metric.clone(),
        operator: condition.operator.clone(),
        threshold: condition.threshold.clone(),
        value: condition.value.clone(),
    });
    Notice {
        notice_id: format!("{}-{}", job.job_id, event.as_str()),
        event,
        at,
        message: report.message.clone(),
        job_id: job.job_id.to_string(),
        alert: AlertFacts {
            rule: alert.rule.clone(),
            severity: alert.severity.clone(),
            signal: alert.signal.clone(),
            fired_at: alert.fired_at.clone(),
            conditions: conditions.collect(),
        },
        target: job.target.id.to_string(),
        capture: CaptureFacts {
            name: report.name.clone(),
            network_watcher: report.network_watcher.as_ref().map(ToString::to_string),
            began_at: report.began_at,
            ended_at: report.ended_at.filter(|_| report.name.is_some()),
            time_limit_seconds: report.time_limit_seconds,
            stop_reason: report.stop_reason.clone(),
            errors: report.errors.clone(),
            storage_path: report.storage_path.clone(),
            file_path: report.file_path.clone(),
        },
        failure: (report.status == Status::Failed).then(|| Failure {
            code: report.reason.clone().unwrap_or_default(),
            request_id: report.request_id.clone(),
        }),
        joined: report.joined,
    }
}
