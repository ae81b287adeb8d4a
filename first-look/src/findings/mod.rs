//! What stands out, by fixed measures and in a fixed order: counts and places, never causes. What to check next is a
//! list of its own.

mod attempts;
mod file;
mod names;
mod quality;
mod thresholds;
mod traffic;

use serde::Serialize;

use crate::figures::Figures;
use crate::options::Context;
use crate::unread::NotLookedInto;
use crate::words::{Phrase, Words};

/// What a finding is about, in the order in which findings are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Kind {
    /// The file is not what was asked for.
    File,
    /// Attempts without an answer.
    NoAnswer,
    /// One source, many endpoints, few answers.
    Scan,
    /// Attempts that were refused.
    Refused,
    /// Open streams that were reset.
    Reset,
    /// DNS queries without an answer, failures, slow answers.
    Dns,
    /// Data that was sent again.
    Retransmission,
    /// Receivers without room.
    ReceiverFull,
    /// Round-trip times.
    RoundTrip,
    /// One conversation has most of the bytes.
    Talker,
    /// Packets in a short time.
    Burst,
    /// TLS alerts.
    Tls,
    /// HTTP answers of 500 and above, in clear.
    Http,
    /// ICMP errors, ARP without reply.
    Network,
}

impl Kind {
    /// All kinds, in their order.
    pub(crate) const ALL: [Kind; 14] = [
        Kind::File,
        Kind::NoAnswer,
        Kind::Scan,
        Kind::Refused,
        Kind::Reset,
        Kind::Dns,
        Kind::Retransmission,
        Kind::ReceiverFull,
        Kind::RoundTrip,
        Kind::Talker,
        Kind::Burst,
        Kind::Tls,
        Kind::Http,
        Kind::Network,
    ];

    /// A heading.
    pub fn title(self) -> &'static str {
        match self {
            Kind::File => "The file",
            Kind::NoAnswer => "No answer",
            Kind::Scan => "Many endpoints",
            Kind::Refused => "Refused",
            Kind::Reset => "Reset",
            Kind::Dns => "DNS",
            Kind::Retransmission => "Sent again",
            Kind::ReceiverFull => "Receiver full",
            Kind::RoundTrip => "Time on the way",
            Kind::Talker => "Most traffic",
            Kind::Burst => "Busiest time",
            Kind::Tls => "TLS",
            Kind::Http => "HTTP",
            Kind::Network => "The network",
        }
    }

    /// What to check next, if nothing is known but the kind.
    fn checks(self) -> &'static [&'static str] {
        match self {
            Kind::File => &["The capture session's parameters and its stop reason"],
            Kind::NoAnswer => &[
                "Effective security rules and routes of the network interface for this destination (IP flow verify, next hop)",
                "Whether the destination runs, listens on the port, and lets this source in",
            ],
            Kind::Scan => &[
                "Which program on the source opens the connections",
                "Whether the source is known to test the network",
            ],
            Kind::Refused => &[
                "Whether the service listens on this address and port",
                "A firewall or proxy that answers with a reset",
            ],
            Kind::Reset => &[
                "The sender's log at these times",
                "Idle times against the timeouts on the way: a load balancer in Azure closes idle flows after 4 minutes by default",
            ],
            Kind::Dns => &[
                "The DNS server's state and its forwarders",
                "The names that were asked for, with their search suffixes",
            ],
            Kind::Retransmission => &[
                "The same figures at the other end, if it can be captured",
                "Metrics of the VM's network bandwidth and flows against its size's limits",
            ],
            Kind::ReceiverFull => &[
                "CPU, memory and disk of the receiver at these times",
                "Whether the receiving program reads its socket",
            ],
            Kind::RoundTrip => &[
                "Region and path of the peer",
                "Other captures of the same peer at a quiet time",
            ],
            Kind::Talker => &[
                "Which program holds this conversation",
                "Whether this amount is usual",
            ],
            Kind::Burst => &["The packets of these seconds, by conversation"],
            Kind::Tls => &["Certificate, name and protocol versions of both ends"],
            Kind::Http => &["The server's log at these times"],
            Kind::Network => &["Routes, MTU and gateways on the way to these destinations"],
        }
    }
}

/// One thing that stands out.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What it is about.
    pub kind: Kind,
    /// The finding in one sentence, with addresses and names.
    pub sentence: String,
    /// The same without addresses and names of hosts.
    #[serde(skip)]
    pub plain: String,
    /// The number that the sentence is about.
    pub count: u64,
    /// Out of how many, where that is known.
    pub base: Option<u64>,
    /// The endpoint or address that it is about.
    pub endpoint: Option<String>,
    /// Whether that is a port of the VM itself, so that the connections were inbound.
    #[serde(skip)]
    pub is_own: bool,
    /// A display filter of Wireshark that shows the packets.
    pub filter: String,
    /// A command line that lists them.
    pub tshark: String,
    #[serde(skip)]
    checks: &'static [&'static str],
}

impl Finding {
    /// What to check next; no cause is claimed.
    pub fn check_next(&self) -> &'static [&'static str] {
        self.checks
    }

    /// The same finding about a port of the VM itself, or of another machine.
    fn of_own(mut self, is_own: bool) -> Finding {
        self.is_own = is_own;
        self
    }

    /// The same finding with checks of its own.
    fn with_checks(mut self, checks: &'static [&'static str]) -> Finding {
        self.checks = checks;
        self
    }
}

