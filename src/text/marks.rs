//! Characters that a line for people must not hold, since they end it, hide in it or turn it around.

/// What is done about such a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// A mark that ends or moves the line; it is replaced by a space.
    Break,
    /// A mark that shows nothing by itself; it is dropped.
    Invisible,
}

/// The mark that a character is, if it is one. The invisible ones are Unicode's `Default_Ignorable_Code_Point`
/// (bidirectional controls, zero-width characters, fillers, variation selectors, tags), the annotation marks, and
/// those reserved for more of them.
/// <https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt>
pub(super) fn of(c: char) -> Option<Mark> {
    match c {
        ' '..='~' => None,
        '\u{2028}' | '\u{2029}' => Some(Mark::Break),
        c if c.is_control() => Some(Mark::Break),
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => Some(Mark::Invisible),
        _ => None,
    }
}
