//! What is read of payloads: DNS, TLS hellos and alerts, HTTP first lines, QUIC. Segments are put together in order,
//! for a bounded number of streams at a time.

mod assembly;
mod dns;
mod http;
mod quic;
mod tls;

pub(crate) use dns::Dns;
pub(crate) use dns::rcode_name;
pub(crate) use http::Http;
pub(crate) use quic::{Quic, begins as quic_begins};
pub(crate) use tls::{Fatal, Tls, version_name};

use std::collections::HashMap;

use crate::address::Pair;
use crate::frame::{Datagram, Segment};
use crate::tcp::{Marks, Reading, Stream};
use assembly::{Assembly, Protocol};

const DNS_PORT: u16 = 53;

/// Sides that are put together at a time. One holds at most a TLS record or a DNS message, and few hold anything.
const MAXIMUM_OPEN: usize = 2_048;
/// Bytes that all of them hold together.
const MAXIMUM_HELD: usize = 8 << 20;

pub(crate) struct Apps {
    open: HashMap<(u64, usize), Assembly>,
    held: usize,
    /// Sides that were given up for lack of room.
    pub given_up: u64,
    /// Sides that were given up because a segment was missing or cut.
    pub gaps: u64,
    pub dns: Dns,
    pub tls: Tls,
    pub http: Http,
    pub quic: Quic,
}

impl Apps {
    pub fn new(limit: usize) -> Apps {
        Apps {
            open: HashMap::new(),
            held: 0,
            given_up: 0,
            gaps: 0,
            dns: Dns::new(limit),
            tls: Tls::new(limit),
            http: Http::new(limit),
            quic: Quic::default(),
        }
    }

    /// Largest number of entries that any table holds.
    pub fn held(&self) -> usize {
        self.open.len().max(self.dns.held())
    }

    pub fn datagram(&mut self, datagram: &Datagram<'_>, now: i64) {
        if datagram.from.port == DNS_PORT || datagram.to.port == DNS_PORT {
            let pair = Pair::of(datagram.from, datagram.to);
            self.dns
                .message(datagram.payload, pair, datagram.from, datagram.to, now);
        }
    }

    /// Reads a segment with payload that belongs to `side` of `stream`.
    pub fn segment(
        &mut self,
        stream: &mut Stream,
        side: usize,
        segment: &Segment<'_>,
        marks: Marks,
        now: i64,
    ) {
        if marks.is_old() || segment.payload.is_empty() {
            return;
        }
        let key = (stream.number, side);
        match stream.sides[side].reading {
            Reading::Closed => return,
            Reading::Open => {}
            Reading::Unseen => {
                let protocol = if segment.from.port == DNS_PORT || segment.to.port == DNS_PORT {
                    Protocol::Dns
                } else if tls::begins(segment.payload) {
                    Protocol::Tls
                } else {
                    self.http.segment(segment);
                    return;
                };
                self.make_room();
                stream.sides[side].reading = Reading::Open;
                self.open
                    .insert(key, Assembly::new(protocol, segment.sequence));
            }
        }
        let Some(assembly) = self.open.get_mut(&key) else {
            stream.sides[side].reading = Reading::Closed;
            return;
        };
        self.held -= assembly.held();
        let stays = if assembly.add(segment) {
            let whole = match assembly.protocol() {
                Protocol::Tls => {
                    let client = stream.client();
                    let server = stream.ends[1 - client];
                    assembly.read(|bytes| self.tls.read(bytes, server, side != client))
                }
                Protocol::Dns => {
                    let pair = Pair::of(segment.from, segment.to);
                    assembly.read(|bytes| {
                        self.dns
                            .stream(bytes.bytes, pair, segment.from, segment.to, now)
                    })
                }
            };
            whole && segment.payload.len() == segment.length as usize
        } else {
            self.gaps += 1;
            false
        };
        if stays {
            self.held += assembly.held();
        } else {
            self.open.remove(&key);
            stream.sides[side].reading = Reading::Closed;
        }
    }

    fn make_room(&mut self) {
        if self.open.len() >= MAXIMUM_OPEN || self.held >= MAXIMUM_HELD {
            self.given_up += self.open.len() as u64;
            self.open.clear();
            self.held = 0;
        }
    }
}
