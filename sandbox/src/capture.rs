//! One packet capture: what was asked for, how its session goes, and the JSON that shows it.

use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::ids;
use super::mishaps::Mishap;
use super::traffic::{self, Recipe, Traffic};

/// Seven fraction digits, as .NET writes them.
const TICKS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:7]Z");
const FILE: &[BorrowedFormatItem<'_>] = format_description!(
    "[year]/[month]/[day]/packetcapture_[hour]_[minute]_[second]_[subsecond digits:3].cap"
);

/// How far the capture's session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionStatus {
    /// Created, not capturing.
    NotStarted,
    /// Capturing.
    Running,
    /// Finished, with success or not: see the errors.
    Stopped,
    /// Broken.
    Error,
}

impl SessionStatus {
    fn name(self) -> &'static str {
        match self {
            Self::NotStarted => "NotStarted",
            Self::Running => "Running",
            Self::Stopped => "Stopped",
            Self::Error => "Error",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Provisioning {
    Updating,
    Succeeded,
    Failed,
    Deleting,
}

impl Provisioning {
    pub fn name(self) -> &'static str {
        match self {
            Self::Updating => "Updating",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Deleting => "Deleting",
        }
    }
}

/// A create's body with the service's defaults filled in.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub target: String,
    pub target_type: String,
    pub include: Vec<String>,
    pub exclude: Vec<String>,
    pub bytes_per_packet: u64,
    pub total_bytes: u64,
    pub time_limit: i32,
    pub storage_id: Option<String>,
    pub storage_path: Option<String>,
    pub file_path: Option<String>,
    pub local_path: Option<String>,
    pub filters: Vec<Value>,
    pub continuous: Option<bool>,
    pub settings: Option<Value>,
}

impl Wanted {
    pub fn session_length(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.time_limit).unwrap_or_default())
    }
}

#[derive(Clone, Debug)]
pub(super) struct Capture {
    /// Distinguishes a capture from an earlier one of the same name, which old operations may still mean.
    pub serial: u64,
    pub id: String,
    pub name: String,
    pub wanted: Wanted,
    pub provisioning: Provisioning,
    pub session: SessionStatus,
    pub started: Option<OffsetDateTime>,
    pub stop_reason: Option<String>,
    pub errors: Vec<String>,
    pub storage_path: Option<String>,
    pub last_query: Option<String>,
    pub mishap: Option<Mishap>,
}

impl Capture {
    pub fn new(id: String, name: &str, wanted: Wanted, storage_path: Option<String>) -> Self {
        Self {
            serial: 0,
            id,
            name: name.to_owned(),
            wanted,
            provisioning: Provisioning::Updating,
            session: SessionStatus::NotStarted,
            started: None,
            stop_reason: None,
            errors: Vec::new(),
            storage_path,
            last_query: None,
            mishap: None,
        }
    }

    /// Whether there is nothing more to expect of the session.
    pub fn is_over(&self) -> bool {
        matches!(self.session, SessionStatus::Stopped | SessionStatus::Error)
    }

    /// The resource. `listed` shows it with the other casing that Azure's lists have.
    pub fn resource(&self, etag: &str, listed: bool) -> Value {
        let wanted = &self.wanted;
        let mut location = json!({"storagePath": self.storage_path.as_deref().unwrap_or_default()});
        for (member, value) in [
            ("storageId", &wanted.storage_id),
            ("filePath", &wanted.file_path),
            ("localPath", &wanted.local_path),
        ] {
            if let Some(value) = value {
                location[member] = json!(value);
            }
        }
        let target = match listed {
            true => ids::shouting_group(&wanted.target),
            false => wanted.target.clone(),
        };
        let mut properties = json!({
            "provisioningState": self.provisioning.name(),
            "target": target,
            "targetType": wanted.target_type,
            "scope": {"include": wanted.include, "exclude": wanted.exclude},
            "bytesToCapturePerPacket": wanted.bytes_per_packet,
            "totalBytesPerSession": wanted.total_bytes,
            "timeLimitInSeconds": wanted.time_limit,
            "storageLocation": location,
            "filters": wanted.filters,
        });
        if let Some(continuous) = wanted.continuous {
            properties["continuousCapture"] = json!(continuous);
        }
        if let Some(settings) = &wanted.settings {
            properties["captureSettings"] = settings.clone();
        }
        // Not in the published contract, yet in real answers.
        if let Some(operation) = &self.last_query {
            properties["queryPacketCaptureLastOperationId"] = json!(operation);
        }
        json!({
            "name": self.name,
            "id": if listed { ids::lower_groups(&self.id) } else { self.id.clone() },
            "etag": etag,
            "type": "Microsoft.Network/networkWatchers/packetCaptures",
            "properties": properties,
        })
    }

