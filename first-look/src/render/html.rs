//! The report: one HTML page without script and without any request, under 300 KB. Everything foreign is escaped by
//! the templates and cut to a length.

use askama::Template;

use super::notice::{STANDS_OUT_NOT, alert_words};
use super::picture::{Bar, Bars, Columns, Show};
use super::report_tables::{Table, tables};
use super::table::{spans, talkers, times, times_words};
use crate::figures::{Attempts, DnsServer, Times};
use crate::findings::{Finding, Kind, Measure, check_next};
use crate::look::Seen;
use crate::unread::Omission;
use crate::words::{Words, number};

/// Columns of the pictures over time.
const COLUMNS: usize = 120;
/// Bars of a picture.
const BARS: usize = 8;
/// Findings that are printed; there are at most some thirty.
const FINDINGS: usize = 40;

#[derive(Template)]
#[template(path = "look/report.html")]
struct Report<'a> {
    name: &'a str,
    body: &'a str,
}

#[derive(Template)]
#[template(path = "look/body.html")]
struct Body<'a> {
    about: String,
    vm: Option<String>,
    alert: Option<String>,
    quiet: &'static str,
    findings: &'a [Finding],
    check_next: Vec<(Kind, Vec<&'static str>)>,
    pictures: Vec<Picture>,
    tables: Vec<Table>,
    left_out: &'a [Omission],
    measures: &'a [Measure],
}

/// A drawing with its title and the meaning of its colours.
struct Picture {
    title: String,
    svg: String,
    legend: Vec<(&'static str, &'static str)>,
}

#[derive(Template)]
#[template(path = "look/style.css", escape = "none")]
struct Style;

impl Seen {
    /// The whole report as one HTML page.
    pub fn html(&self) -> String {
        let body = self.body();
        Report {
            name: &self.shown_name(),
            body: &body,
        }
        .render()
        .unwrap_or_default()
    }

    /// The report's content as one element without a title, for a page that has [`html_style`] in its head. Headings
    /// begin with `h2`.
    pub fn html_fragment(&self) -> String {
        format!("<section class=\"first-look\">\n{}</section>", self.body())
    }

    fn body(&self) -> String {
        let words = Words::new(&self.figures, &self.context);
        let has_packets = self.figures.packets > 0;
        let body = Body {
            about: if has_packets {
                self.summary()
            } else {
                String::new()
            },
            vm: self.vm_words(),
            alert: alert_words(self),
            quiet: STANDS_OUT_NOT,
            findings: &self.findings[..self.findings.len().min(FINDINGS)],
            check_next: check_next(&self.findings),
            pictures: if has_packets {
                self.pictures(&words)
            } else {
                Vec::new()
            },
            tables: if has_packets {
                tables(&words)
            } else {
                Vec::new()
            },
            left_out: &self.not_looked_into.0,
            measures: if has_packets { &self.measures } else { &[] },
        };
        // Rendering into a string fails only if a value's own formatting fails, which none here does.
        body.render().unwrap_or_default()
    }

    fn shown_name(&self) -> String {
        let name = crate::text::clean(self.context.name.as_bytes());
        match (&self.context.vm_name, name.is_empty()) {
            (Some(vm), true) => crate::text::clean(vm.as_bytes()),
            (Some(vm), false) => format!("{name} of {}", crate::text::clean(vm.as_bytes())),
            (None, true) => "capture".into(),
            (None, false) => name,
        }
    }

    fn vm_words(&self) -> Option<String> {
        let figures = &self.figures;
        let all: Vec<String> = figures.vm.iter().map(ToString::to_string).collect();
        let how = if figures.vm_given {
            ""
        } else {
            ", found as the address that takes part in most packets"
        };
        (!all.is_empty()).then(|| {
            format!(
                "The VM is {}{how}: {} packets sent, {} received.",
                all.join(" and "),
                number(figures.per_second.sent[0]),
                number(figures.per_second.received[0])
            )
        })
    }

    fn pictures(&self, words: &Words<'_>) -> Vec<Picture> {
        let figures = &self.figures;
        let mut out = Vec::new();
        let (width, spans) = spans(figures, COLUMNS);
        let alert = self.alert_place(width, spans.len());
        let directions = if figures.vm.is_empty() {
            vec![("other", "all packets")]
        } else {
            let is_other = spans.iter().any(|span| span.packets[2] > 0);
            let other = is_other.then_some(("other", "neither"));
            let both = [("sent", "sent by the VM"), ("received", "received")];
            both.into_iter().chain(other).collect()
        };
        for (show, title) in [
            (Show::Packets, "Packets over time"),
            (Show::Bytes, "Bytes over time"),
        ] {
            let columns = Columns::new(&spans, width, show, alert);
            out.push(Picture {
                title: title.into(),
                svg: drawn(&columns),
                legend: directions.clone(),
            });
        }
        if figures.tcp.attempts > 0 {
            out.push(attempts(words));
        }
        out.extend(hosts(words));
        out.extend(histogram("TCP handshakes", &figures.tcp.initial_rtt));
        out.extend(histogram("DNS answer times", &figures.dns.time));
        if figures.dns.queries > 0 {
            out.push(dns_outcomes(words));
        }
        out
    }

