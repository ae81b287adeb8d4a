//! What a request holds: its content type, its query, its body.

use axum::{
    body::Bytes,
    http::{HeaderMap, header::CONTENT_TYPE},
};
use std::panic;
use tokio::{sync::Semaphore, task};

/// Maximum size of a body that is parsed on the one thread: a millisecond or two at worst, 10 µs for most alerts.
const SMALL: usize = 32 * 1024;
/// One large body is parsed at a time: a hostile one takes 80 MB for 40 ms a MiB, and an envelope has up to three.
static READING: Semaphore = Semaphore::const_new(1);

/// Parses a body: a large one on a thread of its own, since everything else runs on one thread.
pub(super) async fn read<T: Send + 'static>(
    body: Bytes,
    how: impl FnOnce(&[u8]) -> T + Send + 'static,
) -> T {
    if body.len() <= SMALL {
        return how(&body);
    }
    let turn = READING.acquire().await;
    let reading = task::spawn_blocking(move || {
        // Held until the body is parsed, even when the caller disconnects.
        let _turn = turn;
        how(&body)
    });
    match reading.await {
        Ok(read) => read,
        // As if it had been parsed here.
        Err(error) => panic::resume_unwind(error.into_panic()),
    }
}

pub(super) fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok()
}

/// JSON by content type or, where there is none, by content: an object (a byte-order mark may stand before it).
/// JSON of another kind passes here and is refused by the parser, with a better reason.
pub(super) fn is_json(content_type: Option<&str>, body: &[u8]) -> bool {
    match content_type.map(str::trim).filter(|text| !text.is_empty()) {
        Some(content_type) => {
            let essence = content_type
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase();
            essence == "application/json"
                || essence == "text/json"
                || (essence.starts_with("application/") && essence.ends_with("+json"))
        }
        None => {
            let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
            let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
            matches!(first, Some(b'{' | b'['))
        }
    }
}

/// `?dryRun=true`, name and value in any case. A mistyped value must not start a capture, so all but `false` and `0` ask
/// for a dry run. Nothing else of the query is read: it holds the key.
pub(super) fn asks_for_dry_run(query: &str) -> bool {
    url::form_urlencoded::parse(query.as_bytes()).any(|(name, value)| {
        name.eq_ignore_ascii_case("dryRun")
            && !["false", "0"].contains(&value.trim().to_ascii_lowercase().as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_follow_the_table() {
        for (content_type, body, expected) in [
            (Some("application/json; charset=utf-8"), "x", true),
            (Some("Application/JSON"), "", true),
            (Some("application/cloudevents+json"), "{}", true),
            (Some("text/json"), "{}", true),
            (Some("text/plain"), "{}", false),
            (Some("application/x-www-form-urlencoded"), "a=b", false),
            (None, " \n{}", true),
            (None, "\u{feff}{}", true),
            (None, "[1]", true),
            (None, "a=b", false),
            (None, "", false),
        ] {
            assert_eq!(
                is_json(content_type, body.as_bytes()),
                expected,
                "{content_type:?} {body}"
            );
        }
    }

    #[test]
    fn the_query_asks_for_a_dry_run() {
        for (query, expected) in [
            ("dryRun=true", true),
            ("code=abc&DRYRUN=True", true),
            ("dryRun", true),
            ("dryRun=", true),
            ("dryRun=%74rue", true),
            ("%64ryRun=true", true),
            ("dryRun=true%20", true),
            ("dryRun=true+", true),
            ("dryRun=yes", true),
            ("dryRun=ture", true),
            ("dryRun=false&dryRun=true", true),
            ("dryRun=false", false),
            ("dryRun=False+", false),
            ("dryRun=0", false),
            ("code=dryRun", false),
            ("code=a%26dryRun=true", false),
            ("", false),
        ] {
            assert_eq!(asks_for_dry_run(query), expected, "{query}");
        }
    }
}
