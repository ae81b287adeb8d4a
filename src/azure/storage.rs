//! Microsoft.Storage, read only: what kind of account the captures go to.

mod lifecycle;

pub use lifecycle::{Deletion, LifecycleRule, Since};

use super::{
    client::{ArmClient, Call},
    error::AzureError,
    lenient,
    retry::Repeat,
};
use crate::resource_id::ResourceId;
use azure_core::http::Method;
use serde::Deserialize;

/// A storage account, as far as captures need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageAccount {
    /// Such as `Standard_LRS`.
    pub sku: String,
    pub premium: bool,
    /// Whether a SAS made with the account's keys is accepted. Accounts that do not say so accept it.
    pub allows_shared_keys: bool,
    /// Normalised, such as `westus2`, if Azure says so.
    pub location: Option<String>,
    /// Whether the account is open to selected networks only, or to none.
    pub is_restricted: bool,
}

#[derive(Deserialize)]
struct AccountWire {
    #[serde(default, deserialize_with = "lenient::text")]
    location: Option<String>,
    #[serde(default, deserialize_with = "lenient::object")]
    sku: SkuWire,
    #[serde(default, deserialize_with = "lenient::object")]
    properties: AccountProperties,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SkuWire {
    #[serde(deserialize_with = "lenient::text")]
    name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    tier: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AccountProperties {
    #[serde(deserialize_with = "lenient::boolean")]
    allow_shared_key_access: Option<bool>,
    #[serde(deserialize_with = "lenient::text")]
    public_network_access: Option<String>,
    #[serde(deserialize_with = "lenient::object")]
    network_acls: NetworkAcls,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct NetworkAcls {
    #[serde(deserialize_with = "lenient::text")]
    default_action: Option<String>,
}

/// The calls of Microsoft.Storage.
#[derive(Debug, Clone)]
pub struct StorageAccountClient {
    arm: ArmClient,
}

impl StorageAccountClient {
    pub fn new(arm: ArmClient) -> Self {
        Self { arm }
    }

    /// One storage account.
    /// <https://learn.microsoft.com/en-us/rest/api/storagerp/storage-accounts/get-properties>
    ///
    /// # Errors
    /// As [`ArmClient::read`]; not found when there is no such account.
    pub async fn get_storage_account(&self, id: &ResourceId) -> Result<StorageAccount, AzureError> {
        let version = &self.arm.api_versions().storage;
        let call = Call {
            operation: "get the storage account",
            resource: id,
            method: Method::Get,
            url: self.arm.url(id, &[], version),
            body: None,
            repeat: Repeat::Freely,
        };
        let AccountWire {
            location,
            sku,
            properties,
        } = self.arm.read(call).await?;
        let is = |text: &Option<String>, word: &str| {
            text.as_deref()
                .is_some_and(|it| it.eq_ignore_ascii_case(word))
        };
        let name = sku.name.unwrap_or_default();
        let tier = sku.tier.as_deref().unwrap_or(&name);
        Ok(StorageAccount {
            premium: tier.to_ascii_lowercase().starts_with("premium"),
            sku: name,
            allows_shared_keys: properties.allow_shared_key_access.unwrap_or(true),
            location: location.and_then(|it| crate::text::region(&it)),
            is_restricted: is(&properties.public_network_access, "Disabled")
                || is(&properties.network_acls.default_action, "Deny"),
        })
    }
}
