//! TCP figures: packets, attempts, analysis, streams.

use serde::Serialize;
use serde::ser::SerializeMap;

use super::write::{self, Counts, Times, decimal, top};
use crate::address::{Address, Endpoint};
use crate::tcp::{EndpointSums, Mark, PacketSums, Quality, TcpSums};

#[derive(Debug, Serialize)]
pub(crate) struct TcpFigures {
    pub packets: u64,
    pub bytes: u64,
    pub payload: u64,
    pub syn: u64,
    pub syn_ack: u64,
    pub rst: u64,
    pub fin: u64,
    pub streams: u64,
    /// Streams that were summed up early because there were too many.
    pub folded_streams: u64,
    pub attempts: u64,
    pub answered: u64,
    pub no_answer: u64,
    pub refused: u64,
    pub other: u64,
    pub midstream: u64,
    /// Of `no_answer`: begun within the file's last second.
    pub too_late: u64,
    /// Of `no_answer`: the client continues as if answered, so the answer is not in the file.
    pub answer_missing: u64,
    /// Streams of which the file has one direction only.
    pub one_sided: u64,
    /// Streams that were reset before a FIN, without refused attempts.
    pub reset_streams: u64,
    /// Streams that were open: the base of `reset_streams`.
    pub open_streams: u64,
    pub rst_by_sender: Counts,
    pub no_answer_to: Counts,
    pub refused_by: Counts,
    #[serde(serialize_with = "fan")]
    pub failed_by_client: Vec<(Address, usize, usize)>,
    pub analysis: Analysis,
    pub initial_rtt: Times,
    /// Packets sent and received by the VM.
    pub segments: [u64; 2],
    pub endpoints: Vec<Attempts>,
    pub resets: Vec<ResetRow>,
    pub ways: Vec<Way>,
    pub zero_windows: Vec<WindowRow>,
}

/// Counts of marks, with the plain retransmissions in front.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Analysis {
    pub plain_retransmission: u64,
    pub marks: [u64; Mark::COUNT],
}

impl Analysis {
    pub fn of(&self, mark: Mark) -> u64 {
        self.marks[mark as usize]
    }
}

impl Analysis {
    /// All marks by name.
    pub fn named(&self) -> Vec<(String, u64)> {
        Mark::ALL
            .iter()
            .map(|mark| (mark.name().replace('_', " "), self.of(*mark)))
            .collect()
    }
}

impl Serialize for Analysis {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("plain_retransmission", &self.plain_retransmission)?;
        for mark in Mark::ALL {
            map.serialize_entry(mark.name(), &self.of(mark))?;
        }
        map.end()
    }
}

/// Attempts at one endpoint.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Attempts {
    #[serde(serialize_with = "write::display")]
    pub endpoint: Endpoint,
    pub attempts: u64,
    pub answered: u64,
    pub no_answer: u64,
    pub refused: u64,
    pub other: u64,
    pub too_late: u64,
    /// No answer, although there was time for one and the file would hold it.
    pub silent: u64,
    pub round_trips: u64,
    #[serde(serialize_with = "decimal")]
    pub round_trip_mean: i64,
    #[serde(serialize_with = "decimal")]
    pub round_trip_max: i64,
    /// The one address that asked; none if several did.
    #[serde(skip)]
    pub client: Option<Address>,
}

/// Resets of open streams with one server, by their sender.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ResetRow {
    #[serde(serialize_with = "write::display")]
    pub sender: Address,
    #[serde(serialize_with = "write::display")]
    pub server: Endpoint,
    pub count: u64,
    #[serde(serialize_with = "decimal")]
    pub idle_mean: i64,
    #[serde(serialize_with = "decimal")]
    pub idle_max: i64,
}

/// Data from one address to another.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Way {
    #[serde(serialize_with = "write::display")]
    pub from: Address,
    #[serde(serialize_with = "write::display")]
    pub to: Address,
    pub packets: u64,
    pub data_packets: u64,
    /// Data packets that were sent again; a repeated SYN or FIN without data is none.
    pub sent_again: u64,
    /// Of `sent_again`: the same packet within 1 ms, which the capture holds twice.
    pub doubles: u64,
    pub spurious: u64,
    pub out_of_order: u64,
    pub window_full: u64,
}

/// A receiver that had no room.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct WindowRow {
    #[serde(serialize_with = "write::display")]
    pub receiver: Address,
    #[serde(serialize_with = "write::display")]
    pub sender: Address,
    /// The end of the streams that is the server, which the receiver or the sender is.
    #[serde(serialize_with = "write::display")]
    pub server: Endpoint,
    pub times: u64,
    #[serde(serialize_with = "decimal")]
    pub longest: i64,
    #[serde(serialize_with = "decimal")]
    pub total: i64,
    pub still_closed: u64,
}

