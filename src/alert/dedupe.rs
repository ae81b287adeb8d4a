//! What tells a repeated delivery from a new alert. Azure repeats a call that was not answered in time, and several
//! action groups may call us about one alert.

use super::target::Target;
use super::target_id::is_of_test;

/// The alert's own id if there is one, else what it says.
pub(super) fn by_id(
    id: Option<&str>,
    rule: Option<&str>,
    targets: &[Target],
    fired_at: Option<&str>,
) -> Option<String> {
    if let Some(id) = id.filter(|id| !id.is_empty()) {
        return Some(id.to_lowercase());
    }
    let mut ids: Vec<String> = targets.iter().map(|target| target.id.to_string()).collect();
    // Their order says nothing.
    ids.sort_by_cached_key(|id| id.to_lowercase());
    let mut parts = vec![rule];
    parts.extend(ids.iter().map(|id| Some(id.as_str())));
    parts.push(fired_at);
    by_parts(&parts, fired_at)
}

/// The parts in lower case between `|`, unambiguously; nothing without a time. Two alerts of a rule would look like
/// one then, and the second would never capture.
pub(super) fn by_parts(parts: &[Option<&str>], time: Option<&str>) -> Option<String> {
    time?;
    let escaped = parts.iter().map(|part| {
        let part = part.unwrap_or_default().to_lowercase();
        part.replace('\\', "\\\\").replace('|', "\\|")
    });
    Some(escaped.collect::<Vec<_>>().join("|"))
}

/// Whether an alert id is one of those that the portal's test button makes up.
pub(super) fn is_test_id(id: &str) -> bool {
    is_of_test(id) || id.to_ascii_lowercase().ends_with("/test_alert")
}
