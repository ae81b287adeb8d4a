//! TCP streams: which packet belongs to which, what TShark's analysis says of it, and sums of finished streams.
//! A ceiling on streams keeps the memory bounded: the half that was quiet longest is folded into the sums.

mod rules;
mod stream;
mod sums;

pub(crate) use rules::{Mark, Marks};
pub(crate) use stream::{Outcome, Reading, Stream, UNSET};
pub(crate) use sums::{EndpointSums, Quality, TcpSums};

use std::collections::HashMap;

use crate::address::Pair;
use crate::frame::{Header, Segment, flags};

/// Counts over all packets.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PacketSums {
    pub packets: u64,
    pub bytes: u64,
    pub payload: u64,
    pub syn: u64,
    pub syn_ack: u64,
    pub rst: u64,
    pub fin: u64,
    /// Packets whose header is cut by the snap length: without marks.
    pub cut_headers: u64,
    pub marks: [u64; Mark::COUNT],
    /// Retransmissions that are neither fast nor spurious.
    pub plain_retransmissions: u64,
}

/// Where a segment belongs.
pub(crate) struct Place {
    pub stream: usize,
    pub side: usize,
    pub marks: Marks,
}

pub(crate) struct Tcp {
    index: HashMap<Pair, u32>,
    streams: Vec<Stream>,
    limit: usize,
    /// Streams so far, those that were folded included.
    count: u64,
    folded: u64,
    /// The stream of the packet before: most packets come in runs.
    latest: Option<(Pair, u32)>,
    pub packets: PacketSums,
    pub sums: TcpSums,
}

impl Tcp {
    pub fn new(limit: usize) -> Tcp {
        Tcp {
            index: HashMap::new(),
            streams: Vec::new(),
            limit: limit.max(2),
            count: 0,
            folded: 0,
            latest: None,
            packets: PacketSums::default(),
            sums: TcpSums::new(limit),
        }
    }

    /// Takes a segment in a frame of `length` bytes.
    pub fn segment(&mut self, segment: &Segment<'_>, length: u32, now: i64) -> Place {
        let pair = Pair::of(segment.from, segment.to);
        let known = match self.latest {
            Some((latest, index)) if latest == pair => Some(index),
            _ => self.index.get(&pair).copied(),
        };
        let mut marks = Marks::default();
        let index = match known {
            Some(index) => {
                let stream = &mut self.streams[index as usize];
                let side = stream.side_of(segment.from);
                if stream.is_begun_again_by(segment, side) {
                    marks.set(Mark::ReusedPorts);
                    self.begin(pair, segment, now)
                } else {
                    index
                }
            }
            None => self.begin(pair, segment, now),
        };
        self.latest = Some((pair, index));
        let stream = &mut self.streams[index as usize];
        let side = stream.side_of(segment.from);
        rules::analyze(stream, side, segment, now, &mut marks);
        stream.count(side, segment, length, now, marks);
        self.packets.count(segment, length, marks);
        Place {
            stream: index as usize,
            side,
            marks,
        }
    }

    fn begin(&mut self, pair: Pair, segment: &Segment<'_>, now: i64) -> u32 {
        if self.streams.len() >= self.limit {
            self.fold_the_quiet_half();
        }
        let index = self.streams.len() as u32;
        self.streams
            .push(Stream::new(self.count, segment.from, segment.to, now));
        self.count += 1;
        self.index.insert(pair, index);
        index
    }

    fn fold_the_quiet_half(&mut self) {
        let mut ages: Vec<(i64, u64)> = self
            .streams
            .iter()
            .map(|stream| (stream.last, stream.number))
            .collect();
        let middle = ages.len() / 2;
        let (_, &mut median, _) = ages.select_nth_unstable(middle);
        let (sums, folded) = (&mut self.sums, &mut self.folded);
        self.streams.retain(|stream| {
            let stays = (stream.last, stream.number) >= median;
            if !stays {
                sums.fold(stream, None);
                *folded += 1;
            }
            stays
        });
        self.index.clear();
        for (index, stream) in self.streams.iter().enumerate() {
            self.index.insert(stream.pair(), index as u32);
        }
        self.latest = None;
    }

    /// A segment that was marked as sent again is in the file twice.
    pub fn count_double(&mut self, place: &Place) {
        let rare = &mut self.streams[place.stream].rare;
        rare.get_or_insert_default().doubles[place.side] += 1;
    }

    pub fn stream_mut(&mut self, index: usize) -> &mut Stream {
        &mut self.streams[index]
    }

    /// Streams in the file, or at least in what was kept apart of it.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Streams that were folded before the file's end because of the ceiling.
    pub fn folded(&self) -> u64 {
        self.folded
    }

    /// Streams held.
    pub fn held(&self) -> usize {
        self.streams.len().max(self.index.len())
    }

    /// Folds what is left. `end` is the time of the file's last packet.
    pub fn finish(mut self, end: i64) -> (Vec<Stream>, TcpSums, PacketSums) {
        for stream in &self.streams {
            self.sums.fold(stream, Some(end));
        }
        (self.streams, self.sums, self.packets)
    }
}

impl PacketSums {
    fn count(&mut self, segment: &Segment<'_>, length: u32, marks: Marks) {
        self.packets += 1;
        self.bytes += u64::from(length);
        self.payload += u64::from(segment.length);
        match (segment.has(flags::SYN), segment.has(flags::ACK)) {
            (true, false) => self.syn += 1,
            (true, true) => self.syn_ack += 1,
            _ => {}
        }
        self.rst += u64::from(segment.has(flags::RST));
        self.fin += u64::from(segment.has(flags::FIN));
        self.cut_headers += u64::from(segment.header == Header::Cut);
        if !marks.is_empty() {
            for mark in marks.iter() {
                self.marks[mark as usize] += 1;
            }
            self.plain_retransmissions += u64::from(marks.plain_retransmission());
        }
    }
}
