//! What a request to the status routes asks for: which page of jobs, and in which form.

use crate::incident::JobId;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use time::OffsetDateTime;

/// Jobs on a page without `$top`.
const DEFAULT_TOP: usize = 50;
/// Maximum of `$top`.
const MAX_TOP: usize = 200;

/// Where a page ended: the time at which its last job was taken, and the job.
type Place = (OffsetDateTime, JobId);

/// `$top` and the place after which the page begins.
pub(super) fn read_query(query: &str) -> Result<(usize, Option<Place>), &'static str> {
    let (mut top, mut after) = (DEFAULT_TOP, None);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if name.eq_ignore_ascii_case("$top") {
            let wanted = value.parse().ok().filter(|top| (1..=MAX_TOP).contains(top));
            top = wanted.ok_or("$top must be a whole number from 1 to 200")?;
        } else if name.eq_ignore_ascii_case("$skiptoken") {
            let place = read_skip_token(&value);
            after = Some(place.ok_or("$skiptoken must be that of a nextLink, unchanged")?);
        }
    }
    Ok((top, after))
}

pub(super) fn skip_token(taken_at: OffsetDateTime, job_id: &JobId) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("{} {job_id}", taken_at.unix_timestamp_nanos()))
}

fn read_skip_token(token: &str) -> Option<Place> {
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let (nanos, job_id) = text.split_once(' ')?;
    let taken_at = OffsetDateTime::from_unix_timestamp_nanos(nanos.parse().ok()?).ok()?;
    Some((taken_at, JobId::parse(job_id)?))
}

/// Whether HTML is wanted more than JSON. The closest of the ranges counts (RFC 9110, 12.5.1).
pub(super) fn prefers_html(accept: &str) -> bool {
    let quality = |kind: &str, subkind: &str| {
        let mut best = (0, 0.0);
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
            let closeness = match essence.split_once('/') {
                Some((k, s)) if k == kind && s == subkind => 3,
                Some((k, "*")) if k == kind => 2,
                Some(("*", "*")) => 1,
                _ => continue,
            };
            let weight = parts.find_map(|part| {
                let (name, value) = part.split_once('=')?;
                name.trim()
                    .eq_ignore_ascii_case("q")
                    .then_some(value.trim())
            });
            let weight = weight.map_or(1.0, |value| value.parse().unwrap_or(0.0));
            if closeness > best.0 {
                best = (closeness, weight);
            }
        }
        best.1
    };
    let (html, json): (f64, f64) = (quality("text", "html"), quality("application", "json"));
    html > json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_get_a_page_and_programs_get_json() {
        for (accept, expected) in [
            ("", false),
            ("*/*", false),
            ("application/json", false),
            ("text/html", true),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                true,
            ),
            ("application/json, text/html;q=0.9", false),
            ("text/html;q=0.5, */*;q=0.1", true),
            ("text/*;q=0.4, application/json;q=0.3", true),
            ("text/*, text/html;q=0", false),
            ("TEXT/HTML; charset=utf-8; Q=1", true),
            ("text/html;q=high", false),
        ] {
            assert_eq!(prefers_html(accept), expected, "{accept}");
        }
    }

    #[test]
    fn queries_follow_the_table() {
        let at = OffsetDateTime::from_unix_timestamp_nanos(1_795_000_000_123_456_789).unwrap();
        let job_id = JobId::random();
        let token = skip_token(at, &job_id);
        let place = Some((at, job_id));
        for (query, expected) in [
            ("", Some((50, None))),
            ("code=k3y&$top=1", Some((1, None))),
            ("%24TOP=200", Some((200, None))),
            ("$top=0", None),
            ("$top=201", None),
            ("$top=x", None),
            ("$skiptoken=!", None),
            ("$skiptoken=", None),
            (&format!("$skiptoken={token}&$top=7"), Some((7, place))),
        ] {
            assert_eq!(read_query(query).ok(), expected, "{query}");
        }
    }
}
