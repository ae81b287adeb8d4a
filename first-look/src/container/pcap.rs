//! The classic format: a header of 24 bytes, then records. Own code instead of `pcap-parser`, which does not know the
//! modified format in big-endian order and wants the whole record before it says how long it is.
//! <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html>

use super::{Format, MAXIMUM_RECORD, Record, Step};

pub(super) const HEADER: usize = 24;

/// Magic number as the file has it; big-endian; format.
pub(super) const MAGICS: [([u8; 4], bool, Format); 6] = [
    ([0xd4, 0xc3, 0xb2, 0xa1], false, Format::Pcap),
    ([0xa1, 0xb2, 0xc3, 0xd4], true, Format::Pcap),
    ([0x4d, 0x3c, 0xb2, 0xa1], false, Format::PcapNanoseconds),
    ([0xa1, 0xb2, 0x3c, 0x4d], true, Format::PcapNanoseconds),
    ([0x34, 0xcd, 0xb2, 0xa1], false, Format::PcapModified),
    ([0xa1, 0xb2, 0xcd, 0x34], true, Format::PcapModified),
];

pub(super) fn is_magic(magic: [u8; 4]) -> bool {
    MAGICS.iter().any(|(known, ..)| *known == magic)
}

pub(super) struct Pcap {
    big_endian: bool,
    /// Nanoseconds of the fraction's unit.
    unit: i64,
    record_header: usize,
    pub link: u16,
}

impl Pcap {
    /// The reader, the format, and the snap length. Version, zone and accuracy have no meaning any more.
    pub fn new(header: &[u8; HEADER]) -> (Pcap, Format, u32) {
        let known = MAGICS.iter().find(|(magic, ..)| header.starts_with(magic));
        let (_, big_endian, format) = known.copied().unwrap_or(MAGICS[0]);
        // The upper half of the link type describes frame check sequences.
        let link = number(header, 20, big_endian) as u16;
        let pcap = Pcap {
            big_endian,
            unit: if format == Format::PcapNanoseconds {
                1
            } else {
                1_000
            },
            record_header: if format == Format::PcapModified {
                24
            } else {
                16
            },
            link,
        };
        (pcap, format, number(header, 16, big_endian))
    }

    pub fn step(&self, bytes: &[u8], each: &mut impl FnMut(Record<'_>)) -> Step {
        if bytes.len() < self.record_header {
            return Step::Need(self.record_header);
        }
        let captured = number(bytes, 8, self.big_endian) as usize;
        if captured > MAXIMUM_RECORD {
            return Step::Stop(format!(
                "a record of {captured} bytes; the longest possible has {MAXIMUM_RECORD}"
            ));
        }
        let end = self.record_header + captured;
        if bytes.len() < end {
            return Step::Need(end);
        }
        let seconds = i64::from(number(bytes, 0, self.big_endian));
        let fraction = i64::from(number(bytes, 4, self.big_endian));
        each(Record {
            // At most 2^32 seconds and 2^32 microseconds: fits.
            time: Some(seconds * 1_000_000_000 + fraction * self.unit),
            original: number(bytes, 12, self.big_endian).max(captured as u32),
            link: self.link,
            data: &bytes[self.record_header..end],
        });
        Step::Done(end)
    }
}

fn number(bytes: &[u8], at: usize, big_endian: bool) -> u32 {
    let field = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
    if big_endian {
        u32::from_be_bytes(field)
    } else {
        u32::from_le_bytes(field)
    }
}
