//! A TCP stream between two ends, frame by frame, and single datagrams. Checksums are right.

use std::io;
use std::time::Duration;

use etherparse::{PacketBuilder, PacketBuilderStep, TcpHeader, TcpOptionElement};
use rand::RngExt;
use rand::rngs::StdRng;

use super::{Frame, Host};

/// The window that both ends advertise, and its scale: large enough that it never fills.
const WINDOW: u16 = 64_240;
const SCALE: u8 = 7;
/// How long an end takes to answer what it received.
const TURN: Duration = Duration::from_micros(60);
const DELAYED_ACK: Duration = Duration::from_millis(40);
/// An answer that takes longer comes after the ACK of its question.
const SLOW: Duration = Duration::from_millis(200);

/// A host and a port.
#[derive(Clone, Copy)]
pub(super) struct End(pub Host, pub u16);

/// The client is side 0, the server side 1.
pub(super) struct Talk {
    ends: [End; 2],
    /// The next sequence number of each side.
    next: [u32; 2],
    pub now: Duration,
    pub frames: Vec<Frame>,
}

impl Talk {
    pub fn new(client: End, server: End, random: &mut StdRng, now: Duration) -> Self {
        Self {
            ends: [client, server],
            next: [random.random(), random.random()],
            now,
            frames: Vec::new(),
        }
    }

    pub fn wait(&mut self, pause: Duration) -> &mut Self {
        self.now += pause;
        self
    }

    /// The client's SYN. The next frame continues as if it was not sent: it can be repeated.
    pub fn syn(&mut self) -> io::Result<()> {
        let step = self.step(0, self.next[0]).syn();
        self.write(options(step)?, &[])
    }

    /// SYN, SYN-ACK, ACK.
    pub fn open(&mut self, round_trip: Duration) -> io::Result<()> {
        self.syn()?;
        self.next[0] = self.next[0].wrapping_add(1);
        self.now += round_trip;
        let step = self.step(1, self.next[1]).syn().ack(self.next[0]);
        self.write(options(step)?, &[])?;
        self.next[1] = self.next[1].wrapping_add(1);
        self.now += TURN;
        self.ack(0)
    }

    /// Sends data, and gives the sequence number with which it can be sent again.
    pub fn send(&mut self, side: usize, payload: &[u8]) -> io::Result<u32> {
        let sequence = self.next[side];
        self.again(side, sequence, payload)?;
        self.next[side] = sequence.wrapping_add(payload.len() as u32);
        Ok(sequence)
    }

    pub fn again(&mut self, side: usize, sequence: u32, payload: &[u8]) -> io::Result<()> {
        let step = self.step(side, sequence).ack(self.next[1 - side]).psh();
        self.write(step, payload)
    }

    /// Acknowledges everything.
    pub fn ack(&mut self, side: usize) -> io::Result<()> {
        self.ack_to(side, self.next[1 - side])
    }

    pub fn ack_to(&mut self, side: usize, number: u32) -> io::Result<()> {
        let step = self.step(side, self.next[side]).ack(number);
        self.write(step, &[])
    }

    /// A question of the client and the server's answer, which the client acknowledges.
    pub fn exchange(
        &mut self,
        question: &[u8],
        round_trip: Duration,
        answer: &[Vec<u8>],
    ) -> io::Result<()> {
        self.send(0, question)?;
        let mut pause = round_trip;
        if pause > SLOW {
            // The system acknowledges what the program takes long to answer.
            self.now += DELAYED_ACK;
            self.ack(1)?;
            pause -= DELAYED_ACK;
        }
        self.now += pause;
        for part in answer {
            self.send(1, part)?;
            self.now += TURN;
        }
        self.ack(0)
    }

    /// The client's FIN, the server's, and the last ACK.
    pub fn close(&mut self, round_trip: Duration) -> io::Result<()> {
        for (side, pause) in [(0, round_trip), (1, TURN)] {
            let step = self.step(side, self.next[side]);
            self.write(step.ack(self.next[1 - side]).fin(), &[])?;
            self.next[side] = self.next[side].wrapping_add(1);
            self.now += pause;
        }
        self.ack(0)
    }

    fn step(&self, side: usize, sequence: u32) -> PacketBuilderStep<TcpHeader> {
        let [from, to] = [self.ends[side], self.ends[1 - side]];
        PacketBuilder::ethernet2(from.0.mac, to.0.mac)
            .ipv4(from.0.ip, to.0.ip, 64)
            .tcp(from.1, to.1, sequence, WINDOW)
    }

    fn write(&mut self, step: PacketBuilderStep<TcpHeader>, payload: &[u8]) -> io::Result<()> {
        let mut frame = Vec::with_capacity(step.size(payload.len()));
        step.write(&mut frame, payload).map_err(io::Error::other)?;
        self.frames.push((self.now, frame));
        Ok(())
    }
}

/// Options of a SYN.
fn options(step: PacketBuilderStep<TcpHeader>) -> io::Result<PacketBuilderStep<TcpHeader>> {
    use TcpOptionElement::{
        MaximumSegmentSize, Noop, SelectiveAcknowledgementPermitted, WindowScale,
    };
    step.options(&[
        MaximumSegmentSize(1_418),
        SelectiveAcknowledgementPermitted,
        Noop,
        WindowScale(SCALE),
    ])
    .map_err(|error| io::Error::other(format!("{error:?}")))
}

/// A UDP datagram.
pub(super) fn datagram(from: End, to: End, payload: &[u8]) -> io::Result<Vec<u8>> {
    let step = PacketBuilder::ethernet2(from.0.mac, to.0.mac)
        .ipv4(from.0.ip, to.0.ip, 64)
        .udp(from.1, to.1);
    let mut frame = Vec::with_capacity(step.size(payload.len()));
    step.write(&mut frame, payload).map_err(io::Error::other)?;
    Ok(frame)
}
