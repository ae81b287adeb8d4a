//! The reader as a whole: bytes in, counts, and at the end what they say.

use std::net::IpAddr;

use crate::address::{Endpoint, Pair};
use crate::apps::{Apps, quic_begins};
use crate::container::{Container, Ending, Kind as FileKind, Record};
use crate::figures::Figures;
use crate::findings::{self, Finding, Measure};
use crate::frame::{Content, Layers, Unread, decode};
use crate::options::{Context, Options};
use crate::tally::{Tally, Weight};
use crate::tcp::{Mark, Tcp};
use crate::traffic::{Arps, Direction, Doubles, Icmps, Own, Sample, Seconds, Talkers};
use crate::unread::NotLookedInto;

/// Reads a capture file front to back, in chunks of any size.
///
/// ```
/// use first_look::{Context, Look, Options};
///
/// let mut look = Look::new(Options::default());
/// for chunk in [&b"\xd4\xc3\xb2\xa1\x02\0\x04\0"[..], &[0; 8], &[0, 0, 4, 0, 1, 0, 0, 0]] {
///     look.feed(chunk);
/// }
/// let seen = look.finish(&Context::default());
/// assert_eq!(seen.packets(), 0);
/// ```
pub struct Look {
    container: Container,
    counts: Counts,
}

/// What a look has seen: figures, findings, and what was not analyzed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Seen {
    pub(crate) context: Context,
    pub(crate) figures: Figures,
    pub(crate) findings: Vec<Finding>,
    pub(crate) measures: Vec<Measure>,
    pub(crate) not_looked_into: NotLookedInto,
}

impl Look {
    /// Starts a look.
    pub fn new(options: Options) -> Look {
        Look {
            container: Container::new(),
            counts: Counts::new(options),
        }
    }

    /// Takes the file's next bytes. Costs about 0.2 µs per packet; never blocks.
    pub fn feed(&mut self, bytes: &[u8]) {
        let counts = &mut self.counts;
        self.container
            .feed(bytes, &mut |record| counts.record(&record));
    }

    /// Whether further bytes change nothing: the file is no capture, or is damaged from here on. Its size is then
    /// that of the bytes that were fed.
    pub fn is_over(&self) -> bool {
        self.container.stopped()
    }

    /// Packets read so far.
    pub fn packets(&self) -> u64 {
        self.counts.packets
    }

    /// Entries of the largest table, and bytes of the file that are held: what a ceiling bounds.
    pub fn held(&self) -> (usize, usize) {
        (self.counts.held(), self.container.held())
    }

    /// The file has no more bytes. Sorts and sums; takes some ten milliseconds at most.
    pub fn finish(mut self, context: &Context) -> Seen {
        let mut facts = self.container.finish();
        // Reading ended in the middle of a record, not the file.
        let is_part = context.whole_size.is_some_and(|whole| whole > facts.bytes);
        if is_part && facts.ending == Ending::Cut {
            facts.ending = Ending::Complete;
        }
        let counts = &mut self.counts;
        counts.own.decide(&mut counts.seconds);
        counts.apps.dns.finish(counts.last.unwrap_or(0));
        let not_looked_into = NotLookedInto::of(&self.counts);
        let figures = Figures::of(facts, self.counts);
        let (findings, measures) = findings::all(&figures, context, &not_looked_into);
        Seen {
            context: context.clone(),
            figures,
            findings,
            measures,
            not_looked_into,
        }
    }
}

impl Seen {
    /// Packets in the file.
    pub fn packets(&self) -> u64 {
        self.figures.packets
    }

    /// What is wrong with the file, in one sentence: it is no capture, is empty, cut or damaged.
    pub fn problem(&self) -> Option<&str> {
        self.figures.file.error.as_deref()
    }

    /// What a person who was given the file can do about it, if it is no capture.
    pub fn fix(&self) -> Option<&'static str> {
        self.figures.file.kind.fix()
    }

    /// Whether there are figures: the file is a capture, if perhaps a cut or damaged one.
    pub fn is_capture(&self) -> bool {
        matches!(self.figures.file.kind, FileKind::Capture(_))
    }

    /// What stands out, in a fixed order.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Addresses that are taken for the VM's own.
    pub fn vm(&self) -> Vec<IpAddr> {
        self.figures.vm.iter().map(|address| address.ip()).collect()
    }
}

/// Datagrams of one UDP flow.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Flow {
    pub packets: u64,
    pub quic: bool,
}

impl Weight for Flow {
    fn weight(&self) -> u64 {
        self.packets
    }
}

