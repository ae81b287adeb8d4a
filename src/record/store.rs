//! Where the record's texts are kept. A write has a condition, and conditions are the only locks: of several processes that
//! write at once, one succeeds and the others get [`StoreError::Conflict`].

use azure_core::Bytes;
use std::{error::Error, fmt};

/// Maximum size of a text. A record is a few kilobytes; what is larger was not written by this function.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;
/// Maximum size of a summary as it is stored, percent-encoded. Blob Storage takes 8 KiB of metadata in all.
/// <https://learn.microsoft.com/en-us/rest/api/storageservices/setting-and-retrieving-properties-and-metadata-for-blob-resources>
pub const MAX_SUMMARY_BYTES: usize = 4 * 1024;

/// The version of a stored text; each write gives it another one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Etag(pub(super) String);

impl Etag {
    /// Its text, for a log line.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A stored text, and the version that a conditional write needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub body: Bytes,
    pub etag: Etag,
}

/// When a write may happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Only if nothing has this name.
    New,
    /// Only if it was not written since.
    Unchanged(Etag),
}

/// A name in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub name: String,
    /// What was written beside the text, so that a list needs no read of each.
    pub summary: Option<String>,
}

/// One page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    pub entries: Vec<Listed>,
    /// Where the next page continues, as the store understands it; `None` on the last one. A page can be empty and not
    /// be the last one.
    pub next: Option<String>,
}

/// Why a call to a store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The condition of a write does not hold: another process was first.
    #[error("the record was written by another process meanwhile")]
    Conflict,
    #[error("a record of {bytes} bytes is too large; the limit is {limit}")]
    TooLarge { bytes: usize, limit: usize },
    /// The store answers and refuses: a role, the firewall or a setting of the account. Trying again changes nothing until
    /// an operator fixes it.
    #[error("could not {tried} (container {store}): {cause} (Azure answered {status} {code})")]
    Refused {
        /// What was tried, such as `write a record`.
        tried: &'static str,
        /// The address of the store, without any secret.
        store: String,
        status: u16,
        /// The error code of the answer, cleaned; empty when there is none.
        code: String,
        /// What is wrong, in words.
        cause: &'static str,
        /// What an operator can do about it.
        fix: &'static str,
    },
    /// A write that failed so may have happened nevertheless.
    #[error("could not {tried} (container {store})")]
    Unavailable {
        tried: &'static str,
        store: String,
        /// The HTTP status, if there was an answer.
        status: Option<u16>,
        source: Box<dyn Error + Send + Sync>,
    },
}

impl StoreError {
    /// The HTTP status of the answer, if there was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::Unavailable { status, .. } => *status,
            Self::Conflict | Self::TooLarge { .. } => None,
        }
    }

    /// The error code of a refusal.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Whether the same call may succeed later.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// What an operator can do about it, where that is known.
    pub fn fix(&self) -> Option<&'static str> {
        match self {
            Self::Refused { fix, .. } => Some(fix),
            _ => None,
        }
    }
}

/// Small texts by name, written on conditions. Names are made of ASCII letters, digits, `-`, `_`, `.` and `/`.
#[async_trait::async_trait]
pub trait Store: Send + Sync {
    /// Reads a text; `None` when nothing has this name.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Refused`].
    async fn read(&self, name: &str) -> Result<Option<Stored>, StoreError>;

    /// Writes a text, and replaces the one before and its summary. A write whose answer was lost and that is found to have
    /// happened is a success.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the condition does not hold (a text that is gone is not unchanged);
    /// [`StoreError::TooLarge`], for the summary too; else as [`Store::read`].
    async fn write(
        &self,
        name: &str,
        body: Bytes,
        summary: Option<&str>,
        condition: Condition,
    ) -> Result<Etag, StoreError>;

    /// One page of at most `most` names that begin with `prefix`, in ascending order. `after` is [`Page::next`] of the page
    /// before.
    ///
    /// # Errors
    /// As [`Store::read`].
    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Page, StoreError>;

    /// Removes a text; with a version only if it was not written since. One that is gone already is a success: the answer
    /// of the first try may have been lost.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it was written since; else as [`Store::read`].
    async fn remove(&self, name: &str, unchanged: Option<&Etag>) -> Result<(), StoreError>;

    /// Whether texts outlive the process, and others see them.
    fn is_durable(&self) -> bool;
}

/// Says [`StoreError::TooLarge`] for what no store takes. `summary` as it is stored.
pub(super) fn check_size(body: &[u8], summary: Option<&str>) -> Result<(), StoreError> {
    let sizes = [
        (body.len(), MAX_BODY_BYTES),
        (summary.map_or(0, str::len), MAX_SUMMARY_BYTES),
    ];
    match sizes.into_iter().find(|(bytes, limit)| bytes > limit) {
        Some((bytes, limit)) => Err(StoreError::TooLarge { bytes, limit }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_those_of_the_stored_form() {
        let summary = "x".repeat(MAX_SUMMARY_BYTES);
        let body = vec![b'x'; MAX_BODY_BYTES];
        assert!(check_size(&body, Some(&summary)).is_ok());
        for (body, summary) in [
            (vec![b'x'; MAX_BODY_BYTES + 1], None),
            (body, Some(summary + "x")),
        ] {
            let refused = check_size(&body, summary.as_deref());
            assert!(matches!(refused, Err(StoreError::TooLarge { .. })));
        }
    }
}
