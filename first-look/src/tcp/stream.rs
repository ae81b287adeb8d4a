//! One TCP stream: what its two sides have sent, and how the attempt to open it ended.

use super::rules::{Mark, Marks};
use crate::address::{Endpoint, Pair};
use crate::frame::{Header, Segment, flags};

/// A time that is not set. Zero, as it is for TShark: a round trip that took no time is measured once more.
pub(crate) const UNSET: i64 = 0;

/// What is known of a side's window scaling.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Scale {
    #[default]
    Unknown,
    None,
    Shift(u8),
}

impl Scale {
    /// The shift to use; none if the handshake is not in the file.
    pub fn known(self) -> Option<u8> {
        match self {
            Scale::Unknown => None,
            Scale::None => Some(0),
            Scale::Shift(shift) => Some(shift),
        }
    }
}

/// One direction. A number of zero is "not set".
#[derive(Debug, Clone, Default)]
pub(crate) struct Side {
    /// The number that a SYN is held against.
    pub first_number: Option<u32>,
    /// Whether it sent an ACK without SYN.
    pub acked: bool,
    /// End of the highest data.
    pub next: u32,
    /// End of the data without a hole.
    pub contiguous: u32,
    /// The acknowledgment of its latest packet.
    pub ack: u32,
    pub duplicates: u32,
    pub next_time: i64,
    pub seen_time: i64,
    pub window: Option<u16>,
    pub scale: Scale,
    pub last: Marks,
    /// How far the readers of TLS, HTTP and DNS are with it.
    pub reading: Reading,
    pub packets: u32,
    /// Packets with payload.
    pub data_packets: u32,
    /// Of these: sent again.
    pub data_again: u32,
    pub bytes: u64,
    pub payload: u64,
    pub syn: u32,
    pub syn_ack: u32,
    pub rst: u32,
    pub fin: u32,
}

/// Whether the payload of a side is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Reading {
    #[default]
    Unseen,
    Open,
    Closed,
}

/// What few streams have.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rare {
    pub marks: [[u32; Mark::COUNT]; 2],
    /// Data packets marked as sent again that are the packet before, in the file twice.
    pub doubles: [u32; 2],
    pub closed_since: [Option<i64>; 2],
    pub closed_times: [u32; 2],
    pub closed_longest: [i64; 2],
    pub closed_total: [i64; 2],
    pub reset: Option<Reset>,
}

/// The first reset of a stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reset {
    pub side: usize,
    /// A FIN was sent before, by either side.
    pub after_fin: bool,
    /// Time since the packet before.
    pub idle: i64,
}

/// How an attempt to open a stream ended, named after Zeek's states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing came back.
    NoAnswer,
    /// A reset and no SYN-ACK.
    Refused,
    /// A SYN-ACK.
    Answered,
    /// Something else came back.
    Other,
    /// No SYN is in the file.
    Midstream,
}

#[derive(Debug, Clone)]
pub(crate) struct Stream {
    pub number: u64,
    /// Who sent the first packet, and the other.
    pub ends: [Endpoint; 2],
    pub sides: [Side; 2],
    pub first: i64,
    pub last: i64,
    syn_time: i64,
    pub initial_rtt: i64,
    pub rare: Option<Box<Rare>>,
}

impl Stream {
    pub fn new(number: u64, from: Endpoint, to: Endpoint, now: i64) -> Stream {
        Stream {
            number,
            ends: [from, to],
            sides: [Side::default(), Side::default()],
            first: now,
            last: now,
            syn_time: UNSET,
            initial_rtt: UNSET,
            rare: None,
        }
    }

    pub fn pair(&self) -> Pair {
        Pair::of(self.ends[0], self.ends[1])
    }

    pub fn side_of(&self, from: Endpoint) -> usize {
        usize::from(self.ends[0] != from)
    }

    /// The side itself and the other.
    pub fn sides_mut(&mut self, side: usize) -> (&mut Side, &mut Side) {
        let [one, other] = &mut self.sides;
        if side == 0 {
            (one, other)
        } else {
            (other, one)
        }
    }

    /// A SYN with another number than the first one of its side begins a new stream; with the same number, it is sent
    /// again.
    pub fn is_begun_again_by(&mut self, segment: &Segment<'_>, side: usize) -> bool {
        let own = &mut self.sides[side];
        let Some(first) = own
            .first_number
            .filter(|_| segment.has(flags::SYN) && !segment.has(flags::ACK))
        else {
            return false;
        };
        if first != segment.sequence {
            return true;
        }
        own.next = own.contiguous;
        false
    }

