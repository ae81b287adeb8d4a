//! The key by which a repeated delivery is recognised. Azure repeats a call that was not answered in time, and several
//! action groups may call this function about one alert. A key that is too coarse drops an alert, so it holds all
//! that the alert is about.

use aws_lc_rs::digest::{SHA256, digest};

use super::subject::{Subject, hex};
use super::target::is_of_test;
use crate::text;

/// Bytes of a key that is kept as it is, to be read by people. Longer ones are hashed, since each is kept for an hour;
/// so are those whose text is not fit to be shown.
const MAX_BYTES: usize = 1024;
const HASHED: &str = "sha256:";

/// The subject and the alert's own id if there is one, else the subject and what the alert says.
pub(super) fn by_id(
    subject: &Subject,
    id: Option<&str>,
    rule: Option<&str>,
    fired_at: Option<&str>,
) -> Option<String> {
    match id.filter(|id| !id.is_empty()) {
        Some(id) => Some(joined(subject, &[Some(id)])),
        None => by_parts(subject, &[rule, fired_at], fired_at),
    }
}

/// The subject and these parts; nothing without a time. Two alerts of a rule would look like one then, and the second
/// would never capture.
pub(super) fn by_parts(
    subject: &Subject,
    parts: &[Option<&str>],
    time: Option<&str>,
) -> Option<String> {
    time.map(|_| joined(subject, parts))
}

/// The parts in lower case between `|`, unambiguously.
fn joined(subject: &Subject, parts: &[Option<&str>]) -> String {
    let mut key = subject.digest().unwrap_or_else(|| "-".to_owned());
    for part in parts {
        let part = part.unwrap_or_default().to_ascii_lowercase();
        key.push('|');
        key.push_str(&part.replace('\\', "\\\\").replace('|', "\\|"));
    }
    if key.len() <= MAX_BYTES && text::clean(&key, MAX_BYTES) == key {
        return key;
    }
    format!("{HASHED}{}", hex(digest(&SHA256, key.as_bytes()).as_ref()))
}

/// Whether an alert id is one of those that the portal's test button makes up.
pub(super) fn is_test_id(id: &str) -> bool {
    is_of_test(id) || id.to_ascii_lowercase().ends_with("/test_alert")
}
