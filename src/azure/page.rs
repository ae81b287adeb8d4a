//! Lists of Azure Resource Manager, followed from page to page and read while they come.

use super::{
    client::{ArmClient, Call},
    error::{AzureError, Failure},
    items::{Items, PageError},
    retry::Repeat,
    tries::Tries,
};
use azure_core::http::Method;
use serde::de::DeserializeOwned;
use std::fmt::Display;
use url::Url;

/// More pages than any subscription's network watchers fill; it ends a list that points back to itself.
const MOST_PAGES: usize = 1_000;

/// Reads a whole list.
///
/// # Errors
/// As [`each`].
pub async fn list<T: DeserializeOwned + Clone>(
    client: &ArmClient,
    operation: &'static str,
    resource: &(dyn Display + Sync),
    first: Url,
) -> Result<Vec<T>, AzureError> {
    let mut items = Vec::new();
    let take = |items: &mut Vec<T>, item| items.push(item);
    each(client, operation, resource, first, &mut items, take).await?;
    Ok(items)
}

/// Hands every element of a list to `take`, as soon as it has come. A page that breaks off is read again, from
/// what was gathered before it.
///
/// # Errors
/// As [`ArmClient::send`]; [`Failure::ForeignUrl`] when a `nextLink` points elsewhere.
pub async fn each<T: DeserializeOwned, S: Clone>(
    client: &ArmClient,
    operation: &'static str,
    resource: &(dyn Display + Sync),
    first: Url,
    gathered: &mut S,
    mut take: impl FnMut(&mut S, T),
) -> Result<(), AzureError> {
    let failed = |failure| AzureError {
        operation,
        resource: resource.to_string(),
        failure,
    };
    let mut url = first;
    for _ in 0..MOST_PAGES {
        let call = Call {
            operation,
            resource,
            method: Method::Get,
            url,
            body: None,
            repeat: Repeat::Freely,
        };
        let mut tries = Tries::of(client, &call);
        let next = loop {
            let mut page = gathered.clone();
            let id = tries.request_id();
            let read = read_page(client, &call, id, |item| take(&mut page, item));
            if let Some(next) = tries.next(read).await? {
                *gathered = page;
                break next;
            }
        };
        match next {
            None => return Ok(()),
            Some(next) => url = client.own_url(&next).map_err(failed)?,
        }
    }
    Err(failed(Failure::Unreadable {
        source: format!("the list did not end after {MOST_PAGES} pages").into(),
    }))
}

/// Reads one page, once. Gives the next one's URL.
async fn read_page<T: DeserializeOwned>(
    client: &ArmClient,
    call: &Call<'_>,
    request_id: String,
    mut take: impl FnMut(T),
) -> Result<(u16, Option<String>), Failure> {
    let unreadable = |error: PageError| Failure::Unreadable {
        source: error.into(),
    };
    let mut answer = client.open(call, request_id).await?;
    let mut items = Items::new();
    while let Some(piece) = answer.chunk().await? {
        items.read(&piece, &mut take).map_err(unreadable)?;
    }
    Ok((answer.status, items.end().map_err(unreadable)?))
}
