//! The capture file's content: made-up traffic of the VM, the kind that raises the alert. The same capture always gets
//! the same bytes.

mod burst;
mod incident;
mod message;
mod short;
mod talk;
#[cfg(test)]
mod tests;

use std::io;
use std::time::Duration;

use pcap_file::pcap::{PcapHeader, PcapPacket, PcapWriter};
use pcap_file::{DataLink, PcapError, TsResolution};
use rand::SeedableRng;
use rand::rngs::StdRng;
use time::OffsetDateTime;

/// What libpcap writes for "whole packets".
const WHOLE: u32 = 262_144;

/// What the traffic of capture files is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Traffic {
    /// One stream of 168 packets, which costs little where captures are made by the thousand.
    #[default]
    Short,
    /// A web server in trouble: a database that stops answering, a DNS server that fails, a burst with some loss. A few
    /// thousand packets.
    Incident,
}

/// What the file depends on.
pub(super) struct Recipe<'a> {
    pub traffic: Traffic,
    pub seed: &'a str,
    pub start: OffsetDateTime,
    pub duration: Duration,
    /// 0 keeps whole packets.
    pub bytes_per_packet: u64,
    /// 0 means no limit.
    pub total_bytes: u64,
}

/// A frame and its distance from the start of the capture.
type Frame = (Duration, Vec<u8>);

/// A machine, or what stands for it on the VM's network: beyond the subnet, that is Azure's gateway.
#[derive(Clone, Copy)]
struct Host {
    mac: [u8; 6],
    ip: [u8; 4],
}

impl Host {
    const fn beyond(ip: [u8; 4]) -> Self {
        let mac = [0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc];
        Self { mac, ip }
    }
}

const VM: Host = Host {
    mac: [0x00, 0x0d, 0x3a, 0x2b, 0x11, 0x04],
    ip: [10, 20, 0, 4],
};
/// Where the burst goes.
const PEER: Host = Host::beyond([198, 51, 100, 20]);

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
    let mut random = StdRng::seed_from_u64(fingerprint(recipe.seed));
    let frames = match recipe.traffic {
        Traffic::Short => short::frames(&mut random, recipe.duration)?,
        Traffic::Incident => incident::frames(&mut random, recipe.duration)?,
    };
    let mut writer = PcapWriter::with_header(Vec::new(), header).map_err(container)?;
    let mut written = 0;
    for (offset, frame) in frames {
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

/// FNV-1a: small, and unlike the standard hasher the same for ever.
fn fingerprint(text: &str) -> u64 {
    text.to_ascii_lowercase()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}
