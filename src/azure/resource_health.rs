//! Microsoft.ResourceHealth, read only: how Azure says that a resource is.

use super::{
    client::{ArmClient, Call},
    error::AzureError,
    lenient,
    retry::Repeat,
};
use crate::resource_id::ResourceId;
use azure_core::http::Method;
use serde::Deserialize;

const VERSION: &str = "2022-10-01";

/// How Azure says that a resource is.
#[derive(Debug, Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Availability {
    /// `Available`, `Unavailable`, `Degraded`, `Unknown`.
    #[serde(deserialize_with = "lenient::text")]
    pub availability_state: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub summary: Option<String>,
    /// Such as `Unplanned` or `UserInitiated`.
    #[serde(deserialize_with = "lenient::text")]
    pub reason_type: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StatusWire {
    #[serde(deserialize_with = "lenient::object")]
    properties: Availability,
}

/// The calls of Microsoft.ResourceHealth.
#[derive(Debug, Clone)]
pub struct ResourceHealthClient {
    arm: ArmClient,
}

impl ResourceHealthClient {
    pub fn new(arm: ArmClient) -> Self {
        Self { arm }
    }

    /// How a resource is now.
    /// <https://learn.microsoft.com/en-us/rest/api/resourcehealth/availability-statuses/get-by-resource>
    ///
    /// # Errors
    /// As [`ArmClient::read`].
    pub async fn get_availability(
        &self,
        resource: &ResourceId,
    ) -> Result<Availability, AzureError> {
        let path = [
            "providers",
            "Microsoft.ResourceHealth",
            "availabilityStatuses",
            "current",
        ];
        let call = Call {
            operation: "get the resource health",
            resource,
            method: Method::Get,
            url: self.arm.url(resource, &path, VERSION),
            body: None,
            repeat: Repeat::Freely,
        };
        let status: StatusWire = self.arm.read(call).await?;
        Ok(status.properties)
    }
}
