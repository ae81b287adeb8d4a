//! The files, read back.

use etherparse::{SlicedPacket, TransportSlice};
use first_look::{Context, Look};
use pcap_file::pcap::PcapReader;
use time::macros::datetime;

use super::short::SEGMENT_BYTES;
use super::*;

fn recipe(bytes_per_packet: u64) -> Recipe<'static> {
    Recipe {
        traffic: Traffic::Short,
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
            let length = tcp.payload().len() as u32 + u32::from(tcp.syn()) + u32::from(tcp.fin());
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

/// What an engineer is to find in the demo's file. The counts depend on the seed alone.
#[test]
fn the_incident_shows_its_faults() {
    let mut recipe = recipe(0);
    recipe.traffic = Traffic::Incident;
    let file = pcap(&recipe).unwrap();
    assert_eq!(file, pcap(&recipe).unwrap());
    let mut look = Look::new(Default::default());
    look.feed(&file);
    let seen = look.finish(&Context::default());
    let sentences: Vec<&str> = seen
        .findings()
        .iter()
        .map(|finding| finding.sentence.as_str())
        .collect();
    assert_eq!(seen.vm(), [std::net::IpAddr::from(VM.ip)]);
    assert!(
        (2_500..4_000).contains(&seen.packets()),
        "{}",
        seen.packets()
    );
    for (part, base) in [
        ("attempts to 10.1.2.3:1433 had no answer", 30..=72),
        ("The DNS server 10.20.0.10 left", 8..=42),
        ("from the VM to 198.51.100.20 were sent again", 970..=1_030),
    ] {
        let found = seen.findings().iter().find(|it| it.sentence.contains(part));
        let found = found.unwrap_or_else(|| panic!("{part}: {sentences:#?}"));
        assert!(found.base.is_some_and(|it| base.contains(&it)), "{found:?}");
    }
    let last = seen.json()["figures"]["duration"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(last.starts_with("9."), "{last}");
}
