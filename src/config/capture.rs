//! What to capture and on what.

use super::{
    AppSettings, SettingsError,
    known::PROFILES,
    profiles::{self, Defaults, ProfileSettings},
    reader::Reader,
    unknown,
};
use crate::{
    azure::network_watcher::StorageLocation,
    capture::{CaptureName, Parameters, RemoveFinished},
    incident::{Allowed, PacketFilters, Profile},
    resource_id::ResourceId,
    text,
};
use std::time::Duration;

const STORAGE: &str = "PacketCapture__StorageAccountId";
const FILE: &str = "PacketCapture__FilePath";
const NAME: &str = "PacketCapture__Name";
const FILTERS: &str = "PacketCapture__Filters";
const SCOPES: &str = "PacketCapture__AllowedScopes";
/// The only folder on Linux into which the Network Watcher agent extension writes.
/// <https://learn.microsoft.com/en-us/rest/api/network-watcher/packet-captures/create#packetcapturestoragelocation>
const LINUX_FOLDER: &str = "/var/captures/";

/// The parameters of a packet capture and the rules around it.
#[derive(Debug, Clone)]
pub struct CaptureSettings {
    pub parameters: Parameters,
    /// Whether a resolved alert stops the capture that its firing started.
    pub stop_on_resolved: bool,
    /// How long the caller waits for the outcome. Action groups stop waiting after 10 s.
    pub reply_wait: Duration,
    /// Read and decide, write nothing.
    pub dry_run: bool,
}

/// What may be captured, and how often.
#[derive(Debug, Clone, Default)]
pub struct AllowedSettings {
    pub allowed: Allowed,
    /// How long alerts for a VM are ignored after a capture on it.
    pub cooldown: Duration,
    /// Maximum number of targets captured for one alert.
    pub max_targets: usize,
    /// In their order, where these settings are read alone.
    pub profiles: Vec<Profile>,
}

/// `needs_storage`: without a place for the files there is nothing to read the settings for.
pub(super) fn read(reader: &mut Reader<'_>, needs_storage: bool) -> CaptureSettings {
    let dry_run = reader.flag("PacketCapture__DryRun");
    let remove_finished = [
        ("never", RemoveFinished::Never),
        ("after_notice", RemoveFinished::AfterNotice),
        ("to_make_room", RemoveFinished::ToMakeRoom),
    ];
    CaptureSettings {
        parameters: Parameters {
            name: name(reader, NAME),
            storage: match needs_storage && !dry_run {
                true => needed_storage(reader),
                false => storage(reader, STORAGE, FILE),
            },
            time_limit_seconds: reader.number("PacketCapture__TimeLimitInSeconds"),
            bytes_per_packet: reader.optional_number("PacketCapture__BytesToCapturePerPacket"),
            total_bytes: reader.optional_number("PacketCapture__TotalBytesPerSession"),
            filters: filters(reader, FILTERS, false).unwrap_or_default(),
            limit: reader.number("PacketCapture__Limit"),
            create_within: Duration::from_secs(reader.number("PacketCapture__CreateWithinSeconds")),
            remove_finished: reader
                .word("PacketCapture__RemoveFinished", &remove_finished)
                .unwrap_or(RemoveFinished::Never),
            home_region: reader.text("REGION_NAME").and_then(text::region),
        },
        stop_on_resolved: reader.flag("PacketCapture__StopOnResolved"),
        reply_wait: Duration::from_secs(reader.number("PacketCapture__ReplyWaitSeconds")),
        dry_run,
    }
}

pub(super) fn name(reader: &mut Reader<'_>, name: &str) -> CaptureName {
    let Some(text) = reader.text(name) else {
        return CaptureName::default();
    };
    CaptureName::parse(text).unwrap_or_else(|expected| {
        reader.problem(name, format!("needs {expected}"));
        CaptureName::default()
    })
}

/// Filters, checked. `places`: whether an alert's values may stand in them.
pub(super) fn filters(reader: &mut Reader<'_>, name: &str, places: bool) -> Option<PacketFilters> {
    let text = reader.text(name)?;
    match PacketFilters::parse(text, places) {
        Ok(filters) => Some(filters),
        Err(expected) => {
            reader.problem(name, expected);
            None
        }
    }
}