impl Words<'_> {
    /// A finding; `sentence` is called for the full and for the plain wording.
    fn finding(
        &self,
        kind: Kind,
        (count, base): (u64, Option<u64>),
        endpoint: Option<String>,
        filter: String,
        sentence: impl Fn(fn(&Phrase) -> &str) -> String,
    ) -> Finding {
        Finding {
            kind,
            sentence: sentence(|phrase| &phrase.full),
            plain: sentence(|phrase| &phrase.plain),
            count,
            base,
            endpoint,
            is_own: false,
            tshark: self.list(&filter),
            filter,
            checks: kind.checks(),
        }
    }
}

/// What to check next, for each kind of finding that there is, without repetitions.
pub(crate) fn check_next(findings: &[Finding]) -> Vec<(Kind, Vec<&'static str>)> {
    let mut all: Vec<(Kind, Vec<&'static str>)> = Vec::new();
    for finding in findings {
        if all.last().is_none_or(|(kind, _)| *kind != finding.kind) {
            all.push((finding.kind, Vec::new()));
        }
        if let Some((_, checks)) = all.last_mut() {
            let new = finding
                .checks
                .iter()
                .filter(|check| !checks.contains(check));
            let new: Vec<&'static str> = new.copied().collect();
            checks.extend(new);
        }
    }
    all
}

/// What was measured, whether it stands out or not.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Measure {
    pub kind: Kind,
    /// The value in this file.
    pub value: String,
    /// From when on it stands out.
    pub threshold: &'static str,
    pub loud: bool,
}

/// Everything that stands out, and all measures.
pub(crate) fn all(
    figures: &Figures,
    context: &Context,
    left_out: &NotLookedInto,
) -> (Vec<Finding>, Vec<Measure>) {
    let words = Words::new(figures, context);
    let mut findings = file::findings(&words, left_out);
    if figures.packets > 0 {
        findings.extend(attempts::findings(&words));
        findings.extend(names::findings(&words));
        findings.extend(quality::findings(&words));
        findings.extend(traffic::findings(&words));
    }
    findings.sort_by_key(|finding| finding.kind);
    let measures = Kind::ALL
        .into_iter()
        .map(|kind| Measure {
            kind,
            value: value(kind, figures),
            threshold: thresholds::words(kind),
            loud: findings.iter().any(|finding| finding.kind == kind),
        })
        .collect();
    (findings, measures)
}

/// What was measured, in numbers.
fn value(kind: Kind, figures: &Figures) -> String {
    let tcp = &figures.tcp;
    let dns = &figures.dns;
    match kind {
        Kind::File => format!(
            "{} packets in {}",
            figures.packets,
            crate::words::time(figures.duration.unwrap_or(0))
        ),
        Kind::NoAnswer => format!(
            "{} of {} attempts without answer, {} of them in the last second",
            tcp.no_answer, tcp.attempts, tcp.too_late
        ),
        Kind::Scan => {
            let most = tcp
                .failed_by_client
                .first()
                .map_or(0, |(_, _, endpoints)| *endpoints);
            format!("{most} endpoints that failed for one source")
        }
        Kind::Refused => format!("{} of {} attempts refused", tcp.refused, tcp.attempts),
        Kind::Reset => format!(
            "{} of {} open streams reset",
            tcp.reset_streams, tcp.open_streams
        ),
        Kind::Dns => format!(
            "{} of {} queries unanswered",
            dns.unanswered,
            dns.queries - dns.repeated
        ),
        Kind::Retransmission => {
            let data: u64 = tcp.ways.iter().map(|way| way.data_packets).sum();
            let again: u64 = tcp.ways.iter().map(|way| way.sent_again).sum();
            format!("{again} of {data} data packets sent again")
        }
        Kind::ReceiverFull => {
            format!(
                "{} packets with a closed window",
                tcp.analysis.of(crate::tcp::Mark::ZeroWindow)
            )
        }
        Kind::RoundTrip if tcp.initial_rtt.count == 0 => "no handshake".into(),
        Kind::RoundTrip => format!(
            "{} handshakes, median {}, longest {}",
            tcp.initial_rtt.count,
            crate::words::time(tcp.initial_rtt.p50),
            crate::words::time(tcp.initial_rtt.max)
        ),
        Kind::Talker => {
            let most = figures
                .conversations
                .first()
                .map_or(0, |pair| pair.total_bytes());
            format!(
                "{} of {} in the largest conversation",
                crate::words::bytes(most),
                crate::words::bytes(figures.bytes)
            )
        }
        Kind::Burst => format!(
            "{} packets in the busiest second",
            figures.per_second.busiest_packets
        ),
        Kind::Tls => {
            let fatal: u64 = figures.tls.fatal.iter().map(|(_, count)| count).sum();
            format!(
                "{fatal} fatal alerts, {} ClientHellos",
                figures.tls.client_hello
            )
        }
        Kind::Http => {
            let failing: u64 = figures.http.failing.iter().map(|(_, count)| count).sum();
            format!("{failing} of {} responses", figures.http.status.total())
        }
        Kind::Network => format!(
            "{} ICMP unreachable, {} too large, {} addresses without ARP reply",
            figures.icmp.unreachable, figures.icmp.too_large, figures.arp.targets_without_reply
        ),
    }
}