    /// Where the alert is on the way from the first to the last column, from 0 to 1.
    fn alert_place(&self, width: i64, columns: usize) -> Option<f64> {
        let alert = self.context.alert.as_ref()?;
        let begin = self.figures.begin?.saturating_add(
            self.figures
                .per_second
                .rows
                .first()?
                .0
                .saturating_mul(1_000_000_000),
        );
        let length = width as f64 * columns as f64 * 1e9;
        Some(alert.at.saturating_sub(begin) as f64 / length)
    }
}

/// The style sheet of [`Seen::html_fragment`]; all its rules are below `.first-look`.
pub fn html_style() -> String {
    Style.render().unwrap_or_default()
}

fn drawn(template: &impl Template) -> String {
    template.render().unwrap_or_default()
}

fn attempts(words: &Words<'_>) -> Picture {
    let tcp = &words.figures.tcp;
    let rows = tcp.endpoints.iter().take(BARS);
    let bars = rows.map(|row| Bar {
        name: words.endpoint(row.endpoint).full,
        words: outcomes(row),
        parts: vec![
            (row.answered, "received"),
            (row.no_answer, "bad"),
            (row.refused, "warn"),
            (row.other, "other"),
        ],
    });
    Picture {
        title: "TCP attempts by endpoint".into(),
        svg: drawn(&Bars::new("TCP attempts by endpoint", bars.collect())),
        legend: [
            (tcp.answered, ("received", "answered")),
            (tcp.no_answer, ("bad", "no answer")),
            (tcp.refused, ("warn", "refused")),
            (tcp.other, ("other", "other")),
        ]
        .into_iter()
        .filter_map(|(count, key)| (count > 0).then_some(key))
        .collect(),
    }
}

/// What the colours say, for those who cannot distinguish them.
fn outcomes(row: &Attempts) -> String {
    let mut parts = vec![format!("{} answered", number(row.answered))];
    for (count, name) in [
        (row.no_answer, "not"),
        (row.refused, "refused"),
        (row.other, "other"),
    ] {
        if count > 0 {
            parts.push(format!("{} {name}", number(count)));
        }
    }
    parts.join(", ")
}

fn answers(asked: u64, server: &DnsServer) -> String {
    let answered = format!("{} of {} answered", number(server.answered), number(asked));
    match server.failed {
        0 => answered,
        failed => format!("{answered}, {} failed", number(failed)),
    }
}

fn hosts(words: &Words<'_>) -> Option<Picture> {
    let is_vm_known = !words.figures.vm.is_empty();
    let bars: Vec<Bar> = talkers(words, BARS)
        .into_iter()
        .map(|talker| Bar {
            words: talker.words(words),
            name: talker.name,
            parts: vec![(talker.bytes[0], "sent"), (talker.bytes[1], "received")],
        })
        .collect();
    (!bars.is_empty()).then(|| Picture {
        title: "Bytes by host".into(),
        svg: drawn(&Bars::new("Bytes by host", bars)),
        legend: match is_vm_known {
            true => vec![("sent", "sent by the VM"), ("received", "received")],
            false => vec![("sent", "to the host"), ("received", "from the host")],
        },
    })
}

fn dns_outcomes(words: &Words<'_>) -> Picture {
    let servers = words.figures.dns.servers.iter().take(BARS);
    let bars = servers.map(|server| {
        let asked = server.queries.saturating_sub(server.repeated);
        let good = server.answered.saturating_sub(server.failed);
        Bar {
            name: words.host(server.server).full,
            words: answers(asked, server),
            parts: vec![
                (good, "received"),
                (server.failed.min(server.answered), "warn"),
                (asked.saturating_sub(server.answered), "bad"),
            ],
        }
    });
    Picture {
        title: "DNS queries by server".into(),
        svg: drawn(&Bars::new("DNS queries by server", bars.collect())),
        legend: vec![
            ("received", "answered"),
            ("warn", "failed"),
            ("bad", "unanswered"),
        ],
    }
}

fn histogram(title: &str, values: &Times) -> Option<Picture> {
    (values.count > 0).then(|| Picture {
        title: format!("{title}: {}", times_words(values)),
        svg: drawn(&Bars::of_rows(title, times(values), "received")),
        legend: Vec::new(),
    })
}
