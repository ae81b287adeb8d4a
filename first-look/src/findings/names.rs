//! DNS, TLS and HTTP.

use super::attempts::capital;
use super::thresholds::{
    DNS_FAILED, DNS_FAILED_PERCENT, DNS_NO_NAME, DNS_NO_NAME_PERCENT, DNS_SLOW, HTTP_FAILING,
    TLS_ALERTS, is_share,
};
use super::{Finding, Kind};
use crate::address::Address;
use crate::figures::DnsServer;
use crate::words::{Phrase, Words, address_filter, counted, share, time};

const LISTED: usize = 2;

pub(super) fn findings(words: &Words<'_>) -> Vec<Finding> {
    let mut out = dns(words);
    out.extend(tls(words));
    out.extend(http(words));
    out
}

fn dns(words: &Words<'_>) -> Vec<Finding> {
    let dns = &words.figures.dns;
    let mut out = Vec::new();
    let mut failing: Vec<&DnsServer> = dns
        .servers
        .iter()
        .filter(|server| {
            let bad = server.silent + server.failed;
            bad >= DNS_FAILED && is_share(bad, server.queries - server.repeated, DNS_FAILED_PERCENT)
        })
        .collect();
    failing.sort_by_key(|server| std::cmp::Reverse(server.silent + server.failed));
    for server in failing.into_iter().take(LISTED) {
        let who = dns_server(words, server.server);
        let base = server.queries - server.repeated;
        let filter = format!("dns && {}", address_filter("addr", server.server));
        let count = server.silent + server.failed;
        out.push(words.finding(
            Kind::Dns,
            (count, Some(base)),
            Some(server.server.to_string()),
            filter,
            |say| {
                let mut parts = Vec::new();
                if server.silent > 0 {
                    parts.push(format!(
                        "left {} queries unanswered",
                        share(server.silent, base)
                    ));
                }
                if server.failed > 0 {
                    parts.push(format!(
                        "answered {} with a failure",
                        share(server.failed, server.answered)
                    ));
                }
                format!("{} {}.", say(&who), parts.join(" and "))
            },
        ));
    }
    let no_name = dns.rcodes.get("NXDOMAIN");
    if no_name >= DNS_NO_NAME && is_share(no_name, dns.responses, DNS_NO_NAME_PERCENT) {
        let filter = "dns.flags.rcode==3".to_owned();
        out.push(words.finding(
            Kind::Dns,
            (no_name, Some(dns.responses)),
            None,
            filter,
            |_| {
                format!(
                    "{} DNS answers say that the name does not exist.",
                    share(no_name, dns.responses)
                )
            },
        ));
    }
    if dns.time.count > 0 && dns.time.p95 >= DNS_SLOW {
        let filter = "dns.time >= 0.5".to_owned();
        out.push(words.finding(Kind::Dns, (dns.time.count, None), None, filter, |_| {
            format!(
                "DNS answers took {} in the median, {} in the 95th percentile and {} at most, of {}.",
                time(dns.time.p50),
                time(dns.time.p95),
                time(dns.time.max),
                counted(dns.time.count, "answer", "answers")
            )
        }));
    }
    out
}

fn dns_server(words: &Words<'_>, address: Address) -> Phrase {
    let host = words.host(address);
    match words.figures.is_vm(address) {
        true => Phrase {
            full: "The VM, as a DNS server,".into(),
            plain: "The VM, as a DNS server,".into(),
        },
        false => Phrase {
            full: format!("The DNS server {}", host.full),
            plain: "One DNS server".into(),
        },
    }
}

fn tls(words: &Words<'_>) -> Vec<Finding> {
    let tls = &words.figures.tls;
    let fatal: u64 = tls.fatal.iter().map(|(_, count)| count).sum();
    if fatal < TLS_ALERTS && (fatal == 0 || fatal * 2 < tls.client_hello) {
        return Vec::new();
    }
    let listed = tls.fatal.iter().take(LISTED);
    listed
        .map(|(alert, count)| {
            let server = words.endpoint(alert.server);
            let side = if alert.by_server { "src" } else { "dst" };
            let filter = format!(
                "tls.alert_message.desc=={} && {} && tcp.{side}port=={}",
                alert.description,
                address_filter(side, alert.server.address),
                alert.server.port
            );
            let alerts = format!(
                "{} \"{}\" in clear",
                counted(*count, "fatal TLS alert", "fatal TLS alerts"),
                alert_name(alert.description)
            );
            let hellos = counted(tls.client_hello, "ClientHello", "ClientHellos");
            let base = Some(tls.client_hello).filter(|hellos| hellos >= count);
            let place = Some(alert.server.to_string());
            words.finding(
                Kind::Tls,
                (*count, base),
                place,
                filter,
                |say| match alert.by_server {
                    true => {
                        let server = capital(say(&server));
                        format!("{server} sent {alerts}; the file has {hellos}.")
                    }
                    false => {
                        format!("{alerts} went to {}; the file has {hellos}.", say(&server))
                    }
                },
            )
        })
        .collect()
}

fn http(words: &Words<'_>) -> Vec<Finding> {
    let http = &words.figures.http;
    let loud = http
        .failing
        .iter()
        .filter(|(_, count)| *count >= HTTP_FAILING);
    loud.take(LISTED)
        .map(|(server, count)| {
            let who = words.endpoint(*server);
            let filter = format!(
                "http.response.code >= 500 && {}",
                address_filter("src", server.address)
            );
            let base = http.status.total();
            words.finding(
                Kind::Http,
                (*count, Some(base)),
                Some(server.to_string()),
                filter,
                |say| {
                    format!(
                        "{} HTTP responses in clear are of 500 and above, from {}.",
                        share(*count, base),
                        say(&who)
                    )
                },
            )
        })
        .collect()
}

/// Names of TLS alerts. <https://www.iana.org/assignments/tls-parameters/tls-parameters.xhtml#tls-parameters-6>
fn alert_name(alert: u8) -> String {
    let name = match alert {
        10 => "unexpected message",
        20 => "bad record MAC",
        21 => "decryption failed",
        22 => "record overflow",
        40 => "handshake failure",
        42 => "bad certificate",
        43 => "unsupported certificate",
        44 => "certificate revoked",
        45 => "certificate expired",
        46 => "certificate unknown",
        47 => "illegal parameter",
        48 => "unknown CA",
        49 => "access denied",
        50 => "decode error",
        51 => "decrypt error",
        70 => "protocol version",
        71 => "insufficient security",
        80 => "internal error",
        86 => "inappropriate fallback",
        109 => "missing extension",
        110 => "unsupported extension",
        112 => "unrecognized name",
        116 => "certificate required",
        120 => "no application protocol",
        other => return format!("alert {other}"),
    };
    name.into()
}
