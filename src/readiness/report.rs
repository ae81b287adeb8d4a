//! The checklist as it is gathered and printed. Pure: values in, text out.

use serde::Serialize;
use std::fmt::Write;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Ok,
    /// The function works, but not as well as it could, or not for long.
    Warning,
    Failed,
    /// Not looked at, because of another check or because nothing asked for it.
    Skipped,
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at: the same words in every run, for machines to compare.
    pub check: String,
    pub status: Status,
    /// What was seen.
    pub message: String,
    /// The command that mends it.
    pub mend: Option<String>,
}

/// The whole list.
#[derive(Debug, Default)]
pub struct Report {
    checks: Vec<Check>,
}

impl Report {
    pub fn ok(&mut self, check: &str, message: impl Into<String>) {
        self.add(check, Status::Ok, message.into(), None);
    }

    pub fn warning(&mut self, check: &str, message: impl Into<String>, mend: impl Into<String>) {
        self.add(check, Status::Warning, message.into(), Some(mend.into()));
    }

    pub fn failed(&mut self, check: &str, message: impl Into<String>, mend: impl Into<String>) {
        self.add(check, Status::Failed, message.into(), Some(mend.into()));
    }

    pub fn skipped(&mut self, check: &str, reason: impl Into<String>) {
        self.add(check, Status::Skipped, reason.into(), None);
    }

    /// Texts of Azure are in here too: no control character reaches a terminal.
    fn add(&mut self, check: &str, status: Status, message: String, mend: Option<String>) {
        let printable = |text: String| text.replace(|c: char| c.is_control() && c != '\n', "?");
        self.checks.push(Check {
            check: check.to_owned(),
            status,
            message: printable(message).replace('\n', " "),
            mend: mend.map(printable),
        });
    }

    /// 1 when something fails. Warnings alone are no failure.
    pub fn exit_code(&self) -> u8 {
        u8::from(self.count(Status::Failed) > 0)
    }

    fn count(&self, status: Status) -> usize {
        self.checks
            .iter()
            .filter(|check| check.status == status)
            .count()
    }

    /// An array, for machines.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(&self.checks).unwrap_or_default()
    }

    /// A line a check, the mending command below it, and a count at the end.
    pub fn to_text(&self, colour: bool) -> String {
        let mut text = String::new();
        for check in &self.checks {
            let (word, code) = match check.status {
                Status::Ok => ("ok", "32"),
                Status::Warning => ("warning", "33"),
                Status::Failed => ("FAILED", "31"),
                Status::Skipped => ("skipped", "2"),
            };
            let word = match colour {
                true => format!("\x1b[{code}m{word:<8}\x1b[0m"),
                false => format!("{word:<8}"),
            };
            let _ = writeln!(text, "{word} {}: {}", check.check, check.message);
            if let Some(mend) = &check.mend {
                let _ = writeln!(text, "         mend: {mend}");
            }
        }
        let _ = write!(
            text,
            "{} ok, {}, {} failed, {} skipped",
            self.count(Status::Ok),
            match self.count(Status::Warning) {
                1 => "1 warning".to_owned(),
                count => format!("{count} warnings"),
            },
            self.count(Status::Failed),
            self.count(Status::Skipped)
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_text_json_and_an_exit_code() {
        let mut report = Report::default();
        report.ok("access token", "given\x1b[2J");
        report.warning("reply wait", "12 s", "az one");
        assert_eq!(report.exit_code(), 0);
        report.failed("room", "none", "az two");
        report.skipped("agent", "no VM");
        assert_eq!(report.exit_code(), 1);
        assert_eq!(
            report.to_text(false),
            "ok       access token: given?[2J\n\
             warning  reply wait: 12 s\n         mend: az one\n\
             FAILED   room: none\n         mend: az two\n\
             skipped  agent: no VM\n\
             1 ok, 1 warning, 1 failed, 1 skipped"
        );
        assert!(
            report
                .to_text(true)
                .contains("\x1b[31mFAILED  \x1b[0m room")
        );
        let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
        assert_eq!(json[2]["status"], "failed");
        assert_eq!(json[2]["mend"], "az two");
        assert!(json[3]["mend"].is_null());
    }
}
