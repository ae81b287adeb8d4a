//! Who talked, when most of it happened, and what the network said no to.

use super::thresholds::{
    ARP_SILENT, BURST_PACKETS, BURST_SECONDS, BURST_TIMES, ICMP_ERRORS, ICMP_ERRORS_IN_ALL,
    TALKER_CONVERSATIONS, TALKER_PACKETS, TALKER_PERCENT, is_share,
};
use super::{Finding, Kind};
use crate::options::{Counted, Metric};
use crate::words::{Words, address_filter, bytes, counted, number, share, time};

const LISTED: usize = 2;

pub(super) fn findings(words: &Words<'_>) -> Vec<Finding> {
    let mut out = Vec::new();
    out.extend(talker(words));
    out.extend(alert(words).or_else(|| burst(words)));
    let errors = icmp(words);
    if errors.is_empty() {
        out.extend(icmp_in_all(words));
    }
    out.extend(errors);
    out.extend(arp(words));
    out
}

fn talker(words: &Words<'_>) -> Option<Finding> {
    let figures = words.figures;
    let most = figures.conversations.first()?;
    let loud = figures.packets >= TALKER_PACKETS
        && figures.conversations.len() >= TALKER_CONVERSATIONS
        && is_share(most.total_bytes(), figures.bytes, TALKER_PERCENT);
    if !loud {
        return None;
    }
    let (a, b) = (words.host(most.a), words.host(most.b));
    let filter = format!(
        "{} && {}",
        address_filter("addr", most.a),
        address_filter("addr", most.b)
    );
    let about = (most.total_bytes(), Some(figures.bytes));
    Some(words.finding(
        Kind::Talker,
        about,
        Some(most.b.to_string()),
        filter,
        |say| {
            let percent = most.total_bytes() as f64 * 100.0 / figures.bytes as f64;
            let [there, back] = match figures.is_vm(most.a) {
                true => ["sent", "received"],
                false => ["one way", "back"],
            };
            format!(
                "{} and {} exchanged {} of {} ({percent:.0} %): {} {there}, {} {back}.",
                super::attempts::capital(say(&a)),
                say(&b),
                bytes(most.total_bytes()),
                bytes(figures.bytes),
                bytes(most.bytes[0]),
                bytes(most.bytes[1])
            )
        },
    ))
}

/// The alert's own metric beside the file's figure.
fn alert(words: &Words<'_>) -> Option<Finding> {
    let figures = words.figures;
    let metric = words.context.alert.as_ref()?.metric.as_ref()?;
    let duration = figures.duration.filter(|_| !figures.vm.is_empty())?;
    let count = match metric.counts {
        Counted::SegmentsSent => figures.tcp.segments[0],
        Counted::SegmentsReceived => figures.tcp.segments[1],
        Counted::PacketsSent => figures.per_second.sent[0],
        Counted::PacketsReceived => figures.per_second.received[0],
        Counted::BytesSent => figures.per_second.sent[1],
        Counted::BytesReceived => figures.per_second.received[1],
    };
    let value = match metric.value.parse() {
        Ok(value) => number(value),
        Err(_) => crate::text::clean(metric.value.as_bytes()),
    };
    let over = over(metric);
    let side = match metric.counts {
        Counted::SegmentsSent | Counted::PacketsSent | Counted::BytesSent => "src",
        _ => "dst",
    };
    let tcp = if matches!(
        metric.counts,
        Counted::SegmentsSent | Counted::SegmentsReceived
    ) {
        "tcp && "
    } else {
        ""
    };
    let filter = figures
        .vm
        .first()
        .map(|vm| format!("{tcp}{}", address_filter(side, *vm)))?;
    Some(
        words.finding(Kind::Burst, (count, None), None, filter, |_| {
            format!(
                "The alert counted {value} {}{over}; this file has {} in its {}.",
                metric.counts.words(),
                number(count),
                time(duration)
            )
        }),
    )
}

/// ` (average over 300 s)`, as far as that is known.
fn over(metric: &Metric) -> String {
    let how = metric.aggregation.as_deref().unwrap_or_default();
    let how = crate::text::clean(how.as_bytes()).to_lowercase();
    let window = metric
        .window_seconds
        .map(|seconds| format!("over {} s", number(seconds)));
    let parts: Vec<&str> = [Some(how.as_str()), window.as_deref()]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect();
    match parts[..] {
        [] => String::new(),
        _ => format!(" ({})", parts.join(" ")),
    }
}