    /// The answer of queryStatus.
    pub fn status(&self) -> Value {
        let mut status = json!({
            "name": self.name,
            "id": self.id,
            "packetCaptureStatus": self.session.name(),
            "packetCaptureError": self.errors,
        });
        let started = self.started.and_then(|at| at.format(TICKS).ok());
        let stated = match &self.mishap {
            Some(Mishap::OddStart(odd)) => started.and(odd.map(str::to_owned)),
            _ => started,
        };
        if let Some(started) = stated {
            status["captureStartTime"] = json!(started);
        }
        if let Some(reason) = &self.stop_reason {
            status["stopReason"] = json!(reason);
        }
        status
    }

    /// Path and bytes of the file that the session leaves in the sandbox's storage.
    pub fn file(
        &self,
        endpoint: &str,
        ended: OffsetDateTime,
        traffic: Traffic,
    ) -> Option<(String, Vec<u8>)> {
        let path = blob_path(endpoint, self.storage_path.as_deref()?)?;
        let start = self.started?;
        // In Manual mode the clock hardly moves; the session then claims its whole length.
        let ran = Duration::try_from(ended - start).unwrap_or_default();
        let whole = self.wanted.session_length();
        let manual = self.stop_reason.as_deref() == Some("Manual");
        let bytes = traffic::pcap(&Recipe {
            traffic,
            seed: &self.id,
            start,
            duration: if manual { ran.min(whole) } else { whole },
            bytes_per_packet: self.wanted.bytes_per_packet,
            total_bytes: self.wanted.total_bytes,
        });
        Some((path, bytes.ok()?))
    }
}

/// Where the service writes: everything after the container is in lower case.
pub(super) fn storage_path(
    endpoint: &str,
    storage_id: &str,
    target: &str,
    now: OffsetDateTime,
) -> String {
    let kind = match ids::part(target, "virtualMachineScaleSets") {
        Some(_) => "virtualmachinescalesets",
        None => "virtualmachines",
    };
    let tail = format!(
        "subscriptions/{}/resourcegroups/{}/providers/microsoft.compute/{kind}/{}/{}",
        ids::subscription(target),
        ids::group(target),
        ids::name(target),
        now.format(FILE).unwrap_or_default(),
    );
    let account = ids::name(storage_id);
    format!(
        "{endpoint}/{account}/network-watcher-logs/{}",
        tail.to_lowercase()
    )
}

/// The key of a stored file: the path of its URL. Nothing for a foreign account.
pub(super) fn blob_path(endpoint: &str, url: &str) -> Option<String> {
    let path = url.strip_prefix(endpoint)?.strip_prefix('/')?;
    let safe = path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    safe.then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn times_and_paths_look_like_the_service_s() {
        let at = datetime!(2026-03-04 05:06:07.0891234 UTC);
        let mut capture = Capture::new("/id".to_owned(), "n", Wanted::default(), None);
        capture.started = Some(at);
        assert_eq!(
            capture.status()["captureStartTime"],
            "2026-03-04T05:06:07.0891234Z"
        );
        let vm = "/subscriptions/S/resourceGroups/RG-Shop/providers/Microsoft.Compute/virtualMachines/Web-01";
        assert_eq!(
            storage_path("https://h", "/x/storageAccounts/acct", vm, at),
            "https://h/acct/network-watcher-logs/subscriptions/s/resourcegroups/rg-shop/providers/\
             microsoft.compute/virtualmachines/web-01/2026/03/04/packetcapture_05_06_07_089.cap"
        );
        assert_eq!(blob_path("https://h", "https://h/a/../../etc"), None);
        assert_eq!(blob_path("https://h", "https://other/a"), None);
    }
}
