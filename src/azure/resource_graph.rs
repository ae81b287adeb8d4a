//! Azure Resource Graph: one query lists the resources of many subscriptions. It is a copy that is some seconds old, and what
//! the caller may not read is missing from it without an error.

use super::{
    client::{ArmClient, Call},
    error::AzureError,
    retry::Repeat,
};
use crate::resource_id::ResourceId;
use azure_core::http::Method;
use serde_json::{Value, json};

/// The same in all clouds.
const API_VERSION: &str = "2024-04-01";
/// Maximum rows of a page, which Azure sets.
pub const MAXIMUM_ROWS: usize = 1_000;

/// One page of the rows of a query.
#[derive(Debug, Default)]
pub struct Rows {
    pub rows: Vec<Value>,
    /// Where the next page continues; `None` on the last one.
    pub next: Option<String>,
}

/// The call of Microsoft.ResourceGraph.
#[derive(Debug, Clone)]
pub struct ResourceGraphClient {
    arm: ArmClient,
}

impl ResourceGraphClient {
    pub fn new(arm: ArmClient) -> Self {
        Self { arm }
    }

    /// One page of a query over these subscriptions, or over all that the caller may read.
    /// <https://learn.microsoft.com/en-us/rest/api/azureresourcegraph/resourcegraph/resources/resources>
    ///
    /// # Errors
    /// As [`ArmClient::read`].
    pub async fn resources(
        &self,
        query: &str,
        subscriptions: &[&str],
        after: Option<&str>,
        rows: usize,
    ) -> Result<Rows, AzureError> {
        let mut body = json!({
            "query": query,
            "options": { "$top": rows.min(MAXIMUM_ROWS), "resultFormat": "objectArray" },
        });
        if !subscriptions.is_empty() {
            body["subscriptions"] = json!(subscriptions);
        }
        if let Some(after) = after {
            body["options"]["$skipToken"] = json!(after);
        }
        let path = ["providers", "Microsoft.ResourceGraph", "resources"];
        let call = Call {
            operation: "query resources",
            resource: &"Resource Graph",
            method: Method::Post,
            url: self.arm.tenant_url(&path, API_VERSION),
            body: Some(body.to_string().into()),
            repeat: Repeat::Freely,
        };
        let mut answer: Value = self.arm.read(call).await?;
        let next = answer["$skipToken"].as_str().map(str::to_owned);
        let rows = match answer["data"].take() {
            Value::Array(rows) => rows,
            _ => Vec::new(),
        };
        Ok(Rows { rows, next })
    }
}

/// A member of a row that names a resource.
pub fn id(row: &Value, member: &str) -> Option<ResourceId> {
    ResourceId::parse(row[member].as_str()?).ok()
}
