//! The figures of a file, as they are printed. Members and names are those of the project's ground truth, which prints
//! what TShark says of a file, so that both can be held side by side.

mod apps;
mod file;
mod stream;
mod tcp;
mod write;

pub(crate) use apps::{Arp, Dns, DnsServer, Http, Icmp, Quic, Tls, Udp};
pub(crate) use file::File;
pub(crate) use stream::StreamRow;
pub(crate) use tcp::{Attempts, TcpFigures, Way};
pub(crate) use write::{Counts as CountRows, Times};

use serde::Serialize;

use crate::address::Address;
use crate::container::FileFacts;
use crate::frame::Layers;
use crate::look::Counts;
use crate::tally::{Tally, Weight};
use crate::traffic::{Bucket, Host};
use write::{decimal_or_null, top};

/// Rows of the figures per second that are printed.
const SECONDS_LISTED: usize = 3_600;

/// Everything that was counted.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    pub file: File,
    pub packets: u64,
    pub bytes: u64,
    pub captured_bytes: u64,
    pub cut_packets: u64,
    pub longest_captured: u64,
    pub backwards: u64,
    /// Time of the packet that is first in the file.
    #[serde(skip)]
    pub begin: Option<i64>,
    #[serde(serialize_with = "decimal_or_null")]
    pub first: Option<i64>,
    #[serde(serialize_with = "decimal_or_null")]
    pub last: Option<i64>,
    #[serde(serialize_with = "decimal_or_null")]
    pub duration: Option<i64>,
    /// Packets that are in the file twice.
    pub doubles: u64,
    /// Addresses that are taken for the VM's.
    #[serde(serialize_with = "write::addresses")]
    pub vm: Vec<Address>,
    /// The VM's addresses were given, not found.
    pub vm_given: bool,
    pub protocols: CountRows,
    pub hosts: Vec<HostRow>,
    /// There were more hosts than are counted one by one.
    pub more_hosts: bool,
    pub conversations: Vec<ConversationRow>,
    pub tcp: TcpFigures,
    pub tcp_streams: Vec<StreamRow>,
    pub udp: Udp,
    pub dns: Dns,
    pub tls: Tls,
    pub quic: Quic,
    pub http: Http,
    pub icmp: Icmp,
    pub arp: Arp,
    pub per_second: PerSecond,
}

/// What a host sent and received, by the outermost IP header.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct HostRow {
    #[serde(rename = "host", serialize_with = "write::display")]
    pub address: Address,
    pub sent_packets: u64,
    pub sent_bytes: u64,
    pub received_packets: u64,
    pub received_bytes: u64,
}

/// Two hosts; a comes first by its address, the VM before all.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ConversationRow {
    #[serde(serialize_with = "write::display")]
    pub a: Address,
    #[serde(serialize_with = "write::display")]
    pub b: Address,
    /// From a to b, and back.
    pub packets: [u64; 2],
    pub bytes: [u64; 2],
}

/// Packets and bytes by whole seconds since the first packet.
#[derive(Debug, Serialize)]
pub(crate) struct PerSecond {
    pub seconds: u64,
    pub busiest: Option<i64>,
    pub busiest_packets: u64,
    pub most_bytes: u64,
    /// Seconds that one row stands for; more than 1 if the file has too many.
    pub width: i64,
    #[serde(serialize_with = "write::second_rows")]
    pub rows: Vec<(i64, Bucket)>,
    /// Sent by the VM: packets, bytes; received by it: packets, bytes.
    pub sent: [u64; 2],
    pub received: [u64; 2],
}

