//! Writes pcap and pcapng in all their kinds.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Pcap {
        big_endian: bool,
        nanoseconds: bool,
    },
    Modified {
        big_endian: bool,
    },
    /// With the resolution that an interface declares: power of ten, or of two with the top bit; none is not written.
    Pcapng {
        big_endian: bool,
        resolution: Option<u8>,
    },
}

pub const MICROSECONDS: Kind = Kind::Pcap {
    big_endian: false,
    nanoseconds: false,
};

/// A packet: time in nanoseconds, bytes.
#[derive(Debug, Clone)]
pub struct Packet {
    pub time: u64,
    pub bytes: Vec<u8>,
}

pub struct File {
    kind: Kind,
    snap_length: usize,
    pub bytes: Vec<u8>,
}

impl File {
    pub fn new(kind: Kind, link: u16, snap_length: u32) -> File {
        let mut file = File {
            kind,
            snap_length: snap_length as usize,
            bytes: Vec::new(),
        };
        match kind {
            Kind::Pcap { nanoseconds, .. } => {
                file.u32(if nanoseconds {
                    0xa1b2_3c4d
                } else {
                    0xa1b2_c3d4
                });
                file.pcap_rest(link, snap_length);
            }
            Kind::Modified { .. } => {
                file.u32(0xa1b2_cd34);
                file.pcap_rest(link, snap_length);
            }
            Kind::Pcapng { resolution, .. } => {
                file.block(0x0a0d_0d0a, |file| {
                    file.u32(0x1a2b_3c4d);
                    file.u16(1);
                    file.u16(0);
                    file.bytes.extend([0xff; 8]);
                });
                file.block(1, |file| {
                    file.u16(link);
                    file.u16(0);
                    file.u32(snap_length);
                    if let Some(resolution) = resolution {
                        file.u16(9);
                        file.u16(1);
                        file.bytes.extend([resolution, 0, 0, 0]);
                        file.u32(0);
                    }
                });
            }
        }
        file
    }

    /// All packets in their order.
    pub fn of(kind: Kind, snap_length: u32, packets: &[Packet]) -> Vec<u8> {
        let mut file = File::new(kind, 1, snap_length);
        for packet in packets {
            file.packet(packet.time, &packet.bytes);
        }
        file.bytes
    }

    pub fn packet(&mut self, time: u64, packet: &[u8]) {
        let original = packet.len() as u32;
        let kept = &packet[..packet.len().min(self.snap_length)];
        match self.kind {
            Kind::Pcap { .. } | Kind::Modified { .. } => {
                let nanoseconds = matches!(
                    self.kind,
                    Kind::Pcap {
                        nanoseconds: true,
                        ..
                    }
                );
                self.u32((time / 1_000_000_000) as u32);
                self.u32((time % 1_000_000_000) as u32 / if nanoseconds { 1 } else { 1_000 });
                self.u32(kept.len() as u32);
                self.u32(original);
                if let Kind::Modified { .. } = self.kind {
                    self.bytes.extend([0; 8]);
                }
                self.bytes.extend(kept);
            }
            Kind::Pcapng { resolution, .. } => {
                let ticks = ticks(time, resolution.unwrap_or(6));
                self.block(6, |file| {
                    file.u32(0);
                    file.u32((ticks >> 32) as u32);
                    file.u32(ticks as u32);
                    file.u32(kept.len() as u32);
                    file.u32(original);
                    file.bytes.extend(kept);
                    file.bytes.resize(file.bytes.len().next_multiple_of(4), 0);
                });
            }
        }
    }

    fn pcap_rest(&mut self, link: u16, snap_length: u32) {
        self.u16(2);
        self.u16(4);
        self.u32(0);
        self.u32(0);
        self.u32(snap_length);
        self.u32(link.into());
    }

    /// A block of any type; its content must be a multiple of four.
    pub fn block(&mut self, kind: u32, content: impl FnOnce(&mut File)) {
        let mut inner = File {
            kind: self.kind,
            snap_length: self.snap_length,
            bytes: Vec::new(),
        };
        content(&mut inner);
        let total = inner.bytes.len() as u32 + 12;
        self.u32(kind);
        self.u32(total);
        self.bytes.extend(inner.bytes);
        self.u32(total);
    }

    fn big_endian(&self) -> bool {
        match self.kind {
            Kind::Pcap { big_endian, .. }
            | Kind::Modified { big_endian }
            | Kind::Pcapng { big_endian, .. } => big_endian,
        }
    }

    pub fn u32(&mut self, value: u32) {
        self.bytes.extend(if self.big_endian() {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        });
    }

    pub fn u16(&mut self, value: u16) {
        self.bytes.extend(if self.big_endian() {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        });
    }
}

fn ticks(time: u64, resolution: u8) -> u64 {
    if resolution & 0x80 != 0 {
        return ((u128::from(time) << (resolution & 0x7f)) / 1_000_000_000) as u64;
    }
    match resolution {
        0..=9 => time / 10u64.pow(9 - u32::from(resolution)),
        finer => time * 10u64.pow(u32::from(finer) - 9),
    }
}
