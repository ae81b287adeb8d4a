//! What TShark 4.0 says of a TCP packet: retransmission in four kinds, duplicate ACK, window full and the others, by
//! the rules that its user's guide names and measurements against it have settled.
//! <https://www.wireshark.org/docs/wsug_html_chunked/ChAdvTCPAnalysis.html>
//!
//! Zero means "not set" for a number, as it does there, although a sequence number can be zero.

use super::stream::{Side, Stream, UNSET};
use crate::frame::{Header, Segment, flags};

/// A retransmission after this many duplicate ACKs is fast.
const DUPLICATES_OF_FAST: u32 = 2;
/// … if it comes this soon after them.
const TIME_OF_FAST: i64 = 20_000_000;
/// Round-trip time as long as none was measured.
const DEFAULT_RTT: i64 = 3_000_000;
/// Stands for a count of duplicate ACKs after an acknowledged segment was missing; larger than any threshold.
const GAP_SEEN: u32 = u32::MAX;

/// What can be said of a packet; several marks can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Retransmission,
    FastRetransmission,
    SpuriousRetransmission,
    OutOfOrder,
    DuplicateAck,
    ZeroWindow,
    WindowFull,
    LostSegment,
    AckLostSegment,
    KeepAlive,
    KeepAliveAck,
    WindowUpdate,
    ZeroWindowProbe,
    ZeroWindowProbeAck,
    ReusedPorts,
}

impl Mark {
    pub const COUNT: usize = 15;
    pub const ALL: [Mark; Mark::COUNT] = [
        Mark::Retransmission,
        Mark::FastRetransmission,
        Mark::SpuriousRetransmission,
        Mark::OutOfOrder,
        Mark::DuplicateAck,
        Mark::ZeroWindow,
        Mark::WindowFull,
        Mark::LostSegment,
        Mark::AckLostSegment,
        Mark::KeepAlive,
        Mark::KeepAliveAck,
        Mark::WindowUpdate,
        Mark::ZeroWindowProbe,
        Mark::ZeroWindowProbeAck,
        Mark::ReusedPorts,
    ];

    /// The name behind `tcp.analysis.` in a display filter.
    pub fn name(self) -> &'static str {
        match self {
            Mark::Retransmission => "retransmission",
            Mark::FastRetransmission => "fast_retransmission",
            Mark::SpuriousRetransmission => "spurious_retransmission",
            Mark::OutOfOrder => "out_of_order",
            Mark::DuplicateAck => "duplicate_ack",
            Mark::ZeroWindow => "zero_window",
            Mark::WindowFull => "window_full",
            Mark::LostSegment => "lost_segment",
            Mark::AckLostSegment => "ack_lost_segment",
            Mark::KeepAlive => "keep_alive",
            Mark::KeepAliveAck => "keep_alive_ack",
            Mark::WindowUpdate => "window_update",
            Mark::ZeroWindowProbe => "zero_window_probe",
            Mark::ZeroWindowProbeAck => "zero_window_probe_ack",
            Mark::ReusedPorts => "reused_ports",
        }
    }
}

/// A set of marks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Marks(u16);

impl Marks {
    pub fn set(&mut self, mark: Mark) {
        self.0 |= 1 << mark as u16;
    }

