//! Reads a page of a list while it comes: the elements of `value` one by one, then `nextLink`. A watcher may
//! list ten thousand captures of 1.5 KB, which shall never lie in memory together.
//!
//! serde_json reads every value; here is only what stands between them.

use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::Deserializer;

/// A single element, or any other member, that is larger is not what Azure sends.
const LARGEST_VALUE: usize = 1024 * 1024;

/// See the file's head.
pub(super) struct Items {
    /// What has come and is not read.
    unread: Vec<u8>,
    at: At,
    next_link: Option<String>,
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

/// Why a page is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum PageError {
    #[error("the page is not a JSON object with an array 'value'")]
    NoPage,
    #[error("the page ends in the middle")]
    CutOff,
    #[error("a value is larger than {LARGEST_VALUE} bytes")]
    TooLarge,
    #[error(transparent)]
    Value(#[from] serde_json::Error),
}

impl Items {
    pub fn new() -> Self {
        Self {
            unread: Vec::new(),
            at: At::Start,
            next_link: None,
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
        let read = unread.len() - rest.len();
        self.unread = unread;
        self.unread.drain(..read);
        Ok(())
    }

    /// Takes one thing from `rest`, which starts with `byte`. `false`: it has not come as a whole.
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
            (At::Value(Member::Items), b'[') => At::Element { first: true },
            (At::Value(member), _) => {
                let read = match member {
                    // `"value": null` is an empty list too.
                    Member::Items => value::<()>(rest)?.is_some(),
                    Member::NextLink => match value::<Option<String>>(rest)? {
                        Some(link) => {
                            self.next_link = link;
                            true
                        }
                        None => false,
                    },
                    Member::Other => value::<IgnoredAny>(rest)?.is_some(),
                };
                if read {
                    self.at = At::AfterValue;
                }
                return Ok(read);
            }
            (At::AfterValue, b',') => At::Name { first: false },
            (At::Element { first: true } | At::AfterElement, b']') => At::AfterValue,
            (At::Element { .. }, _) => {
                let Some(element) = value(rest)? else {
                    return Ok(false);
                };
                take(element);
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
            At::End => Ok(self.next_link.filter(|link| !link.is_empty())),
            _ => Err(PageError::CutOff),
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

/// serde_json calls a number wrong that is cut off behind its sign, point or exponent.
fn may_break_off(rest: &[u8]) -> bool {
    rest.last().is_some_and(|byte| b"+-.eE".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Named {
        name: String,
    }

    /// The elements' names and the next link, when the page comes in pieces of this size.
    fn read(page: &str, size: usize) -> Result<(Vec<String>, Option<String>), PageError> {
        let (mut items, mut names) = (Items::new(), Vec::new());
        for piece in page.as_bytes().chunks(size) {
            items.read(piece, |item: Named| names.push(item.name))?;
        }
        Ok((names, items.end()?))
    }

    #[test]
    fn pages_read_the_same_however_they_come() {
        let next = Some("https://m/next?a=1");
        let cases: [(&str, &[&str], Option<&str>); 8] = [
            (r#"{"value":[]}"#, &[], None),
            (r#" {"value" : null} "#, &[], None),
            ("{}", &[], None),
            (r#"{"nextLink":null,"value":[{"name":"a"}]}"#, &["a"], None),
            (
                r#"{"value":[{"name":"a\"],}"},{"name":"ü","value":[{"name":"no"}]}],"nextLink":"https:\/\/m/next?a=1"}"#,
                &["a\"],}", "ü"],
                next,
            ),
            (
                r#"{"count":12345,"x":{"value":[1,2]},"y":[true,-1.5e3],"value":[ {"name":"b"} , {"name":"c"} ]}"#,
                &["b", "c"],
                None,
            ),
            (r#"{"value":[],"nextLink":""}"#, &[], None),
            (
                r#"{"nextLink":"https://m/next?a=1","value":[{"name":"a"}],"n":1}"#,
                &["a"],
                next,
            ),
        ];
        for (page, names, link) in cases {
            for size in [1, 2, 3, 7, 16, 1000] {
                let (read, next) = read(page, size).unwrap();
                assert_eq!(
                    (read, next.as_deref()),
                    (names.iter().map(|name| (*name).to_owned()).collect(), link),
                    "{page} {size}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for page in [
            "",
            "[]",
            "<html>",
            "null",
            r#"{"value":[{"name":"a"}"#,
            r#"{"value":[{"name":"a"}]"#,
            r#"{"value":[{"name":"a"},]}"#,
            r#"{"value":[{"name":"a"}{"name":"b"}]}"#,
            r#"{"value":[{"other":"a"}]}"#,
            r#"{"value":{"name":"a"}}"#,
            r#"{"value":[]} {}"#,
            r#"{"value":[],}"#,
            r#"{"value" []}"#,
            r#"{"nextLink":1,"value":[]}"#,
        ] {
            for size in [1, 5, 1000] {
                assert!(read(page, size).is_err(), "{page} {size}");
            }
        }
    }

    #[test]
    fn a_value_that_does_not_end_is_given_up() {
        let endless = format!(r#"{{"value":[{{"name":"{}"#, "a".repeat(LARGEST_VALUE + 20));
        assert!(matches!(
            read(&endless, 16 * 1024),
            Err(PageError::TooLarge)
        ));
    }
}
