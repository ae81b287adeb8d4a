//! Lists of Azure Resource Manager, followed from page to page and read while they come.

mod items;

use super::{
    client::{ArmClient, Call, Tries},
    error::{AzureError, Failure},
    retry::Repeat,
};
use azure_core::http::Method;
use items::{Items, PageError};
use serde::de::DeserializeOwned;
use std::{collections::HashSet, fmt::Display, sync::Arc};
use url::Url;

/// Maximum pages of a list: more than the network watchers of any subscription fill.
const MAXIMUM_PAGES: usize = 1_000;
/// Maximum bytes of a page. A region's 10,000 sessions are some 15 MB, if they come in one.
const MAXIMUM_BYTES: usize = 32 * 1024 * 1024;
/// Maximum elements of a list.
const MAXIMUM_ELEMENTS: usize = 100_000;

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

/// Hands every element of a list to `take`, as soon as it has come. Elements that are not what the contract says are
/// left out. A page that breaks off is read again, from what was gathered before it.
///
/// # Errors
/// As [`Pages::read`].
pub async fn each<T: DeserializeOwned, S: Clone>(
    client: &ArmClient,
    operation: &'static str,
    resource: &(dyn Display + Sync),
    first: Url,
    gathered: &mut S,
    mut take: impl FnMut(&mut S, T),
) -> Result<(), AzureError> {
    let mut pages = Pages::of(client, operation, resource, first);
    while pages.read(gathered, &mut take).await? {}
    Ok(())
}

/// A list that is read page by page.
pub struct Pages<'c> {
    client: &'c ArmClient,
    operation: &'static str,
    resource: &'c (dyn Display + Sync),
    next: Option<Url>,
    followed: HashSet<Url>,
    /// Number of elements that the list may still have.
    left: usize,
}

impl<'c> Pages<'c> {
    /// The list that begins at `first`.
    pub fn of(
        client: &'c ArmClient,
        operation: &'static str,
        resource: &'c (dyn Display + Sync),
        first: Url,
    ) -> Self {
        Self {
            client,
            operation,
            resource,
            next: Some(first),
            followed: HashSet::new(),
            left: MAXIMUM_ELEMENTS,
        }
    }

    /// Reads the next page. `false`: it was the last one.
    ///
    /// # Errors
    /// As [`ArmClient::send`]; [`Failure::ForeignUrl`] when a `nextLink` points elsewhere; [`Failure::Unreadable`] when
    /// the list has no end.
    pub async fn read<T: DeserializeOwned, S: Clone>(
        &mut self,
        gathered: &mut S,
        mut take: impl FnMut(&mut S, T),
    ) -> Result<bool, AzureError> {
        let (client, operation, resource) = (self.client, self.operation, self.resource);
        let failed = |failure| AzureError {
            operation,
            resource: resource.to_string(),
            failure,
        };
        let Some(url) = self.next.take() else {
            return Ok(false);
        };
        if self.followed.len() >= MAXIMUM_PAGES {
            return Err(failed(too_large(format!(
                "the list has more than {MAXIMUM_PAGES} pages"
            ))));
        }
        self.followed.insert(url.clone());
        let call = Call {
            operation,
            resource,
            method: Method::Get,
            url,
            body: None,
            repeat: Repeat::Freely,
        };
        let mut tries = Tries::of(client, &call);
        let read = loop {
            let mut page = gathered.clone();
            let id = tries.request_id();
            let read = read_page(client, &call, id, self.left, |item| take(&mut page, item));
            if let Some(read) = tries.next(read).await? {
                *gathered = page;
                break read;
            }
        };
        if read.skipped > 0 {
            tracing::warn!(
                resource.id = %resource,
                skipped = read.skipped,
                "could not read some elements of a list; leaving them out ({operation})"
            );
        }
        self.left = self.left.saturating_sub(read.elements);
        let Some(next) = read.next_link else {
            return Ok(false);
        };
        let next = client.own_url(&next).map_err(failed)?;
        if self.followed.contains(&next) {
            tracing::warn!(
                resource.id = %resource,
                "the next page of a list is one that was read already; the list ends here ({operation})"
            );
            return Ok(false);
        }
        self.next = Some(next);
        Ok(true)
    }
}

fn too_large(what: String) -> Failure {
    Failure::TooLarge { what }
}

/// One page.
struct Page {
    elements: usize,
    /// Number of elements that were not what the contract says.
    skipped: usize,
    next_link: Option<String>,
}

/// Reads one page, once, with at most `left` elements.
async fn read_page<T: DeserializeOwned>(
    client: &ArmClient,
    call: &Call<'_>,
    request_id: String,
    left: usize,
    mut take: impl FnMut(T),
) -> Result<(u16, Page), Failure> {
    let wrong = |error: PageError| match error {
        PageError::TooMany => too_large(format!(
            "the list has more than {MAXIMUM_ELEMENTS} elements"
        )),
        PageError::TooLarge => too_large(error.to_string()),
        error => Failure::Unreadable {
            source: Arc::new(error),
        },
    };
    let mut answer = client.open(call, request_id).await?;
    let mut items = Items::new(left);
    let mut room = MAXIMUM_BYTES;
    while let Some(piece) = answer.chunk().await? {
        room = room
            .checked_sub(piece.len())
            .ok_or_else(|| too_large(format!("a page has more than {MAXIMUM_BYTES} bytes")))?;
        items.read(&piece, &mut take).map_err(wrong)?;
    }
    let (elements, skipped) = (items.elements, items.skipped);
    let page = Page {
        elements,
        skipped,
        next_link: items.end().map_err(wrong)?,
    };
    Ok((answer.status, page))
}
