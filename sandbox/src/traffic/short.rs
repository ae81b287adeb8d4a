//! One stream in which the VM sends a burst of TCP segments.

use std::io;
use std::time::Duration;

use etherparse::{PacketBuilder, PacketBuilderStep, TcpHeader};
use rand::RngExt;
use rand::rngs::StdRng;

use super::{Frame, Host, PEER, VM};

/// Data segments of the burst.
const SEGMENTS: u32 = 144;
pub(super) const SEGMENT_BYTES: usize = 512;

pub(super) fn frames(random: &mut StdRng, duration: Duration) -> io::Result<Vec<Frame>> {
    let (mut from_vm, mut from_peer): (u32, u32) = (random.random(), random.random());
    let port = random.random_range(49_152..=65_000);
    let rtt = Duration::from_micros(random.random_range(800..2_400)).min(duration / 50);
    let vm = |seq| frame(&VM, &PEER, port, 443, seq);
    let peer = |seq| frame(&PEER, &VM, 443, port, seq);
    let mut frames = Vec::new();

    let mut now = duration / 20;
    frames.push((now, bytes(vm(from_vm).syn(), &[])?));
    now += rtt;
    from_vm = from_vm.wrapping_add(1);
    frames.push((now, bytes(peer(from_peer).syn().ack(from_vm), &[])?));
    now += rtt / 10;
    from_peer = from_peer.wrapping_add(1);
    frames.push((now, bytes(vm(from_vm).ack(from_peer), &[])?));

    // Gaps vary between half and one and a half of this, so the burst ends before the capture does.
    let gap = duration.mul_f64(0.55) / SEGMENTS;
    for sent in 1..=SEGMENTS {
        now += gap.mul_f64(random.random_range(0.5..1.5));
        let payload: Vec<u8> = (0..SEGMENT_BYTES).map(|_| random.random()).collect();
        frames.push((now, bytes(vm(from_vm).ack(from_peer).psh(), &payload)?));
        from_vm = from_vm.wrapping_add(SEGMENT_BYTES as u32);
        if sent % 8 == 0 {
            now += rtt.min(gap / 3);
            frames.push((now, bytes(peer(from_peer).ack(from_vm), &[])?));
        }
    }

    now += rtt;
    frames.push((now, bytes(vm(from_vm).ack(from_peer).fin(), &[])?));
    now += rtt;
    from_vm = from_vm.wrapping_add(1);
    frames.push((now, bytes(peer(from_peer).ack(from_vm).fin(), &[])?));
    now += rtt / 10;
    frames.push((now, bytes(vm(from_vm).ack(from_peer.wrapping_add(1)), &[])?));
    Ok(frames)
}

fn frame(
    from: &Host,
    to: &Host,
    source: u16,
    target: u16,
    seq: u32,
) -> PacketBuilderStep<TcpHeader> {
    PacketBuilder::ethernet2(from.mac, to.mac)
        .ipv4(from.ip, to.ip, 64)
        .tcp(source, target, seq, 64_240)
}

fn bytes(builder: PacketBuilderStep<TcpHeader>, payload: &[u8]) -> io::Result<Vec<u8>> {
    let mut frame = Vec::with_capacity(builder.size(payload.len()));
    builder
        .write(&mut frame, payload)
        .map_err(io::Error::other)?;
    Ok(frame)
}
