//! A page of text for the terminal.

use std::fmt::Write;

use super::notice::{STANDS_OUT_NOT, alert_words};
use super::table::{Row, spans, talker_rows, times, times_words};
use crate::container;
use crate::findings::check_next;
use crate::look::Seen;
use crate::words::{Words, bytes, counted, number, time};

/// Characters of a bar.
const BAR: u64 = 24;
/// Eighths of a character.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
/// Heights of a column.
const HEIGHTS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Columns of the picture of packets over time.
const COLUMNS: usize = 64;
const LISTED: usize = 6;

impl Seen {
    /// A page of text with small bar charts, 80 to 100 columns wide.
    pub fn text(&self) -> String {
        let mut page = Page {
            out: String::new(),
            words: Words::new(&self.figures, &self.context),
        };
        page.head(self);
        page.findings(self);
        if self.figures.packets > 0 {
            page.seconds();
            page.attempts();
            page.rows("Most bytes", "", &talker_rows(&page.words, LISTED));
            let figures = &self.figures;
            if figures.tcp.initial_rtt.count > 0 {
                page.rows(
                    "TCP handshakes",
                    &times_words(&figures.tcp.initial_rtt),
                    &times(&figures.tcp.initial_rtt),
                );
            }
            page.dns();
            page.quality();
        }
        page.check_next(self);
        page.left_out(self);
        page.out
    }
}

struct Page<'a> {
    out: String,
    words: Words<'a>,
}

