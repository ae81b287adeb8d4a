//! Network watchers and their captures as the rest of the program knows them, and the body of a create.

use crate::azure::operation::OperationUrl;
use crate::resource_id::ResourceId;
use serde::Serialize;
use time::OffsetDateTime;

/// A network watcher: one per subscription and region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkWatcher {
    pub id: ResourceId,
    /// Normalised, such as `westus2`.
    pub location: String,
}

/// A packet capture session as listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PacketCapture {
    pub name: String,
    /// The id of the VM or scale set, as Azure spells it today.
    pub target: String,
    /// `Succeeded` means started, not finished.
    pub provisioning_state: String,
    /// Within the range that Azure allows, 0 to 604,800.
    pub time_limit_seconds: Option<i64>,
    /// 0 and none: whole packets.
    pub bytes_per_packet: Option<i64>,
    /// The filters as listed; none: all packets.
    pub filters: Vec<serde_json::Value>,
    /// Where the file will be, if a storage account is used.
    pub storage_path: Option<String>,
    /// That of the watcher: it changes with each capture on it.
    pub etag: Option<String>,
    /// Of a scale set: the instances that are captured, all when empty.
    pub included: Vec<String>,
}

/// What a session is doing. All empty (the default): Azure does not know yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PacketCaptureStatus {
    /// `NotStarted`, `Running`, `Stopped`, `Error`, `Unknown`: an open set.
    pub status: String,
    /// A time at which the service existed and dates can be calculated with; whether it fits the session is the
    /// caller's question.
    pub started: Option<OffsetDateTime>,
    pub stop_reason: Option<String>,
    pub errors: Vec<String>,
}

/// The body of a create. Members as in the REST reference; what is `None` is not sent.
#[derive(Debug, Clone, Serialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PacketCaptureParameters {
    pub target: ResourceId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    pub storage_location: StorageLocation,
    pub time_limit_in_seconds: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_to_capture_per_packet: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_bytes_per_session: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<serde_json::Value>,
}

/// The instances of a scale set to capture on.
#[derive(Debug, Clone, Serialize, PartialEq)]
pub struct Scope {
    pub include: Vec<String>,
}

/// Where the file goes: a storage account, a path on the machine, or both.
#[derive(Debug, Clone, Default, Serialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct StorageLocation {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_path: Option<String>,
}

/// A create or delete that Azure has accepted.
#[derive(Debug)]
pub struct Accepted {
    /// Where to poll it. `None` when it is done already, or Azure gave no URL at the configured endpoint: then the
    /// resource itself is to be polled.
    pub operation: Option<OperationUrl>,
    pub retry_after: Option<std::time::Duration>,
    pub capture: Option<PacketCapture>,
}
