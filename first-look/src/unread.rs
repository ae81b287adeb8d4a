//! What the reader did not analyze, with its count: no figure is silently too low.

use serde::Serialize;

use crate::frame::Unread;
use crate::look::Counts;

/// One thing that was left out.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Omission {
    pub what: &'static str,
    pub count: u64,
    /// Of what `count` is a count.
    pub unit: &'static str,
}

/// Everything that was left out, without what did not occur.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct NotLookedInto(pub Vec<Omission>);

impl Unread {
    pub const ALL: [Unread; 8] = [
        Unread::Link,
        Unread::Fragment,
        Unread::Tunnel,
        Unread::Encrypted,
        Unread::Snapped,
        Unread::Malformed,
        Unread::OtherNetwork,
        Unread::OtherTransport,
    ];

    pub fn words(self) -> &'static str {
        match self {
            Unread::Link => "link type that is not known",
            Unread::Fragment => "IP fragments: what they carry is not put together",
            Unread::Tunnel => "tunnels that are not followed",
            Unread::Encrypted => "IPsec",
            Unread::Snapped => "the record ends within a header (snap length)",
            Unread::Malformed => "headers that contradict themselves",
            Unread::OtherNetwork => "no IP and no ARP",
            Unread::OtherTransport => "IP with another transport than TCP, UDP and ICMP",
        }
    }
}

impl NotLookedInto {
    pub fn of(counts: &Counts) -> NotLookedInto {
        let mut all = NotLookedInto::default();
        for why in Unread::ALL {
            all.add(why.words(), counts.unread[why as usize], "packets");
        }
        let apps = &counts.apps;
        all.add("QUIC: names are encrypted", apps.quic.datagrams, "packets");
        all.add(
            "payload cut by the snap length",
            counts.cut_packets,
            "packets",
        );
        all.add(
            "packets without a time stamp: not in the figures per second",
            counts.timeless,
            "packets",
        );
        all.add(
            "TLS and DNS over TCP after a hole in the stream",
            apps.gaps,
            "directions",
        );
        all.add(
            "TLS and DNS over TCP beyond the ceiling of streams read at a time",
            apps.given_up,
            "directions",
        );
        let tcp = &counts.tcp;
        all.add(
            "TCP headers cut by the snap length: not analyzed",
            tcp.packets.cut_headers,
            "packets",
        );
        all.add(
            "TCP streams summed up before the file's end, because there were too many",
            tcp.folded(),
            "streams",
        );
        all.add(
            "scans: attempts beyond the ceiling",
            u64::from(tcp.sums.failed_beyond),
            "ceilings reached",
        );
        all.add(
            "pairs of addresses summed up by host, because there were too many",
            counts.talkers.pairs.dropped(),
            "pairs",
        );
        all.add(
            "UDP flows forgotten, because there were too many",
            counts.flows.dropped(),
            "flows",
        );
        all.add(
            "DNS queries forgotten, because too many were open",
            apps.dns.forgotten,
            "queries",
        );
        let names = apps.dns.asked.dropped() + apps.dns.failed.dropped() + apps.tls.names.dropped();
        all.add(
            "names asked for seldom, because there were too many",
            names,
            "names",
        );
        all.add(
            "ARP: addresses beyond the ceiling",
            u64::from(counts.arps.beyond),
            "ceilings reached",
        );
        all
    }

    /// How much was left out for a reason; none if nothing was.
    pub fn count_of(&self, what: &str) -> Option<u64> {
        self.0
            .iter()
            .find(|left| left.what == what)
            .map(|left| left.count)
    }

    fn add(&mut self, what: &'static str, count: u64, unit: &'static str) {
        if count > 0 {
            self.0.push(Omission { what, count, unit });
        }
    }
}