impl Page<'_> {
    /// Adds a line. Writing to a string cannot fail.
    fn line(&mut self, line: &str) {
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }

    fn title(&mut self, title: &str, beside: &str) {
        let line = if beside.is_empty() {
            title.to_owned()
        } else {
            format!("{title}: {beside}")
        };
        self.line("");
        self.line(&line);
    }

    fn head(&mut self, seen: &Seen) {
        let figures = self.words.figures;
        let name = crate::text::clean(self.words.context.name.as_bytes());
        // A damaged file has no format among the figures, as with capinfos; what was read of it has one.
        let kind = match &figures.file.kind {
            container::Kind::Capture(format) => format.name(),
            _ => "no readable capture",
        };
        let name = if name.is_empty() {
            "Capture".to_owned()
        } else {
            name
        };
        self.line(&format!("{name}: {kind}, {}", bytes(figures.file.size)));
        if figures.packets > 0 {
            self.line(&seen.summary());
        }
        let vm: Vec<String> = figures.vm.iter().map(ToString::to_string).collect();
        if !vm.is_empty() {
            let how = if figures.vm_given {
                ""
            } else {
                " (found: it takes part in most packets)"
            };
            self.line(&format!(
                "The VM is {}{how}: {} sent, {} received.",
                vm.join(" and "),
                counted(figures.per_second.sent[0], "packet", "packets"),
                number(figures.per_second.received[0])
            ));
        }
        if let Some(words) = alert_words(seen) {
            self.line(&words);
        }
    }

    fn findings(&mut self, seen: &Seen) {
        self.title("What stands out", "");
        if seen.findings.is_empty() {
            self.line(&format!("  {STANDS_OUT_NOT}"));
        }
        for finding in &seen.findings {
            self.line(&format!(
                "  {} - {}",
                finding.kind.title(),
                finding.sentence
            ));
            if !finding.filter.is_empty() {
                self.line(&format!("      {}", finding.tshark));
            }
        }
    }

    fn seconds(&mut self) {
        let (width, spans) = spans(self.words.figures, COLUMNS);
        if spans.len() < 2 {
            return;
        }
        let sum = |values: &[u64; 3]| values.iter().sum::<u64>();
        let sent = spans.iter().map(|span| span.packets[0]);
        let received = spans.iter().map(|span| span.packets[1]);
        let all = spans.iter().map(|span| sum(&span.packets));
        let known = !self.words.figures.vm.is_empty();
        let series: Vec<(&str, Vec<u64>)> = if known {
            vec![("sent", sent.collect()), ("received", received.collect())]
        } else {
            vec![("all", all.collect())]
        };
        self.title("Packets", &format!("one column is {}", column(width)));
        for (name, values) in series {
            let most = values.iter().copied().max().unwrap_or(0).max(1);
            let picture: String = values
                .iter()
                .map(|value| HEIGHTS[(value * 8).div_ceil(most) as usize])
                .collect();
            self.line(&format!("  {name:<9}{picture}  most {}", number(most)));
        }
    }

    fn attempts(&mut self) {
        let tcp = &self.words.figures.tcp;
        if tcp.attempts == 0 {
            return;
        }
        let rows: Vec<Row> = tcp
            .endpoints
            .iter()
            .take(LISTED)
            .map(|row| Row {
                name: self.words.endpoint(row.endpoint).full,
                words: format!(
                    "{} answered, {} not, {} refused",
                    row.answered, row.no_answer, row.refused
                ),
                value: row.attempts,
            })
            .collect();
        let all = format!(
            "{} answered, {} without answer, {} refused, {} other",
            tcp.answered, tcp.no_answer, tcp.refused, tcp.other
        );
        self.rows("TCP attempts", &all, &rows);
    }

    fn dns(&mut self) {
        let dns = &self.words.figures.dns;
        if dns.queries + dns.responses == 0 {
            return;
        }
        let rcodes: Vec<String> = dns
            .rcodes
            .0
            .iter()
            .map(|(name, count)| format!("{count} {name}"))
            .collect();
        let times_said = if dns.time.count > 0 {
            format!("; {}", times_words(&dns.time))
        } else {
            String::new()
        };
        let about = format!(
            "{}, {} unanswered, answers: {}{times_said}",
            counted(dns.queries - dns.repeated, "query", "queries"),
            dns.unanswered,
            if rcodes.is_empty() {
                "none".into()
            } else {
                rcodes.join(", ")
            }
        );
        self.rows("DNS", &about, &times(&dns.time));
    }

    fn quality(&mut self) {
        let tcp = &self.words.figures.tcp;
        if tcp.packets == 0 {
            return;
        }
        let named = tcp.analysis.named();
        let parts: Vec<String> = named
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        if !parts.is_empty() {
            self.title("TCP analysis", &parts.join(", "));
        }
    }

    fn check_next(&mut self, seen: &Seen) {
        let kinds = check_next(&seen.findings);
        if kinds.is_empty() {
            return;
        }
        self.title("What to check next", "");
        for (kind, checks) in kinds {
            for check in checks {
                self.line(&format!("  {} - {check}", kind.title()));
            }
        }
    }

    fn left_out(&mut self, seen: &Seen) {
        if seen.not_looked_into.0.is_empty() {
            return;
        }
        self.title("Not analyzed", "");
        for left in &seen.not_looked_into.0 {
            self.line(&format!(
                "  {} {}: {}",
                number(left.count),
                left.unit,
                left.what
            ));
        }
    }

    fn rows(&mut self, title: &str, beside: &str, rows: &[Row]) {
        self.title(title, beside);
        let most = rows.iter().map(|row| row.value).max().unwrap_or(0).max(1);
        let name = rows
            .iter()
            .map(|row| row.name.chars().count())
            .max()
            .unwrap_or(0)
            .min(46);
        for row in rows {
            let eighths =
                (row.value as u128 * u128::from(BAR) * 8).div_ceil(u128::from(most)) as usize;
            let mut bar = "█".repeat(eighths / 8);
            bar.push_str(EIGHTHS[eighths % 8]);
            let mut line = String::new();
            let _ = write!(
                line,
                "  {:<name$}  {bar:<width$}  {}",
                row.name,
                row.words,
                width = BAR as usize
            );
            self.line(&line);
        }
    }
}

/// How long a column of that many whole seconds is.
fn column(seconds: i64) -> String {
    match seconds {
        1 => "one second".to_owned(),
        2..100 => format!("{seconds} s"),
        _ => time(seconds.saturating_mul(1_000_000_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_whole_seconds_or_longer_units() {
        for (seconds, expected) in [
            (1, "one second"),
            (24, "24 s"),
            (240, "240 s"),
            (7_200, "2.0 h"),
            (i64::MAX, "106752 days"),
        ] {
            assert_eq!(column(seconds), expected);
        }
    }
}