fn burst(words: &Words<'_>) -> Option<Finding> {
    let seconds = &words.figures.per_second;
    let length = words.figures.duration? / 1_000_000_000 + 1;
    let busiest = seconds.busiest?;
    let width = seconds.width.max(1) as u64;
    let mean = words.figures.packets / (length as u64).max(1);
    let loud = length as u64 >= BURST_SECONDS
        && seconds.busiest_packets >= BURST_PACKETS
        && seconds.busiest_packets >= mean.saturating_mul(width).saturating_mul(BURST_TIMES);
    if !loud {
        return None;
    }
    let filter = format!(
        "frame.time_relative >= {busiest} && frame.time_relative < {}",
        busiest + seconds.width
    );
    let about = (seconds.busiest_packets, Some(words.figures.packets));
    Some(words.finding(Kind::Burst, about, None, filter, |_| {
        format!(
            "{} packets fall into {} from second {busiest} on; the mean is {} a second.",
            share(seconds.busiest_packets, words.figures.packets),
            counted(width, "one second", "seconds"),
            number(mean)
        )
        .replace("1 one second", "one second")
    }))
}

fn icmp(words: &Words<'_>) -> Vec<Finding> {
    let loud = words
        .figures
        .icmp
        .errors
        .iter()
        .filter(|row| row.count >= ICMP_ERRORS || is_too_large(row.v6, row.kind, row.code));
    loud.take(LISTED)
        .map(|row| {
            let about = if row.about.port == 0 {
                words.host(row.about.address)
            } else {
                words.endpoint(row.about)
            };
            let layer = if row.v6 { "icmpv6" } else { "icmp" };
            let filter = format!("{layer}.type=={} && {layer}.code=={}", row.kind, row.code);
            words.finding(
                Kind::Network,
                (row.count, None),
                Some(row.about.to_string()),
                filter,
                |say| {
                    let messages = counted(row.count, "ICMP message", "ICMP messages");
                    format!(
                        "{messages} \"{}\" about packets to {}.",
                        icmp_name(row.v6, row.kind, row.code),
                        say(&about)
                    )
                },
            )
        })
        .collect()
}

fn icmp_in_all(words: &Words<'_>) -> Option<Finding> {
    let icmp = &words.figures.icmp;
    if icmp.unreachable < ICMP_ERRORS_IN_ALL {
        return None;
    }
    let filter = "icmp.type==3 || icmpv6.type==1".to_owned();
    Some(words.finding(
        Kind::Network,
        (icmp.unreachable, None),
        None,
        filter,
        |_| {
            format!(
                "{} ICMP messages say that a destination is unreachable, about {}.",
                number(icmp.unreachable),
                counted(icmp.errors.len() as u64, "endpoint", "endpoints")
            )
        },
    ))
}

fn arp(words: &Words<'_>) -> Option<Finding> {
    let arp = &words.figures.arp;
    if arp.targets_without_reply < ARP_SILENT {
        return None;
    }
    let asked: u64 = arp.targets_by_sender.total();
    Some(words.finding(
        Kind::Network,
        (arp.targets_without_reply, None),
        None,
        "arp.opcode==1".into(),
        |_| {
            format!(
                "{} asked for by ARP without a reply in this file, of {} asked for.",
                counted(arp.targets_without_reply, "address was", "addresses were"),
                number(asked.max(arp.targets_without_reply))
            )
        },
    ))
}

fn is_too_large(v6: bool, kind: u8, code: u8) -> bool {
    if v6 {
        kind == 2
    } else {
        kind == 3 && code == 4
    }
}

/// <https://www.iana.org/assignments/icmp-parameters/icmp-parameters.xhtml>
fn icmp_name(v6: bool, kind: u8, code: u8) -> String {
    let name = match (v6, kind, code) {
        (false, 3, 0) => "network unreachable",
        (false, 3, 1) => "host unreachable",
        (false, 3, 2) => "protocol unreachable",
        (false, 3, 3) | (true, 1, 4) => "port unreachable",
        (false, 3, 4) | (true, 2, _) => "packet too large",
        (false, 3, 9 | 10 | 13) | (true, 1, 1) => "administratively prohibited",
        (true, 1, 0) => "no route",
        (true, 1, 3) => "address unreachable",
        (false, 5, _) => "redirect",
        (false, 11, _) | (true, 3, _) => "time exceeded",
        _ => return format!("type {kind}, code {code}"),
    };
    name.into()
}
