//! Reads a page of a list while it comes: the elements of `value` one by one, then `nextLink`. A watcher may list ten
//! thousand captures of 1.5 KB, which must never be held in memory at once.
//!
//! serde_json reads every value; this file reads only what stands between them.

use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::Deserializer;

/// Maximum bytes of a single element or any other member; Azure's are some kilobytes.
const LARGEST_VALUE: usize = 1024 * 1024;

/// The reader of one page.
pub(super) struct Items {
    /// What has come and is not read.
    unread: Vec<u8>,
    at: At,
    /// Whether `value` has come. Without it, or with null, nothing is known of the list, least of all that it is empty.
    listed: bool,
    next_link: Option<String>,
    /// Maximum elements.
    maximum: usize,
    /// Elements so far.
    pub elements: usize,
    /// Number of elements that are JSON and not what the contract says.
    pub skipped: usize,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    /// A member's name, or the end of the page.
    Name {
        first: bool,
    },
    Colon(Member),
    Value(Member),
    /// A comma or the end of the page.
    AfterValue,
    /// An element or, of an empty list, its end.
    Element {
        first: bool,
    },
    AfterElement,
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Items,
    NextLink,
    Other,
}

/// Why a page could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum PageError {
    #[error("the page is not a JSON object with an array 'value'")]
    NoPage,
    #[error("the page is truncated")]
    Truncated,
    #[error("a value is larger than {LARGEST_VALUE} bytes")]
    TooLarge,
    #[error("the list has too many elements")]
    TooMany,
    #[error(transparent)]
    Value(#[from] serde_json::Error),
}

impl Items {
    /// A page of at most `maximum` elements.
    pub fn new(maximum: usize) -> Self {
        Self {
            unread: Vec::new(),
            at: At::Start,
            listed: false,
            next_link: None,
            maximum,
            elements: 0,
            skipped: 0,
        }
    }

    /// Reads on and gives every element that is complete by now to `take`.
    pub fn read<T: DeserializeOwned>(
        &mut self,
        piece: &[u8],
        mut take: impl FnMut(T),
    ) -> Result<(), PageError> {
        self.unread.extend_from_slice(piece);
        let unread = std::mem::take(&mut self.unread);
        let mut rest = unread.as_slice();
        let mut enough = true;
        while enough {
            rest = rest.trim_ascii_start();
            let Some(byte) = rest.first().copied() else {
                break;
            };
            enough = self.step(byte, &mut rest, &mut take)?;
        }
        if rest.len() > LARGEST_VALUE {
            return Err(PageError::TooLarge);
        }
        let read = unread.len().saturating_sub(rest.len());
        self.unread = unread;
        self.unread.drain(..read);
        Ok(())
    }

    /// Takes one token or value from `rest`, which starts with `byte`. `false`: it has not come as a whole.
    fn step<T: DeserializeOwned>(
        &mut self,
        byte: u8,
        rest: &mut &[u8],
        take: &mut impl FnMut(T),
    ) -> Result<bool, PageError> {
        let next = match (self.at, byte) {
            (At::Start, b'{') => At::Name { first: true },
            (At::Name { first: true } | At::AfterValue, b'}') => At::End,
            (At::Name { .. }, _) => {
                let Some(name) = value::<String>(rest)? else {
                    return Ok(false);
                };
                self.at = At::Colon(match name.as_str() {
                    "value" => Member::Items,
                    "nextLink" => Member::NextLink,
                    _ => Member::Other,
                });
                return Ok(true);
            }
            (At::Colon(member), b':') => At::Value(member),
            (At::Value(Member::Items), b'[') => {
                self.listed = true;
                At::Element { first: true }
            }
            (At::Value(Member::Items), _) => return Err(PageError::NoPage),
            (At::Value(member), _) => {
                let read = match member {
                    Member::NextLink => match value::<Option<String>>(rest)? {
                        Some(link) => {
                            self.next_link = link;
                            true
                        }
                        None => false,
                    },
                    Member::Items | Member::Other => value::<IgnoredAny>(rest)?.is_some(),
                };
                if read {
                    self.at = At::AfterValue;
                }
                return Ok(read);
            }
            (At::AfterValue, b',') => At::Name { first: false },
            (At::Element { first: true } | At::AfterElement, b']') => At::AfterValue,
            (At::Element { .. }, _) => {
                let element = match value(rest) {
                    Ok(None) => return Ok(false),
                    Ok(element) => element,
                    // It may be complete later, and is then left out.
                    Err(PageError::Value(error)) if error.is_data() => {
                        if value::<IgnoredAny>(rest)?.is_none() {
                            return Ok(false);
                        }
                        None
                    }
                    Err(error) => return Err(error),
                };
                self.elements = self.elements.saturating_add(1);
                if self.elements > self.maximum {
                    return Err(PageError::TooMany);
                }
                match element {
                    Some(element) => take(element),
                    None => self.skipped = self.skipped.saturating_add(1),
                }
                self.at = At::AfterElement;
                return Ok(true);
            }
            (At::AfterElement, b',') => At::Element { first: false },
            _ => return Err(PageError::NoPage),
        };
        self.at = next;
        *rest = &rest[1..];
        Ok(true)
    }

    /// The page has ended: where the next one is.
    pub fn end(self) -> Result<Option<String>, PageError> {
        match self.at {
            At::End if !self.listed => Err(PageError::NoPage),
            At::End => Ok(self.next_link.filter(|link| !link.is_empty())),
            _ => Err(PageError::Truncated),
        }
    }
}

/// Takes a value from the start of `rest`, if it has come as a whole.
fn value<'r, T: Deserialize<'r>>(rest: &mut &'r [u8]) -> Result<Option<T>, PageError> {
    // More digits of a number may be on their way.
    if rest.iter().all(|byte| b"+-.0123456789eE".contains(byte)) {
        return Ok(None);
    }
    let mut values = Deserializer::from_slice(rest).into_iter::<T>();
    match values.next() {
        Some(Ok(value)) => {
            *rest = &rest[values.byte_offset()..];
            Ok(Some(value))
        }
        Some(Err(error)) if !error.is_eof() && !may_break_off(rest) => Err(error.into()),
        _ => Ok(None),
    }
}

/// serde_json calls a number invalid that is truncated behind its sign, point or exponent.
fn may_break_off(rest: &[u8]) -> bool {
    rest.last().is_some_and(|byte| b"+-.eE".contains(byte))
}

#[cfg(test)]
mod tests;
