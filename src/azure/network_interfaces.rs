//! Microsoft.Network network interfaces: the security rules and routes that Azure enforces on one. Both are operations that
//! Azure computes after the call; the machine must run.

use super::{
    client::{ArmClient, Call},
    error::{AzureError, Failure},
    operation::{OperationUrl, operation_of},
    retry::Repeat,
};
use crate::resource_id::ResourceId;
use azure_core::http::Method;
use serde_json::Value;
use std::{sync::Arc, time::Duration};

/// Maximum polls of one operation.
const MOST_POLLS: u32 = 20;

/// The calls of network interfaces, at one api-version.
#[derive(Debug, Clone)]
pub struct NetworkInterfaceClient {
    arm: ArmClient,
    api_version: String,
    /// The shortest and longest time between two polls.
    poll: (Duration, Duration),
}

impl NetworkInterfaceClient {
    pub fn new(arm: ArmClient, poll: (Duration, Duration)) -> Self {
        let api_version = arm.api_versions().network.clone();
        Self {
            arm,
            api_version,
            poll,
        }
    }

    /// The effective network security groups of an interface, as JSON.
    /// <https://learn.microsoft.com/en-us/rest/api/virtualnetwork/network-interfaces/list-effective-network-security-groups>
    ///
    /// # Errors
    /// As [`ArmClient::send`]; [`Failure::OperationFailed`].
    pub async fn list_effective_network_security_groups(
        &self,
        interface: &ResourceId,
    ) -> Result<Vec<Value>, AzureError> {
        let operation = "list effective network security groups";
        self.compute(operation, interface, "effectiveNetworkSecurityGroups")
            .await
    }

    /// The effective route table of an interface, as JSON.
    /// <https://learn.microsoft.com/en-us/rest/api/virtualnetwork/network-interfaces/get-effective-route-table>
    ///
    /// # Errors
    /// As [`ArmClient::send`]; [`Failure::OperationFailed`].
    pub async fn get_effective_route_table(
        &self,
        interface: &ResourceId,
    ) -> Result<Vec<Value>, AzureError> {
        let operation = "get the effective route table";
        self.compute(operation, interface, "effectiveRouteTable")
            .await
    }

    async fn compute(
        &self,
        operation: &'static str,
        interface: &ResourceId,
        action: &str,
    ) -> Result<Vec<Value>, AzureError> {
        let failed = |failure| AzureError {
            operation,
            resource: interface.to_string(),
            failure,
        };
        let url = self.arm.url(interface, &[action], &self.api_version);
        let mut call = self.call(operation, interface, Method::Post, url.clone());
        let mut polled: Option<OperationUrl> = None;
        for _ in 0..MOST_POLLS {
            let reply = self.arm.send(call).await?;
            if reply.status != 202 {
                let mut answer: Value = reply.json().map_err(failed)?;
                return match answer["value"].take() {
                    Value::Array(rows) => Ok(rows),
                    _ => Err(failed(no_rows())),
                };
            }
            polled = operation_of(&self.arm, &url, &reply).or(polled);
            let Some(next) = &polled else {
                return Err(failed(no_rows()));
            };
            let next = self.arm.own_url(next.expose()).map_err(failed)?;
            let (shortest, longest) = self.poll;
            let wait = reply.retry_after().unwrap_or(shortest);
            tokio::time::sleep(wait.clamp(shortest, longest)).await;
            call = self.call(operation, interface, Method::Get, next);
        }
        Err(failed(Failure::OperationFailed {
            code: "NotFinished".to_owned(),
            message: format!("Azure did not finish it within {MOST_POLLS} polls"),
        }))
    }

    fn call<'a>(
        &self,
        operation: &'static str,
        interface: &'a ResourceId,
        method: Method,
        url: url::Url,
    ) -> Call<'a> {
        Call {
            operation,
            resource: interface,
            method,
            url,
            body: None,
            repeat: Repeat::Freely,
        }
    }
}

fn no_rows() -> Failure {
    Failure::Unreadable {
        source: Arc::new(std::io::Error::other("the answer has no list")),
    }
}