/// Where the capture files go: a storage account or a path on the machine, one at least.
fn needed_storage(reader: &mut Reader<'_>) -> StorageLocation {
    if reader.text(STORAGE).is_none() && reader.text(FILE).is_none() {
        reader.problem(
            STORAGE,
            "missing; needs the resource id of the storage account for the capture files (or set PacketCapture__FilePath)",
        );
    }
    storage(reader, STORAGE, FILE)
}

/// Where the capture files go.
pub(super) fn storage(reader: &mut Reader<'_>, account: &str, file: &str) -> StorageLocation {
    let storage_id = reader.text(account).map(|text| {
        let id = ResourceId::parse(text).ok();
        let id = id.filter(|id| id.is_type("Microsoft.Storage/storageAccounts"));
        if id.is_none() {
            reader.wrong(account);
        }
        id.map(|id| id.to_string())
    });
    let file_path = reader.text(file);
    if file_path.is_some_and(|path| !is_file_path(path)) {
        reader.wrong(file);
    }
    StorageLocation {
        storage_id: storage_id.flatten(),
        file_path: file_path.map(str::to_owned),
    }
}

/// A path of Windows, or one of Linux that can be written there. It ends in `.cap` on both.
fn is_file_path(path: &str) -> bool {
    let inside = path
        .strip_prefix(LINUX_FOLDER)
        .is_some_and(|rest| !rest.split('/').any(|step| matches!(step, "" | "." | "..")));
    path.to_ascii_lowercase().ends_with(".cap") && (!path.starts_with('/') || inside)
}

impl AllowedSettings {
    /// Reads these settings alone, for a decision without Azure.
    ///
    /// # Errors
    /// Every one of them that is wrong, and every name that is not known.
    pub fn read(settings: &AppSettings) -> Result<Self, SettingsError> {
        let mut reader = Reader::new(settings);
        let allowed = read_allowed(&mut reader);
        let mut profiles = Vec::new();
        if !reader.below(PROFILES).is_empty() {
            let capture = read(&mut reader, false);
            profiles = read_profiles(&mut reader, &capture, &allowed);
        }
        let allowed = Self {
            profiles: profiles.into_iter().map(|it| it.profile).collect(),
            ..allowed
        };
        for problem in unknown::check(settings) {
            reader.add(problem);
        }
        reader.finish(allowed)
    }
}

/// The profiles, and what they have of the other settings.
pub(super) fn read_profiles(
    reader: &mut Reader<'_>,
    capture: &CaptureSettings,
    allowed: &AllowedSettings,
) -> Vec<ProfileSettings> {
    let defaults = Defaults {
        parameters: &capture.parameters,
        cooldown: allowed.cooldown,
        stop_on_resolved: capture.stop_on_resolved,
    };
    profiles::read(reader, &defaults)
}

pub(super) fn read_allowed(reader: &mut Reader<'_>) -> AllowedSettings {
    AllowedSettings {
        allowed: Allowed {
            scopes: scopes(reader, SCOPES),
            rules: reader.list("PacketCapture__AllowedRules"),
            signals: reader.list("PacketCapture__AllowedSignals"),
        },
        cooldown: Duration::from_secs(reader.number("PacketCapture__CooldownSeconds")),
        max_targets: reader.number("PacketCapture__MaxTargets"),
        profiles: Vec::new(),
    }
}

/// Subscriptions, resource groups or resources.
pub(super) fn scopes(reader: &mut Reader<'_>, name: &str) -> Vec<ResourceId> {
    let mut scopes = Vec::new();
    for scope in reader.list(name) {
        match ResourceId::parse(scope.trim_end_matches('/')) {
            Ok(id) => scopes.push(id),
            Err(error) => {
                let needed =
                    "needs ids of subscriptions, resource groups or resources, separated by commas";
                reader.problem(name, format!("{needed}: {error}"));
            }
        }
    }
    scopes
}

#[cfg(test)]
mod tests {
    use super::is_file_path;

    #[test]
    fn file_paths_follow_the_table() {
        for (path, good) in [
            ("/var/captures/web.cap", true),
            ("/var/captures/2026/web.CAP", true),
            (r"C:\Captures\web.cap", true),
            (r"D:\a\..\web.cap", true),
            ("/opt/captures/web.cap", false),
            ("/var/captures.cap", false),
            ("/VAR/captures/web.cap", false),
            ("/var/captures/../log/web.cap", false),
            ("/var/captures//web.cap", false),
            ("/var/captures/web.pcap", false),
            (r"C:\Captures\web.pcap", false),
            ("", false),
        ] {
            assert_eq!(is_file_path(path), good, "{path}");
        }
    }
}