    /// Fixes what later SYNs are held against. Whether a SYN-ACK has another number than its side's first one.
    pub fn remember_first_numbers(&mut self, side: usize, segment: &Segment<'_>) -> bool {
        let (own, peer) = self.sides_mut(side);
        let syn = segment.has(flags::SYN);
        let ack = segment.has(flags::ACK);
        let number = if syn {
            segment.sequence
        } else {
            segment.sequence.wrapping_sub(1)
        };
        let reused = syn && ack && own.first_number.is_some_and(|first| first != number);
        if reused || own.first_number.is_none() {
            own.first_number = Some(number);
        }
        if ack && peer.first_number.is_none() {
            peer.first_number = Some(segment.acknowledgment.wrapping_sub(1));
        }
        reused
    }

    /// Initial round-trip time and window scaling.
    pub fn handshake(&mut self, side: usize, segment: &Segment<'_>, now: i64) {
        let syn = segment.has(flags::SYN);
        if !syn {
            if segment.has(flags::ACK) && self.syn_time != UNSET && self.initial_rtt == UNSET {
                self.initial_rtt = now.saturating_sub(self.syn_time);
            }
            return;
        }
        if !segment.has(flags::ACK) {
            self.syn_time = now;
        }
        if segment.header == Header::Cut {
            return;
        }
        let (own, peer) = self.sides_mut(side);
        match segment.window_scale {
            Some(_) if segment.has(flags::ACK) && peer.scale == Scale::None => {
                own.scale = Scale::None
            }
            Some(shift) => own.scale = Scale::Shift(shift),
            None => (own.scale, peer.scale) = (Scale::None, Scale::None),
        }
    }

    /// Counts a packet after it was analyzed.
    pub fn count(
        &mut self,
        side: usize,
        segment: &Segment<'_>,
        length: u32,
        now: i64,
        marks: Marks,
    ) {
        let own = &mut self.sides[side];
        own.packets = own.packets.saturating_add(1);
        own.bytes += u64::from(length);
        own.payload += u64::from(segment.length);
        own.data_packets = own
            .data_packets
            .saturating_add(u32::from(segment.length > 0));
        if segment.flags & (flags::SYN | flags::RST | flags::FIN) != 0 {
            let syn = u32::from(segment.has(flags::SYN));
            let ack = u32::from(segment.has(flags::ACK));
            own.syn += syn * (1 - ack);
            own.syn_ack += syn * ack;
            own.rst += u32::from(segment.has(flags::RST));
            own.fin += u32::from(segment.has(flags::FIN));
        }
        own.data_again += u32::from(segment.length > 0 && marks.has(Mark::Retransmission));
        if !marks.is_empty() {
            let rare = self.rare.get_or_insert_default();
            for mark in marks.iter() {
                rare.marks[side][mark as usize] += 1;
            }
        }
        self.follow_window(side, segment, now, marks);
        if segment.has(flags::RST) {
            let after_fin = self.sides[0].fin + self.sides[1].fin > 0;
            let idle = now.saturating_sub(self.last).max(0);
            self.rare
                .get_or_insert_default()
                .reset
                .get_or_insert(Reset {
                    side,
                    after_fin,
                    idle,
                });
        }
        self.last = now;
    }

    fn follow_window(&mut self, side: usize, segment: &Segment<'_>, now: i64, marks: Marks) {
        if marks.has(Mark::ZeroWindow) {
            let rare = self.rare.get_or_insert_default();
            if rare.closed_since[side].is_none() {
                rare.closed_since[side] = Some(now);
                rare.closed_times[side] += 1;
            }
        } else if segment.window != 0
            && let Some(rare) = &mut self.rare
            && let Some(since) = rare.closed_since[side].take()
        {
            let time = now.saturating_sub(since).max(0);
            rare.closed_total[side] = rare.closed_total[side].saturating_add(time);
            rare.closed_longest[side] = rare.closed_longest[side].max(time);
        }
    }

    /// The side that asked for the stream. Without a SYN: the one with the higher port.
    pub fn client(&self) -> usize {
        if self.sides[0].syn > 0 {
            0
        } else if self.sides[1].syn > 0 || self.sides[0].syn_ack > 0 {
            1
        } else if self.sides[1].syn_ack > 0 {
            0
        } else {
            usize::from(self.ends[0].port < self.ends[1].port)
        }
    }

    pub fn outcome(&self) -> Outcome {
        let [one, other] = &self.sides;
        if one.syn + other.syn == 0 {
            return Outcome::Midstream;
        }
        if one.syn_ack + other.syn_ack > 0 {
            return Outcome::Answered;
        }
        let peer = &self.sides[1 - self.client()];
        match (peer.packets, peer.rst) {
            (0, _) => Outcome::NoAnswer,
            (_, 0) => Outcome::Other,
            _ => Outcome::Refused,
        }
    }

    /// One side acknowledges what the other never sent in this file: the capture holds one direction only.
    pub fn is_one_sided(&self) -> bool {
        let [one, other] = &self.sides;
        (one.acked && one.rst < one.packets && other.packets == 0)
            || (other.acked && one.packets == 0)
    }
}
