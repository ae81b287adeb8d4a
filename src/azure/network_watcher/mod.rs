//! Microsoft.Network network watchers and their packet captures.
//! <https://learn.microsoft.com/en-us/rest/api/network-watcher/packet-captures>

mod values;
mod wire;

pub use values::{
    Accepted, NetworkWatcher, PacketCapture, PacketCaptureParameters, PacketCaptureStatus, Scope,
    StorageLocation,
};

use super::{
    client::{ArmClient, Call},
    error::AzureError,
    operation::{self, OperationUrl, Progress, operation_of},
    page,
    retry::Repeat,
};
use crate::resource_id::ResourceId;
use azure_core::http::Method;
use wire::{CaptureWire, StatusWire, WatcherWire};

const CAPTURES: &str = "packetCaptures";

/// The calls of Microsoft.Network, at one api-version.
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

    /// All network watchers of a subscription. `subscription` is its id, `/subscriptions/{guid}`.
    /// <https://learn.microsoft.com/en-us/rest/api/network-watcher/network-watchers/list-all>
    ///
    /// # Errors
    /// As [`ArmClient::send`].
    pub async fn list_network_watchers(
        &self,
        subscription: &ResourceId,
    ) -> Result<Vec<NetworkWatcher>, AzureError> {
        let path = ["providers", "Microsoft.Network", "networkWatchers"];
        let first = self.arm.url(subscription, &path, &self.api_version);
        let watchers: Vec<WatcherWire> =
            page::list(&self.arm, "list network watchers", subscription, first).await?;
        Ok(watchers.into_iter().map(NetworkWatcher::from).collect())
    }

    /// All packet captures of a network watcher, finished ones too.
    /// <https://learn.microsoft.com/en-us/rest/api/network-watcher/packet-captures/list>
    ///
    /// # Errors
    /// As [`ArmClient::send`].
    pub async fn list_packet_captures(
        &self,
        watcher: &ResourceId,
    ) -> Result<Vec<PacketCapture>, AzureError> {
        let mut all = Vec::new();
        self.each_packet_capture(watcher, &mut all, |all, capture| all.push(capture))
            .await?;
        Ok(all)
    }

    /// Lists packet captures, each handed to `take` while it is read, so that a long one is never held in memory. A
    /// page that has to be read again starts from a copy of `gathered`.
    ///
    /// # Errors
    /// As [`ArmClient::send`].
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

    /// One packet capture, or `None` when it does not exist.
    /// <https://learn.microsoft.com/en-us/rest/api/network-watcher/packet-captures/get>
    ///
    /// # Errors
    /// As [`ArmClient::read`].
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
    /// <https://learn.microsoft.com/en-us/rest/api/network-watcher/packet-captures/create>
    ///
    /// # Errors
    /// When [`AzureError::may_have_been_applied`], read the capture before repeating it.
    pub async fn create_packet_capture(
        &self,
        watcher: &ResourceId,
        name: &str,
        parameters: &PacketCaptureParameters,
    ) -> Result<Accepted, AzureError> {
        const OPERATION: &str = "create the packet capture";
        let body = serde_json::json!({ "properties": parameters });
        let call = Call {
            body: Some(body.to_string().into()),
            repeat: Repeat::UnlessApplied,
            ..self.call(OPERATION, Method::Put, watcher, &[CAPTURES, name])
        };
        let requested = call.url.clone();
        let reply = self.arm.send(call).await?;
        let wire: CaptureWire = reply.json().map_err(|failure| AzureError {
            operation: OPERATION,
            resource: watcher.to_string(),
            failure,
        })?;
        Ok(Accepted {
            operation: operation_of(&self.arm, &requested, &reply),
            retry_after: reply.retry_after(),
            capture: Some(wire.into()),
        })
    }

    /// Deletes a packet capture. One that does not exist counts as deleted.
    /// <https://learn.microsoft.com/en-us/rest/api/network-watcher/packet-captures/delete>
    ///
    /// # Errors
    /// As [`ArmClient::send`].
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
        let requested = call.url.clone();
        let accepted = |operation, retry_after| Accepted {
            operation,
            retry_after,
            capture: None,
        };
        match self.arm.send(call).await {
            Ok(reply) if reply.status == 202 => {
                let operation = operation_of(&self.arm, &requested, &reply);
                Ok(accepted(operation, reply.retry_after()))
            }
            Ok(_) => Ok(accepted(None, None)),
            Err(error) if error.is_not_found() => Ok(accepted(None, None)),
            Err(error) => Err(error),
        }
    }

    /// Stops a running session; its file is complete then. One that does not exist counts as stopped.
    /// <https://learn.microsoft.com/en-us/rest/api/network-watcher/packet-captures/stop>
    ///
    /// # Errors
    /// As [`ArmClient::send`].
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

    /// What a session is doing, or `None` when it does not exist. The 202 of a running session carries a full answer
    /// already, so nothing is polled. An answer without content is a status that is not known yet.
    /// <https://learn.microsoft.com/en-us/rest/api/network-watcher/packet-captures/get-status>
    ///
    /// # Errors
    /// As [`ArmClient::read`].
    pub async fn query_status(
        &self,
        watcher: &ResourceId,
        name: &str,
    ) -> Result<Option<PacketCaptureStatus>, AzureError> {
        const OPERATION: &str = "query the packet capture's status";
        let path = [CAPTURES, name, "queryStatus"];
        match self
            .arm
            .send(self.call(OPERATION, Method::Post, watcher, &path))
            .await
        {
            Ok(reply) if reply.is_blank() => Ok(Some(PacketCaptureStatus::default())),
            Ok(reply) => match reply.json::<StatusWire>() {
                Ok(wire) => Ok(Some(wire.into())),
                Err(failure) => Err(AzureError {
                    operation: OPERATION,
                    resource: watcher.to_string(),
                    failure,
                }),
            },
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// How far an accepted operation on a network watcher is.
    /// <https://learn.microsoft.com/en-us/azure/azure-resource-manager/management/async-operations>
    ///
    /// # Errors
    /// As [`ArmClient::send`]; a failed operation is [`Progress::Failed`], not an error.
    pub async fn get_operation(
        &self,
        watcher: &ResourceId,
        url: &OperationUrl,
    ) -> Result<Progress, AzureError> {
        operation::get(&self.arm, watcher, url).await
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
