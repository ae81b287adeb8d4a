//! Why a capture would fail on a machine, or why that is not known. The keys are stable: metrics and stored runs use them.

use crate::resource_id::ResourceId;
use std::fmt;

/// What is checked on each machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// Whether it exists, and where.
    Machine,
    Power,
    Agent,
    VmAgent,
    Extensions,
    Watcher,
    /// Whether the quota of captures leaves room.
    Room,
    Outbound,
}

impl Check {
    const ALL: [Self; 8] = [
        Self::Machine,
        Self::Power,
        Self::Agent,
        Self::VmAgent,
        Self::Extensions,
        Self::Watcher,
        Self::Room,
        Self::Outbound,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Power => "power",
            Self::Agent => "agent",
            Self::VmAgent => "vm_agent",
            Self::Extensions => "extensions",
            Self::Watcher => "watcher",
            Self::Room => "room",
            Self::Outbound => "outbound",
        }
    }

    pub(super) fn find(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == key)
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Power => "power state",
            Self::Agent => "agent",
            Self::VmAgent => "VM agent",
            Self::Extensions => "extensions",
            Self::Watcher => "network watcher",
            Self::Room => "quota of captures",
            Self::Outbound => "outbound rules",
        }
    }
}

/// Why something is not known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Because {
    /// The identity has no role with this action.
    Lacks(String),
    /// Azure throttled the call.
    Throttled,
    NoAnswer,
    /// Azure refused the call with this code.
    Refused(String),
    /// Azure's answer does not say it.
    NotReported,
    /// The run ended before this machine's turn.
    NotReached,
}

impl Because {
    /// Whether the next run would find the same. A missing right stays, throttling does not.
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Lacks(_) | Self::Refused(_) | Self::NotReported => true,
            Self::Throttled | Self::NoAnswer | Self::NotReached => false,
        }
    }
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lacks(action) => write!(f, "permission {action} is missing"),
            Self::Throttled => f.write_str("Azure throttled the call"),
            Self::NoAnswer => f.write_str("Azure did not answer"),
            Self::Refused(code) => write!(f, "Azure refused the call with {code}"),
            Self::NotReported => f.write_str("Azure does not report it"),
            Self::NotReached => f.write_str("the run ended before"),
        }
    }
}

/// What a cause means for its machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// A capture would fail.
    Blocks,
    /// It is not known whether a capture would start.
    Unknown,
    /// A capture would start; worth reading all the same.
    Warns,
}

/// What was found on a machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Azure's power state, such as `deallocated`.
    Stopped(String),
    AgentMissing {
        windows: bool,
    },
    /// The provisioning state of the agent's extension, such as `Failed`.
    AgentFailed {
        windows: bool,
        state: String,
    },
    /// The agent's version.
    AgentOld {
        windows: bool,
        version: String,
    },
    /// The status of the Azure VM agent, such as `Not Ready`.
    VmAgent(String),
    /// `osProfile.allowExtensionOperations` is false.
    ExtensionsForbidden,
    /// The agent is in the model of the scale set, and not on this instance.
    OldModel,
    /// A rule of a network security group blocks an address that the agent needs.
    Blocked {
        /// Such as `168.63.129.16:8037`.
        to: String,
        group: ResourceId,
        rule: String,
        priority: u32,
    },
    /// The region, which has no network watcher in the subscription.
    NoWatcher(String),
    /// The region, whose network watcher has no room for another capture.
    NoRoom(String),
    /// `PacketCapture__AllowedScopes` does not contain the machine.
    NotAllowed,
    /// A rule or a setting names a machine that does not exist.
    NotFound,
    /// The regions of the storage account and of the machine.
    /// The portal offers accounts of the machine's region alone.
    OtherRegion {
        account: String,
        machine: String,
    },
    Unknown(Check, Because),
}

