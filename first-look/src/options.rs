//! What a caller can ask for, and what it knows about the capture.

use std::net::IpAddr;

/// Ceilings of memory and of the length of lists. The defaults keep a look within 128 MB for any file.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Maximum number of TCP streams that are followed at a time. One costs 300 to 600 bytes.
    pub streams: usize,
    /// Pairs of addresses, UDP flows, DNS transactions and asked-for ARP addresses, each.
    pub entries: usize,
    /// Seconds with packets that are counted one by one; above, their width doubles.
    pub seconds: usize,
    /// TCP streams that the JSON lists.
    pub listed_streams: usize,
    /// Hosts and conversations that the JSON lists.
    pub listed_hosts: usize,
    /// Addresses of the VM. Without one, the address that takes part in most packets is taken for it.
    pub vm: Vec<IpAddr>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            streams: 1 << 16,
            entries: 1 << 15,
            seconds: 1 << 15,
            listed_streams: 10_000,
            listed_hosts: 10_000,
            vm: Vec::new(),
        }
    }
}

/// What is known of the capture apart from its file.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Context {
    /// Name of the file as it is to be shown.
    pub name: String,
    /// Name of the VM as it is to be shown.
    pub vm_name: Option<String>,
    /// The alert that started the capture.
    pub alert: Option<Alert>,
    /// Time limit of the capture that was asked for, in seconds.
    pub time_limit_seconds: Option<u64>,
    /// Limit of bytes of the capture that was asked for.
    pub bytes_per_session: Option<u64>,
    /// Bytes of each packet that were asked for; 0 is all.
    pub bytes_per_packet: Option<u64>,
    /// Whether the capture was limited by filters: what they exclude is not in the file.
    pub filtered: bool,
    /// Size of the whole file, if it was not read to its end: "the first 3.2 of 4.0 GiB were read".
    pub whole_size: Option<u64>,
}

/// The alert that started the capture.
#[derive(Debug, Clone)]
pub struct Alert {
    /// When it fired, in nanoseconds since 1970.
    pub at: i64,
    /// What it counted, if the file can be held against it.
    pub metric: Option<Metric>,
}

/// A metric that counts packets or bytes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Metric {
    /// The value as the alert has it.
    pub value: String,
    /// What it counts.
    pub counts: Counted,
    /// How the rule made one value of many, such as `Average`, as the alert has it.
    pub aggregation: Option<String>,
    /// Length of the rule's window, in seconds.
    pub window_seconds: Option<u64>,
}

impl Metric {
    /// A metric's value, without aggregation and window.
    pub fn new(value: impl Into<String>, counts: Counted) -> Metric {
        Metric {
            value: value.into(),
            counts,
            aggregation: None,
            window_seconds: None,
        }
    }
}

/// What a metric counts, from the VM's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// TCP segments sent.
    SegmentsSent,
    /// TCP segments received.
    SegmentsReceived,
    /// Packets sent.
    PacketsSent,
    /// Packets received.
    PacketsReceived,
    /// Bytes sent.
    BytesSent,
    /// Bytes received.
    BytesReceived,
}

impl Counted {
    /// What a metric of a virtual machine counts, by its name; none if a capture cannot be compared with it.
    /// <https://learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/microsoft-compute-virtualmachines-metrics>
    pub fn of_metric(name: &str) -> Option<Counted> {
        let letters = name.chars().filter(|letter| letter.is_ascii_alphanumeric());
        Some(match letters.collect::<String>().to_lowercase().as_str() {
            "tcpsegmentssent" => Counted::SegmentsSent,
            "tcpsegmentsreceived" => Counted::SegmentsReceived,
            "packetssent" => Counted::PacketsSent,
            "packetsreceived" => Counted::PacketsReceived,
            "networkout" | "networkouttotal" => Counted::BytesSent,
            "networkin" | "networkintotal" => Counted::BytesReceived,
            _ => return None,
        })
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Counted::SegmentsSent => "TCP segments sent",
            Counted::SegmentsReceived => "TCP segments received",
            Counted::PacketsSent => "packets sent",
            Counted::PacketsReceived => "packets received",
            Counted::BytesSent => "bytes sent",
            Counted::BytesReceived => "bytes received",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_that_a_capture_can_be_compared_with() {
        for (name, expected) in [
            ("TCP Segments Sent", Some(Counted::SegmentsSent)),
            ("Network Out Total", Some(Counted::BytesSent)),
            ("Network In", Some(Counted::BytesReceived)),
            ("Network In Total", Some(Counted::BytesReceived)),
            ("packets_sent", Some(Counted::PacketsSent)),
            ("Percentage CPU", None),
            ("Inbound Flows", None),
            ("", None),
        ] {
            assert_eq!(Counted::of_metric(name), expected, "{name}");
        }
    }
}
