//! The report of the checks, printed for people or for machines.

use crate::readiness::{Report, Status};
use std::fmt::Write;

/// An array of the checks.
pub fn json(report: &Report) -> String {
    serde_json::to_string_pretty(report).unwrap_or_default()
}

/// One line for each check, the command that fixes it below, and the counts at the end.
pub fn text(report: &Report, colour: bool) -> String {
    let mut text = String::new();
    for check in report.checks() {
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
        if let Some(fix) = &check.fix {
            let _ = writeln!(text, "         fix: {fix}");
        }
    }
    let count = |status| report.count(status);
    let plural = if count(Status::Warning) == 1 { "" } else { "s" };
    let _ = write!(
        text,
        "{} ok, {} warning{plural}, {} failed, {} skipped",
        count(Status::Ok),
        count(Status::Warning),
        count(Status::Failed),
        count(Status::Skipped)
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readiness::ShellCommand;

    #[test]
    fn a_report_is_text_for_people_and_json_for_machines() {
        let mut report = Report::default();
        report.ok("access token", "issued\x1b[2J by\nEntra");
        report.warning("reply wait", "12 s", ShellCommand::new("az one"));
        report.failed("capture slots", "none", ShellCommand::new("az two"));
        report.skipped("agent", "no VM");
        assert_eq!(
            text(&report, false),
            "ok       access token: issued [2J by Entra\n\
             warning  reply wait: 12 s\n         fix: az one\n\
             FAILED   capture slots: none\n         fix: az two\n\
             skipped  agent: no VM\n\
             1 ok, 1 warning, 1 failed, 1 skipped"
        );
        assert!(text(&report, true).contains("\x1b[31mFAILED  \x1b[0m capture slots"));
        let json: serde_json::Value = serde_json::from_str(&json(&report)).unwrap();
        assert_eq!(json[2]["status"], "failed");
        assert_eq!(json[2]["fix"], "az two");
        assert!(json[3]["fix"].is_null());
    }
}
