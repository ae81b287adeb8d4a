//! Whether an alert starts a capture, from the alert alone. The owner's filters and limits come later.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Alert, Schema, State};

/// Why an alert starts no capture, though nothing is wrong with its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IgnoreReason {
    AutoscaleNotification,
    Resolved,
    StateUnknown,
    TestPayload,
    NoVmTarget,
}

impl IgnoreReason {
    /// `autoscale_notification`, `resolved`, `state_unknown`, `test_payload`, `no_vm_target`.
    pub fn as_str(self) -> &'static str {
        match self {
            IgnoreReason::AutoscaleNotification => "autoscale_notification",
            IgnoreReason::Resolved => "resolved",
            IgnoreReason::StateUnknown => "state_unknown",
            IgnoreReason::TestPayload => "test_payload",
            IgnoreReason::NoVmTarget => "no_vm_target",
        }
    }
}

impl fmt::Display for IgnoreReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The first reason not to capture, in the order of [`IgnoreReason`]; none means to capture.
pub fn ignore_reason(alert: &Alert) -> Option<IgnoreReason> {
    if alert.schema == Schema::Autoscale {
        return Some(IgnoreReason::AutoscaleNotification);
    }
    match alert.state {
        State::Resolved => Some(IgnoreReason::Resolved),
        State::Unknown => Some(IgnoreReason::StateUnknown),
        State::Fired if alert.is_test => Some(IgnoreReason::TestPayload),
        State::Fired if alert.targets.is_empty() => Some(IgnoreReason::NoVmTarget),
        State::Fired => None,
    }
}
