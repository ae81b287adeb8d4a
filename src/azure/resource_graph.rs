//! Azure Resource Graph: queries over the resources that the identity can read. What it may not read is missing in the
//! rows, without an error.
//! <https://learn.microsoft.com/en-us/rest/api/azureresourcegraph/resourcegraph/resources/resources>

use super::{
    client::{ArmClient, Call},
    error::{AzureError, Failure},
    retry::Repeat,
};
use crate::resource_id::ResourceId;
use azure_core::http::Method;
use serde_json::{Value, json};
use std::sync::Arc;

const VERSION: &str = "2024-04-01";
/// Maximum rows of a page, by Azure.
const PAGE: usize = 1_000;
/// Maximum pages that are read of one query.
const MOST_PAGES: usize = 10;

/// The rows of a query.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    pub rows: Vec<Value>,
    /// There are more than were read.
    pub truncated: bool,
}

/// The calls of Microsoft.ResourceGraph.
#[derive(Debug, Clone)]
pub struct ResourceGraphClient {
    arm: ArmClient,
}

impl ResourceGraphClient {
    pub fn new(arm: ArmClient) -> Self {
        Self { arm }
    }

    /// The rows of a query over a subscription.
    ///
    /// # Errors
    /// As [`ArmClient::send`]; [`Failure::Unreadable`].
    pub async fn query(
        &self,
        operation: &'static str,
        subscription: &ResourceId,
        query: &str,
    ) -> Result<Rows, AzureError> {
        let path = ["providers", "Microsoft.ResourceGraph", "resources"];
        let url = self.arm.url_of(&path, VERSION);
        let mut found = Rows::default();
        let mut token: Option<Value> = None;
        for _ in 0..MOST_PAGES {
            let mut options = json!({ "$top": PAGE, "resultFormat": "objectArray" });
            if let Some(token) = token.take() {
                options["$skipToken"] = token;
            }
            let body = json!({
                "subscriptions": [subscription.subscription()],
                "query": query,
                "options": options,
            });
            let call = Call {
                operation,
                resource: subscription,
                method: Method::Post,
                url: url.clone(),
                body: Some(body.to_string().into()),
                repeat: Repeat::Freely,
            };
            let mut page: Value = self.arm.read(call).await?;
            let Value::Array(rows) = page["data"].take() else {
                return Err(unreadable(operation, subscription));
            };
            found.rows.extend(rows);
            token = Some(page["$skipToken"].take()).filter(Value::is_string);
            if token.is_none() {
                found.truncated = page["resultTruncated"] == "true";
                return Ok(found);
            }
        }
        found.truncated = true;
        Ok(found)
    }
}

fn unreadable(operation: &'static str, resource: &ResourceId) -> AzureError {
    AzureError {
        operation,
        resource: resource.to_string(),
        failure: Failure::Unreadable {
            source: Arc::new(std::io::Error::other("the answer has no rows")),
        },
    }
}
