//! Microsoft.Network network watchers and their packet captures, one method a REST call.
//! <https://learn.microsoft.com/en-us/rest/api/network-watcher/packet-captures>

use super::{
    client::{ArmClient, Call},
    error::{AzureError, Failure},
    normalise_location,
    operation::{OperationUrl, operation_of},
    page,
    retry::Repeat,
};
use crate::resource_id::ResourceId;
use azure_core::http::Method;
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The contract that is the same from 2023-11-01 to 2026-03-01 and rolled out in every cloud.
pub const API_VERSION: &str = "2025-05-01";

const CAPTURES: &str = "packetCaptures";

/// A network watcher: one a subscription and region.
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
    pub time_limit_seconds: Option<i64>,
    /// Where the file will be, if a storage account is used.
    pub storage_path: Option<String>,
    /// Of a scale set: the instances that are captured, all when empty.
    pub included: Vec<String>,
}

/// What a session is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacketCaptureStatus {
    /// `NotStarted`, `Running`, `Stopped`, `Error`, `Unknown`: an open set.
    pub status: String,
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
    /// Where to follow it; `None` when it is already done or Azure gave no URL.
    pub operation: Option<OperationUrl>,
    pub retry_after: Option<std::time::Duration>,
    pub capture: Option<PacketCapture>,
}

#[derive(Clone, Deserialize)]
struct WatcherWire {
    id: ResourceId,
    location: String,
}

