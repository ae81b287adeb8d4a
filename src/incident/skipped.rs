//! The one notification of the targets of an alert beyond `PacketCapture__MaxTargets`: it names the machines that
//! are not captured.

use super::{Action, Job, JobId, LeftOut, Phase, Reason, Report, Status};
use crate::alert::Alert;

/// Maximum number of machines that the sentence names.
const MAX_NAMES: usize = 20;

impl Job {
    /// A job that only delivers this notification; `None` when no target is beyond the maximum.
    pub fn skipped(alert: &Alert, left_out: &[LeftOut], max_targets: usize) -> Option<Self> {
        let beyond: Vec<&LeftOut> = left_out
            .iter()
            .filter(|left| left.reason == Reason::MaxTargetsReached)
            .collect();
        let first = beyond.first()?;
        let names: Vec<String> = beyond
            .iter()
            .take(MAX_NAMES)
            .map(|left| left.target.id.short_name())
            .collect();
        let more = match beyond.len().saturating_sub(names.len()) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let mut job = Self::new(Action::Capture, first.target.clone(), alert);
        if let Some(key) = &alert.dedupe_key {
            let key = format!("beyond the maximum|{key}");
            job.job_id = JobId::of(Action::Capture, &key, &job.target.id);
        }
        job.report = Report {
            status: Status::Skipped,
            reason: Some(Reason::MaxTargetsReached.as_str().to_owned()),
            message: format!(
                "{} machines of the alert are not captured, since it names more than PacketCapture__MaxTargets \
                 ({max_targets}): {}{more}",
                beyond.len(),
                names.join(", "),
            ),
            ended_at: Some(job.taken_at),
            finished: true,
            ..Report::default()
        };
        job.phase = Phase::Notifying;
        Some(job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert;

    #[test]
    fn the_sentence_names_the_machines() {
        let ids: Vec<String> = (1..=25)
            .map(|n| format!("/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/m{n}"))
            .collect();
        let body = serde_json::json!({
            "schemaId": "azureMonitorCommonAlertSchema",
            "data": { "essentials": { "monitorCondition": "Fired", "alertTargetIDs": ids }, "alertContext": {} }
        });
        let alert = alert::read(body.to_string().as_bytes()).unwrap();
        let left_out = |reason, some: usize| -> Vec<LeftOut> {
            let targets = alert.targets.iter().take(some).cloned();
            targets.map(LeftOut::because(reason)).collect()
        };
        let message =
            |left_out: &[LeftOut]| Job::skipped(&alert, left_out, 2).map(|job| job.report.message);
        assert_eq!(message(&left_out(Reason::Cooldown, 3)), None);
        assert!(
            message(&left_out(Reason::MaxTargetsReached, 2))
                .unwrap()
                .ends_with("(2): m1, m2")
        );
        let long = message(&left_out(Reason::MaxTargetsReached, 25)).unwrap();
        assert!(
            long.starts_with("25 machines") && long.ends_with("m20 and 5 more"),
            "{long}"
        );
    }
}
