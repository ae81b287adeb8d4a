//! The block format: sections, interfaces, packets. Framing and packets are own code, so that a length is checked
//! before anything of that length is waited for; blocks with options are parsed by `pcap-parser`.
//! <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html>

use pcap_parser::pcapng::{
    parse_interfacedescriptionblock_be, parse_interfacedescriptionblock_le,
    parse_interfacestatisticsblock_be, parse_interfacestatisticsblock_le,
};

use super::{FileFacts, MAXIMUM_RECORD, Record, Step};

pub(super) const SECTION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// More interfaces than this are taken for the last one that was kept.
pub(super) const MAXIMUM_INTERFACES: usize = 4_096;

/// Blocks longer than this are refused, by TShark too.
const MAXIMUM_BLOCK: usize = 16 << 20;

/// A block with a packet or with options is held whole only up to this length.
const MAXIMUM_HELD: usize = MAXIMUM_RECORD + 65_536;

const INTERFACE: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const INTERFACE_STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;

#[derive(Debug, Clone, Copy)]
struct Interface {
    link: u16,
    snap_length: u32,
    /// Power of ten, or of two with the top bit.
    resolution: u8,
    /// Seconds to add.
    offset: i64,
}

#[derive(Default)]
pub(super) struct Pcapng {
    section_seen: bool,
    big_endian: bool,
    interfaces: Vec<Interface>,
    /// The total length that must stand at the end of the block that is being skipped.
    trailer: Option<u32>,
}

impl Pcapng {
    /// Whether the first section's header was read to its end.
    pub fn has_section(&self) -> bool {
        self.section_seen
    }

    /// Whether the length at the end of a block is still to come.
    pub fn is_within_block(&self) -> bool {
        self.trailer.is_some()
    }

