//! Why an alert, or one of its targets, leads to no capture: one word for machines and one sentence for people.

use crate::alert::IgnoreReason;

/// A reason to leave an alert or a target alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The alert's own content.
    Alert(IgnoreReason),
    RuleNotAllowed,
    SignalNotAllowed,
    ScopeNotAllowed,
    /// The alert was accepted before.
    Duplicate,
    /// A capture of the machine was accepted a short time ago.
    Cooldown,
    /// The budget of captures is used up.
    BudgetExhausted,
    /// The alert names more targets than `PacketCapture__MaxTargets`.
    MaxTargetsReached,
}

impl Reason {
    /// The word, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Alert(reason) => reason.as_str(),
            Reason::RuleNotAllowed => "rule_not_allowed",
            Reason::SignalNotAllowed => "signal_not_allowed",
            Reason::ScopeNotAllowed => "scope_not_allowed",
            Reason::Duplicate => "duplicate",
            Reason::Cooldown => "cooldown",
            Reason::BudgetExhausted => "budget_exhausted",
            Reason::MaxTargetsReached => "max_targets_reached",
        }
    }

    /// The sentence, without a full stop.
    pub fn sentence(self) -> &'static str {
        match self {
            Reason::Alert(IgnoreReason::Resolved) => {
                "the alert is resolved; only a fired alert starts a packet capture"
            }
            Reason::Alert(IgnoreReason::StateUnknown) => {
                "the alert says neither that it fired nor that it resolved"
            }
            Reason::Alert(IgnoreReason::TestPayload) => {
                "this is a test notification about a machine that does not exist; the connection to the function works"
            }
            Reason::Alert(IgnoreReason::NoVmTarget) => {
                "the alert names no virtual machine or scale set"
            }
            Reason::Alert(IgnoreReason::AutoscaleNotification) => {
                "this is an autoscale notification, not an alert"
            }
            Reason::RuleNotAllowed => "the alert rule is not in PacketCapture__AllowedRules",
            Reason::SignalNotAllowed => "the signal is not in PacketCapture__AllowedSignals",
            Reason::ScopeNotAllowed => "no target is within PacketCapture__AllowedScopes",
            Reason::Duplicate => {
                "this alert was already accepted within the last hour; see the status of its captures"
            }
            Reason::Cooldown => {
                "a packet capture of the machine was accepted less than PacketCapture__CooldownSeconds ago"
            }
            Reason::BudgetExhausted => {
                "the budget of packet captures is used up (Budget__CapturesPerHour or Budget__CapturesPerMachinePerDay)"
            }
            Reason::MaxTargetsReached => {
                "the alert names more machines than PacketCapture__MaxTargets allows"
            }
        }
    }
}
