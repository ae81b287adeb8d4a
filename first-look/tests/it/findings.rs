//! What stands out, in the words of the notification.

use first_look::{Alert, Context, Counted, Kind, Look, Metric, NamePolicy, Options, Seen};

use super::generator::file::{File, MICROSECONDS, Packet};
use super::generator::frames::{self, ACK, End, PSH, RST, SYN, end};
use super::generator::talk::Talk;
use super::setup::{MS, START, vm};

pub(crate) fn seen(packets: &mut [Packet], context: &Context) -> Seen {
    packets.sort_by_key(|packet| packet.time);
    let mut options = Options::default();
    options.vm = vec!["10.0.0.4".parse().expect("an address")];
    let mut look = Look::new(options);
    look.feed(&File::of(MICROSECONDS, 262_144, packets));
    look.finish(context)
}

/// Attempts to a server, of which some are answered.
fn attempts(packets: &mut Vec<Packet>, server: End, count: u16, answered: u16) {
    for number in 0..count {
        let mut talk = Talk::new(
            vm(20_000 + number),
            server,
            [7, 9],
            START + u64::from(number) * 50 * MS,
        );
        if number < answered {
            talk.handshake(2 * MS);
        } else {
            talk.again_syn().after(1_000 * MS).again_syn();
        }
        packets.append(&mut talk.packets);
    }
}

/// Something at the end of the file, so that an answer to anything before would be in the file.
pub(crate) fn late(packets: &mut Vec<Packet>) {
    packets.push(Packet {
        time: START + 60_000 * MS,
        bytes: frames::udp(vm(1), end("10.0.0.9", 2), b"end"),
    });
}

#[test]
fn a_database_that_does_not_answer() {
    let mut packets = Vec::new();
    attempts(&mut packets, end("10.1.2.3", 1_433), 214, 16);
    late(&mut packets);
    let mut context = Context::default();
    context.name = "web-01.cap".into();
    let seen = seen(&mut packets, &context);
    let finding = &seen.findings()[0];
    assert_eq!(finding.kind, Kind::NoAnswer);
    assert_eq!(
        finding.sentence,
        "198 of 214 (93 %) attempts to 10.1.2.3:1433 had no answer in this file."
    );
    assert_eq!(
        finding.plain,
        "198 of 214 (93 %) attempts to port 1433 of one address had no answer in this file."
    );
    assert_eq!(
        (finding.count, finding.base, finding.endpoint.as_deref()),
        (198, Some(214), Some("10.1.2.3:1433"))
    );
    assert_eq!(
        finding.tshark,
        "tshark -r web-01.cap -Y 'tcp.flags.syn==1 && tcp.flags.ack==0 && ip.dst==10.1.2.3 && tcp.dstport==1433'"
    );
    assert_eq!(seen.findings().len(), 1);
}

#[test]
fn no_percentage_of_a_few_and_nothing_loud_of_fewer() {
    let mut packets = Vec::new();
    attempts(&mut packets, end("10.1.2.3", 1_433), 19, 16);
    attempts(&mut packets, end("10.1.2.4", 80), 100, 98);
    late(&mut packets);
    let seen = seen(&mut packets, &Context::default());
    let sentences: Vec<&str> = seen
        .findings()
        .iter()
        .map(|finding| finding.sentence.as_str())
        .collect();
    assert_eq!(
        sentences,
        ["3 of 19 attempts to 10.1.2.3:1433 had no answer in this file."]
    );
}

#[test]
fn attempts_at_the_very_end_are_not_called_unanswered() {
    let mut packets = Vec::new();
    for number in 0..30 {
        let mut talk = Talk::new(
            vm(20_000 + number),
            end("10.1.2.3", 443),
            [7, 9],
            START + u64::from(number) * 10 * MS,
        );
        talk.send(0, SYN, &[]);
        packets.append(&mut talk.packets);
    }
    let seen = seen(&mut packets, &Context::default());
    assert!(seen.findings().is_empty(), "{:?}", seen.findings());
    assert_eq!(
        seen.notice_lines(NamePolicy::Full)
            .last()
            .map(String::as_str),
        Some("Nothing stands out by the measures of this look.")
    );
}

/// Enough of everything for a finding of almost every kind.
pub(crate) fn everything() -> Vec<Packet> {
    troubles(40, 10)
}