impl Cause {
    /// A stable word for metrics.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Stopped(_) => "stopped",
            Self::AgentMissing { .. } => "agent_missing",
            Self::AgentFailed { .. } => "agent_failed",
            Self::AgentOld { .. } => "agent_old",
            Self::VmAgent(_) => "vm_agent_not_ready",
            Self::ExtensionsForbidden => "extensions_forbidden",
            Self::OldModel => "old_model",
            Self::Blocked { .. } => "outbound_blocked",
            Self::NoWatcher(_) => "no_watcher",
            Self::NoRoom(_) => "no_room",
            Self::NotAllowed => "not_allowed",
            Self::NotFound => "not_found",
            Self::OtherRegion { .. } => "other_region",
            Self::Unknown(..) => "unknown",
        }
    }

    pub const fn weight(&self) -> Weight {
        match self {
            Self::Unknown(..) => Weight::Unknown,
            Self::OtherRegion { .. } | Self::AgentOld { .. } => Weight::Warns,
            _ => Weight::Blocks,
        }
    }

    /// Whether the next run may find something else without a change in Azure.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unknown(_, because) if !because.is_lasting())
    }
}

/// A few words, as they stand in brackets after a machine's name.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped(state) => f.write_str(state),
            Self::AgentMissing { .. } => f.write_str("agent not installed"),
            Self::AgentFailed { state, .. } => write!(f, "agent installation: {state}"),
            Self::AgentOld { version, .. } => write!(f, "agent {version} is too old"),
            Self::VmAgent(status) => write!(f, "VM agent: {status}"),
            Self::ExtensionsForbidden => f.write_str("extensions not allowed"),
            Self::OldModel => f.write_str("not at the scale set's latest model"),
            Self::Blocked {
                to, group, rule, ..
            } => {
                let group = group.name().unwrap_or_default();
                write!(f, "{rule} of {group} blocks {to}")
            }
            Self::NoWatcher(region) => write!(f, "no network watcher in {region}"),
            Self::NoRoom(region) => write!(f, "no room for a capture in {region}"),
            Self::NotAllowed => f.write_str("outside PacketCapture__AllowedScopes"),
            Self::NotFound => f.write_str("does not exist"),
            Self::OtherRegion { account, machine } => {
                write!(f, "in {machine}, the storage account in {account}")
            }
            Self::Unknown(check, because) => {
                write!(f, "{} not known: {because}", check.words())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::causes;
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn causes_follow_the_table() {
        let expected = [
            ("deallocated", Weight::Blocks),
            ("agent not installed", Weight::Blocks),
            ("agent installation: Failed", Weight::Blocks),
            ("agent 1.3 is too old", Weight::Warns),
            ("VM agent: Not Ready", Weight::Blocks),
            ("extensions not allowed", Weight::Blocks),
            ("not at the scale set's latest model", Weight::Blocks),
            (
                "deny-all of nsg-web blocks 168.63.129.16:8037",
                Weight::Blocks,
            ),
            ("no network watcher in westeurope", Weight::Blocks),
            ("no room for a capture in westeurope", Weight::Blocks),
            ("outside PacketCapture__AllowedScopes", Weight::Blocks),
            ("does not exist", Weight::Blocks),
            (
                "in westeurope, the storage account in northeurope",
                Weight::Warns,
            ),
            (
                "power state not known: permission Microsoft.Compute/virtualMachines/instanceView/read is missing",
                Weight::Unknown,
            ),
            (
                "VM agent not known: Azure throttled the call",
                Weight::Unknown,
            ),
        ];
        for (cause, (text, weight)) in causes().into_iter().zip(expected) {
            assert_eq!(cause.to_string(), text);
            assert_eq!(cause.weight(), weight, "{text}");
        }
        assert_eq!(causes().len(), expected.len());
        let keys: BTreeSet<&str> = causes().iter().map(Cause::key).collect();
        assert_eq!(
            keys.len(),
            causes().len() - 1,
            "only unknown is there twice"
        );
    }

    #[test]
    fn only_what_passes_by_itself_is_passing() {
        for (because, lasting) in [
            (Because::Lacks("a".to_owned()), true),
            (Because::Refused("c".to_owned()), true),
            (Because::NotReported, true),
            (Because::Throttled, false),
            (Because::NoAnswer, false),
            (Because::NotReached, false),
        ] {
            assert_eq!(because.is_lasting(), lasting, "{because}");
            assert_eq!(Cause::Unknown(Check::Power, because).is_passing(), !lasting);
        }
        assert!(!Cause::NotFound.is_passing());
    }
}
