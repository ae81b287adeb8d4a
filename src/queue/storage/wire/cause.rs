//! Why a call to a storage queue failed, in words that hold no secret: addresses lose their queries, which may carry a
//! signature.

use crate::text;
use azure_core::error::ErrorKind;
use std::{error::Error, fmt};

/// Azure's error code of a refusal.
pub(super) fn code(error: &azure_core::Error) -> Option<&str> {
    match error.kind() {
        ErrorKind::HttpResponse { error_code, .. } => error_code.as_deref(),
        _ => None,
    }
}

/// The HTTP status of a refusal.
pub(super) fn status(error: &azure_core::Error) -> Option<u16> {
    match error.kind() {
        ErrorKind::HttpResponse { status, .. } => Some(u16::from(*status)),
        _ => None,
    }
}

/// Why a call failed, in words. The errors themselves print addresses with their queries, which may hold a
/// signature.
#[derive(Debug)]
pub(super) struct Cause(pub String);

impl Cause {
    pub fn of(error: &azure_core::Error) -> Self {
        if let ErrorKind::HttpResponse {
            status, error_code, ..
        } = error.kind()
        {
            let code = error_code.as_deref().unwrap_or("without an error code");
            let code = text::clean(code, text::WORD);
            return Self(format!("Azure answered {} {code}", u16::from(*status)));
        }
        let mut causes = without_queries(&error.to_string());
        let mut cause = Error::source(error);
        while let Some(next) = cause {
            let more = without_queries(&next.to_string());
            if !causes.contains(&more) {
                causes = format!("{causes}: {more}");
            }
            cause = next.source();
        }
        Self(text::clean(&causes, text::MESSAGE).into_owned())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Cause {}

/// Cuts the query off each address in a text.
fn without_queries(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, address) = rest.split_at(at + 3);
        kept.push_str(before);
        let end = address
            .find(|c: char| c.is_whitespace() || matches!(c, ')' | '\'' | '"' | '>'))
            .unwrap_or(address.len());
        let (address, after) = address.split_at(end);
        kept.push_str(address.split('?').next().unwrap_or_default());
        rest = after;
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_query_is_in_a_text() {
        for (text, told) in [
            ("plain", "plain"),
            (
                "sending for url (https://q.example/jobs?sig=s3cr3t&a=b): refused",
                "sending for url (https://q.example/jobs): refused",
            ),
            (
                "http://a/?x=1 and 'http://b/?y=2'",
                "http://a/ and 'http://b/'",
            ),
        ] {
            assert_eq!(without_queries(text), told);
        }
    }
}
