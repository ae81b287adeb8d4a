//! The tables of the report.

use crate::figures::CountRows;
use crate::words::{Words, bytes, number, time};

/// Rows of a table; what is more is counted.
const ROWS: usize = 20;
/// Letters of a name: names are foreign, and can be long.
const LETTERS: usize = 100;

pub(super) struct Table {
    pub title: &'static str,
    pub heads: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
    pub more: usize,
}

pub(super) fn tables(words: &Words<'_>) -> Vec<Table> {
    let figures = words.figures;
    let mut out = Vec::new();
    let mut add = |title, heads: &[&'static str], mut rows: Vec<Vec<String>>| {
        let more = rows.len().saturating_sub(ROWS);
        rows.truncate(ROWS);
        for cell in rows.iter_mut().flatten() {
            if cell.chars().count() > LETTERS {
                *cell = cell.chars().take(LETTERS - 1).chain(['…']).collect();
            }
        }
        if !rows.is_empty() {
            out.push(Table {
                title,
                heads: heads.to_vec(),
                rows,
                more,
            });
        }
    };
    let heads = match figures.vm.is_empty() {
        true => ["Between", "Packets out", "back", "Bytes out", "back"],
        false => [
            "Between",
            "Packets sent",
            "received",
            "Bytes sent",
            "received",
        ],
    };
    add("Conversations", &heads, conversations(words));
    add(
        "TCP attempts by endpoint",
        &[
            "Endpoint",
            "Attempts",
            "Answered",
            "No answer",
            "Refused",
            "Other",
            "In the last second",
            "Handshake, mean",
        ],
        attempts(words),
    );
    let resets = figures.tcp.resets.iter().map(|row| {
        vec![
            format!(
                "{}, streams with {}",
                words.host(row.sender).full,
                words.endpoint(row.server).full
            ),
            number(row.count),
            time(row.idle_mean),
            time(row.idle_max),
        ]
    });
    add(
        "Open streams that were reset",
        &["By", "Streams", "Silence before, mean", "longest"],
        resets.collect(),
    );
    let ways = figures
        .tcp
        .ways
        .iter()
        .filter(|way| way.data_packets > 0)
        .map(|way| {
            vec![
                format!(
                    "{} to {}",
                    words.host(way.from).full,
                    words.host(way.to).full
                ),
                number(way.data_packets),
                number(way.sent_again),
                number(way.spurious),
                number(way.out_of_order),
                number(way.window_full),
            ]
        });
    add(
        "TCP data by direction",
        &[
            "Direction",
            "Data packets",
            "Sent again",
            "of these needless",
            "Out of order",
            "Window full",
        ],
        ways.collect(),
    );
    let analysis = figures
        .tcp
        .analysis
        .named()
        .into_iter()
        .filter(|(_, count)| *count > 0);
    add(
        "TCP analysis",
        &["Mark", "Packets"],
        analysis
            .map(|(name, count)| vec![name, number(count)])
            .collect(),
    );
    let windows = figures.tcp.zero_windows.iter().map(|row| {
        vec![
            format!(
                "{}, data from {}",
                words.end(row.receiver, row.server).full,
                words.end(row.sender, row.server).full
            ),
            number(row.times),
            time(row.longest),
            time(row.total),
            number(row.still_closed),
        ]
    });
    add(
        "Closed windows",
        &[
            "Receiver",
            "Times",
            "Longest",
            "Together",
            "Closed at the end",
        ],
        windows.collect(),
    );
    let servers = figures.dns.servers.iter().map(|server| {
        vec![
            words.host(server.server).full,
            number(server.queries - server.repeated),
            number(server.answered),
            number(server.failed),
            number(server.silent),
            time(server.slowest),
        ]
    });
    add(
        "DNS servers",
        &[
            "Server",
            "Queries",
            "Answered",
            "Failed",
            "Unanswered",
            "Slowest",
        ],
        servers.collect(),
    );
    add(
        "DNS answers",
        &["Code", "Answers"],
        counts(&figures.dns.rcodes),
    );
    add(
        "DNS failures by name",
        &["Name", "Answers"],
        counts(&figures.dns.failed),
    );
    add(
        "Names asked for",
        &["Name", "Queries"],
        counts(&figures.dns.asked),
    );
    add(
        "TLS server names",
        &["Name", "ClientHellos"],
        counts(&figures.tls.sni),
    );
    add(
        "TLS versions chosen",
        &["Version", "ServerHellos"],
        counts(&figures.tls.versions),
    );
    add(
        "TLS alerts in clear (level/description)",
        &["Alert", "Count"],
        counts(&figures.tls.alerts),
    );
    add(
        "HTTP in clear",
        &["Status", "Responses"],
        counts(&figures.http.status),
    );
    add(
        "ICMP (type/code)",
        &["Message", "Packets"],
        counts(&figures.icmp.v4),
    );
    add(
        "ICMPv6 (type/code)",
        &["Message", "Packets"],
        counts(&figures.icmp.v6),
    );
    let silent = figures
        .arp
        .silent
        .iter()
        .map(|address| vec![address.to_string()]);
    add("ARP without reply", &["Address"], silent.collect());
    out
}

fn conversations(words: &Words<'_>) -> Vec<Vec<String>> {
    let pairs = words.figures.conversations.iter();
    pairs
        .map(|pair| {
            vec![
                format!(
                    "{} and {}",
                    words.host(pair.a).full,
                    words.host(pair.b).full
                ),
                number(pair.packets[0]),
                number(pair.packets[1]),
                bytes(pair.bytes[0]),
                bytes(pair.bytes[1]),
            ]
        })
        .collect()
}

fn attempts(words: &Words<'_>) -> Vec<Vec<String>> {
    let rows = words.figures.tcp.endpoints.iter();
    rows.map(|row| {
        vec![
            words.endpoint(row.endpoint).full,
            number(row.attempts),
            number(row.answered),
            number(row.no_answer),
            number(row.refused),
            number(row.other),
            number(row.too_late),
            if row.round_trips > 0 {
                time(row.round_trip_mean)
            } else {
                "–".into()
            },
        ]
    })
    .collect()
}

fn counts(counts: &CountRows) -> Vec<Vec<String>> {
    counts
        .0
        .iter()
        .map(|(name, count)| vec![name.clone(), number(*count)])
        .collect()
}
