//! Foreign text and numbers, made fit to be shown.

/// Longest foreign name that is kept.
const LONGEST: usize = 255;

/// A name of any bytes as text: control characters and the marks that change the direction of text become `\xNN`.
pub(crate) fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]);
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        {
            out.push_str(&format!("\\x{:02x}", u32::from(character)));
        } else {
            out.push(character);
        }
    }
    out
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
