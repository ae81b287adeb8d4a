//! Foreign text and numbers, made fit to be shown.

/// Longest foreign name that is kept.
const LONGEST: usize = 255;

/// A name of any bytes as text: control characters, invisible characters and the marks that change the direction of text
/// become `\xNN`.
pub(crate) fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]);
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_invisible(character) {
            out.push_str(&format!("\\x{:02x}", u32::from(character)));
        } else {
            out.push(character);
        }
    }
    out
}

/// Whether a character shows nothing by itself, and so can hide text or turn it around.
/// <https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt>
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Nanoseconds as seconds with nine digits.
pub(crate) fn decimal(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let value = nanoseconds.unsigned_abs();
    format!(
        "{sign}{}.{:09}",
        value / 1_000_000_000,
        value % 1_000_000_000
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_has_no_control_characters_and_an_end() {
        for (bytes, expected) in [
            (&b"www.example.com"[..], "www.example.com"),
            (b"a\x00b\x1b[31m", "a\\x00b\\x1b[31m"),
            (
                "b\u{fc}cher.example\u{202e}".as_bytes(),
                "b\u{fc}cher.example\\x202e",
            ),
            (
                "a\u{61c}b\u{ad}c\u{2060}d\u{e0041}".as_bytes(),
                "a\\x61cb\\xadc\\x2060d\\xe0041",
            ),
            ("a\u{1bca0}b\u{1d173}".as_bytes(), "a\\x1bca0b\\x1d173"),
            (b"\xff\xfe", "\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(clean(bytes), expected);
        }
        assert_eq!(clean(&[b'x'; 1_000]).len(), LONGEST);
    }

    #[test]
    fn decimals_have_nine_digits() {
        for (nanoseconds, expected) in [
            (0, "0.000000000"),
            (1, "0.000000001"),
            (-1_500_000_000, "-1.500000000"),
        ] {
            assert_eq!(decimal(nanoseconds), expected);
        }
    }
}