/// Everything that is counted while the file is read.
pub(crate) struct Counts {
    pub options: Options,
    pub packets: u64,
    pub bytes: u64,
    pub captured_bytes: u64,
    pub cut_packets: u64,
    pub longest_captured: usize,
    pub backwards: u64,
    /// Packets without a time stamp.
    pub timeless: u64,
    pub begin: Option<i64>,
    pub first: Option<i64>,
    pub last: Option<i64>,
    previous: i64,
    pub layers: [u64; Layers::ALL.len()],
    pub unread: [u64; Unread::ALL.len()],
    pub udp_packets: u64,
    pub udp_bytes: u64,
    pub flows: Tally<Pair, Flow>,
    pub tcp: Tcp,
    pub apps: Apps,
    pub talkers: Talkers,
    pub seconds: Seconds,
    pub own: Own,
    pub doubles: Doubles,
    pub icmps: Icmps,
    pub arps: Arps,
}

impl Counts {
    fn new(options: Options) -> Counts {
        let entries = options.entries;
        Counts {
            packets: 0,
            bytes: 0,
            captured_bytes: 0,
            cut_packets: 0,
            longest_captured: 0,
            backwards: 0,
            timeless: 0,
            begin: None,
            first: None,
            last: None,
            previous: 0,
            layers: Default::default(),
            unread: Default::default(),
            udp_packets: 0,
            udp_bytes: 0,
            flows: Tally::new(entries),
            tcp: Tcp::new(options.streams),
            apps: Apps::new(entries),
            talkers: Talkers::new(entries),
            seconds: Seconds::new(options.seconds),
            own: Own::new(&options.vm),
            doubles: Doubles::new(),
            icmps: Icmps::new(entries),
            arps: Arps::new(entries),
            options,
        }
    }

    fn record(&mut self, record: &Record<'_>) {
        let length = record.original;
        self.packets += 1;
        self.bytes += u64::from(length);
        self.captured_bytes += record.data.len() as u64;
        self.longest_captured = self.longest_captured.max(record.data.len());
        self.cut_packets += u64::from(record.data.len() < length as usize);
        let now = self.time(record.time);
        let frame = decode(record);
        let mut layers = frame.layers.0;
        while layers != 0 {
            self.layers[layers.trailing_zeros() as usize] += 1;
            layers &= layers - 1;
        }
        let (mut direction, mut is_double) = (Direction::Neither, false);
        let since = now.saturating_sub(self.begin.unwrap_or(now));
        if let Some(ends) = frame.outer {
            self.talkers.add(ends, length);
            let is_tcp = matches!(frame.content, Content::Tcp(_));
            let packet = Sample {
                ends,
                since,
                length,
                is_tcp,
            };
            direction = self.own.see(packet, &mut self.seconds);
            let packet = &record.data[frame.ip_start..];
            is_double = self.doubles.see(packet, length, now);
        }
        if record.time.is_some() {
            self.seconds.add(since, length, direction);
        }
        if let Some((ends, ports)) = frame.udp {
            self.udp_packets += 1;
            self.udp_bytes += u64::from(length);
            let from = Endpoint {
                address: ends.from,
                port: ports[0],
            };
            let to = Endpoint {
                address: ends.to,
                port: ports[1],
            };
            let flow = self.flows.entry(Pair::of(from, to));
            flow.packets += 1;
            if let Content::Udp(datagram) = &frame.content {
                flow.quic |= quic_begins(datagram.payload);
                self.apps.quic.datagrams += u64::from(flow.quic);
            }
        }
        match &frame.content {
            Content::Nothing => {}
            Content::Arp(arp) => self.arps.add(arp),
            Content::Tcp(segment) => {
                let place = self.tcp.segment(segment, length, now);
                if segment.length > 0 {
                    if is_double && place.marks.has(Mark::Retransmission) {
                        self.tcp.count_double(&place);
                    }
                    let stream = self.tcp.stream_mut(place.stream);
                    self.apps
                        .segment(stream, place.side, segment, place.marks, now);
                }
            }
            Content::Udp(datagram) => self.apps.datagram(datagram, now),
            Content::Icmp(icmp) => {
                self.icmps.add(icmp, frame.outer.map(|ends| ends.from));
                if icmp.fragment {
                    self.unread[Unread::Fragment as usize] += 1;
                }
            }
            Content::Unread(why) => self.unread[*why as usize] += 1,
        }
    }

    /// The time of a packet; without a time stamp, that of the packet before.
    fn time(&mut self, time: Option<i64>) -> i64 {
        let Some(now) = time else {
            self.timeless += 1;
            return self.previous;
        };
        if self.begin.is_some() && now < self.previous {
            self.backwards += 1;
        }
        self.begin.get_or_insert(now);
        self.first = Some(self.first.map_or(now, |first| first.min(now)));
        self.last = Some(self.last.map_or(now, |last| last.max(now)));
        self.previous = now;
        now
    }

    fn held(&self) -> usize {
        [
            self.tcp.held(),
            self.apps.held(),
            self.talkers.held(),
            self.seconds.held(),
            self.flows.len(),
            self.arps.held(),
        ]
        .into_iter()
        .max()
        .unwrap_or(0)
    }
}