    pub fn has(self, mark: Mark) -> bool {
        self.0 & 1 << mark as u16 != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Mark> {
        Mark::ALL.into_iter().filter(move |mark| self.has(*mark))
    }

    /// Old data, which was seen before or should have been.
    pub fn is_old(self) -> bool {
        self.has(Mark::Retransmission) || self.has(Mark::OutOfOrder)
    }

    pub fn plain_retransmission(self) -> bool {
        self.has(Mark::Retransmission)
            && !self.has(Mark::FastRetransmission)
            && !self.has(Mark::SpuriousRetransmission)
    }
}

fn is_after(one: u32, other: u32) -> bool {
    (one.wrapping_sub(other) as i32) > 0
}

fn is_before(one: u32, other: u32) -> bool {
    (one.wrapping_sub(other) as i32) < 0
}

/// A time that went back counts as very long.
fn since(then: i64, now: i64) -> i64 {
    if now < then {
        i64::MAX
    } else {
        now.saturating_sub(then)
    }
}

/// Marks a packet of the stream's side `side`, and moves the stream on.
pub(crate) fn analyze(
    stream: &mut Stream,
    side: usize,
    segment: &Segment<'_>,
    now: i64,
    marks: &mut Marks,
) {
    let syn = segment.has(flags::SYN);
    let ack_flag = segment.has(flags::ACK);
    if stream.remember_first_numbers(side, segment) {
        marks.set(Mark::ReusedPorts);
    }
    let rtt = if stream.initial_rtt == UNSET {
        DEFAULT_RTT
    } else {
        stream.initial_rtt
    };
    let (own, peer) = stream.sides_mut(side);
    let packet = Packet {
        sequence: segment.sequence,
        ack: segment.acknowledgment,
        length: segment.length,
        // SYN and FIN take a number each; both together take one.
        taken: segment
            .length
            .wrapping_add(u32::from(syn || segment.has(flags::FIN))),
        window: segment.window,
        plain: !(syn || segment.has(flags::FIN) || segment.has(flags::RST)),
        ack_flag,
        reset: segment.has(flags::RST),
    };
    packet.mark_window_and_ack(own, peer, marks);
    packet.mark_missing(own, peer, marks);
    packet.mark_old_data(own, peer, now, rtt, marks);
    packet.advance(own, now, *marks);
    own.acked |= ack_flag && !syn;
    match segment.header {
        Header::Whole => stream.handshake(side, segment, now),
        Header::TooShort => {}
        Header::Cut => {
            stream.handshake(side, segment, now);
            // TShark stops at the end of the bytes and shows no marks.
            *marks = Marks::default();
        }
    }
}

/// What the rules need of a segment.
struct Packet {
    sequence: u32,
    ack: u32,
    length: u32,
    taken: u32,
    window: u16,
    plain: bool,
    ack_flag: bool,
    reset: bool,
}

impl Packet {
    fn mark_window_and_ack(&self, own: &mut Side, peer: &Side, marks: &mut Marks) {
        let next = self.sequence == own.next;
        if self.length == 1 && next && peer.window == Some(0) {
            marks.set(Mark::ZeroWindowProbe);
            return;
        }
        if self.window == 0 && self.plain {
            marks.set(Mark::ZeroWindow);
        }
        if own.next != 0 && is_after(self.sequence, own.next) && !self.reset {
            marks.set(Mark::LostSegment);
        }
        if self.length <= 1 && self.sequence == own.next.wrapping_sub(1) && self.plain {
            marks.set(Mark::KeepAlive);
        }
        let same_window = Some(self.window) == own.window;
        let bare = self.length == 0 && next && self.ack == own.ack && self.plain;
        if bare && self.window != 0 && !same_window {
            marks.set(Mark::WindowUpdate);
        }
        if self.length > 0 && self.plain && self.fills_window_of(peer) {
            marks.set(Mark::WindowFull);
        }
        if bare && same_window && self.window != 0 && peer.last.has(Mark::KeepAlive) {
            marks.set(Mark::KeepAliveAck);
            return;
        }
        if bare && same_window && self.window == 0 && peer.last.has(Mark::ZeroWindowProbe) {
            marks.set(Mark::ZeroWindowProbeAck);
            return;
        }
        if bare && same_window && self.window != 0 {
            own.duplicates = if own.duplicates == GAP_SEEN {
                1
            } else {
                own.duplicates.saturating_add(1)
            };
            marks.set(Mark::DuplicateAck);
        }
    }

    fn fills_window_of(&self, peer: &Side) -> bool {
        let Some(scale) = peer.scale.known() else {
            return false;
        };
        // Windows of the handshake are never scaled (RFC 7323, section 2.2).
        let shift = if peer.acked { scale } else { 0 };
        let window = u32::from(peer.window.unwrap_or(0))
            .checked_shl(shift.into())
            .unwrap_or(0);
        self.sequence.wrapping_add(self.length) == peer.ack.wrapping_add(window)
    }

    /// The peer's data that this packet acknowledges is not in the file.
    fn mark_missing(&self, own: &mut Side, peer: &mut Side, marks: &mut Marks) {
        if self.ack != own.ack {
            own.duplicates = 0;
        }
        if !(self.ack_flag && peer.contiguous != 0 && is_after(self.ack, peer.contiguous)) {
            return;
        }
        if is_before(peer.contiguous, peer.next) {
            peer.contiguous = peer.next;
            marks.set(Mark::AckLostSegment);
        } else {
            // One gap is counted once.
            if peer.duplicates == 0 {
                marks.set(Mark::AckLostSegment);
            }
            peer.duplicates = GAP_SEEN;
        }
    }

    fn mark_old_data(&self, own: &Side, peer: &Side, now: i64, rtt: i64, marks: &mut Marks) {
        if self.taken == 0 || marks.has(Mark::KeepAlive) {
            return;
        }
        let end = self.sequence.wrapping_add(self.length);
        if self.length > 0 && peer.ack != 0 && !is_after(end, peer.ack) {
            marks.set(Mark::SpuriousRetransmission);
            marks.set(Mark::Retransmission);
            return;
        }
        let repeats_last_byte = self.length > 1 && self.sequence == own.next.wrapping_sub(1);
        if own.next == 0 || !is_before(self.sequence, own.next) || repeats_last_byte {
            return;
        }
        let fast = peer.duplicates >= DUPLICATES_OF_FAST && peer.ack == self.sequence;
        if fast && since(peer.seen_time, now) < TIME_OF_FAST {
            marks.set(Mark::FastRetransmission);
            marks.set(Mark::Retransmission);
        } else if since(own.next_time, now) < rtt
            && own.next != self.sequence.wrapping_add(self.taken)
        {
            marks.set(Mark::OutOfOrder);
        } else {
            marks.set(Mark::Retransmission);
        }
    }

    fn advance(&self, own: &mut Side, now: i64, marks: Marks) {
        if !marks.has(Mark::ZeroWindowProbe) {
            let end = self.sequence.wrapping_add(self.taken);
            if own.next == 0 || is_after(end, own.next) {
                own.next = end;
                own.next_time = now;
            }
            if own.contiguous == 0 || self.sequence == own.contiguous {
                own.contiguous = own.next;
            }
        }
        own.window = Some(self.window);
        own.ack = self.ack;
        own.seen_time = now;
        own.last = marks;
    }
}
