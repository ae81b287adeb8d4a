//! What the caller is answered about an alert that was read: an outcome, a sentence, and an entry for each target.

use super::{entry::Entry, refusal::Refusal};
use crate::{
    alert::{Alert, IgnoreReason, Named, Schema, State, Target},
    incident::{ChosenProfile, LeftOut, Policy, Reason, Status},
    resource_id::ResourceId,
};
use serde::{Serialize, Serializer};
use std::sync::Arc;

/// The outcome of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Created,
    Joined,
    Stopped,
    Accepted,
    Ignored,
    Skipped,
    DryRun,
}

impl Outcome {
    /// The word, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Created => "created",
            Outcome::Joined => "joined",
            Outcome::Stopped => "stopped",
            Outcome::Accepted => "accepted",
            Outcome::Ignored => "ignored",
            Outcome::Skipped => "skipped",
            Outcome::DryRun => "dry_run",
        }
    }
}

/// A good answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    pub outcome: Outcome,
    pub reason: Option<String>,
    pub message: String,
    /// The alert as it was read.
    #[serde(serialize_with = "as_read")]
    pub alert: Alert,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub would_capture: Option<bool>,
    pub captures: Vec<Entry>,
    /// Of a dry run: by which profile each target would be captured.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<TargetProfile>,
}

/// The profile that a target would be captured by.
#[derive(Debug, Serialize)]
pub struct TargetProfile {
    pub target: ResourceId,
    #[serde(flatten)]
    pub profile: Arc<ChosenProfile>,
}

/// The first of these statuses that a job has decides the outcome of the whole alert; none: Azure refused.
const ORDER: [(Status, Option<Outcome>); 8] = [
    (Status::Accepted, Some(Outcome::Accepted)),
    (Status::Created, Some(Outcome::Created)),
    (Status::Completed, Some(Outcome::Created)),
    (Status::Joined, Some(Outcome::Joined)),
    (Status::Stopped, Some(Outcome::Stopped)),
    (Status::Skipped, Some(Outcome::Skipped)),
    (Status::Failed, None),
    (Status::Ignored, Some(Outcome::Ignored)),
];

impl Answer {
    /// The answer about an alert whose targets have these entries.
    ///
    /// # Errors
    /// [`Refusal::AzureRefused`] when every job failed.
    pub(super) fn of_captures(alert: Alert, captures: Vec<Entry>) -> Result<Self, Refusal> {
        let jobs = || captures.iter().filter(|entry| entry.is_job());
        let decides = |(status, outcome): (Status, Option<Outcome>)| {
            let entry = jobs().find(|entry| entry.status() == status)?;
            Some((outcome, entry))
        };
        let (outcome, entry) = match ORDER.into_iter().find_map(decides) {
            Some((Some(outcome), entry)) => (outcome, entry),
            Some((None, _)) => return Err(Refusal::AzureRefused(captures)),
            None => {
                let reason = Reason::Alert(IgnoreReason::NoVmTarget);
                return Ok(Self::ignored(alert, reason, captures));
            }
        };
        let reason = match outcome {
            Outcome::Created | Outcome::Joined | Outcome::Stopped => None,
            _ => entry.reason().map(str::to_owned),
        };
        Ok(Self {
            outcome,
            reason,
            message: entry.headline(),
            alert,
            would_capture: None,
            captures,
            profiles: Vec::new(),
        })
    }

    /// The answer about an alert that leads to nothing.
    pub(super) fn ignored(alert: Alert, reason: Reason, captures: Vec<Entry>) -> Self {
        Self {
            outcome: Outcome::Ignored,
            reason: Some(reason.as_str().to_owned()),
            message: why(&alert, reason),
            alert,
            would_capture: None,
            captures,
            profiles: Vec::new(),
        }
    }

    /// The answer about an alert that was to be captured, and that the record stands against.
    pub(super) fn not_accepted(alert: Alert, captures: Vec<Entry>) -> Self {
        let has = |reason: Reason| {
            captures
                .iter()
                .any(|entry| entry.left_out_for() == Some(reason))
        };
        let is_duplicate = captures.iter().any(Entry::is_job);
        let reason = match (is_duplicate, has(Reason::BudgetExhausted)) {
            (true, _) => Reason::Duplicate,
            (false, true) => Reason::BudgetExhausted,
            (false, false) => Reason::Cooldown,
        };
        let outcome = match reason {
            Reason::BudgetExhausted => Outcome::Skipped,
            _ => Outcome::Ignored,
        };
        Self {
            outcome,
            ..Self::ignored(alert, reason, captures)
        }
    }

    /// What would be done.
    pub(super) fn dry_run(
        alert: Alert,
        reason: Option<Reason>,
        left_out: Vec<LeftOut>,
        policy: &Policy,
    ) -> Self {
        let is_left_out = |target: &Target| left_out.iter().any(|left| left.target == *target);
        let targets = alert.targets.iter();
        let captured = targets.filter(|it| reason.is_none() && !is_left_out(it));
        let profiles = captured.filter_map(|target| {
            Some(TargetProfile {
                target: target.id.clone(),
                profile: policy.choose(&alert, target).chosen?,
            })
        });
        let profiles = profiles.collect();
        Self {
            profiles,
            outcome: Outcome::DryRun,
            reason: reason.map(|reason| reason.as_str().to_owned()),
            message: match reason {
                None => "A packet capture would start; this is a dry run and nothing was written to Azure".to_owned(),
                Some(reason) => format!("No packet capture would start: {}", why(&alert, reason)),
            },
            alert,
            would_capture: Some(reason.is_none()),
            captures: left_out.into_iter().map(Entry::LeftOut).collect(),
        }
    }

    /// Writes the answer to the log.
    pub(super) fn log(&self) {
        tracing::info!(
            alert.rule = self.alert.facts.rule,
            alert.id = self.alert.facts.id,
            outcome = self.outcome.as_str(),
            reason = self.reason,
            "{}",
            self.message
        );
    }
}

/// A reason in words; where the alert has no target, with what it names instead.
fn why(alert: &Alert, reason: Reason) -> String {
    let named = match reason {
        Reason::Alert(IgnoreReason::NoVmTarget) => alert.why_no_target(),
        _ => None,
    };
    named.unwrap_or_else(|| reason.sentence().to_owned())
}

/// The alert in an answer: what decides, without what only notifications need.
fn as_read<S: Serializer>(alert: &Alert, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire<'a> {
        schema: Schema,
        state: State,
        rule: Option<&'a str>,
        id: Option<&'a str>,
        signal: Option<&'a str>,
        severity: Option<&'a str>,
        fired_at: Option<&'a str>,
        targets: &'a [Target],
        #[serde(skip_serializing_if = "Named::is_empty")]
        named: &'a Named,
        region: Option<&'a str>,
        dedupe_key: Option<&'a str>,
    }
    let wire = Wire {
        schema: alert.schema,
        state: alert.state,
        rule: alert.facts.rule.as_deref(),
        id: alert.facts.id.as_deref(),
        signal: alert.facts.signal.as_deref(),
        severity: alert.facts.severity.as_deref(),
        fired_at: alert.facts.fired_at.as_deref(),
        targets: &alert.targets,
        named: &alert.named,
        region: alert.region.as_deref(),
        dedupe_key: alert.dedupe_key.as_deref(),
    };
    wire.serialize(serializer)
}

#[cfg(test)]
mod tests;
