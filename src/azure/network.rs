//! Microsoft.Network beside the network watchers, read only: how full a region is.

use super::{client::ArmClient, error::AzureError, page::Pages};
use crate::{resource_id::ResourceId, text};
use serde_json::Value;

/// How much of something a region has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Such as `PacketCaptures`.
    pub name: String,
    pub current: u64,
    pub limit: u64,
}

/// The calls of Microsoft.Network.
#[derive(Debug, Clone)]
pub struct NetworkClient {
    arm: ArmClient,
}

impl NetworkClient {
    pub fn new(arm: ArmClient) -> Self {
        Self { arm }
    }

    /// What a region has room for.
    /// <https://learn.microsoft.com/en-us/rest/api/virtualnetwork/usages/list>
    ///
    /// # Errors
    /// As [`ArmClient::send`].
    pub async fn list_usages(
        &self,
        subscription: &ResourceId,
        region: &str,
    ) -> Result<Vec<Usage>, AzureError> {
        let path = [
            "providers",
            "Microsoft.Network",
            "locations",
            region,
            "usages",
        ];
        let first = self
            .arm
            .url(subscription, &path, &self.arm.api_versions().network);
        let mut found = Vec::new();
        let take = |found: &mut Vec<Usage>, usage: Value| found.extend(read_usage(&usage));
        let mut pages = Pages::of(&self.arm, "list usages", subscription, first);
        while pages.read(&mut found, take).await? {}
        Ok(found)
    }
}

fn read_usage(usage: &Value) -> Option<Usage> {
    // Azure writes them with a fraction.
    let number = |member: &str| Some(usage[member].as_f64()?.max(0.0) as u64);
    Some(Usage {
        name: text::cleaned(usage["name"]["value"].as_str()?, text::NAME)?,
        current: number("currentValue")?,
        limit: number("limit")?,
    })
}