#[derive(Deserialize)]
struct CaptureWire {
    name: String,
    #[serde(default)]
    properties: CaptureProperties,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct CaptureProperties {
    target: Option<String>,
    provisioning_state: Option<String>,
    time_limit_in_seconds: Option<i64>,
    storage_location: Option<StorageWire>,
    scope: Option<ScopeWire>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ScopeWire {
    include: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct StorageWire {
    storage_path: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatusWire {
    #[serde(default)]
    capture_start_time: Option<String>,
    #[serde(default)]
    packet_capture_status: Option<String>,
    #[serde(default)]
    stop_reason: Option<String>,
    #[serde(default)]
    packet_capture_error: Option<Vec<String>>,
}

impl From<CaptureWire> for PacketCapture {
    fn from(wire: CaptureWire) -> Self {
        let properties = wire.properties;
        Self {
            name: wire.name,
            target: properties.target.unwrap_or_default(),
            provisioning_state: properties.provisioning_state.unwrap_or_default(),
            time_limit_seconds: properties.time_limit_in_seconds,
            storage_path: properties
                .storage_location
                .and_then(|location| location.storage_path)
                .filter(|path| !path.is_empty()),
            included: properties
                .scope
                .and_then(|scope| scope.include)
                .unwrap_or_default(),
        }
    }
}

impl From<StatusWire> for PacketCaptureStatus {
    fn from(wire: StatusWire) -> Self {
        Self {
            status: wire.packet_capture_status.unwrap_or_default(),
            started: wire
                .capture_start_time
                .and_then(|text| OffsetDateTime::parse(&text, &Rfc3339).ok()),
            stop_reason: wire.stop_reason.filter(|reason| !reason.is_empty()),
            errors: wire.packet_capture_error.unwrap_or_default(),
        }
    }
}

/// The calls, at one api-version.
#[derive(Debug, Clone)]
pub struct NetworkWatcherClient {
    arm: ArmClient,
    api_version: String,
}

impl NetworkWatcherClient {
    pub fn new(arm: ArmClient) -> Self {
        let api_version = arm.api_versions().network.clone();
        Self { arm, api_version }
    }

    /// The underlying client, for polling operations.
    pub fn arm(&self) -> &ArmClient {
        &self.arm
    }

    /// All network watchers of a subscription. `subscription` is its id, `/subscriptions/{guid}`.
    pub async fn list_network_watchers(
        &self,
        subscription: &ResourceId,
    ) -> Result<Vec<NetworkWatcher>, AzureError> {
        let path = ["providers", "Microsoft.Network", "networkWatchers"];
        let first = self.arm.url(subscription, &path, &self.api_version);
        let watchers: Vec<WatcherWire> =
            page::list(&self.arm, "list network watchers", subscription, first).await?;
        Ok(watchers
            .into_iter()
            .map(|WatcherWire { id, location }| NetworkWatcher {
                id,
                location: normalise_location(&location),
            })
            .collect())
    }

    /// All packet captures of a network watcher, those that have ended too.
    pub async fn list_packet_captures(
        &self,
        watcher: &ResourceId,
    ) -> Result<Vec<PacketCapture>, AzureError> {
        let mut all = Vec::new();
        self.each_packet_capture(watcher, &mut all, |all, capture| all.push(capture))
            .await?;
        Ok(all)
    }

    /// Hands every packet capture of a network watcher to `take` while the list is read, so that a long one is
    /// never held. `gathered` as it was is kept a page long, for a page that has to be read again.
    pub async fn each_packet_capture<S: Clone>(
        &self,
        watcher: &ResourceId,
        gathered: &mut S,
        mut take: impl FnMut(&mut S, PacketCapture),
    ) -> Result<(), AzureError> {
        let first = self.arm.url(watcher, &[CAPTURES], &self.api_version);
        let take = |gathered: &mut S, wire: CaptureWire| take(gathered, wire.into());
        page::each(
            &self.arm,
            "list packet captures",
            watcher,
            first,
            gathered,
            take,
        )
        .await
    }

    /// One packet capture, or `None` when it is not there.
    pub async fn get_packet_capture(
        &self,
        watcher: &ResourceId,
        name: &str,
    ) -> Result<Option<PacketCapture>, AzureError> {
        let call = self.call(
            "get the packet capture",
            Method::Get,
            watcher,
            &[CAPTURES, name],
        );
        match self.arm.read::<CaptureWire>(call).await {
            Ok(wire) => Ok(Some(wire.into())),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates a packet capture. Refused when the name is taken.
    ///
    /// # Errors
    /// When [`AzureError::may_have_been_applied`], look before repeating it.
    pub async fn create_packet_capture(
        &self,
        watcher: &ResourceId,
        name: &str,
        parameters: &PacketCaptureParameters,
    ) -> Result<Accepted, AzureError> {
        const OPERATION: &str = "create the packet capture";
        let body = serde_json::json!({ "properties": parameters });
        let reply = self
            .arm
            .send(Call {
                body: Some(body.to_string().into()),
                repeat: Repeat::UnlessApplied,
                ..self.call(OPERATION, Method::Put, watcher, &[CAPTURES, name])
            })
            .await?;
        let wire: CaptureWire = reply.json().map_err(|failure: Failure| AzureError {
            operation: OPERATION,
            resource: watcher.to_string(),
            failure,
        })?;
        Ok(Accepted {
            operation: operation_of(&reply),
            retry_after: reply.retry_after(),
            capture: Some(wire.into()),
        })
    }

    /// Deletes a packet capture. One that is not there counts as deleted.
    pub async fn delete_packet_capture(
        &self,
        watcher: &ResourceId,
        name: &str,
    ) -> Result<Accepted, AzureError> {
        let call = self.call(
            "delete the packet capture",
            Method::Delete,
            watcher,
            &[CAPTURES, name],
        );
        match self.arm.send(call).await {
            Ok(reply) => Ok(Accepted {
                operation: (reply.status == 202)
                    .then(|| operation_of(&reply))
                    .flatten(),
                retry_after: reply.retry_after(),
                capture: None,
            }),
            Err(error) if error.is_not_found() => Ok(Accepted {
                operation: None,
                retry_after: None,
                capture: None,
            }),
            Err(error) => Err(error),
        }
    }

    /// Stops a running session; its file is complete then. One that is not there counts as stopped.
    pub async fn stop_packet_capture(
        &self,
        watcher: &ResourceId,
        name: &str,
    ) -> Result<(), AzureError> {
        let path = [CAPTURES, name, "stop"];
        let call = self.call("stop the packet capture", Method::Post, watcher, &path);
        match self.arm.send(call).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What a session is doing, or `None` when it is not there. The 202 of a running session carries a full
    /// answer already, so nothing is polled.
    pub async fn query_status(
        &self,
        watcher: &ResourceId,
        name: &str,
    ) -> Result<Option<PacketCaptureStatus>, AzureError> {
        let call = self.call(
            "query the packet capture's status",
            Method::Post,
            watcher,
            &[CAPTURES, name, "queryStatus"],
        );
        match self.arm.read::<StatusWire>(call).await {
            Ok(wire) => Ok(Some(wire.into())),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn call<'a>(
        &self,
        operation: &'static str,
        method: Method,
        watcher: &'a ResourceId,
        path: &[&str],
    ) -> Call<'a> {
        Call {
            operation,
            resource: watcher,
            method,
            url: self.arm.url(watcher, path, &self.api_version),
            body: None,
            repeat: Repeat::Freely,
        }
    }
}
