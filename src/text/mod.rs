//! Foreign texts, cleaned at the entrance. What an alert, Azure or a receiver wrote ends up in logs, answers, pages,
//! notifications, terminals and queue messages, and must neither forge a line there nor fill one.

mod marks;
mod region;

use marks::Mark;
pub use region::region;
use std::borrow::Cow;

/// Characters of a word of Azure's: an error code, a severity, a signal, an operator, a role.
pub const WORD: usize = 64;
/// Characters of a value that is shown, such as a threshold, a metric's name or a time.
pub const VALUE: usize = 200;
/// Characters of a name. Azure allows 260 at most, for whatever kind of resource.
pub const NAME: usize = 300;
/// Characters of a resource id, as many as `ResourceId` takes.
pub const ID: usize = 2048;
/// Characters of a message: an error of Azure's, a description.
pub const MESSAGE: usize = 600;

/// The text in one line of at most `max_chars` characters. Runs of control characters and line separators become one
/// space; invisible characters and marks of writing direction are dropped; spaces at the ends too. A longer text ends
/// in an ellipsis. Nothing is copied when nothing has to change.
///
/// Not an escape: HTML, Markdown and the like need their own on top.
pub fn clean(text: &str, max_chars: usize) -> Cow<'_, str> {
    let text = text.trim_matches(|c: char| c == ' ' || marks::of(c).is_some());
    if is_clean(text, max_chars) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len().min(max_chars.saturating_mul(2)));
    // Where the last character begins, should it have to give way to the ellipsis.
    let (mut count, mut last, mut after_break) = (0, 0, false);
    for c in text.chars() {
        let mark = marks::of(c);
        let c = match mark {
            None => c,
            Some(Mark::Break) if !after_break => ' ',
            Some(_) => continue,
        };
        after_break = mark.is_some();
        if count == max_chars {
            cleaned.truncate(last);
            cleaned.extend((max_chars > 0).then_some('…'));
            break;
        }
        last = cleaned.len();
        cleaned.push(c);
        count += 1;
    }
    Cow::Owned(cleaned)
}

/// A text as an error quotes it: what [`clean`] would drop or replace is a question mark, so that people see why the
/// text is refused.
pub fn excerpt(text: &str, max_chars: usize) -> String {
    let mut short: String = text
        .chars()
        .take(max_chars)
        .map(|c| if is_mark(c) { '?' } else { c })
        .collect();
    if text.chars().nth(max_chars).is_some() {
        short.push('…');
    }
    short
}

/// Whether a character ends a line, hides in it or turns it around.
pub fn is_mark(c: char) -> bool {
    marks::of(c).is_some()
}

/// [`clean`] for a text that is kept; nothing when nothing is left of it.
pub fn cleaned(text: &str, max_chars: usize) -> Option<String> {
    let text = clean(text, max_chars);
    (!text.is_empty()).then(|| text.into_owned())
}

/// Most texts are short and printable ASCII, which takes one pass over the bytes.
fn is_clean(text: &str, max_chars: usize) -> bool {
    let plain = |text: &str| text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if text.len() <= max_chars && plain(text) {
        return true;
    }
    text.chars().take(max_chars.saturating_add(1)).count() <= max_chars
        && text.chars().all(|c| marks::of(c).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_follow_the_table() {
        for (text, max_chars, expected) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("abc\n", 3, "abc"),
            ("äöü", 3, "äöü"),
            ("🔥🔥🔥", 2, "🔥…"),
            ("ab", 1, "…"),
            ("ab", 0, ""),
            ("", 0, ""),
            ("  two  spaces  ", 99, "two  spaces"),
            ("a\r\nb\u{7}c\td", 99, "a b c d"),
            ("\n\u{202e} a \u{feff}\0", 99, "a"),
            ("a\u{1b}[31mb", 99, "a [31mb"),
            ("a\u{85}b\u{2028}c\u{2029}d", 99, "a b c d"),
            // A forged line of a log, and text that reads backwards.
            ("x\n2026-01-01 ERROR y", 99, "x 2026-01-01 ERROR y"),
            ("exe\u{202e}gpj.\u{202c}", 99, "exegpj."),
            ("\u{2066}a\u{2069}\u{200e}\u{200f}\u{61c}", 99, "a"),
            // Invisible, and so good for hiding text or for looking like another name.
            ("we\u{200b}b\u{ad}-\u{2060}01\u{feff}", 99, "web-01"),
            ("a\u{fe0f}b\u{e0101}c\u{e0041}d", 99, "abcd"),
            ("a\u{3164}b\u{115f}\u{ffa0}c\u{180e}", 99, "abc"),
            ("\u{200b}\u{200b}\n", 99, ""),
            // Invisible ones do not count.
            ("a\u{200b}b\u{200b}c", 3, "abc"),
            ("a\u{200b}b\u{200b}cd", 3, "ab…"),
            ("a\n\n\nb", 3, "a b"),
            ("表\u{3000}示", 99, "表\u{3000}示"),
        ] {
            assert_eq!(clean(text, max_chars), expected, "{text:?} {max_chars}");
        }
    }

    #[test]
    fn clean_texts_are_not_copied() {
        for text in ["", "cpu-high", " padded ", "Größe 表示 🔥"] {
            assert!(matches!(clean(text, 20), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn excerpts_show_that_something_was_there() {
        for (text, expected) in [
            ("abc", "abc"),
            ("abcdef", "abcd…"),
            ("a\nb\u{202e}", "a?b?"),
            ("1\u{200b}0\u{3164}x", "1?0?…"),
            ("", ""),
        ] {
            assert_eq!(excerpt(text, 4), expected, "{text:?}");
        }
    }

    #[test]
    fn nothing_left_is_nothing() {
        assert_eq!(cleaned("\u{200b}\n ", WORD), None);
        assert_eq!(cleaned(" a", WORD).as_deref(), Some("a"));
    }

    proptest! {
        #[test]
        fn any_text(text in "(\\PC|\\p{C}|[a-z \n\u{200b}\u{202e}]){0,60}", max_chars in 0_usize..50) {
            let once = clean(&text, max_chars);
            prop_assert!(once.chars().count() <= max_chars);
            prop_assert!(!once.chars().any(char::is_control));
            prop_assert!(once.chars().all(|c| marks::of(c).is_none()));
            prop_assert_eq!(clean(&once, max_chars), once.clone());
        }
    }
}
