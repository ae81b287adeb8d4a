//! Errors as one line of text. What Azure sent can be anywhere in a cause: serde_json repeats a text that should be a
//! number.

use crate::text;
use std::error::Error as StdError;

/// The last segment of an id, or "subscription" and its GUID.
pub(super) fn short_name(resource: &str) -> String {
    let mut segments = resource.rsplit('/');
    match (segments.next(), segments.next()) {
        (Some(guid), Some("subscriptions")) => format!("subscription {guid}"),
        (Some(name), _) if resource.starts_with('/') => name.to_owned(),
        _ => resource.to_owned(),
    }
}

/// Maximum characters of a chain: an error of Azure's with its reason and the causes below it.
const LONGEST_CHAIN: usize = 2_000;

/// The chain of causes, outermost first, in one line: for logs. A cause that the text holds already is left out.
pub fn chain(error: &dyn StdError) -> String {
    text::clean(&causes(error), LONGEST_CHAIN).into_owned()
}

/// The error and its causes in any length, for callers that cut something out of it first.
pub(in crate::azure) fn causes(error: &dyn StdError) -> String {
    // The SDK's further lines are links to its own manual.
    let first_line = |error: &dyn StdError| {
        let said = error.to_string();
        said.lines().next().unwrap_or_default().to_owned()
    };
    let mut chained = first_line(error);
    let mut cause = error.source();
    while let Some(next) = cause {
        let line = first_line(next);
        if !chained.contains(&line) {
            chained.push_str(": ");
            chained.push_str(&line);
        }
        cause = next.source();
    }
    chained
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::error::{AzureError, Failure};

    #[test]
    fn resources_have_short_names_in_sentences() {
        for (resource, expected) in [
            (
                "/subscriptions/s/resourceGroups/g/providers/A/b/web-01",
                "web-01",
            ),
            ("/subscriptions/s", "subscription s"),
            (
                "https://arm.example/.default",
                "https://arm.example/.default",
            ),
            ("", ""),
        ] {
            assert_eq!(short_name(resource), expected);
        }
    }

    #[test]
    fn a_chain_is_one_bounded_line_whatever_azure_sent() {
        let sent = format!("\"x\\n2026-11-28 ERROR forged {}\"", "y".repeat(600_000));
        let source = serde_json::from_str::<u32>(&sent).unwrap_err();
        let error = AzureError {
            operation: "list packet captures",
            resource: "/subscriptions/s".to_owned(),
            failure: Failure::Unreadable {
                source: std::sync::Arc::new(source),
            },
        };
        let chained = chain(&error);
        assert!(
            chained.starts_with(
                "could not list packet captures (subscription s): Azure's answer could not be read: invalid type: string"
            ),
            "{chained}"
        );
        assert!(!chained.contains('\n'));
        assert!(chained.chars().count() <= LONGEST_CHAIN);
    }

    #[test]
    fn a_cause_that_was_said_is_left_out() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer: inner\nsee the manual")]
        struct Outer(#[source] std::fmt::Error);
        let chained = chain(&Outer(std::fmt::Error));
        let inner = std::fmt::Error.to_string();
        assert_eq!(chained, format!("outer: inner: {inner}"));
    }
}
