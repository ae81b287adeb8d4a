//! What a resolved alert ends: jobs that have no capture yet, and the incident that its firing belongs to.

use super::Intake;
use crate::{
    alert::{Alert, Target},
    incident::{
        Action, CopyId, IncidentId, Job,
        machine::{Admission, Verdict},
    },
};
use std::sync::Arc;

impl Intake {
    /// The jobs of a resolved alert that have no capture yet end without one, and its incidents say that it is resolved.
    pub(super) fn resolve(&self, alert: &Alert) {
        for target in &alert.targets {
            let fired = crate::incident::job_id(alert, Action::Capture, &target.id);
            let rule = alert.facts.rule.as_deref();
            self.incidents.resolve(&target.id, fired, rule);
        }
    }

    /// The incident of the firing of a resolved alert.
    pub(super) fn fired(&self, alert: &Alert, target: &Target) -> Option<IncidentId> {
        let fired = crate::incident::job_id(alert, Action::Capture, &target.id);
        self.incidents.incident_of(&target.id, fired.as_ref())
    }

    /// Puts a job into the queue for each incident that a resolved alert may close. The alert is answered in any case: what
    /// fails is logged, and the receiver keeps its incident open.
    pub(super) async fn close(&self, alert: &Alert) {
        let Ok((targets, _)) = self.policy.allowed.among(alert) else {
            return;
        };
        for target in targets.into_iter().take(self.policy.max_targets) {
            let Some(incident) = self.fired(alert, &target) else {
                continue;
            };
            let profile = self.policy.choose(alert, &target).chosen;
            let mut job = Job::closing(alert, target, incident);
            job.profile = profile;
            job.copy = CopyId::new(rand::random());
            let job = Arc::new(job);
            let claim = self.incidents.claim(&job.target.id, Admission::of(&job));
            if !matches!(claim.verdict, Verdict::New { .. }) {
                continue;
            }
            let put = self.queue.put(vec![job.clone().into()]);
            let (put, verdict) = futures_util::future::join(put, claim.confirmed()).await;
            if let Err(error) = &put {
                tracing::warn!(
                    resource.id = %job.target.id,
                    "could not queue the end of an incident: {error}; receivers keep it open"
                );
            }
            self.incidents.claimed(&job, put.is_ok(), &verdict);
        }
    }
}