/// Attempts of which a tenth is answered, and some of everything else.
pub(crate) fn troubles(tried: u16, count: u16) -> Vec<Packet> {
    let mut packets = Vec::new();
    attempts(&mut packets, end("10.1.2.3", 1_433), tried, tried / 10);
    for number in 0..count {
        let now = START + u64::from(number) * 100 * MS;
        let mut refused = Talk::new(vm(30_000 + number), end("10.1.2.4", 6_379), [7, 9], now);
        refused.send(0, SYN, &[]).after(MS).send(1, RST | ACK, &[]);
        let mut reset = Talk::new(vm(31_000 + number), end("10.1.2.5", 5_432), [7, 9], now);
        reset
            .handshake(300 * MS)
            .send(0, ACK | PSH, b"select")
            .after(MS)
            .send(1, RST | ACK, &[]);
        let mut again = Talk::new(vm(32_000 + number), end("10.1.2.6", 443), [7, 9], now);
        again
            .handshake(MS)
            .send(0, ACK, &[b'x'; 900])
            .after(400 * MS)
            .again(0, 900, 900)
            .after(MS);
        again
            .window(1, 0)
            .send(1, ACK, &[])
            .after(500 * MS)
            .send(1, ACK, &[]);
        let mut alert = Talk::new(vm(33_000 + number), end("10.1.2.7", 8_443), [7, 9], now);
        alert
            .handshake(MS)
            .send(0, ACK, &frames::client_hello("api.contoso.example"))
            .after(MS)
            .send(1, ACK, &frames::alert(40));
        for mut talk in [refused, reset, again, alert] {
            packets.append(&mut talk.packets);
        }
        let query = frames::dns(number, false, 0, "db.contoso.example");
        packets.push(Packet {
            time: now,
            bytes: frames::udp(vm(40_000 + number), end("10.0.0.2", 53), &query),
        });
        let about = frames::udp(vm(41_000), end("10.9.9.9", 161), b"lost");
        packets.push(Packet {
            time: now,
            bytes: frames::icmp_error(
                "10.0.0.1".parse().expect("an address"),
                vm(0).ip,
                3,
                1,
                &about,
            ),
        });
        packets.push(Packet {
            time: now,
            bytes: frames::arp(1, [10, 0, 0, 4], [10, 0, 1, number as u8]),
        });
    }
    late(&mut packets);
    packets
}

pub(crate) fn with_alert() -> Context {
    let mut context = Context::default();
    let mut metric = Metric::new("144", Counted::SegmentsSent);
    (metric.aggregation, metric.window_seconds) = (Some("Total".into()), Some(300));
    context.alert = Some(Alert {
        at: START as i64 + 1_000_000_000,
        metric: Some(metric),
    });
    context
}

#[test]
fn findings_keep_their_order_and_a_notification_has_eight_lines() {
    let seen = seen(&mut everything(), &with_alert());
    let kinds: Vec<Kind> = seen.findings().iter().map(|finding| finding.kind).collect();
    assert!(kinds.is_sorted(), "{kinds:?}");
    for kind in [
        Kind::NoAnswer,
        Kind::Refused,
        Kind::Reset,
        Kind::Dns,
        Kind::Retransmission,
        Kind::ReceiverFull,
        Kind::RoundTrip,
        Kind::Burst,
        Kind::Tls,
        Kind::Network,
    ] {
        assert!(kinds.contains(&kind), "{kind:?} of {kinds:?}");
    }
    let lines = seen.notice_lines(NamePolicy::Full);
    assert_eq!(lines.len(), 8, "{lines:#?}");
    assert!(
        lines[1].starts_with("36 of 40 (90 %) attempts to 10.1.2.3:1433"),
        "{lines:#?}"
    );
    assert!(
        lines[7].ends_with("findings more; see the report."),
        "{lines:#?}"
    );
    let burst = seen
        .findings()
        .iter()
        .find(|finding| finding.kind == Kind::Burst)
        .expect("the alert's metric");
    assert_eq!(
        burst.sentence,
        format!(
            "The alert counted 144 TCP segments sent (total over 300 s); this file has {} in its 60.0 s.",
            burst.count
        )
    );
}

#[test]
fn names_of_hosts_can_be_kept_out() {
    let seen = seen(&mut everything(), &with_alert());
    let counts = seen.notice_lines(NamePolicy::Counts).join("\n");
    assert!(
        !counts.contains("10.") && !counts.contains("contoso"),
        "{counts}"
    );
    assert!(
        counts.contains("36 of 40 (90 %) attempts to port 1433 of one address"),
        "{counts}"
    );
    assert!(
        counts.contains("One DNS server left"),
        "sentences stay sentences without the name: {counts}"
    );
    for finding in seen.findings() {
        assert!(
            !finding.plain.contains("10.") && !finding.plain.contains("contoso"),
            "{}",
            finding.plain
        );
    }
    assert!(seen.notice_lines(NamePolicy::None).is_empty());
}

#[test]
fn one_source_and_many_endpoints() {
    let mut packets = Vec::new();
    for number in 0..60 {
        let from = end("203.0.113.9", 40_000 + number);
        let mut talk = Talk::new(
            from,
            vm(1_000 + number),
            [7, 9],
            START + u64::from(number) * MS,
        );
        talk.send(0, SYN, &[]).after(100_000);
        if number % 2 == 0 {
            talk.send(1, RST | ACK, &[]);
        }
        packets.append(&mut talk.packets);
    }
    late(&mut packets);
    let seen = seen(&mut packets, &Context::default());
    assert_eq!(
        seen.findings()[0].sentence,
        "203.0.113.9 tried 60 endpoints on 1 host without success; 0 of all 60 attempts were answered."
    );
}

