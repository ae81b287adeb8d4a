//! What an alert leads to, as one pure function: from the alert, the owner's policy, what is known of earlier alerts
//! and the time. The function and `handler explain` ask it the same question.

use super::{
    Action, Allowed, ChosenProfile, IncidentId, JobId, Profiles, Reason,
    machine::{First, before},
};
use crate::{
    alert::{self, Alert, IgnoreReason, State, Target},
    resource_id::ResourceId,
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use time::OffsetDateTime;

/// Maximum number of targets in an alert. An answer lists all of them, and no alert of Azure has as many.
pub const MAX_TARGETS_READ: usize = 1_000;

/// What the owner of the function has set.
#[derive(Debug, Clone)]
pub struct Policy {
    pub allowed: Allowed,
    /// How long a machine is left alone after a capture of it was accepted.
    pub cooldown: Duration,
    /// Maximum number of targets captured for one alert.
    pub max_targets: usize,
    /// Maximum number of jobs in the queue.
    pub capacity: usize,
    /// A resolved alert stops the capture that its firing started.
    pub stop_on_resolved: bool,
    /// Nothing is written to Azure.
    pub dry_run: bool,
    /// Which alerts get another capture.
    pub profiles: Arc<Profiles>,
}

impl Policy {
    /// What an alert on this target is captured by: how long the machine is left alone afterwards, and whether a resolved
    /// alert stops the capture.
    pub fn choose(&self, alert: &Alert, target: &Target) -> Choice {
        let (profile, chosen) = self.profiles.choose(alert, target);
        Choice {
            cooldown: profile.map_or(self.cooldown, |it| it.cooldown),
            stop_on_resolved: profile.map_or(self.stop_on_resolved, |it| it.stop_on_resolved),
            chosen,
        }
    }
}

/// What an alert on one target is captured by.
pub struct Choice {
    pub cooldown: Duration,
    pub stop_on_resolved: bool,
    pub chosen: Option<Arc<ChosenProfile>>,
}

/// What is known of earlier alerts when one arrives.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The jobs of earlier deliveries of the same alert, by target.
    pub before: HashMap<ResourceId, JobId>,
    /// When the last capture of each other target was accepted, without captures that failed.
    pub accepted_at: HashMap<ResourceId, OffsetDateTime>,
}

/// What is known of an alert on one machine.
#[derive(Debug, Clone, PartialEq)]
pub enum KnownAlert {
    /// It was accepted before.
    Before(First),
    /// This process is putting it into the queue.
    BeingQueued(First),
    /// Another capture of the machine was accepted then, and the machine is left alone for a time.
    CoolsDown(OffsetDateTime),
}

impl Known {
    /// What is remembered of earlier alerts about the same targets. `of`: what is known of a target and of the job that the
    /// alert has there.
    pub fn of(
        alert: &Alert,
        of: impl Fn(&ResourceId, Option<&JobId>) -> Option<KnownAlert>,
    ) -> Self {
        let mut known = Self::default();
        for target in &alert.targets {
            let job = job_id(alert, action(alert), &target.id);
            match of(&target.id, job.as_ref()) {
                Some(KnownAlert::Before(first) | KnownAlert::BeingQueued(first)) => {
                    known.before.insert(target.id.clone(), first.job_id);
                }
                Some(KnownAlert::CoolsDown(at)) => {
                    known.accepted_at.insert(target.id.clone(), at);
                }
                None => {}
            }
        }
        known
    }
}

/// The action that an alert can lead to.
pub fn action(alert: &Alert) -> Action {
    match alert.state {
        State::Resolved => Action::Stop,
        _ => Action::Capture,
    }
}

/// The id of the job that an alert has on a target; `None`: nothing would recognize another delivery of the alert.
pub fn job_id(alert: &Alert, action: Action, target: &ResourceId) -> Option<JobId> {
    let key = alert.dedupe_key.as_deref()?;
    Some(JobId::of(action, key, target))
}

/// What to do about an alert.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision {
    /// Put a job for each target in the queue.
    Queue(Plan),
    /// Do nothing.
    Ignore(Reason, Vec<LeftOut>),
    /// Do nothing; earlier deliveries have jobs for these targets.
    Repeat(Vec<Target>),
    /// Do nothing, and say what would be done: captures, or none for a reason.
    DryRun(Option<Reason>, Vec<LeftOut>),
    /// Refuse an alert with more targets than this.
    Refuse { targets: usize, limit: usize },
}

