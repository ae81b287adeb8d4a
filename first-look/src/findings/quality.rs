//! Data sent again, receivers without room, and time on the way.

use super::attempts::capital;
use super::thresholds::{
    CLOSED_FOR, CLOSED_TIMES, ROUND_TRIP, ROUND_TRIPS, SENT_AGAIN, WINDOW_FULL, is_share,
};
use super::{Finding, Kind};
use crate::figures::Way;
use crate::words::{Words, address_filter, counted, number, share, time};

const LISTED: usize = 2;

pub(super) fn findings(words: &Words<'_>) -> Vec<Finding> {
    let mut out = sent_again(words);
    out.extend(receivers(words));
    out.extend(round_trips(words));
    out
}

fn sent_again(words: &Words<'_>) -> Vec<Finding> {
    let mut ways: Vec<&Way> = words
        .figures
        .tcp
        .ways
        .iter()
        .filter(|way| {
            SENT_AGAIN.iter().any(|(count, percent)| {
                let again = sent(way);
                again >= *count && is_share(again, data(way), *percent)
            })
        })
        .collect();
    ways.sort_by_key(|way| (std::cmp::Reverse(sent(way)), way.from, way.to));
    ways.into_iter()
        .take(LISTED)
        .map(|way| {
            let (from, to) = (words.host(way.from), words.host(way.to));
            let filter = format!(
                "tcp.analysis.retransmission && tcp.len>0 && {} && {}",
                address_filter("src", way.from),
                address_filter("dst", way.to)
            );
            let about = (sent(way), Some(data(way)));
            words.finding(
                Kind::Retransmission,
                about,
                Some(way.to.to_string()),
                filter,
                |say| {
                    let of = format!("{} data packets", share(sent(way), data(way)));
                    let needless = match way.spurious.min(sent(way)) {
                        0 => String::new(),
                        spurious => format!(
                            "; {} of them had been acknowledged before",
                            number(spurious)
                        ),
                    };
                    format!(
                        "{of} from {} to {} were sent again{needless}.",
                        say(&from),
                        say(&to)
                    )
                },
            )
        })
        .collect()
}

/// Data packets that were sent again, without those that the file has twice.
fn sent(way: &Way) -> u64 {
    way.sent_again.saturating_sub(way.doubles)
}

/// Data packets, each once.
fn data(way: &Way) -> u64 {
    way.data_packets.saturating_sub(way.doubles)
}

fn receivers(words: &Words<'_>) -> Vec<Finding> {
    let tcp = &words.figures.tcp;
    let loud = tcp.zero_windows.iter().filter(|row| {
        row.longest >= CLOSED_FOR || row.still_closed > 0 || row.times >= CLOSED_TIMES
    });
    let mut out: Vec<Finding> = loud
        .take(LISTED)
        .map(|row| {
            let receiver = words.end(row.receiver, row.server);
            let sender = words.end(row.sender, row.server);
            let filter = format!(
                "tcp.analysis.zero_window && {} && {}",
                address_filter("src", row.receiver),
                address_filter("dst", row.sender)
            );
            words.finding(
                Kind::ReceiverFull,
                (row.times, None),
                Some(row.receiver.to_string()),
                filter,
                |say| {
                    let still = match row.still_closed {
                        0 => String::new(),
                        count => format!(", {} still closed at the end", number(count)),
                    };
                    format!(
                        "{} had no room for data from {} {}, {} at the longest{still}.",
                        capital(say(&receiver)),
                        say(&sender),
                        counted(row.times, "time", "times"),
                        time(row.longest)
                    )
                },
            )
        })
        .collect();
    let full: Vec<&Way> = tcp
        .ways
        .iter()
        .filter(|way| way.window_full >= WINDOW_FULL)
        .collect();
    out.extend(full.into_iter().take(LISTED).map(|way| {
        let (from, to) = (words.host(way.from), words.host(way.to));
        let filter = format!(
            "tcp.analysis.window_full && {} && {}",
            address_filter("src", way.from),
            address_filter("dst", way.to)
        );
        let about = (way.window_full, Some(way.data_packets));
        words.finding(
            Kind::ReceiverFull,
            about,
            Some(way.to.to_string()),
            filter,
            |say| {
                format!(
                    "{} data packets from {} to {} filled the receiver's window.",
                    share(way.window_full, way.data_packets),
                    say(&from),
                    say(&to)
                )
            },
        )
    }));
    out
}

fn round_trips(words: &Words<'_>) -> Vec<Finding> {
    let rows = words.figures.tcp.endpoints.iter();
    let mut slow: Vec<_> = rows
        .filter(|row| row.round_trips >= ROUND_TRIPS && row.round_trip_mean >= ROUND_TRIP)
        .collect();
    slow.sort_by_key(|row| (std::cmp::Reverse(row.round_trip_mean), row.endpoint));
    slow.into_iter()
        .take(LISTED)
        .map(|row| {
            let endpoint = words.endpoint(row.endpoint);
            let filter = format!(
                "tcp.analysis.initial_rtt >= 0.2 && {} && tcp.port=={}",
                address_filter("addr", row.endpoint.address),
                row.endpoint.port
            );
            words.finding(
                Kind::RoundTrip,
                (row.round_trips, None),
                Some(row.endpoint.to_string()),
                filter,
                |say| {
                    format!(
                        "Handshakes with {} took {} on average and {} at most ({}).",
                        say(&endpoint),
                        time(row.round_trip_mean),
                        time(row.round_trip_max),
                        counted(row.round_trips, "handshake", "handshakes")
                    )
                },
            )
        })
        .collect()
}
