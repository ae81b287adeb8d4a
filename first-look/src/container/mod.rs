//! From bytes in chunks of any size to packet records: pcap and pcapng. No length of the file is trusted, and no more
//! than one record is held, which is at most [`MAXIMUM_RECORD`] bytes.

mod kind;
mod pcap;
mod pcapng;

pub(crate) use kind::{Ending, Format, Kind};

use std::mem;

/// The longest record that is read; TShark refuses longer ones, too. Captures on Azure have records of up to 64 KiB,
/// because the guest sees segments before they are split (TSO, GRO).
pub(crate) const MAXIMUM_RECORD: usize = 262_144;

/// How much of the file's beginning is kept to recognize an error page.
const BEGINNING: usize = 2_048;

/// One packet of the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'a> {
    /// Nanoseconds since 1970; none in a simple packet block of pcapng.
    pub time: Option<i64>,
    /// Length on the wire; never less than what was captured.
    pub original: u32,
    /// Link type as in the registry of tcpdump.org.
    pub link: u16,
    pub data: &'a [u8],
}

/// What the file's headers say, and how far the file could be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FileFacts {
    pub bytes: u64,
    pub kind: Kind,
    pub ending: Ending,
    /// Link types in the order of their interfaces; only the first [`pcapng::MAXIMUM_INTERFACES`].
    pub links: Vec<u16>,
    pub interfaces: u32,
    /// Largest declared snap length; 0 is none.
    pub snap_length: u32,
    /// Packets that the capturing program says it dropped (interface statistics of pcapng).
    pub dropped: u64,
}

/// What a format's reader makes of the bytes at the front of the file's rest.
enum Step {
    /// A unit of this many bytes was read.
    Done(usize),
    /// This many bytes carry nothing that is counted; they need not be in memory together.
    Skip(u64),
    /// The unit is longer than what is there: it needs this many bytes.
    Need(usize),
    /// Nothing after this can be read.
    Stop(String),
}

enum Reader {
    Undecided,
    Pcap(pcap::Pcap),
    Pcapng(pcapng::Pcapng),
    Stopped,
}

/// The push parser: bytes in, records out.
pub(crate) struct Container {
    reader: Reader,
    /// The beginning of a unit whose end has not come yet.
    carry: Vec<u8>,
    skip: u64,
    beginning: Vec<u8>,
    facts: FileFacts,
}

impl Container {
    pub fn new() -> Container {
        Container {
            reader: Reader::Undecided,
            carry: Vec::new(),
            skip: 0,
            beginning: Vec::new(),
            facts: FileFacts::default(),
        }
    }

    /// Whether nothing more can be learned from further bytes.
    pub fn stopped(&self) -> bool {
        matches!(self.reader, Reader::Stopped)
    }

    /// Bytes held between two calls.
    pub fn held(&self) -> usize {
        self.carry.capacity() + self.beginning.capacity()
    }

    pub fn feed(&mut self, mut chunk: &[u8], each: &mut impl FnMut(Record<'_>)) {
        self.facts.bytes += chunk.len() as u64;
        let room = BEGINNING - self.beginning.len();
        self.beginning
            .extend_from_slice(&chunk[..chunk.len().min(room)]);
        while !chunk.is_empty() && !self.stopped() {
            if self.skip > 0 {
                let skipped = self.skip.min(chunk.len() as u64);
                self.skip -= skipped;
                chunk = &chunk[skipped as usize..];
            } else if self.carry.is_empty() {
                chunk = self.read_from(chunk, each);
            } else {
                chunk = self.complete_carry(chunk, each);
            }
        }
    }

    /// Reads units out of `bytes` without copying them; what is left goes to the carry.
    fn read_from<'a>(
        &mut self,
        mut bytes: &'a [u8],
        each: &mut impl FnMut(Record<'_>),
    ) -> &'a [u8] {
        loop {
            match self.step(bytes, each) {
                Step::Done(length) => bytes = &bytes[length..],
                Step::Skip(length) => {
                    let skipped = length.min(bytes.len() as u64);
                    self.skip = length - skipped;
                    return &bytes[skipped as usize..];
                }
                Step::Need(_) => {
                    self.carry.extend_from_slice(bytes);
                    return &[];
                }
                Step::Stop(reason) => {
                    self.stop(reason);
                    return &[];
                }
            }
        }
    }