#[test]
fn few_attempts_at_many_endpoints_become_one_sentence() {
    let mut packets = Vec::new();
    for number in 0..8 {
        attempts(&mut packets, end(&format!("10.1.2.{number}"), 443), 2, 1);
    }
    late(&mut packets);
    let seen = seen(&mut packets, &Context::default());
    let sentences: Vec<&str> = seen
        .findings()
        .iter()
        .map(|finding| finding.sentence.as_str())
        .collect();
    assert_eq!(
        sentences,
        ["8 of 16 attempts, to 8 endpoints, had no answer in this file."]
    );
}

/// A response of each code from the server, each in a stream of its own.
fn responses(packets: &mut Vec<Packet>, server: End, first_port: u16, codes: &[u16]) {
    for (number, code) in codes.iter().enumerate() {
        let number = number as u16;
        let now = START + u64::from(number) * 100 * MS;
        let mut talk = Talk::new(vm(first_port + number), server, [7, 9], now);
        talk.handshake(MS)
            .send(0, ACK | PSH, b"GET /orders HTTP/1.1\r\nHost: shop\r\n\r\n")
            .after(5 * MS)
            .send(
                1,
                ACK | PSH,
                format!("HTTP/1.1 {code} X\r\nContent-Length: 0\r\n\r\n").as_bytes(),
            )
            .after(MS)
            .close();
        packets.append(&mut talk.packets);
    }
}

#[test]
fn a_server_that_answers_with_500_and_above() {
    let mut packets = Vec::new();
    responses(&mut packets, end("10.1.2.8", 80), 20_000, &[200; 18]);
    responses(&mut packets, end("10.1.2.8", 80), 21_000, &[500, 502, 503]);
    responses(
        &mut packets,
        end("10.1.2.9", 8_080),
        22_000,
        &[500, 503, 404, 404],
    );
    late(&mut packets);
    let seen = seen(&mut packets, &Context::default());
    let findings = seen.findings();
    assert_eq!(findings.len(), 1, "{findings:?}");
    let finding = &findings[0];
    assert_eq!(finding.kind, Kind::Http);
    assert_eq!(
        finding.sentence,
        "3 of 25 (12 %) HTTP responses in clear are of 500 and above, from 10.1.2.8:80."
    );
    assert_eq!(
        finding.plain,
        "3 of 25 (12 %) HTTP responses in clear are of 500 and above, from port 80 of one address."
    );
    assert_eq!(
        (finding.count, finding.base, finding.endpoint.as_deref()),
        (3, Some(25), Some("10.1.2.8:80"))
    );
    assert_eq!(
        finding.filter,
        "http.response.code >= 500 && ip.src==10.1.2.8"
    );
}

/// Datagrams of 1,042 bytes to each of the hosts, 9 of 10 of them sent and the others received.
fn datagrams(counts: &[(&str, u64)]) -> Vec<Packet> {
    let mut packets = Vec::new();
    for (host, count) in counts {
        for number in 0..*count {
            let ends = [vm(40_000), end(host, 5_000)];
            let [from, to] = if number % 10 == 0 {
                [ends[1], ends[0]]
            } else {
                ends
            };
            packets.push(Packet {
                time: START + number * 20 * MS,
                bytes: frames::udp(from, to, &[number as u8; 1_000]),
            });
        }
    }
    packets
}

#[test]
fn one_conversation_with_most_of_the_bytes() {
    let loud = [
        ("10.3.0.1", 700),
        ("10.3.0.2", 150),
        ("10.3.0.3", 100),
        ("10.3.0.4", 50),
    ];
    let talker = |counts: &[(&str, u64)]| {
        let seen = seen(&mut datagrams(counts), &Context::default());
        let mut found = seen.findings().to_vec();
        found.retain(|finding| finding.kind == Kind::Talker);
        found
    };
    let found = talker(&loud);
    assert_eq!(found.len(), 1, "{found:?}");
    // 700 and 1,000 frames of 1,042 bytes; a tenth of the 700 came back.
    assert_eq!(
        found[0].sentence,
        "The VM and 10.3.0.1 exchanged 712.3 KiB of 1017.6 KiB (70 %): 641.1 KiB sent, 71.2 KiB received."
    );
    assert_eq!(
        found[0].plain,
        "The VM and one address exchanged 712.3 KiB of 1017.6 KiB (70 %): 641.1 KiB sent, 71.2 KiB received."
    );
    assert_eq!(
        (found[0].count, found[0].base, found[0].endpoint.as_deref()),
        (700 * 1_042, Some(1_000 * 1_042), Some("10.3.0.1"))
    );
    assert_eq!(found[0].filter, "ip.addr==10.0.0.4 && ip.addr==10.3.0.1");
    // Too few packets, conversations, or bytes.
    for quiet in [
        &[
            ("10.3.0.1", 699),
            ("10.3.0.2", 150),
            ("10.3.0.3", 100),
            ("10.3.0.4", 50),
        ][..],
        &[("10.3.0.1", 700), ("10.3.0.2", 200), ("10.3.0.3", 100)],
        &[
            ("10.3.0.1", 499),
            ("10.3.0.2", 301),
            ("10.3.0.3", 150),
            ("10.3.0.4", 50),
        ],
    ] {
        assert!(talker(quiet).is_empty(), "{quiet:?}");
    }
}
