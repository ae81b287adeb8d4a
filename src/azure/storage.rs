//! Microsoft.Storage, read only: what kind of account the captures go to.
//! <https://learn.microsoft.com/en-us/rest/api/storagerp/storage-accounts/get-properties>

use super::{
    client::{ArmClient, Call},
    error::AzureError,
    retry::Repeat,
};
use crate::resource_id::ResourceId;
use azure_core::http::Method;
use serde::Deserialize;

/// Known to every cloud.
pub const API_VERSION: &str = "2023-05-01";

/// A storage account, as far as captures care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageAccount {
    /// Such as `Standard_LRS`.
    pub sku: String,
    pub premium: bool,
    /// Whether a SAS made with the account's keys is taken. Accounts that say nothing take it.
    pub allows_shared_keys: bool,
}

#[derive(Deserialize)]
struct AccountWire {
    #[serde(default)]
    sku: SkuWire,
    #[serde(default)]
    properties: AccountProperties,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SkuWire {
    name: String,
    tier: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AccountProperties {
    allow_shared_key_access: Option<bool>,
}

/// One storage account.
///
/// # Errors
/// As [`ArmClient::send`]; not found when there is no such account.
pub async fn get_storage_account(
    client: &ArmClient,
    id: &ResourceId,
) -> Result<StorageAccount, AzureError> {
    let wire: AccountWire = client
        .read(Call {
            operation: "get the storage account",
            resource: id,
            method: Method::Get,
            url: client.url(id, &[], &client.api_versions().storage),
            body: None,
            repeat: Repeat::Freely,
        })
        .await?;
    let tier = wire.sku.tier.as_deref().unwrap_or(&wire.sku.name);
    Ok(StorageAccount {
        premium: tier.to_ascii_lowercase().starts_with("premium"),
        sku: wire.sku.name,
        allows_shared_keys: wire.properties.allow_shared_key_access.unwrap_or(true),
    })
}