    /// Adds to the carry what its unit lacks, and reads all units that are then whole.
    fn complete_carry<'a>(
        &mut self,
        mut chunk: &'a [u8],
        each: &mut impl FnMut(Record<'_>),
    ) -> &'a [u8] {
        while !self.carry.is_empty() {
            let carry = mem::take(&mut self.carry);
            let step = self.step(&carry, each);
            self.carry = carry;
            match step {
                Step::Done(length) => {
                    self.carry.drain(..length);
                }
                Step::Skip(length) => {
                    let skipped = length.min(self.carry.len() as u64);
                    self.skip = length - skipped;
                    self.carry.drain(..skipped as usize);
                }
                Step::Need(_) if chunk.is_empty() => break,
                Step::Need(needed) => {
                    let lacking = needed
                        .saturating_sub(self.carry.len())
                        .clamp(1, chunk.len());
                    self.carry.extend_from_slice(&chunk[..lacking]);
                    chunk = &chunk[lacking..];
                }
                Step::Stop(reason) => {
                    self.stop(reason);
                    return &[];
                }
            }
        }
        chunk
    }

    fn step(&mut self, bytes: &[u8], each: &mut impl FnMut(Record<'_>)) -> Step {
        match &mut self.reader {
            Reader::Undecided => self.decide(bytes),
            Reader::Pcap(pcap) => pcap.step(bytes, each),
            Reader::Pcapng(pcapng) => pcapng.step(bytes, &mut self.facts, each),
            Reader::Stopped => Step::Stop(String::new()),
        }
    }

    fn decide(&mut self, bytes: &[u8]) -> Step {
        let Some(magic) = bytes.first_chunk::<4>() else {
            return Step::Need(4);
        };
        if *magic == pcapng::SECTION {
            self.facts.kind = Kind::Capture(Format::Pcapng);
            self.reader = Reader::Pcapng(pcapng::Pcapng::default());
            return Step::Done(0);
        }
        if !pcap::is_magic(*magic) {
            return Step::Stop(String::new());
        }
        let Some(header) = bytes.first_chunk::<{ pcap::HEADER }>() else {
            return Step::Need(pcap::HEADER);
        };
        let (pcap, format, snap_length) = pcap::Pcap::new(header);
        self.facts.kind = Kind::Capture(format);
        self.facts.links.push(pcap.link);
        self.facts.interfaces = 1;
        self.facts.snap_length = snap_length;
        self.reader = Reader::Pcap(pcap);
        Step::Done(pcap::HEADER)
    }

    fn stop(&mut self, reason: String) {
        if let Kind::Capture(_) = self.facts.kind {
            self.facts.ending = Ending::Damaged(reason);
        }
        self.carry = Vec::new();
        self.reader = Reader::Stopped;
    }

    /// The file has no more bytes.
    pub fn finish(mut self) -> FileFacts {
        match self.reader {
            Reader::Undecided | Reader::Stopped if !matches!(self.facts.kind, Kind::Capture(_)) => {
                self.facts.kind = kind::of_beginning(&self.beginning, self.facts.bytes);
            }
            Reader::Pcapng(pcapng) if !pcapng.has_section() => self.facts.kind = Kind::CutHeader,
            Reader::Pcapng(pcapng) if pcapng.is_within_block() => self.facts.ending = Ending::Cut,
            _ if !self.carry.is_empty() || self.skip > 0 => self.facts.ending = Ending::Cut,
            _ => {}
        }
        self.facts
    }
}
