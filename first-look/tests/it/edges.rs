//! What a capture cannot show is not held against the network: its first and last moments, what a filter, a snap length
//! or a network card left out.

use first_look::{Context, Finding, Kind, Seen};

use super::findings::{everything, late, seen};
use super::generator::file::Packet;
use super::generator::frames::{self, ACK, PSH, end};
use super::generator::talk::Talk;
use super::setup::{MS, START, vm};

fn of_kind(seen: &Seen, kind: Kind) -> Vec<&Finding> {
    seen.findings()
        .iter()
        .filter(|it| it.kind == kind)
        .collect()
}

/// A stream that was open before, with data that the file has once.
fn open_before(count: u16) -> Vec<Packet> {
    let mut talk = Talk::new(vm(20_000), end("10.1.2.6", 443), [7, 9], START);
    for _ in 0..count {
        talk.send(0, ACK | PSH, &[b'q'; 300]).after(2 * MS);
        talk.send(1, ACK, &[b'a'; 900]).after(2 * MS);
    }
    talk.packets
}

/// The packets with a second copy of each, this much later.
fn twice(packets: Vec<Packet>, later: u64) -> Vec<Packet> {
    packets
        .into_iter()
        .flat_map(|packet| {
            let time = packet.time + later;
            [packet.clone(), Packet { time, ..packet }]
        })
        .collect()
}

#[test]
fn the_beginning_of_a_file_is_no_attempt_and_nothing_is_missing_before_it() {
    let mut packets = open_before(40);
    late(&mut packets);
    let seen = seen(&mut packets, &Context::default());
    assert!(seen.findings().is_empty(), "{:?}", seen.findings());
    let tcp = &seen.json()["figures"]["tcp"];
    assert_eq!(
        (&tcp["attempts"], &tcp["midstream"]),
        (&0.into(), &1.into())
    );
}

#[test]
fn the_last_second_leaves_no_query_and_no_attempt_unanswered() {
    for (pause, expected) in [(0, 0), (2_000, 1)] {
        let mut packets = Vec::new();
        for id in 0..20 {
            let query = frames::dns(id, false, 0, "db.contoso.example");
            packets.push(Packet {
                time: START + u64::from(id) * 20 * MS,
                bytes: frames::udp(vm(40_000 + id), end("10.0.0.2", 53), &query),
            });
        }
        packets.push(Packet {
            time: START + (400 + pause) * MS,
            bytes: frames::udp(vm(1), end("10.0.0.9", 2), b"end"),
        });
        let seen = seen(&mut packets, &Context::default());
        assert_eq!(of_kind(&seen, Kind::Dns).len(), expected, "{pause} ms");
    }
}

/// With accelerated networking a packet may be seen at two interfaces. Data sent again comes later than that.
#[test]
fn a_packet_that_is_twice_in_the_file_was_not_sent_again() {
    for (later, doubles, again) in [(MS / 50, 1, 0), (400 * MS, 0, 2)] {
        let mut packets = twice(open_before(40), later);
        late(&mut packets);
        let seen = seen(&mut packets, &Context::default());
        let file = of_kind(&seen, Kind::File);
        assert_eq!(file.len(), doubles, "{:?}", seen.findings());
        let retransmissions = of_kind(&seen, Kind::Retransmission);
        assert_eq!(retransmissions.len(), again, "{:?}", seen.findings());
    }
}

/// A filter or a second network interface can leave one direction out.
#[test]
fn one_direction_alone_is_said_of_the_file_and_not_of_the_network() {
    let mut packets = Vec::new();
    for number in 0..30 {
        let now = START + u64::from(number) * 50 * MS;
        let mut talk = Talk::new(vm(20_000 + number), end("10.1.2.3", 1_433), [7, 9], now);
        talk.handshake(2 * MS)
            .send(0, ACK | PSH, b"select")
            .after(MS)
            .send(1, ACK | PSH, b"rows")
            .after(MS)
            .close();
        packets.append(&mut talk.packets);
    }
    // The source address of an Ethernet frame with IPv4.
    packets.retain(|packet| packet.bytes[26..30] == [10, 0, 0, 4]);
    late(&mut packets);
    let seen = seen(&mut packets, &Context::default());
    let sentences: Vec<&str> = seen
        .findings()
        .iter()
        .map(|it| it.sentence.as_str())
        .collect();
    assert_eq!(
        sentences,
        [
            "The file holds one direction only in 30 of 30 (100 %) TCP streams: what came back is not in it."
        ]
    );
    assert!(
        !seen.findings()[0]
            .check_next()
            .iter()
            .any(|it| it.contains("storage")),
        "{:?}",
        seen.findings()[0].check_next()
    );
}

/// The guest hands over segments of up to 64 KiB, which its network card splits; their IP length may be 0.
#[test]
fn segments_before_they_are_split_are_neither_sent_again_nor_damaged() {
    let mut talk = Talk::new(vm(20_000), end("10.1.2.6", 443), [7, 9], START);
    talk.handshake(MS);
    for _ in 0..30 {
        talk.send(0, ACK, &[b'x'; 40_000]).after(MS);
        talk.send(1, ACK, &[]).after(MS);
    }
    let mut packets = talk.packets;
    for packet in packets
        .iter_mut()
        .filter(|packet| packet.bytes.len() > 1_500)
    {
        packet.bytes[16..18].fill(0);
    }
    late(&mut packets);
    let seen = seen(&mut packets, &Context::default());
    assert!(seen.findings().is_empty(), "{:?}", seen.findings());
    let json = seen.json();
    assert_eq!(json["figures"]["tcp"]["payload"], 30 * 40_000);
    assert_eq!(json["notLookedInto"], serde_json::json!([]));
}

/// What was asked for by bytes per packet is not held against the file.
#[test]
fn a_snap_length_is_a_finding_only_if_it_was_not_asked_for() {
    use super::generator::file::{File, MICROSECONDS};
    let mut packets = everything();
    packets.sort_by_key(|packet| packet.time);
    for (asked, expected) in [(None, 1), (Some(0), 1), (Some(96), 0)] {
        let mut context = Context::default();
        context.bytes_per_packet = asked;
        let mut look = first_look::Look::new(first_look::Options::default());
        look.feed(&File::of(MICROSECONDS, 96, &packets));
        let seen = look.finish(&context);
        let cut = of_kind(&seen, Kind::File);
        let cut: Vec<_> = cut
            .iter()
            .filter(|it| it.sentence.contains("cut to 96"))
            .collect();
        assert_eq!(cut.len(), expected, "{asked:?}: {cut:?}");
        // TCP's own figures do not depend on it.
        assert!(!of_kind(&seen, Kind::NoAnswer).is_empty());
    }
}

#[test]
fn an_empty_capture_names_its_filters_if_it_had_any() {
    let mut context = Context::default();
    for (filtered, expected) in [
        (false, "The file is a capture without any packet."),
        (
            true,
            "The file is a capture without any packet that passed the filters.",
        ),
    ] {
        context.filtered = filtered;
        let seen = seen(&mut [], &context);
        assert_eq!(seen.findings()[0].sentence, expected);
    }
}
