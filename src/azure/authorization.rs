//! Microsoft.Authorization, read only: what the caller may do.
//! <https://learn.microsoft.com/en-us/rest/api/authorization/permissions/list-for-resource>

use super::{client::ArmClient, error::AzureError, page};
use crate::resource_id::ResourceId;
use serde::Deserialize;

/// Known to every cloud.
pub const API_VERSION: &str = "2022-04-01";

/// What one role allows: the actions, less the others. Both may hold wildcards.
#[derive(Debug, Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Permission {
    pub actions: Vec<String>,
    pub not_actions: Vec<String>,
}

/// The caller's permissions at a scope, inherited ones too, an entry a role.
///
/// # Errors
/// As [`ArmClient::send`].
pub async fn list_permissions(
    client: &ArmClient,
    scope: &ResourceId,
) -> Result<Vec<Permission>, AzureError> {
    let path = ["providers", "Microsoft.Authorization", "permissions"];
    let first = client.url(scope, &path, &client.api_versions().authorization);
    page::list(client, "list permissions", scope, first).await
}