    pub fn step(
        &mut self,
        bytes: &[u8],
        facts: &mut FileFacts,
        each: &mut impl FnMut(Record<'_>),
    ) -> Step {
        if let Some(total) = self.trailer {
            let Some(_) = bytes.first_chunk::<4>() else {
                return Step::Need(4);
            };
            self.trailer = None;
            // The first block that is skipped is the section's header.
            self.section_seen = true;
            return if self.u32(bytes, 0) == total {
                Step::Done(4)
            } else {
                lengths_differ()
            };
        }
        if bytes.len() < 12 {
            return Step::Need(12);
        }
        if bytes.starts_with(&SECTION) {
            match bytes[8..12] {
                [0x1a, 0x2b, 0x3c, 0x4d] => self.big_endian = true,
                [0x4d, 0x3c, 0x2b, 0x1a] => self.big_endian = false,
                _ => return Step::Stop("a section without a byte order".into()),
            }
            self.interfaces.clear();
        } else if !self.section_seen {
            return Step::Stop("the first section's header".into());
        }
        let total = self.u32(bytes, 4);
        // Some writers leave the padding out of the length; the rest of such a file cannot be found.
        if total < 12 || !total.is_multiple_of(4) || total as usize > MAXIMUM_BLOCK {
            return Step::Stop(format!("a block of {total} bytes"));
        }
        let kind = self.u32(bytes, 0);
        let has_content = matches!(
            kind,
            INTERFACE | PACKET | SIMPLE_PACKET | INTERFACE_STATISTICS | ENHANCED_PACKET
        );
        if !has_content || bytes.starts_with(&SECTION) {
            self.trailer = Some(total);
            return Step::Skip(u64::from(total) - 4);
        }
        let end = total as usize;
        if end > MAXIMUM_HELD {
            return Step::Stop(format!("a block of {total} bytes"));
        }
        if bytes.len() < end {
            return Step::Need(end);
        }
        let block = &bytes[..end];
        if self.u32(block, end - 4) != total {
            return lengths_differ();
        }
        let refused = match kind {
            INTERFACE => self.interface(block, facts),
            INTERFACE_STATISTICS => {
                self.statistics(block, facts);
                None
            }
            _ => self.packet(kind, block, each),
        };
        refused.map_or(Step::Done(end), Step::Stop)
    }

    fn interface(&mut self, block: &[u8], facts: &mut FileFacts) -> Option<String> {
        if block.len() < 20 {
            return Some("an interface description that is too short".into());
        }
        let parsed = if self.big_endian {
            parse_interfacedescriptionblock_be(block)
        } else {
            parse_interfacedescriptionblock_le(block)
        };
        // Options that cannot be parsed leave the defaults.
        let (resolution, offset) = parsed.map_or((6, 0), |(_, parsed)| {
            (parsed.if_tsresol, parsed.if_tsoffset)
        });
        let interface = Interface {
            link: self.u16(block, 8),
            snap_length: self.u32(block, 12),
            resolution,
            offset,
        };
        facts.interfaces = facts.interfaces.saturating_add(1);
        facts.snap_length = facts.snap_length.max(interface.snap_length);
        if self.interfaces.len() < MAXIMUM_INTERFACES {
            self.interfaces.push(interface);
        }
        if facts.links.len() < MAXIMUM_INTERFACES {
            facts.links.push(interface.link);
        }
        None
    }

    fn statistics(&self, block: &[u8], facts: &mut FileFacts) {
        const DROPPED: u16 = 5; // isb_ifdrop
        let parsed = if self.big_endian {
            parse_interfacestatisticsblock_be(block)
        } else {
            parse_interfacestatisticsblock_le(block)
        };
        let Ok((_, parsed)) = parsed else { return };
        for option in parsed
            .options
            .iter()
            .filter(|option| option.code.0 == DROPPED)
        {
            if let Some(value) = option.value.first_chunk::<8>() {
                let value = if self.big_endian {
                    u64::from_be_bytes(*value)
                } else {
                    u64::from_le_bytes(*value)
                };
                facts.dropped = facts.dropped.saturating_add(value);
            }
        }
    }

    /// Hands a packet on; what is wrong with the block otherwise.
    fn packet(&self, kind: u32, block: &[u8], each: &mut impl FnMut(Record<'_>)) -> Option<String> {
        let start = if kind == SIMPLE_PACKET { 12 } else { 28 };
        if block.len() < start + 4 {
            return Some(format!("a packet block of {} bytes", block.len()));
        }
        let index = match kind {
            SIMPLE_PACKET => 0,
            PACKET => usize::from(self.u16(block, 8)),
            _ => self.u32(block, 8) as usize,
        };
        let known = self.interfaces.get(index.min(MAXIMUM_INTERFACES - 1));
        let Some(interface) = known else {
            return Some(format!(
                "a packet of interface {index}, which the file does not describe"
            ));
        };
        let room = block.len() - 4 - start;
        let (captured, original) = if kind == SIMPLE_PACKET {
            let original = self.u32(block, 8);
            let snap_length = if interface.snap_length == 0 {
                u32::MAX
            } else {
                interface.snap_length
            };
            ((original.min(snap_length) as usize).min(room), original)
        } else {
            (self.u32(block, 20) as usize, self.u32(block, 24))
        };
        if captured > room || captured > MAXIMUM_RECORD {
            return Some(format!(
                "a packet of {captured} bytes in a block of {}",
                block.len()
            ));
        }
        let ticks = u64::from(self.u32(block, 12)) << 32 | u64::from(self.u32(block, 16));
        each(Record {
            time: (kind != SIMPLE_PACKET)
                .then(|| nanoseconds(ticks, interface.resolution, interface.offset)),
            original: original.max(captured as u32),
            link: interface.link,
            data: &block[start..start + captured],
        });
        None
    }

    fn u32(&self, bytes: &[u8], at: usize) -> u32 {
        let field = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        if self.big_endian {
            u32::from_be_bytes(field)
        } else {
            u32::from_le_bytes(field)
        }
    }

    fn u16(&self, bytes: &[u8], at: usize) -> u16 {
        let field = [bytes[at], bytes[at + 1]];
        if self.big_endian {
            u16::from_be_bytes(field)
        } else {
            u16::from_le_bytes(field)
        }
    }
}

fn lengths_differ() -> Step {
    Step::Stop("a block whose two lengths differ".into())
}

/// Time of `ticks` in an interface's unit, kept within 64 bits (292 years before and after 1970).
fn nanoseconds(ticks: u64, resolution: u8, offset: i64) -> i64 {
    let ticks = i128::from(ticks);
    let time = match (resolution & 0x7f, resolution & 0x80 != 0) {
        (9, false) => ticks,
        (6, false) => ticks * 1_000,
        (power @ 0..=9, false) => ticks * 10_i128.pow(9 - u32::from(power)),
        // 10^37 fits in 128 bits; units finer than that are all zero.
        (power, false) => ticks / 10_i128.pow(u32::from(power - 9).min(37)),
        (power, true) => (ticks * 1_000_000_000)
            .checked_shr(u32::from(power))
            .unwrap_or(0),
    };
    let time = time + i128::from(offset) * 1_000_000_000;
    time.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_units_of_time_are_read_without_overflow() {
        for (ticks, resolution, offset, expected) in [
            (1_500_000, 6, 0, 1_500_000_000),
            (1_500_000_000, 9, 0, 1_500_000_000),
            (15, 1, 0, 1_500_000_000),
            (3, 0x81, 0, 1_500_000_000),
            (3, 0, -1, 2_000_000_000),
            (1_500, 12, 0, 1),
            (u64::MAX, 0, 0, i64::MAX),
            (u64::MAX, 63, 0, 0),
            (u64::MAX, 127, 5, 5_000_000_000),
            (u64::MAX, 0xff, 0, 0),
            (0, 6, i64::MIN, i64::MIN),
        ] {
            assert_eq!(
                nanoseconds(ticks, resolution, offset),
                expected,
                "{ticks} {resolution} {offset}"
            );
        }
    }
}