const LISTED: usize = 50;

impl TcpFigures {
    pub fn of(
        packets: &PacketSums,
        streams: (u64, u64),
        sums: TcpSums,
        segments: [u64; 2],
    ) -> TcpFigures {
        let named = |of: fn(&EndpointSums) -> u64| {
            let rows = sums.endpoints.iter().map(move |(endpoint, sums)| {
                (format!("{} {}", endpoint.address, endpoint.port), of(sums))
            });
            top(rows.filter(|(_, count)| *count > 0), LISTED)
        };
        TcpFigures {
            packets: packets.packets,
            bytes: packets.bytes,
            payload: packets.payload,
            syn: packets.syn,
            syn_ack: packets.syn_ack,
            rst: packets.rst,
            fin: packets.fin,
            streams: streams.0,
            folded_streams: streams.1,
            attempts: sums.answered + sums.no_answer + sums.refused + sums.other,
            answered: sums.answered,
            no_answer: sums.no_answer,
            refused: sums.refused,
            other: sums.other,
            midstream: sums.midstream,
            too_late: sums.too_late,
            answer_missing: sums.answer_missing,
            one_sided: sums.one_sided,
            reset_streams: sums.reset_streams,
            open_streams: sums.open_streams,
            rst_by_sender: top(
                sums.resets_by_sender
                    .iter()
                    .map(|(sender, count)| (sender.to_string(), *count)),
                LISTED,
            ),
            no_answer_to: named(|sums| sums.no_answer),
            refused_by: named(|sums| sums.refused),
            failed_by_client: sums.failed_by_client(),
            analysis: Analysis {
                plain_retransmission: packets.plain_retransmissions,
                marks: packets.marks,
            },
            segments,
            endpoints: sums
                .endpoints
                .sorted()
                .into_iter()
                .take(1_000)
                .map(|(at, sums)| Attempts::of(*at, sums))
                .collect(),
            resets: sums
                .resets
                .sorted()
                .into_iter()
                .take(LISTED)
                .map(|((sender, server), resets)| ResetRow {
                    sender: *sender,
                    server: *server,
                    count: resets.count,
                    idle_mean: resets.idle_sum / resets.count.max(1) as i64,
                    idle_max: resets.idle_most,
                })
                .collect(),
            ways: sums
                .quality
                .sorted()
                .into_iter()
                .take(1_000)
                .map(|((from, to), sums)| Way::of(*from, *to, sums))
                .collect(),
            zero_windows: sums
                .zero_windows
                .sorted()
                .into_iter()
                .take(LISTED)
                .map(|((receiver, sender, server), windows)| WindowRow {
                    receiver: *receiver,
                    sender: *sender,
                    server: *server,
                    times: windows.times,
                    longest: windows.longest,
                    total: windows.total,
                    still_closed: windows.still_closed,
                })
                .collect(),
            initial_rtt: Times::of(sums.initial_rtt),
        }
    }
}

impl Attempts {
    fn of(endpoint: Endpoint, sums: &EndpointSums) -> Attempts {
        Attempts {
            endpoint,
            attempts: sums.attempts,
            answered: sums.answered,
            no_answer: sums.no_answer,
            refused: sums.refused,
            other: sums.other,
            too_late: sums.too_late,
            silent: sums.silent(),
            round_trips: sums.round_trips,
            round_trip_mean: sums.round_trip_sum / sums.round_trips.max(1) as i64,
            round_trip_max: sums.round_trip_most,
            client: sums.client.filter(|_| !sums.more_clients),
        }
    }
}

impl Way {
    fn of(from: Address, to: Address, sums: &Quality) -> Way {
        Way {
            from,
            to,
            packets: sums.packets,
            data_packets: sums.data_packets,
            sent_again: sums.data_again,
            doubles: sums.doubles,
            spurious: sums.of(Mark::SpuriousRetransmission),
            out_of_order: sums.of(Mark::OutOfOrder),
            window_full: sums.of(Mark::WindowFull),
        }
    }
}

fn fan<S: serde::Serializer>(
    clients: &[(Address, usize, usize)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Fan {
        hosts: usize,
        endpoints: usize,
    }
    let listed = clients.iter().take(LISTED);
    serializer.collect_map(listed.map(|(client, hosts, endpoints)| {
        (
            client.to_string(),
            Fan {
                hosts: *hosts,
                endpoints: *endpoints,
            },
        )
    }))
}
