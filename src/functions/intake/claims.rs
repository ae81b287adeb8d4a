//! An alert's jobs while they are claimed and put into the queue: of several deliveries of one alert, at any instances, one
//! gets the claim.

use crate::{
    incident::{
        Action, Job,
        machine::{Admission, Verdict},
    },
    queue::Payload,
    record::{Claim, Incidents},
};
use std::sync::Arc;

/// An alert's jobs while they are claimed and put into the queue.
pub(super) struct Claims {
    pub claimed: Vec<Claimed>,
}

/// One of them.
pub(super) struct Claimed {
    pub job: Arc<Job>,
    /// What this process says of the claim and, once it has answered, the store.
    pub verdict: Verdict,
    claim: Option<Claim>,
    pub is_put: bool,
}

impl Claims {
    pub(super) fn of(incidents: &Incidents, jobs: Vec<Job>) -> Self {
        let claim = |mut job: Job| {
            let claim = incidents.claim(&job.target.id, Admission::of(&job));
            let verdict = claim.verdict.clone();
            if let Verdict::New {
                incident,
                superseded,
                accepted_at,
                ..
            } = &verdict
            {
                if job.action == Action::Capture || job.incident.is_none() {
                    job.incident.clone_from(incident);
                }
                job.superseded = *superseded;
                job.taken_at = *accepted_at;
            }
            Claimed {
                job: Arc::new(job),
                verdict,
                claim: Some(claim),
                is_put: false,
            }
        };
        Self {
            claimed: jobs.into_iter().map(claim).collect(),
        }
    }

    /// Whether another delivery of the alert is being put into the queue by this process.
    pub(super) fn is_being_put(&self) -> bool {
        let pending = |it: &Claimed| matches!(it.verdict, Verdict::Pending(_));
        self.claimed.iter().any(pending)
    }

    /// The jobs that nothing known here stands against.
    pub(super) fn accepted_here(&self) -> Vec<Arc<Job>> {
        let new = |it: &&Claimed| matches!(it.verdict, Verdict::New { .. });
        let new = self.claimed.iter().filter(new);
        new.map(|it| it.job.clone()).collect()
    }

    /// The jobs that are put into the queue: those that nothing known here stands against.
    pub(super) fn put(&mut self) -> Vec<Payload> {
        let claimed = self.claimed.iter_mut();
        let new = claimed.filter(|it| matches!(it.verdict, Verdict::New { .. }));
        new.map(|it| {
            it.is_put = true;
            it.job.clone().into()
        })
        .collect()
    }

    /// Waits for what the store says.
    pub(super) async fn confirm(&mut self) {
        for it in &mut self.claimed {
            let Some(claim) = it.claim.take() else {
                continue;
            };
            it.verdict = claim.confirmed().await;
            if let Verdict::New { incident, .. } = &it.verdict
                && it.job.incident != *incident
                && (it.job.action == Action::Capture || it.job.incident.is_none())
            {
                Arc::make_mut(&mut it.job).incident.clone_from(incident);
            }
        }
    }
}
