//! What to capture and on what.

use super::{AppSettings, SettingsError, app_settings::Reader, filters};
use serde_json::Value;
use std::time::Duration;

/// The parameters of a packet capture and the rules around it.
/// <https://learn.microsoft.com/en-us/rest/api/network-watcher/packet-captures/create>
#[derive(Debug, Clone)]
pub struct CaptureSettings {
    /// The resource name of our captures, perhaps with `{vm}` and `{rule}` in it; not checked here.
    pub name: String,
    /// Resource id of the storage account that gets the file.
    pub storage_account_id: Option<String>,
    /// Path of the file on the captured machine.
    pub file_path: Option<String>,
    /// 1 to 18,000 s.
    pub time_limit_seconds: u32,
    pub bytes_per_packet: Option<u32>,
    pub total_bytes: Option<u32>,
    /// In Resource Manager's own form, checked.
    pub filters: Vec<Value>,
    /// With so many captures listed on a network watcher, no further one is made.
    pub limit: usize,
    /// How long the function tries to create a capture, beside the time limit of one in the way; 60 to 86,400 s.
    pub create_within: Duration,
    /// What happens to finished sessions that this function created.
    pub remove_finished: RemoveFinished,
    /// Whether a resolved alert stops the capture that its firing started.
    pub stop_on_resolved: bool,
    /// How long the caller waits for the outcome. Action groups stop waiting after 10 s.
    pub reply_wait: Duration,
    /// Read and decide, write nothing.
    pub dry_run: bool,
}

/// When a session of ours that is over is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoveFinished {
    Never,
    AfterNotice,
    ToMakeRoom,
}

/// What may be captured. Empty lists allow everything.
#[derive(Debug, Clone, Default)]
pub struct AllowedSettings {
    /// Subscription, resource group or resource ids.
    pub scopes: Vec<String>,
    /// Alert rule names, `*` stands for any text.
    pub rules: Vec<String>,
    /// Signals: Metric, Log, Activity Log.
    pub signals: Vec<String>,
    /// After a capture of a VM, alerts for it are ignored so long.
    pub cooldown: Duration,
    /// Maximum number of targets captured for one alert.
    pub max_targets: usize,
}

pub(super) fn read(reader: &mut Reader<'_>) -> CaptureSettings {
    const STORAGE: &str = "PacketCapture__StorageAccountId";
    const FILE: &str = "PacketCapture__FilePath";
    let name = reader
        .text("PacketCapture__Name")
        .unwrap_or("PSAzureFunction")
        .to_owned();
    let dry_run = reader.flag("PacketCapture__DryRun");
    let storage_account_id = reader.text(STORAGE).map(str::to_owned);
    let file_path = reader.text(FILE).map(str::to_owned);
    if storage_account_id.is_none() && file_path.is_none() && !dry_run {
        reader.problem(
            STORAGE,
            "the resource id of the storage account for the capture files (or set PacketCapture__FilePath)",
        );
    }
    if file_path
        .as_ref()
        .is_some_and(|path| !path.to_ascii_lowercase().ends_with(".cap"))
    {
        reader.problem(FILE, "a path on the captured machine that ends in .cap");
    }
    let filters = match reader.text("PacketCapture__Filters").map(filters::parse) {
        None => Vec::new(),
        Some(Ok(filters)) => filters,
        Some(Err(expected)) => {
            reader.problem("PacketCapture__Filters", expected);
            Vec::new()
        }
    };
    let most = u64::from(u32::MAX);
    CaptureSettings {
        name,
        storage_account_id,
        file_path,
        time_limit_seconds: reader.number("PacketCapture__TimeLimitInSeconds", 1..=18_000, 10)
            as u32,
        bytes_per_packet: reader
            .optional_number("PacketCapture__BytesToCapturePerPacket", 0..=most)
            .map(|n| n as u32),
        total_bytes: reader
            .optional_number("PacketCapture__TotalBytesPerSession", 0..=most)
            .map(|n| n as u32),
        filters,
        limit: reader.number("PacketCapture__Limit", 1..=10_000, 10) as usize,
        create_within: Duration::from_secs(reader.number(
            "PacketCapture__CreateWithinSeconds",
            60..=86_400,
            1_800,
        )),
        remove_finished: read_remove_finished(reader),
        stop_on_resolved: reader.flag("PacketCapture__StopOnResolved"),
        reply_wait: Duration::from_secs(reader.number(
            "PacketCapture__ReplyWaitSeconds",
            0..=200,
            8,
        )),
        dry_run,
    }
}

fn read_remove_finished(reader: &mut Reader<'_>) -> RemoveFinished {
    const NAME: &str = "PacketCapture__RemoveFinished";
    match reader.text(NAME).map(str::to_ascii_lowercase).as_deref() {
        None | Some("never") => RemoveFinished::Never,
        Some("after_notice") => RemoveFinished::AfterNotice,
        Some("to_make_room") => RemoveFinished::ToMakeRoom,
        Some(_) => {
            reader.problem(NAME, "never (which is usual), after_notice or to_make_room");
            RemoveFinished::Never
        }
    }
}

impl AllowedSettings {
    /// Reads these settings alone, for a decision without Azure.
    ///
    /// # Errors
    /// Every one of them that is wrong, by name.
    pub fn read(settings: &AppSettings) -> Result<Self, SettingsError> {
        let mut reader = Reader::new(settings);
        let allowed = read_allowed(&mut reader);
        reader.finish(allowed)
    }
}

pub(super) fn read_allowed(reader: &mut Reader<'_>) -> AllowedSettings {
    AllowedSettings {
        scopes: reader.list("PacketCapture__AllowedScopes"),
        rules: reader.list("PacketCapture__AllowedRules"),
        signals: reader.list("PacketCapture__AllowedSignals"),
        cooldown: Duration::from_secs(reader.number(
            "PacketCapture__CooldownSeconds",
            0..=86_400,
            0,
        )),
        max_targets: reader.number("PacketCapture__MaxTargets", 1..=1_000, 100) as usize,
    }
}
