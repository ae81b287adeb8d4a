//! Figures of UDP, DNS, TLS, QUIC, HTTP, ICMP and ARP.

use serde::Serialize;

use super::write::{self, Counts, Times, decimal, top};
use crate::address::{Address, Endpoint};
use crate::apps;
use crate::apps::{Fatal, rcode_name, version_name};
use crate::traffic::{Arps, Icmps};

const LISTED: usize = 50;
/// Names that servers were called by.
const NAMES_LISTED: usize = 200;

#[derive(Debug, Serialize)]
pub(crate) struct Udp {
    pub packets: u64,
    pub bytes: u64,
    pub streams: u64,
    pub more_streams: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct Dns {
    pub queries: u64,
    pub responses: u64,
    pub repeated: u64,
    pub repeated_responses: u64,
    pub answered: u64,
    pub unanswered: u64,
    /// Of `unanswered`: asked within the file's last second.
    pub too_late: u64,
    pub rcodes: Counts,
    pub failed: Counts,
    pub asked: Counts,
    pub time: Times,
    pub servers: Vec<DnsServer>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct DnsServer {
    #[serde(serialize_with = "write::display")]
    pub server: Address,
    pub queries: u64,
    pub repeated: u64,
    pub answered: u64,
    /// No answer, although there was time for one.
    pub silent: u64,
    /// Responses with an rcode other than NOERROR and NXDOMAIN.
    pub failed: u64,
    #[serde(serialize_with = "decimal")]
    pub slowest: i64,
}

impl Dns {
    pub fn of(dns: apps::Dns) -> Dns {
        let failed = dns
            .failed
            .iter()
            .map(|((code, name), count)| (format!("{} {name}", rcode_name(*code)), *count));
        Dns {
            queries: dns.queries,
            responses: dns.responses,
            repeated: dns.repeated,
            repeated_responses: dns.repeated_responses,
            answered: dns.answered,
            unanswered: dns.unanswered(),
            too_late: dns.too_late,
            rcodes: top(
                dns.rcodes
                    .iter()
                    .map(|(code, count)| (rcode_name(*code), *count)),
                LISTED,
            ),
            failed: top(failed, LISTED),
            asked: top(
                dns.asked.iter().map(|(name, count)| (name.clone(), *count)),
                LISTED,
            ),
            servers: dns
                .servers
                .sorted()
                .into_iter()
                .take(LISTED)
                .map(|(server, sums)| DnsServer {
                    server: *server,
                    queries: sums.queries,
                    repeated: sums.repeated,
                    answered: sums.answered,
                    silent: sums.silent(),
                    failed: sums.failed,
                    slowest: sums.slowest,
                })
                .collect(),
            time: Times::of(dns.times),
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Tls {
    pub client_hello: u64,
    pub server_hello: u64,
    pub sni: Counts,
    pub versions: Counts,
    pub alerts: Counts,
    /// Fatal alerts, by what they say and whose they are.
    #[serde(skip)]
    pub fatal: Vec<(Fatal, u64)>,
}

impl Tls {
    pub fn of(tls: apps::Tls) -> Tls {
        let alerts = tls
            .alerts
            .iter()
            .map(|((level, alert), count)| (format!("{level}/{alert}"), *count));
        Tls {
            client_hello: tls.client_hellos,
            server_hello: tls.server_hellos,
            sni: top(
                tls.names.iter().map(|(name, count)| (name.clone(), *count)),
                NAMES_LISTED,
            ),
            versions: top(
                tls.versions
                    .iter()
                    .map(|(version, count)| (version_name(*version), *count)),
                LISTED,
            ),
            alerts: top(alerts, LISTED),
            fatal: tls
                .fatal
                .sorted()
                .into_iter()
                .map(|(fatal, count)| (*fatal, *count))
                .collect(),
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Quic {
    pub frames: u64,
    /// Always empty: the names are encrypted, and are not decrypted here.
    pub sni: Counts,
}

impl Quic {
    pub fn of(quic: apps::Quic) -> Quic {
        Quic {
            frames: quic.datagrams,
            sni: Counts::default(),
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Http {
    pub status: Counts,
    pub methods: Counts,
    /// Responses of 500 and above, by server.
    #[serde(skip)]
    pub failing: Vec<(Endpoint, u64)>,
}

impl Http {
    pub fn of(http: apps::Http) -> Http {
        Http {
            status: top(
                http.status
                    .iter()
                    .map(|(code, count)| (code.to_string(), *count)),
                LISTED,
            ),
            methods: top(
                http.methods
                    .iter()
                    .map(|(method, count)| (method.to_string(), *count)),
                LISTED,
            ),
            failing: http
                .failing
                .sorted()
                .into_iter()
                .map(|(server, count)| (*server, *count))
                .collect(),
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Icmp {
    pub v4: Counts,
    pub v6: Counts,
    pub unreachable_by_sender: Counts,
    pub unreachable: u64,
    /// Packets that were too large for the next link (MTU).
    pub too_large: u64,
    pub errors: Vec<IcmpErrors>,
}

/// Errors about packets to one endpoint; port 0 if the quoted packet has none.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct IcmpErrors {
    pub v6: bool,
    #[serde(rename = "type")]
    pub kind: u8,
    pub code: u8,
    #[serde(serialize_with = "write::display")]
    pub about: Endpoint,
    pub count: u64,
}

impl Icmp {
    pub fn of(icmps: &Icmps) -> Icmp {
        let named = |counts: &crate::tally::Tally<(u8, u8)>| {
            top(
                counts
                    .iter()
                    .map(|((kind, code), count)| (format!("{kind}/{code}"), *count)),
                LISTED,
            )
        };
        Icmp {
            v4: named(&icmps.v4),
            v6: named(&icmps.v6),
            unreachable_by_sender: top(
                icmps
                    .unreachable_by_sender
                    .iter()
                    .map(|(sender, count)| (sender.to_string(), *count)),
                LISTED,
            ),
            unreachable: icmps.unreachable,
            too_large: icmps.too_large,
            errors: icmps
                .about
                .sorted()
                .into_iter()
                .take(LISTED)
                .map(|((v6, kind, code, about), count)| IcmpErrors {
                    v6: *v6,
                    kind: *kind,
                    code: *code,
                    about: *about,
                    count: *count,
                })
                .collect(),
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Arp {
    pub requests: u64,
    pub replies: u64,
    pub targets_without_reply: u64,
    pub targets_by_sender: Counts,
    /// Some of the addresses that never replied.
    #[serde(serialize_with = "write::addresses")]
    pub silent: Vec<Address>,
}

impl Arp {
    pub fn of(arps: &Arps) -> Arp {
        let mut silent = arps.silent();
        let targets_without_reply = silent.len() as u64;
        silent.truncate(LISTED);
        let targets = arps.targets_by_sender();
        Arp {
            requests: arps.requests,
            replies: arps.replies,
            targets_without_reply,
            targets_by_sender: top(
                targets
                    .iter()
                    .map(|(sender, count)| (sender.to_string(), *count)),
                LISTED,
            ),
            silent,
        }
    }
}
