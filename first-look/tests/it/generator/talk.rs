//! A TCP stream between two ends, packet by packet, with whatever goes wrong on the way.

use super::chance::Chance;
use super::file::Packet;
use super::frames::{ACK, End, FIN, PSH, RST, SYN, Tcp, tcp};

/// One side of the stream: what it has sent, what it acknowledges, its window.
#[derive(Debug, Clone)]
struct Side {
    end: End,
    next: u32,
    window: u16,
    scale: Option<u8>,
}

pub struct Talk {
    sides: [Side; 2],
    pub now: u64,
    pub packets: Vec<Packet>,
}

impl Talk {
    /// Numbers begin where they are given: near the top, they wrap around.
    pub fn new(client: End, server: End, numbers: [u32; 2], now: u64) -> Talk {
        let side = |end, next| Side {
            end,
            next,
            window: 500,
            scale: Some(7),
        };
        Talk {
            sides: [side(client, numbers[0]), side(server, numbers[1])],
            now,
            packets: Vec::new(),
        }
    }

    pub fn scales(&mut self, client: Option<u8>, server: Option<u8>) -> &mut Talk {
        self.sides[0].scale = client;
        self.sides[1].scale = server;
        self
    }

    pub fn window(&mut self, side: usize, window: u16) -> &mut Talk {
        self.sides[side].window = window;
        self
    }

    pub fn after(&mut self, nanoseconds: u64) -> &mut Talk {
        self.now += nanoseconds;
        self
    }

    fn segment(&self, side: usize, flags: u8, payload: Vec<u8>) -> Tcp {
        Tcp {
            sequence: self.sides[side].next,
            ack: if flags & ACK == 0 {
                0
            } else {
                self.sides[1 - side].next
            },
            flags,
            window: self.sides[side].window,
            scale: if flags & SYN == 0 {
                None
            } else {
                self.sides[side].scale
            },
            payload,
        }
    }

    /// Puts a segment into the file, as it is.
    pub fn put(&mut self, side: usize, segment: &Tcp) -> &mut Talk {
        let bytes = tcp(self.sides[side].end, self.sides[1 - side].end, segment);
        self.packets.push(Packet {
            time: self.now,
            bytes,
        });
        self
    }

    /// Sends flags and payload and moves on.
    pub fn send(&mut self, side: usize, flags: u8, payload: &[u8]) -> &mut Talk {
        let segment = self.segment(side, flags, payload.to_vec());
        self.put(side, &segment);
        self.advance(side, flags, payload.len())
    }

    /// Moves on as if it was sent, but it is not in the file.
    pub fn lose(&mut self, side: usize, length: usize) -> &mut Talk {
        self.advance(side, 0, length)
    }

    /// Sends again what ended `back` bytes ago.
    pub fn again(&mut self, side: usize, back: u32, length: usize) -> &mut Talk {
        let mut segment = self.segment(side, ACK, vec![b'x'; length]);
        segment.sequence = segment.sequence.wrapping_sub(back);
        self.put(side, &segment)
    }

    /// The SYN, without moving on: the next one is the same.
    pub fn again_syn(&mut self) -> &mut Talk {
        let segment = self.segment(0, SYN, Vec::new());
        self.put(0, &segment)
    }

    /// An ACK of what ended `back` bytes ago.
    pub fn ack(&mut self, side: usize, back: u32) -> &mut Talk {
        let mut segment = self.segment(side, ACK, Vec::new());
        segment.ack = segment.ack.wrapping_sub(back);
        self.put(side, &segment)
    }

    fn advance(&mut self, side: usize, flags: u8, length: usize) -> &mut Talk {
        let taken = length as u32 + u32::from(flags & (SYN | FIN) != 0);
        self.sides[side].next = self.sides[side].next.wrapping_add(taken);
        self
    }

    pub fn handshake(&mut self, round_trip: u64) -> &mut Talk {
        self.send(0, SYN, &[]).after(round_trip);
        self.send(1, SYN | ACK, &[]).after(50_000);
        self.send(0, ACK, &[])
    }

    pub fn close(&mut self) -> &mut Talk {
        self.send(0, FIN | ACK, &[])
            .after(500_000)
            .send(1, FIN | ACK, &[])
            .after(50_000)
            .send(0, ACK, &[])
    }

    /// One step of a stream in which anything can happen.
    pub fn wild_step(&mut self, chance: &mut Chance) {
        let side = chance.below(2) as usize;
        self.now += match chance.below(10) {
            0 => chance.below(300_000_000),
            1..=3 => chance.below(30_000_000),
            _ => chance.below(2_000_000),
        };
        let size = if chance.percent(15) {
            1
        } else {
            chance.between(1, 1_400) as usize
        };
        let back = chance.below(3_000) as u32;
        match chance.below(100) {
            0..30 => self.send(side, ACK | PSH, &vec![b'x'; size]),
            30..50 => self.send(side, ACK, &[]),
            50..58 => self.lose(side, size),
            58..68 => self.again(side, back, size),
            68..72 => self.again(side, size as u32, size),
            72..82 => self.ack(side, if chance.percent(50) { 0 } else { back }),
            82..86 => self.again(side, 1, chance.below(2) as usize),
            86..91 => {
                let window = if chance.percent(50) {
                    0
                } else {
                    chance.between(1, 800) as u16
                };
                self.window(side, window).ack(side, 0)
            }
            91..93 => self.fill_window(side),
            93..95 => {
                let mut segment = self.segment(side, ACK, vec![b'x'; size]);
                segment.ack = segment.ack.wrapping_add(chance.below(2_000) as u32);
                self.put(side, &segment)
            }
            95 => self.send(side, FIN | ACK, &[]),
            96 => self.send(side, RST | if chance.percent(50) { ACK } else { 0 }, &[]),
            97 => self.send(side, SYN, &[]),
            98 => self.send(side, SYN | ACK, &[]),
            _ => {
                self.sides[side].next = chance.next() as u32;
                self
            }
        };
    }

    /// Sends exactly what the other side has room for, in one segment, if it is not too much.
    fn fill_window(&mut self, side: usize) -> &mut Talk {
        let room = usize::from(self.sides[1 - side].window.min(1_400));
        self.ack(1 - side, 0)
            .send(side, ACK, &vec![b'x'; room.max(1)])
    }
}
