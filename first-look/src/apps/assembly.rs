//! The bytes of one side of a stream in order, until a reader has taken them. A hole ends it: what comes behind cannot
//! be read without what is missing.

use crate::frame::Segment;

/// A side never holds more than the longest message: a DNS message over TCP.
const MAXIMUM: usize = 2 + u16::MAX as usize;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Tls,
    Dns,
}

pub(super) struct Assembly {
    protocol: Protocol,
    /// Sequence number of the next byte.
    expected: u32,
    buffer: Vec<u8>,
    /// Bytes of the stream that need not be kept.
    skip: usize,
    /// Memory of the reader between its messages.
    state: State,
}

/// What the TLS reader remembers of a side.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct State {
    /// Bytes of a handshake message that continues in the next record.
    pub message_left: usize,
    /// A change of cipher was seen: handshake messages can be encrypted.
    pub cipher_changed: bool,
}

/// What a reader gets: the bytes that are there, and its memory.
pub(super) struct Bytes<'a> {
    pub bytes: &'a [u8],
    pub state: &'a mut State,
}

/// What a reader made of the bytes.
pub(super) enum Taken {
    /// Number of bytes that were read; it may be more than there are. 0: more bytes are needed.
    Bytes(usize),
    /// Nothing more of this side is wanted.
    Closed,
}

impl Assembly {
    pub fn new(protocol: Protocol, expected: u32) -> Assembly {
        Assembly {
            protocol,
            expected,
            buffer: Vec::new(),
            skip: 0,
            state: State::default(),
        }
    }

    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    pub fn held(&self) -> usize {
        self.buffer.capacity()
    }

    /// Appends a segment; false if it does not continue what came before.
    pub fn add(&mut self, segment: &Segment<'_>) -> bool {
        if segment.sequence != self.expected {
            return false;
        }
        self.expected = self.expected.wrapping_add(segment.length);
        let skipped = self.skip.min(segment.payload.len());
        self.skip -= skipped;
        let payload = &segment.payload[skipped..];
        if self.buffer.len() + payload.len() > MAXIMUM + (1 << 16) {
            return false;
        }
        self.buffer.extend_from_slice(payload);
        true
    }

    /// Lets a reader take messages until it needs more bytes; false if it wants no more.
    pub fn read(&mut self, mut reader: impl FnMut(Bytes<'_>) -> Taken) -> bool {
        let mut start = 0;
        while start < self.buffer.len() {
            match reader(Bytes {
                bytes: &self.buffer[start..],
                state: &mut self.state,
            }) {
                Taken::Closed => return false,
                Taken::Bytes(0) => break,
                Taken::Bytes(taken) => {
                    let there = taken.min(self.buffer.len() - start);
                    self.skip = taken - there;
                    start += there;
                }
            }
        }
        self.buffer.drain(..start);
        if self.buffer.is_empty() {
            self.buffer = Vec::new();
        }
        self.buffer.len() <= MAXIMUM
    }
}
