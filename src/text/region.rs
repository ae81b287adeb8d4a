//! A foreign region's name. It chooses a Network Watcher, and stands in commands that people copy into a shell.

/// The code of an Azure region, such as `westus2`, from a code or a display name (`West US 2`). What does not look like
/// one is none: the machine then has to be asked. Azure's own have 6 to 18 letters and digits today.
/// <https://learn.microsoft.com/azure/reliability/regions-list>
pub fn region(written: &str) -> Option<String> {
    const LENGTHS: std::ops::RangeInclusive<usize> = 3..=30;
    const LONGEST_WRITTEN: usize = 64;
    if written.len() > LONGEST_WRITTEN {
        return None;
    }
    let code = written.replace(' ', "").to_ascii_lowercase();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (LENGTHS.contains(&code.len()) && code.bytes().all(plain)).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::region;

    #[test]
    fn regions_follow_the_table() {
        let (longest, too_long) = ("a".repeat(30), "a".repeat(31));
        for (written, expected) in [
            ("westus2", Some("westus2")),
            ("West US 2", Some("westus2")),
            (" usgov virginia ", Some("usgovvirginia")),
            (&longest, Some(longest.as_str())),
            (&too_long, None),
            ("", None),
            (" ", None),
            ("us", None),
            ("west-us", None),
            ("westus\n", None),
            ("westus\t2", None),
            ("westus\n;curl x|sh", None),
            ("westus$(id)", None),
            ("../westus", None),
            // A Kelvin sign lower-cases to an ASCII k, except here.
            ("\u{212a}oreacentral", None),
            ("wes\u{200b}tus", None),
        ] {
            assert_eq!(region(written).as_deref(), expected, "{written:?}");
        }
        assert_eq!(region(&format!("westus{}", " ".repeat(99))), None);
    }
}
