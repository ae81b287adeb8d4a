//! Lists of Azure Resource Manager, followed from page to page.

use super::{
    client::{ArmClient, Call},
    error::{AzureError, Failure},
    retry::Repeat,
};
use azure_core::http::Method;
use serde::{Deserialize, de::DeserializeOwned};
use std::fmt::Display;
use url::Url;

/// More pages than any subscription's network watchers fill; it ends a list that points back to itself.
const MOST_PAGES: usize = 1_000;

#[derive(Deserialize)]
struct Page<T> {
    #[serde(default = "Vec::new")]
    value: Vec<T>,
    #[serde(rename = "nextLink", default)]
    next_link: Option<String>,
}

/// Reads a whole list.
///
/// # Errors
/// As [`ArmClient::send`]; [`Failure::ForeignUrl`] when a `nextLink` points elsewhere.
pub async fn list<T: DeserializeOwned>(
    client: &ArmClient,
    operation: &'static str,
    resource: &(dyn Display + Sync),
    first: Url,
) -> Result<Vec<T>, AzureError> {
    let failed = |failure| AzureError {
        operation,
        resource: resource.to_string(),
        failure,
    };
    let mut items = Vec::new();
    let mut url = first;
    for _ in 0..MOST_PAGES {
        let page: Page<T> = client
            .read(Call {
                operation,
                resource,
                method: Method::Get,
                url,
                body: None,
                repeat: Repeat::Freely,
            })
            .await?;
        items.extend(page.value);
        match page.next_link.as_deref() {
            None | Some("") => return Ok(items),
            Some(next) => url = client.own_url(next).map_err(failed)?,
        }
    }
    Err(failed(Failure::Unreadable {
        source: format!("the list did not end after {MOST_PAGES} pages").into(),
    }))
}