/// The jobs that an alert leads to.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    pub action: Action,
    /// A job for each of them.
    pub targets: Vec<Target>,
    pub left_out: Vec<LeftOut>,
}

/// A target of the alert that gets no job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    pub target: Target,
    pub reason: Reason,
    /// The incident that it joined.
    pub incident: Option<IncidentId>,
}

/// Decides by the alert's content, then by what the owner allows, then by what is known.
pub fn decide(alert: &Alert, policy: &Policy, known: &Known, now: OffsetDateTime) -> Decision {
    let (targets, limit) = (alert.targets.len(), policy.capacity);
    if targets > limit.max(MAX_TARGETS_READ) {
        return Decision::Refuse { targets, limit };
    }
    let (action, (targets, mut left_out)) = match chosen(alert, policy) {
        Ok(chosen) => chosen,
        Err(reason) => return ignore(alert, policy, reason),
    };
    let cools = |target: &Target| {
        let accepted_at = known.accepted_at.get(&target.id);
        action == Action::Capture
            && !alert.is_drill()
            && accepted_at
                .is_some_and(|at| before(now, *at) < policy.choose(alert, target).cooldown)
    };
    let (cooling, mut targets): (Vec<_>, Vec<_>) = targets.into_iter().partition(cools);
    left_out.extend(cooling.into_iter().map(LeftOut::because(Reason::Cooldown)));
    let beyond = targets.split_off(policy.max_targets.min(targets.len()));
    let beyond = beyond.into_iter();
    left_out.extend(beyond.map(LeftOut::because(Reason::MaxTargetsReached)));

    let repeated =
        !targets.is_empty() && (targets.iter()).all(|target| known.before.contains_key(&target.id));
    let reason = match (repeated, targets.is_empty()) {
        (true, _) => Some(Reason::Duplicate),
        (false, true) => Some(Reason::Cooldown),
        (false, false) => None,
    };
    match reason {
        _ if policy.dry_run => Decision::DryRun(reason, left_out),
        Some(Reason::Duplicate) => Decision::Repeat(targets),
        Some(reason) => Decision::Ignore(reason, left_out),
        None if targets.len() > limit => {
            let targets = targets.len();
            Decision::Refuse { targets, limit }
        }
        None => Decision::Queue(Plan {
            action,
            targets,
            left_out,
        }),
    }
}

/// The action and its targets, with those that the owner does not allow apart.
type Chosen = (Action, (Vec<Target>, Vec<LeftOut>));

fn chosen(alert: &Alert, policy: &Policy) -> Result<Chosen, Reason> {
    let resolved = alert.state == State::Resolved && !alert.is_test;
    let stops = |target: &Target| policy.choose(alert, target).stop_on_resolved;
    if resolved && !policy.dry_run && alert.targets.iter().any(stops) {
        // Its firing had no other targets than these.
        let stopped = policy.allowed.among(alert);
        let stopped = stopped.map(|(mut targets, _)| {
            targets.retain(stops);
            targets
        });
        return match stopped {
            Ok(targets) if !targets.is_empty() => Ok((Action::Stop, (targets, Vec::new()))),
            _ => Err(Reason::Alert(IgnoreReason::Resolved)),
        };
    }
    if let Some(reason) = alert::ignore_reason(alert) {
        return Err(Reason::Alert(reason));
    }
    let (targets, outside) = policy.allowed.among(alert)?;
    let outside = outside.into_iter();
    let left_out = outside.map(LeftOut::because(Reason::ScopeNotAllowed));
    Ok((Action::Capture, (targets, left_out.collect())))
}

fn ignore(alert: &Alert, policy: &Policy, reason: Reason) -> Decision {
    if policy.dry_run {
        return Decision::DryRun(Some(reason), Vec::new());
    }
    let outside = match reason {
        Reason::ScopeNotAllowed => alert.targets.as_slice(),
        _ => &[],
    };
    let left_out = outside.iter().cloned().map(LeftOut::because(reason));
    Decision::Ignore(reason, left_out.collect())
}

impl LeftOut {
    /// Left out for this reason.
    pub fn because(reason: Reason) -> impl Fn(Target) -> LeftOut {
        move |target| LeftOut {
            target,
            reason,
            incident: None,
        }
    }
}

#[cfg(test)]
mod tests;
