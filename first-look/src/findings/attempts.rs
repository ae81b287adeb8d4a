//! Attempts to open a TCP stream that failed, scans, and streams that were reset.

use super::thresholds::{
    FAILED_ATTEMPTS, FAILED_IN_ALL, FAILED_PERCENT, RESET_PERCENT, RESETS, SCANNED_ENDPOINTS,
    is_share,
};
use super::{Finding, Kind};
use crate::figures::Attempts;
use crate::words::{Words, address_filter, counted, number, share, time};

/// Maximum number of endpoints with a finding of each kind; the rest is in the tables.
const LISTED: usize = 3;

/// How many attempts at an endpoint ended in one way.
type Outcomes = fn(&Attempts) -> u64;

pub(super) fn findings(words: &Words<'_>) -> Vec<Finding> {
    let tcp = &words.figures.tcp;
    let mut out = scans(words);
    let scanned = !out.is_empty();
    let silent = |row: &Attempts| row.silent;
    let refused = |row: &Attempts| row.refused;
    // Attempts that the file is long enough and complete enough to judge.
    let base = tcp
        .attempts
        .saturating_sub(tcp.too_late)
        .saturating_sub(tcp.answer_missing);
    let kinds: [(Kind, Outcomes); 2] = [(Kind::NoAnswer, silent), (Kind::Refused, refused)];
    for (kind, of) in kinds {
        let found = failed(words, kind, of, base);
        if found.is_empty() && !scanned {
            out.extend(failed_in_all(words, kind, of, base));
        }
        out.extend(found);
    }
    out.extend(resets(words));
    out
}

fn failed(words: &Words<'_>, kind: Kind, of: Outcomes, all: u64) -> Vec<Finding> {
    let total: u64 = words.figures.tcp.endpoints.iter().map(of).sum();
    let everything = total > 0 && total == all;
    let mut rows: Vec<&Attempts> = words
        .figures
        .tcp
        .endpoints
        .iter()
        .filter(|row| {
            let (count, base) = (of(row), row.attempts - row.too_late);
            let loud = count >= FAILED_ATTEMPTS && is_share(count, base, FAILED_PERCENT);
            loud || everything && count > 0
        })
        .collect();
    rows.sort_by_key(|row| (std::cmp::Reverse(of(row)), row.endpoint));
    rows.into_iter()
        .take(LISTED)
        .map(|row| {
            let (count, base) = (of(row), row.attempts - row.too_late);
            let endpoint = words.endpoint(row.endpoint);
            let client = row
                .client
                .filter(|client| !words.figures.is_vm(*client))
                .map(|client| words.host(client));
            let server = row.endpoint.address;
            let filter = match kind {
                Kind::Refused => format!(
                    "tcp.flags.reset==1 && {} && tcp.srcport=={}",
                    address_filter("src", server),
                    row.endpoint.port
                ),
                _ => format!(
                    "tcp.flags.syn==1 && tcp.flags.ack==0 && {} && tcp.dstport=={}",
                    address_filter("dst", server),
                    row.endpoint.port
                ),
            };
            let found = words.finding(
                kind,
                (count, Some(base)),
                Some(row.endpoint.to_string()),
                filter,
                |say| {
                    let from = client
                        .as_ref()
                        .map_or(String::new(), |client| format!(" from {}", say(client)));
                    let noun = if base == 1 { "attempt" } else { "attempts" };
                    let outcome = match (kind, count) {
                        (Kind::Refused, 1) => "was refused",
                        (Kind::Refused, _) => "were refused",
                        _ => "had no answer in this file",
                    };
                    format!(
                        "{} {noun}{from} to {} {outcome}.",
                        share(count, base),
                        say(&endpoint)
                    )
                },
            );
            found.of_own(words.figures.is_vm(server))
        })
        .collect()
}

/// Few attempts each at many endpoints, none of which is loud by itself.
fn failed_in_all(words: &Words<'_>, kind: Kind, of: Outcomes, all: u64) -> Option<Finding> {
    let rows = words
        .figures
        .tcp
        .endpoints
        .iter()
        .map(of)
        .filter(|count| *count > 0);
    let (endpoints, total) = rows.fold((0, 0), |(endpoints, total), count| {
        (endpoints + 1, total + count)
    });
    if total < FAILED_IN_ALL || !is_share(total, all, FAILED_PERCENT) {
        return None;
    }
    let filter = match kind {
        Kind::Refused => "tcp.flags.reset==1",
        _ => "tcp.flags.syn==1 && tcp.flags.ack==0",
    };
    Some(
        words.finding(kind, (total, Some(all)), None, filter.into(), |_| {
            let place = counted(endpoints, "endpoint", "endpoints");
            format!(
                "{} attempts, to {place}, {}.",
                share(total, all),
                outcome(kind, total)
            )
        }),
    )
}

fn outcome(kind: Kind, count: u64) -> &'static str {
    match (kind, count) {
        (Kind::Refused, 1) => "was refused",
        (Kind::Refused, _) => "were refused",
        _ => "had no answer in this file",
    }
}

fn scans(words: &Words<'_>) -> Vec<Finding> {
    let tcp = &words.figures.tcp;
    let loud = tcp.failed_by_client.iter().filter(|(_, _, endpoints)| {
        *endpoints >= SCANNED_ENDPOINTS && *endpoints as u64 > tcp.answered
    });
    loud.take(LISTED)
        .map(|(client, hosts, endpoints)| {
            let who = words.host(*client);
            let filter = format!(
                "tcp.flags.syn==1 && tcp.flags.ack==0 && {}",
                address_filter("src", *client)
            );
            let count = *endpoints as u64;
            words.finding(
                Kind::Scan,
                (count, None),
                Some(client.to_string()),
                filter,
                |say| {
                    format!(
                        "{} tried {} on {} without success; {} of all {} attempts were answered.",
                        capital(say(&who)),
                        counted(count, "endpoint", "endpoints"),
                        counted(*hosts as u64, "host", "hosts"),
                        number(tcp.answered),
                        number(tcp.attempts)
                    )
                },
            )
        })
        .collect()
}

fn resets(words: &Words<'_>) -> Vec<Finding> {
    let tcp = &words.figures.tcp;
    let all = tcp.reset_streams > 0 && tcp.reset_streams == tcp.open_streams;
    let is_loud = |count| count >= RESETS && is_share(count, tcp.open_streams, RESET_PERCENT);
    let loud = tcp.resets.iter().filter(|row| all || is_loud(row.count));
    loud.take(LISTED)
        .map(|row| {
            let (sender, server) = (words.host(row.sender), words.endpoint(row.server));
            let filter = format!(
                "tcp.flags.reset==1 && {} && {} && tcp.port=={}",
                address_filter("src", row.sender),
                address_filter("addr", row.server.address),
                row.server.port
            );
            let (mean, longest) = (time(row.idle_mean), time(row.idle_max));
            let streams = share(row.count, tcp.open_streams);
            words.finding(
                Kind::Reset,
                (row.count, Some(tcp.open_streams)),
                Some(row.server.to_string()),
                filter,
                |say| {
                    format!(
                        "{} reset {streams} open TCP streams before a FIN, those with {}; the silence before was {mean} on average, {longest} at most.",
                        capital(say(&sender)),
                        say(&server)
                    )
                },
            )
        })
        .collect()
}

/// With a capital letter in front.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
