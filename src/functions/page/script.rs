//! The one script of the pages: it writes the reader's own time beside each UTC time. The policy names its digest, so
//! that no other script runs; without it the pages show UTC alone.

/// The script. It reads nothing but the times that stand in the page.
pub(super) const SCRIPT: &str = r#"for (const t of document.querySelectorAll("time[datetime]")) {
  const d = new Date(t.dateTime), o = -d.getTimezoneOffset(), p = n => String(n).padStart(2, "0");
  if (!o || isNaN(d)) continue;
  const s = document.createElement("span"), a = Math.abs(o);
  s.className = "local";
  s.textContent = "(" + p(d.getHours()) + ":" + p(d.getMinutes()) + ":" + p(d.getSeconds()) + " UTC" + (o < 0 ? "-" : "+") + p(a / 60 | 0) + ":" + p(a % 60) + ")";
  t.append(" ", s);
}"#;

/// What a page may load and run: nothing but its own style and this script.
/// <https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Content-Security-Policy/script-src#hashes>
pub(in crate::functions) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-C/h0VjiyB6Ey2O1ueXLk8tBNrY4b16G4LUeN27mgQDE='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::digest::{SHA256, digest};
    use base64::{Engine, prelude::BASE64_STANDARD};

    #[test]
    fn the_policy_names_the_script() {
        let hash = BASE64_STANDARD.encode(digest(&SHA256, SCRIPT.as_bytes()));
        let allowed = format!("script-src 'sha256-{hash}';");
        assert!(CONTENT_SECURITY_POLICY.contains(&allowed), "{allowed}");
    }
}
