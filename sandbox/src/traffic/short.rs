//! The capture file's content: a made-up conversation in which the VM sends a burst of TCP segments,
//! the kind of traffic that raises the alert. The same capture always gets the same bytes.

use std::io;
use std::time::Duration;

use etherparse::{PacketBuilder, PacketBuilderStep, TcpHeader};
use pcap_file::pcap::{PcapHeader, PcapPacket, PcapWriter};
use pcap_file::{DataLink, PcapError, TsResolution};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use time::OffsetDateTime;

/// Data segments of the burst: more than the hundred that the alert's threshold allows.
const SEGMENTS: u32 = 144;
const SEGMENT_BYTES: usize = 512;
const VM: Host = Host {
    mac: [0x00, 0x0d, 0x3a, 0x2b, 0x11, 0x04],
    ip: [10, 20, 0, 4],
};
const PEER: Host = Host {
    mac: [0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc],
    ip: [198, 51, 100, 20],
};
/// What libpcap writes for "whole packets".
const WHOLE: u32 = 262_144;

struct Host {
    mac: [u8; 6],
    ip: [u8; 4],
}

/// What the file depends on.
pub(super) struct Recipe<'a> {
    pub seed: &'a str,
    pub start: OffsetDateTime,
    pub duration: Duration,
    /// 0 keeps whole packets.
    pub bytes_per_packet: u64,
    /// 0 means no limit.
    pub total_bytes: u64,
}

/// A classic pcap file of Ethernet frames.
pub(super) fn pcap(recipe: &Recipe<'_>) -> io::Result<Vec<u8>> {
    let snap = match u32::try_from(recipe.bytes_per_packet) {
        Ok(0) | Err(_) => WHOLE,
        Ok(bytes) => bytes.min(WHOLE),
    };
    let header = PcapHeader {
        // Not `snap`: pcap-file's reader then takes every shortened packet for a broken one.
        snaplen: WHOLE,
        datalink: DataLink::ETHERNET,
        ts_resolution: TsResolution::MicroSecond,
        ..PcapHeader::default()
    };
    let mut writer = PcapWriter::with_header(Vec::new(), header).map_err(container)?;
    let mut written = 0;
    for (offset, frame) in conversation(recipe.seed, recipe.duration)? {
        let kept = &frame[..frame.len().min(snap as usize)];
        written += kept.len() as u64;
        if recipe.total_bytes > 0 && written > recipe.total_bytes {
            break;
        }
        let at = Duration::from_micros(micros(recipe.start)) + offset;
        writer
            .write_packet(&PcapPacket::new(at, frame.len() as u32, kept))
            .map_err(container)?;
    }
    Ok(writer.into_writer())
}

fn container(error: PcapError) -> io::Error {
    io::Error::other(error)
}

fn micros(at: OffsetDateTime) -> u64 {
    u64::try_from(at.unix_timestamp_nanos() / 1000).unwrap_or_default()
}

/// Frames with their distance from the start of the capture.
fn conversation(seed: &str, duration: Duration) -> io::Result<Vec<(Duration, Vec<u8>)>> {
    let mut random = StdRng::seed_from_u64(fingerprint(seed));
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

/// FNV-1a: small, and unlike the standard hasher the same for ever.
fn fingerprint(text: &str) -> u64 {
    text.to_ascii_lowercase()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

#[cfg(test)]
mod tests {
    use etherparse::{SlicedPacket, TransportSlice};
    use pcap_file::pcap::PcapReader;
    use time::macros::datetime;

    use super::*;

    fn recipe(bytes_per_packet: u64) -> Recipe<'static> {
        Recipe {
            seed: "/subscriptions/s/vm",
            start: datetime!(2026-11-23 10:15:30.1234567 UTC),
            duration: Duration::from_secs(10),
            bytes_per_packet,
            total_bytes: 1_073_741_824,
        }
    }

    #[test]
    fn the_vm_sends_one_unbroken_stream_within_the_session() {
        let file = pcap(&recipe(0)).unwrap();
        assert_eq!(file, pcap(&recipe(0)).unwrap());
        let mut reader = PcapReader::new(file.as_slice()).unwrap();
        let (mut data, mut next, mut last) = (0, None, Duration::ZERO);
        while let Some(packet) = reader.next_packet() {
            let packet = packet.unwrap();
            assert!(packet.timestamp >= last);
            last = packet.timestamp;
            let sliced = SlicedPacket::from_ethernet(&packet.data).unwrap();
            let Some(TransportSlice::Tcp(tcp)) = sliced.transport else {
                panic!("not TCP")
            };
            let from_vm = packet.data[26..30] == VM.ip;
            let (source, target) = if from_vm {
                (VM.ip, PEER.ip)
            } else {
                (PEER.ip, VM.ip)
            };
            let checksum = tcp
                .to_header()
                .calc_checksum_ipv4_raw(source, target, tcp.payload());
            assert_eq!(checksum.unwrap(), tcp.checksum());
            if from_vm {
                let sequence = tcp.sequence_number();
                assert_eq!(sequence, *next.get_or_insert(sequence));
                let length =
                    tcp.payload().len() as u32 + u32::from(tcp.syn()) + u32::from(tcp.fin());
                next = Some(sequence.wrapping_add(length));
                data += usize::from(!tcp.payload().is_empty());
            }
        }
        assert!(data > 120);
        assert!(last < Duration::from_micros(micros(recipe(0).start)) + Duration::from_secs(10));
    }

    #[test]
    fn packets_are_cut_to_what_was_asked_for() {
        let file = pcap(&recipe(64)).unwrap();
        let mut reader = PcapReader::new(file.as_slice()).unwrap();
        let mut longest = 0;
        while let Some(packet) = reader.next_packet() {
            let packet = packet.unwrap();
            assert!(packet.data.len() <= 64);
            longest = longest.max(packet.orig_len);
        }
        assert_eq!(longest, 14 + 20 + 20 + SEGMENT_BYTES as u32);
    }
}
