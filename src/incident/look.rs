//! What a reading of a capture's file has found, as it is stored with a job, sent to receivers and shown on pages: a few
//! bounded lines. Figures and pictures are in the report beside the record.

use crate::{changes::Silent, text};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Maximum characters of a line.
const MAX_LINE: usize = 400;
/// Maximum number of lines, and of findings.
const MOST_LINES: usize = 8;

/// What a notification may say of a capture's file (`FirstLook__InNotice`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InNotice {
    /// Lines with addresses and names of hosts.
    Full,
    /// The same lines with counts and ports only.
    Counts,
    /// No lines.
    None,
}

/// What was found in a capture's file, or why it could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileLook {
    /// When it was known.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// What is in the file, and what stands out: at most eight lines.
    #[serde(default)]
    pub lines: Vec<Box<str>>,
    /// The same lines without addresses and names of hosts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<Box<str>>,
    /// What stands out, for programs.
    #[serde(default)]
    pub findings: Vec<FileFinding>,
    #[serde(default)]
    pub file_bytes: Option<u64>,
    /// Of the whole file, in hexadecimal digits.
    #[serde(default)]
    pub sha256: Option<Box<str>>,
    /// Whether the report is in the incident record.
    #[serde(default)]
    pub report: bool,
    /// Why the file could not be read, or the report not be written.
    #[serde(default)]
    pub problem: Option<FileProblem>,
}

/// One thing that stands out in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileFinding {
    /// As the report's JSON names it, such as `noAnswer`.
    pub kind: Box<str>,
    pub count: u64,
    /// Out of how many.
    pub base: Option<u64>,
    /// The endpoint that it is about.
    pub endpoint: Option<Box<str>>,
    /// Whether the endpoint is the machine's own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_own: bool,
    /// A display filter of Wireshark.
    pub filter: Option<Box<str>>,
}

/// What is in the way, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileProblem {
    pub message: Box<str>,
    pub fix: Box<str>,
}

impl FileProblem {
    /// Both may have been said by others.
    pub fn new(message: &str, fix: &str) -> Self {
        let clean = |text: &str| text::clean(text, text::MESSAGE).into();
        Self {
            message: clean(message),
            fix: clean(fix),
        }
    }
}

impl FileLook {
    /// A look that has found nothing yet.
    pub fn new(at: OffsetDateTime) -> Self {
        Self {
            at,
            lines: Vec::new(),
            counts: Vec::new(),
            findings: Vec::new(),
            file_bytes: None,
            sha256: None,
            report: false,
            problem: None,
        }
    }

    /// A file that could not be read.
    pub fn failed(at: OffsetDateTime, problem: FileProblem) -> Self {
        Self {
            problem: Some(problem),
            ..Self::new(at)
        }
    }

    /// The lines and findings within their limits. What is in them came over the wire.
    pub fn bounded(mut self) -> Self {
        for lines in [&mut self.lines, &mut self.counts] {
            lines.truncate(MOST_LINES);
            for line in lines {
                *line = text::clean(line, MAX_LINE).into();
            }
        }
        self.findings.truncate(MOST_LINES);
        for finding in &mut self.findings {
            let texts = [&mut finding.endpoint, &mut finding.filter];
            for text in texts {
                // A filter that is cut would be a wrong one.
                *text = text.take().filter(|text| text.len() <= MAX_LINE);
            }
        }
        self
    }

    /// What a notification may say of it.
    pub fn in_notice(&self, policy: InNotice) -> Self {
        let mut shown = self.clone();
        let counts = std::mem::take(&mut shown.counts);
        match policy {
            InNotice::Full => {}
            InNotice::Counts => {
                shown.lines = counts;
                for finding in &mut shown.findings {
                    finding.endpoint = None;
                    finding.filter = None;
                }
            }
            InNotice::None => {
                shown.lines.clear();
                shown.findings.clear();
            }
        }
        shown
    }

    /// The endpoints of TCP that did not answer.
    pub fn silent(&self) -> impl Iterator<Item = Silent> {
        let silent = self.findings.iter().filter(|it| &*it.kind == "noAnswer");
        silent.filter_map(|finding| {
            Some(Silent {
                endpoint: finding.endpoint.as_deref()?.parse().ok()?,
                is_own: finding.is_own,
            })
        })
    }

    /// The lines for people, with what is in the way as the last one.
    pub fn said(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.lines.iter().map(|line| line.to_string()).collect();
        lines.extend(self.problem.as_ref().map(|problem| {
            format!(
                "{}. What to do: {}.",
                capital(&problem.message),
                problem.fix
            )
        }));
        lines
    }

    /// Whether it has one line at most.
    pub(super) fn is_short(&self) -> bool {
        self.lines.len() <= 1 && self.counts.is_empty() && self.findings.is_empty()
    }

    /// The same with its first line alone.
    pub(super) fn shortened(mut self) -> Self {
        self.lines.truncate(1);
        self.counts.clear();
        self.findings.clear();
        self
    }

    /// Drops what is missed least, to make a message shorter; `false`: nothing is left.
    pub(super) fn shed(&mut self) -> bool {
        self.findings.pop().is_some() || self.lines.pop().is_some() || self.counts.pop().is_some()
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look() -> FileLook {
        FileLook {
            lines: vec!["5 of 9 attempts to 10.0.0.4:1433 had no answer.".into()],
            counts: vec!["5 of 9 attempts to one endpoint had no answer.".into()],
            findings: vec![FileFinding {
                kind: "noAnswer".into(),
                count: 5,
                base: Some(9),
                endpoint: Some("10.0.0.4:1433".into()),
                is_own: false,
                filter: Some("ip.addr==10.0.0.4".into()),
            }],
            ..FileLook::new(OffsetDateTime::UNIX_EPOCH)
        }
    }

    #[test]
    fn names_of_hosts_are_kept_out_where_that_is_asked_for() {
        for (policy, lines, names) in [
            (InNotice::Full, 1, true),
            (InNotice::Counts, 1, false),
            (InNotice::None, 0, false),
        ] {
            let shown = look().in_notice(policy);
            let text = serde_json::to_string(&shown).unwrap();
            assert_eq!(shown.said().len(), lines, "{policy:?}");
            assert_eq!(text.contains("10.0.0.4"), names, "{policy:?}: {text}");
            assert!(shown.counts.is_empty());
        }
    }

    #[test]
    fn foreign_text_is_bounded() {
        let long: Box<str> = "x\r\n".repeat(9_000).into();
        let mut look = look();
        look.lines = vec![long.clone(); 30];
        look.findings[0].filter = Some(long);
        let bounded = look.bounded();
        assert_eq!(bounded.lines.len(), MOST_LINES);
        assert!(
            bounded
                .lines
                .iter()
                .all(|line| line.chars().count() <= MAX_LINE)
        );
        assert!(!bounded.lines[0].contains('\n'));
        assert_eq!(bounded.findings[0].filter, None);
    }

    #[test]
    fn a_problem_is_one_line_with_what_to_do() {
        let problem = FileProblem::new("the role is missing", "assign the role");
        let look = FileLook::failed(OffsetDateTime::UNIX_EPOCH, problem);
        let line = "The role is missing. What to do: assign the role.";
        assert_eq!(look.in_notice(InNotice::None).said(), [line]);
    }
}
