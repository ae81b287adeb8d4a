//! Captures as tests see them: plain values, so that an assertion needs no JSON.

use serde_json::Value;
use time::OffsetDateTime;

use super::capture::{Capture, SessionStatus};

/// A capture that was there before.
#[derive(Clone, Debug)]
pub struct ExistingCapture {
    /// The watcher's id.
    pub watcher: String,
    /// The capture's name.
    pub name: String,
    /// The id of the captured VM.
    pub target: String,
    /// How far its session is.
    pub status: SessionStatus,
    /// When its session began.
    pub started: Option<OffsetDateTime>,
    /// How long its session may take.
    pub time_limit_seconds: i32,
    /// Why its session ended.
    pub stop_reason: Option<String>,
}

/// A capture as the sandbox has it.
#[derive(Clone, Debug, PartialEq)]
pub struct CaptureView {
    /// Resource id.
    pub id: String,
    /// Resource name.
    pub name: String,
    /// Id of the captured VM or scale set.
    pub target: String,
    /// `AzureVM` or `AzureVMSS`.
    pub target_type: String,
    /// `Updating`, `Succeeded`, `Failed` or `Deleting`.
    pub provisioning_state: String,
    /// How far the session is.
    pub status: SessionStatus,
    /// When the session began.
    pub started: Option<OffsetDateTime>,
    /// Why it ended.
    pub stop_reason: Option<String>,
    /// What went wrong in it.
    pub errors: Vec<String>,
    /// How long it may take.
    pub time_limit_seconds: i32,
    /// Bytes kept of a packet, 0 for all.
    pub bytes_to_capture_per_packet: u64,
    /// Bytes kept in all.
    pub total_bytes_per_session: u64,
    /// Instances of a scale set that were chosen.
    pub scope_include: Vec<String>,
    /// Instances of a scale set that were left out.
    pub scope_exclude: Vec<String>,
    /// Id of the storage account.
    pub storage_id: Option<String>,
    /// URL of the file.
    pub storage_path: Option<String>,
    /// Path of the file in the VM.
    pub file_path: Option<String>,
    /// Directory in the VM, for continuous captures.
    pub local_path: Option<String>,
    /// Whether it runs on and on.
    pub continuous_capture: Option<bool>,
    /// Filters with the service's defaults filled in.
    pub filters: Vec<Value>,
}

impl From<&Capture> for CaptureView {
    fn from(capture: &Capture) -> Self {
        let wanted = capture.wanted.clone();
        Self {
            id: capture.id.clone(),
            name: capture.name.clone(),
            target: wanted.target,
            target_type: wanted.target_type,
            provisioning_state: capture.provisioning.name().to_owned(),
            status: capture.session,
            started: capture.started,
            stop_reason: capture.stop_reason.clone(),
            errors: capture.errors.clone(),
            time_limit_seconds: wanted.time_limit,
            bytes_to_capture_per_packet: wanted.bytes_per_packet,
            total_bytes_per_session: wanted.total_bytes,
            scope_include: wanted.include,
            scope_exclude: wanted.exclude,
            storage_id: wanted.storage_id,
            storage_path: capture.storage_path.clone(),
            file_path: wanted.file_path,
            local_path: wanted.local_path,
            continuous_capture: wanted.continuous,
            filters: wanted.filters,
        }
    }
}
