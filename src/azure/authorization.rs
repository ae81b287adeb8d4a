//! Microsoft.Authorization, read only: what the caller may do.

use super::{client::ArmClient, error::AzureError, lenient, page};
use crate::resource_id::ResourceId;
use serde::Deserialize;

/// What one role allows: the actions, less the others. Both may hold wildcards.
#[derive(Debug, Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Permission {
    #[serde(deserialize_with = "lenient::texts")]
    pub actions: Vec<String>,
    #[serde(deserialize_with = "lenient::texts")]
    pub not_actions: Vec<String>,
}

/// The calls of Microsoft.Authorization.
#[derive(Debug, Clone)]
pub struct AuthorizationClient {
    arm: ArmClient,
}

impl AuthorizationClient {
    pub fn new(arm: ArmClient) -> Self {
        Self { arm }
    }

    /// The caller's permissions at a scope, inherited ones too, one entry per role.
    /// <https://learn.microsoft.com/en-us/rest/api/authorization/permissions/list-for-resource>
    ///
    /// # Errors
    /// As [`ArmClient::send`].
    pub async fn list_permissions(
        &self,
        scope: &ResourceId,
    ) -> Result<Vec<Permission>, AzureError> {
        let path = ["providers", "Microsoft.Authorization", "permissions"];
        let version = &self.arm.api_versions().authorization;
        let first = self.arm.url(scope, &path, version);
        page::list(&self.arm, "list permissions", scope, first).await
    }
}
