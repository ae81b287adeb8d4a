//! Lines for a notification: at most eight, with or without the names of hosts.

use crate::findings::{Finding, Kind};
use crate::look::Seen;
use crate::words::{bytes, counted, number, time};

pub(super) const STANDS_OUT_NOT: &str = "Nothing stands out by the measures of this look.";

/// Whether a notification may have addresses and names of hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NamePolicy {
    /// Sentences with addresses and names.
    #[default]
    Full,
    /// The same sentences with counts and ports only.
    Counts,
    /// No lines at all.
    None,
}

/// Lines of a notification.
const MAXIMUM_LINES: usize = 8;

impl Seen {
    /// What a notification says: what the file is, then what stands out, one line for each, at most eight.
    pub fn notice_lines(&self, policy: NamePolicy) -> Vec<String> {
        if policy == NamePolicy::None {
            return Vec::new();
        }
        let mut lines = Vec::new();
        if self.figures.packets > 0 {
            lines.push(self.summary());
        }
        let listed = most_important(&self.findings, MAXIMUM_LINES - lines.len());
        let left = self.findings.len() - listed.len();
        lines.extend(listed.into_iter().map(|finding| match policy {
            NamePolicy::Counts => finding.plain.clone(),
            _ => finding.sentence.clone(),
        }));
        if left > 0 {
            // The last line gives way to the number of those that have no room.
            if lines.len() == MAXIMUM_LINES {
                lines.pop();
                lines.push(format!(
                    "{} more; see the report.",
                    counted(left as u64 + 1, "finding", "findings")
                ));
            } else {
                lines.push(format!(
                    "{} more; see the report.",
                    counted(left as u64, "finding", "findings")
                ));
            }
        } else if self.findings.is_empty() {
            lines.push(STANDS_OUT_NOT.into());
        }
        lines
    }

    /// The file in one line.
    pub(super) fn summary(&self) -> String {
        let figures = &self.figures;
        let tcp = &figures.tcp;
        let mut parts = vec![format!(
            "{} ({}) in {}",
            counted(figures.packets, "packet", "packets"),
            bytes(figures.bytes),
            time(figures.duration.unwrap_or(0))
        )];
        if tcp.attempts > 0 {
            parts.push(format!(
                "{}: {} answered, {} not, {} refused",
                counted(tcp.attempts, "TCP attempt", "TCP attempts"),
                number(tcp.answered),
                number(tcp.no_answer),
                number(tcp.refused)
            ));
        }
        if figures.dns.queries > 0 {
            parts.push(format!(
                "{}, {} unanswered",
                counted(
                    figures.dns.queries - figures.dns.repeated,
                    "DNS query",
                    "DNS queries"
                ),
                number(figures.dns.unanswered)
            ));
        }
        parts.join("; ") + "."
    }
}

/// Where the alert is in the file, or before it.
pub(super) fn alert_words(seen: &Seen) -> Option<String> {
    let alert = seen.context.alert.as_ref()?;
    let (first, last) = (seen.figures.first?, seen.figures.last?);
    let (distance, place) = match alert.at {
        at if at < first => (first.saturating_sub(at), "before the first packet"),
        at if at > last => (at.saturating_sub(last), "after the last packet"),
        at => (at.saturating_sub(first), "after the first packet"),
    };
    Some(format!("The alert fired {} {place}.", time(distance)))
}

/// One finding of each kind before the second of any, in their order.
fn most_important(findings: &[Finding], room: usize) -> Vec<&Finding> {
    let mut rounds: Vec<(usize, &Finding)> = Vec::new();
    let mut of_kind = 0;
    let mut latest: Option<Kind> = None;
    for finding in findings {
        of_kind = if latest == Some(finding.kind) {
            of_kind + 1
        } else {
            0
        };
        latest = Some(finding.kind);
        rounds.push((of_kind, finding));
    }
    rounds.sort_by_key(|(round, _)| *round);
    rounds.truncate(room);
    rounds.sort_by_key(|(_, finding)| finding.kind);
    rounds.into_iter().map(|(_, finding)| finding).collect()
}
