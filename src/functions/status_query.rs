//! In which form a request to the status routes wants its answer.

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
}
