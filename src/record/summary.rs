//! Summaries as the metadata of a blob can hold them, which are HTTP headers.

/// A summary as metadata can hold it: ASCII without spaces and percent signs of its own.
pub(super) fn encoded(summary: &str) -> String {
    let mut text = String::with_capacity(summary.len());
    for byte in summary.bytes() {
        match byte {
            b'%' | 0..=b' ' | 127.. => text.push_str(&format!("%{byte:02X}")),
            _ => text.push(char::from(byte)),
        }
    }
    text
}

/// The summary that was encoded so; what is not valid is replaced.
pub(super) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = (*first == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(digits.unwrap_or(*first));
        rest = match digits {
            Some(_) => &after[2..],
            None => after,
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_survive_their_encoding() {
        for (summary, stored) in [
            ("", ""),
            ("{\"state\":\"running\"}", "{\"state\":\"running\"}"),
            ("a b\r\nc", "a%20b%0D%0Ac"),
            ("100 % ä", "100%20%25%20%C3%A4"),
            ("%41", "%2541"),
        ] {
            assert_eq!(encoded(summary), stored);
            assert_eq!(decoded(stored), summary);
        }
    }

    #[test]
    fn what_another_program_wrote_is_read_as_far_as_it_goes() {
        for (stored, read) in [
            ("%", "%"),
            ("%4", "%4"),
            ("%ZZa", "%ZZa"),
            ("%FF", "\u{fffd}"),
        ] {
            assert_eq!(decoded(stored), read);
        }
    }
}
