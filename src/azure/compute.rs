//! Microsoft.Compute, read only: where a virtual machine or a scale set is.
//! <https://learn.microsoft.com/en-us/rest/api/compute/virtual-machines/get>

use super::{
    client::{ArmClient, Call},
    error::AzureError,
    normalise_location,
    resource_id::ResourceId,
    retry::Repeat,
};
use azure_core::http::Method;
use serde::Deserialize;

/// Known to every cloud; a location is all that is read.
pub const API_VERSION: &str = "2024-07-01";

#[derive(Deserialize)]
struct Located {
    location: String,
}

/// The normalised location of a virtual machine, a scale set or an instance of one.
///
/// # Errors
/// As [`ArmClient::send`]; not found when there is no such machine.
pub async fn location_of(client: &ArmClient, id: &ResourceId) -> Result<String, AzureError> {
    let located: Located = client
        .read(Call {
            operation: "get the virtual machine's location",
            resource: id,
            method: Method::Get,
            url: client.url(id, &[], API_VERSION),
            body: None,
            repeat: Repeat::Freely,
        })
        .await?;
    Ok(normalise_location(&located.location))
}
