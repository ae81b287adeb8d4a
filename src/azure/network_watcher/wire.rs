//! The JSON of network watchers and captures. Azure leaves members out, sends null, and adds members: only what a
//! resource cannot do without is required.

use super::values::{NetworkWatcher, PacketCapture, PacketCaptureStatus};
use crate::{azure::lenient, resource_id::ResourceId, text};
use serde::{Deserialize, Deserializer, de::Error};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Maximum time limit, that of continuous captures.
/// <https://learn.microsoft.com/en-us/rest/api/network-watcher/packet-captures/create>
const LONGEST_CAPTURE_SECONDS: u32 = 604_800;

/// Maximum of `bytesToCapturePerPacket`.
const MOST_BYTES: u32 = u32::MAX;

/// Maximum errors of a session that are kept. A machine has five codes at most, a large scale set a sentence for each
/// instance.
const MAXIMUM_ERRORS: usize = 20;

/// The years in which a capture can have started. .NET spells "none" as year 1, and dates after 9999 cannot be
/// calculated with.
const YEARS: std::ops::RangeInclusive<i32> = 2016..=9000;

#[derive(Clone, Deserialize)]
pub(super) struct WatcherWire {
    id: ResourceId,
    #[serde(deserialize_with = "lenient::region")]
    location: String,
}

impl From<WatcherWire> for NetworkWatcher {
    fn from(wire: WatcherWire) -> Self {
        Self {
            id: wire.id,
            location: wire.location,
        }
    }
}

/// A capture whose name is known.
#[derive(Clone)]
pub(super) struct CaptureWire(PacketCapture);

impl From<CaptureWire> for PacketCapture {
    fn from(wire: CaptureWire) -> Self {
        wire.0
    }
}

#[derive(Deserialize)]
struct Members {
    #[serde(default, deserialize_with = "lenient::text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    etag: Option<String>,
    #[serde(default, deserialize_with = "lenient::object")]
    properties: Properties,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Properties {
    #[serde(deserialize_with = "lenient::text")]
    target: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    provisioning_state: Option<String>,
    #[serde(deserialize_with = "lenient::whole::<LONGEST_CAPTURE_SECONDS, _>")]
    time_limit_in_seconds: Option<i64>,
    #[serde(deserialize_with = "lenient::whole::<MOST_BYTES, _>")]
    bytes_to_capture_per_packet: Option<i64>,
    filters: serde_json::Value,
    #[serde(deserialize_with = "lenient::object")]
    storage_location: StorageWire,
    #[serde(deserialize_with = "lenient::object")]
    scope: ScopeWire,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ScopeWire {
    #[serde(deserialize_with = "lenient::texts")]
    include: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct StorageWire {
    #[serde(deserialize_with = "lenient::text")]
    storage_path: Option<String>,
}

impl<'de> Deserialize<'de> for CaptureWire {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Members {
            name,
            id,
            etag,
            properties,
        } = Members::deserialize(deserializer)?;
        // A capture that occupies a name must be seen, if need be by its id.
        let of_id = || Some(id?.rsplit_once("/packetCaptures/")?.1.to_owned());
        let name = name.or_else(of_id);
        Ok(Self(PacketCapture {
            name: name.ok_or_else(|| D::Error::missing_field("name"))?,
            target: properties.target.unwrap_or_default(),
            provisioning_state: properties.provisioning_state.unwrap_or_default(),
            time_limit_seconds: properties.time_limit_in_seconds,
            bytes_per_packet: properties.bytes_to_capture_per_packet,
            filters: match properties.filters {
                serde_json::Value::Array(filters) => filters,
                _ => Vec::new(),
            },
            storage_path: properties.storage_location.storage_path,
            etag,
            included: properties.scope.include,
        }))
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct StatusWire {
    #[serde(deserialize_with = "lenient::text")]
    capture_start_time: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    packet_capture_status: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    stop_reason: Option<String>,
    #[serde(deserialize_with = "lenient::texts")]
    packet_capture_error: Vec<String>,
}

impl From<StatusWire> for PacketCaptureStatus {
    fn from(wire: StatusWire) -> Self {
        let short = |text: String| text::clean(&text, text::MESSAGE).into_owned();
        let errors = wire.packet_capture_error.into_iter();
        let started = wire
            .capture_start_time
            .and_then(|text| OffsetDateTime::parse(&text, &Rfc3339).ok());
        Self {
            status: wire.packet_capture_status.map_or(String::new(), short),
            started: started.filter(|started| YEARS.contains(&started.year())),
            stop_reason: wire.stop_reason.map(short),
            errors: errors.take(MAXIMUM_ERRORS).map(short).collect(),
        }
    }
}
