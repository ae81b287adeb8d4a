//! From bytes to JSON, within limits. Every caller who has the webhook's address can send anything, so the limits come before
//! the parser: on size, and on depth, which is what recursion costs.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

/// The common schema stays below 256 KiB; the oldest log alerts carry their rows and can be larger.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Maximum depth of arrays and objects.
const MAX_DEPTH: usize = 128;

/// Why a body cannot be read, for the sender's log: where in it, and what was expected there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadBody {
    /// The place as `$.data.essentials.alertTargetIDs[0]`, members spelt as in the body.
    pub path: String,
    pub message: String,
    too_large: bool,
}

impl BadBody {
    pub(super) fn at(path: impl Into<String>, message: impl Into<String>) -> BadBody {
        BadBody {
            path: path.into(),
            message: message.into(),
            too_large: false,
        }
    }

    /// The refusal of a body that is longer than [`MAX_BODY_BYTES`].
    pub fn too_large() -> BadBody {
        let message = format!("a body of at most {MAX_BODY_BYTES} bytes was expected");
        BadBody {
            too_large: true,
            ..BadBody::at("$", message)
        }
    }

    /// Whether size alone was the reason (HTTP 413 rather than 400).
    pub fn is_too_large(&self) -> bool {
        self.too_large
    }
}

impl fmt::Display for BadBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl std::error::Error for BadBody {}

pub(super) fn parse(body: &[u8]) -> Result<Value, BadBody> {
    if body.len() > MAX_BODY_BYTES {
        return Err(BadBody::too_large());
    }
    let text = std::str::from_utf8(body).map_err(|bad| {
        BadBody::at(
            "$",
            format!("UTF-8 was expected, byte {} is not", bad.valid_up_to()),
        )
    })?;
    parse_text(text, "$")
}

/// Reads one JSON document, and nothing after it. `path` says where the text was found.
pub(super) fn parse_text(text: &str, path: &str) -> Result<Value, BadBody> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if is_deeper_than(text, MAX_DEPTH) {
        return Err(BadBody::at(
            path,
            format!("at most {MAX_DEPTH} levels of arrays and objects were expected"),
        ));
    }
    let mut parser = serde_json::Deserializer::from_str(text);
    // Its own limit is one level lower; this one was checked above.
    parser.disable_recursion_limit();
    Value::deserialize(&mut parser)
        .and_then(|value| parser.end().map(|()| value))
        .map_err(|bad| BadBody::at(path, format!("JSON was expected: {bad}")))
}

/// Counts brackets outside of strings. Exact for JSON; for anything else the parser has the last word.
fn is_deeper_than(text: &str, limit: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth = depth.saturating_add(1),
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > limit {
            return true;
        }
    }
    false
}

/// The start of a foreign text for a message, in quotes and without anything that would disturb a terminal or a log.
pub(super) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 60;
    let start: String = text.chars().take(LONGEST).collect();
    let more = if start.len() < text.len() { "…" } else { "" };
    format!("{start:?}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> String {
        format!("{}{}", "[".repeat(depth), "]".repeat(depth))
    }

    #[test]
    fn depth_is_exact() {
        assert!(parse_text(&nested(128), "$").is_ok());
        assert!(
            parse_text(&nested(129), "$")
                .unwrap_err()
                .message
                .contains("128 levels")
        );
        let objects = format!("{}1{}", "{\"a\":".repeat(128), "}".repeat(128));
        assert!(parse_text(&objects, "$").is_ok());
        assert!(parse_text(&format!("[{objects}]"), "$").is_err());
        let brackets_in_text = format!(r#"["\\\"{}"]"#, "[{".repeat(300));
        assert!(parse_text(&brackets_in_text, "$").is_ok());
        // More closing than opening brackets must not buy depth.
        assert!(parse_text(&format!("]]]]{}", nested(128)), "$").is_err());
    }

    #[test]
    fn take_json_only() {
        for bad in [
            "",
            " ",
            "{}{}",
            "{} x",
            "{\"a\":1,}",
            "[NaN]",
            "{'a':1}",
            "// c\n{}",
            "\u{feff}\u{feff}{}",
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(parse(b"\xef\xbb\xbf {} \r\n").is_ok());
        assert!(
            parse(b"{\"a\":\"\xff\"}")
                .unwrap_err()
                .message
                .contains("byte 6")
        );
    }

    #[test]
    fn size() {
        let mut body = b"{}".to_vec();
        body.resize(MAX_BODY_BYTES, b' ');
        assert!(parse(&body).is_ok());
        body.push(b' ');
        assert!(parse(&body).unwrap_err().is_too_large());
        assert!(!parse(b"[").unwrap_err().is_too_large());
    }

    #[test]
    fn excerpts_are_harmless() {
        assert_eq!(excerpt("a\u{1b}[2J\u{202e}\n"), r#""a\u{1b}[2J\u{202e}\n""#);
        assert_eq!(excerpt(&"x".repeat(100)).chars().count(), 63);
    }
}