impl Figures {
    pub fn of(facts: FileFacts, counts: Counts) -> Figures {
        let end = counts.last.unwrap_or(0);
        let duration = counts
            .first
            .zip(counts.last)
            .map(|(first, last)| last.saturating_sub(first));
        let vm = counts.own.addresses().to_vec();
        let listed = counts.options.listed_hosts;
        let (hosts, pairs) = counts.talkers.finish();
        let more_hosts = hosts.dropped() > 0;
        let layers = Layers::ALL.iter().map(|(bit, name)| {
            (
                name.to_string(),
                counts.layers[bit.trailing_zeros() as usize],
            )
        });
        let (width, rows) = counts.seconds.finish();
        let streams = (counts.tcp.count(), counts.tcp.folded());
        let (list, sums, packets) = counts.tcp.finish(end);
        let flows = (
            counts.flows.len() as u64 + counts.flows.dropped(),
            counts.flows.dropped() > 0,
        );
        Figures {
            file: File::of(&facts),
            packets: counts.packets,
            bytes: counts.bytes,
            captured_bytes: counts.captured_bytes,
            cut_packets: counts.cut_packets,
            longest_captured: counts.longest_captured as u64,
            backwards: counts.backwards,
            begin: counts.begin,
            first: counts.first,
            last: counts.last,
            duration,
            doubles: counts.doubles.count,
            vm_given: counts.own.given,
            protocols: top(layers.filter(|(_, count)| *count > 0), 200),
            hosts: host_rows(&hosts, listed),
            more_hosts,
            conversations: pairs
                .sorted()
                .into_iter()
                .take(listed)
                .map(|(between, sums)| {
                    let row = ConversationRow {
                        a: between.low,
                        b: between.high,
                        packets: sums.packets,
                        bytes: sums.bytes,
                    };
                    if vm.contains(&row.b) && !vm.contains(&row.a) {
                        row.turned()
                    } else {
                        row
                    }
                })
                .collect(),
            tcp: TcpFigures::of(&packets, streams, sums, counts.own.segments),
            tcp_streams: list
                .iter()
                .take(counts.options.listed_streams)
                .map(StreamRow::of)
                .collect(),
            udp: Udp {
                packets: counts.udp_packets,
                bytes: counts.udp_bytes,
                streams: flows.0,
                more_streams: flows.1,
            },
            dns: Dns::of(counts.apps.dns),
            tls: Tls::of(counts.apps.tls),
            quic: Quic::of(counts.apps.quic),
            http: Http::of(counts.apps.http),
            icmp: Icmp::of(&counts.icmps),
            arp: Arp::of(&counts.arps),
            per_second: PerSecond::of(width, rows),
            vm,
        }
    }

    /// Whether an address is the VM's.
    pub fn is_vm(&self, address: Address) -> bool {
        self.vm.contains(&address)
    }
}

/// The hosts with most bytes; equals by their name.
fn host_rows(hosts: &Tally<Address, Host>, limit: usize) -> Vec<HostRow> {
    let mut rows: Vec<(u64, String, HostRow)> = hosts
        .iter()
        .map(|(address, host)| {
            let row = HostRow {
                address: *address,
                sent_packets: host.sent_packets,
                sent_bytes: host.sent_bytes,
                received_packets: host.received_packets,
                received_bytes: host.received_bytes,
            };
            (host.weight(), address.to_string(), row)
        })
        .collect();
    rows.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
    rows.into_iter()
        .take(limit)
        .map(|(_, _, row)| row)
        .collect()
}

impl ConversationRow {
    fn turned(self) -> ConversationRow {
        let ConversationRow {
            a,
            b,
            packets: [out, back],
            bytes: [sent, received],
        } = self;
        ConversationRow {
            a: b,
            b: a,
            packets: [back, out],
            bytes: [received, sent],
        }
    }

    pub fn total_bytes(&self) -> u64 {
        self.bytes[0] + self.bytes[1]
    }
}

impl PerSecond {
    fn of(width: i64, rows: Vec<(i64, Bucket)>) -> PerSecond {
        let busiest = rows
            .iter()
            .max_by_key(|(start, bucket)| (bucket.packets, std::cmp::Reverse(*start)));
        let sum = |of: fn(&Bucket) -> u64| rows.iter().map(|(_, bucket)| of(bucket)).sum();
        PerSecond {
            seconds: rows.len() as u64,
            busiest: busiest.map(|(start, _)| *start),
            busiest_packets: busiest.map_or(0, |(_, bucket)| bucket.packets),
            most_bytes: rows
                .iter()
                .map(|(_, bucket)| bucket.bytes)
                .max()
                .unwrap_or(0),
            width,
            sent: [
                sum(|bucket| bucket.sent_packets),
                sum(|bucket| bucket.sent_bytes),
            ],
            received: [
                sum(|bucket| bucket.received_packets),
                sum(|bucket| bucket.received_bytes),
            ],
            rows,
        }
    }
}
