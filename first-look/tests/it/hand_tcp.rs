//! TCP: small captures whose figures are computed by hand.

use serde_json::{Value, json};

use super::generator::file::Packet;
use super::generator::frames::{ACK, FIN, PSH, RST, SYN, end};
use super::generator::talk::Talk;
use super::setup::{MS, START, of, server, talk, vm};

/// The marks that are not zero.
fn marks(figures: &Value) -> Value {
    let mut marks = figures["tcp"]["analysis"]
        .as_object()
        .expect("marks")
        .clone();
    marks.retain(|_, count| count != 0);
    Value::Object(marks)
}

#[test]
fn a_stream_from_handshake_to_close() {
    let mut talk = talk();
    talk.handshake(8 * MS)
        .after(MS)
        .send(0, ACK | PSH, &[b'q'; 100])
        .after(MS)
        .send(1, ACK, &[b'a'; 1_000]);
    talk.after(MS).send(0, ACK, &[]).after(MS).close();
    let figures = of(&talk.packets);
    // Frames: SYN and SYN-ACK of 62 bytes, six without options and payload of 54, one each of 154 and 1,054.
    assert_eq!(figures["packets"], 9);
    assert_eq!(figures["bytes"], 2 * 62 + 5 * 54 + 154 + 1_054);
    assert_eq!(figures["duration"], "0.012600000");
    let tcp = &figures["tcp"];
    for (name, expected) in [
        ("packets", 9),
        ("payload", 1_100),
        ("syn", 1),
        ("syn_ack", 1),
        ("fin", 2),
        ("rst", 0),
    ] {
        assert_eq!(tcp[name], expected, "{name}");
    }
    assert_eq!((&tcp["streams"], &tcp["answered"]), (&json!(1), &json!(1)));
    // 8 ms to the SYN-ACK, 50 µs to the ACK.
    assert_eq!(
        tcp["initial_rtt"],
        json!({"count": 1, "min": "0.008050000", "p50": "0.008050000", "p95": "0.008050000", "max": "0.008050000"})
    );
    assert_eq!(marks(&figures), json!({}));
    assert_eq!(figures["hosts"][0]["host"], "10.0.0.4");
    assert_eq!(figures["hosts"][0]["sent_bytes"], 62 + 4 * 54 + 154);
    assert_eq!(figures["vm"], json!(["10.0.0.4"]));
}

#[test]
fn attempts_end_in_one_of_five_ways() {
    let mut packets = Vec::new();
    let mut attempt = |port, what: &dyn Fn(&mut Talk), at: u64| {
        let mut talk = Talk::new(vm(50_000), end("10.1.2.3", port), [1, 1], START + at);
        what(&mut talk);
        packets.append(&mut talk.packets);
    };
    attempt(
        1,
        &|talk| {
            talk.handshake(MS);
        },
        0,
    );
    attempt(
        2,
        &|talk| {
            talk.again_syn().after(1_000 * MS).again_syn();
        },
        0,
    );
    attempt(
        3,
        &|talk| {
            talk.send(0, SYN, &[]).after(MS).send(1, RST | ACK, &[]);
        },
        0,
    );
    attempt(
        4,
        &|talk| {
            talk.send(0, SYN, &[]).after(MS).send(1, ACK, &[]);
        },
        0,
    );
    attempt(
        5,
        &|talk| {
            talk.send(0, ACK, b"x").after(MS).send(1, ACK, &[]);
        },
        0,
    );
    // The last one is 0.1 s before the end: an answer may have come later.
    attempt(
        6,
        &|talk| {
            talk.send(0, SYN, &[]);
        },
        9_900 * MS,
    );
    attempt(
        7,
        &|talk| {
            talk.send(0, ACK, b"x");
        },
        10_000 * MS,
    );
    // The client continues as if it was answered: the answer is not in the file.
    attempt(
        8,
        &|talk| {
            talk.send(0, SYN, &[])
                .after(MS)
                .send(0, ACK, &[])
                .send(0, ACK, b"x");
        },
        0,
    );
    packets.sort_by_key(|packet| packet.time);
    let tcp = &of(&packets)["tcp"];
    for (name, expected) in [
        ("streams", 8),
        ("attempts", 6),
        ("answered", 1),
        ("no_answer", 3),
        ("refused", 1),
        ("other", 1),
        ("midstream", 2),
        ("too_late", 1),
        ("answer_missing", 1),
        ("one_sided", 2),
    ] {
        assert_eq!(tcp[name], expected, "{name}");
    }
    assert_eq!(
        tcp["no_answer_to"],
        json!({"10.1.2.3 2": 1, "10.1.2.3 6": 1, "10.1.2.3 8": 1})
    );
    assert_eq!(tcp["refused_by"], json!({"10.1.2.3 3": 1}));
    assert_eq!(
        tcp["failed_by_client"],
        json!({"10.0.0.4": {"hosts": 1, "endpoints": 4}})
    );
}

#[test]
fn each_mark_on_its_own() {
    type Story = fn(&mut Talk);
    let stories: [(&str, Story, Value); 12] = [
        (
            "sent again after a second",
            |talk| {
                talk.send(0, ACK, &[b'x'; 100])
                    .after(1_000 * MS)
                    .again(0, 100, 100);
            },
            json!({"plain_retransmission": 1, "retransmission": 1}),
        ),
        (
            "sent again although acknowledged",
            |talk| {
                talk.send(0, ACK, &[b'x'; 100])
                    .after(MS)
                    .send(1, ACK, &[])
                    .after(300 * MS)
                    .again(0, 100, 100);
            },
            json!({"retransmission": 1, "spurious_retransmission": 1}),
        ),
        (
            "sent again after two duplicate ACKs",
            |talk| {
                talk.send(0, ACK, &[b'x'; 100])
                    .send(0, ACK, &[b'x'; 100])
                    .after(20 * MS);
                // The third says the same as the second, and so does the fourth.
                talk.ack(1, 200)
                    .ack(1, 200)
                    .ack(1, 200)
                    .after(MS)
                    .again(0, 200, 100);
            },
            json!({"duplicate_ack": 3, "retransmission": 1, "fast_retransmission": 1}),
        ),
        (
            "overtaken on the way",
            |talk| {
                talk.lose(0, 100)
                    .send(0, ACK, &[b'x'; 100])
                    .after(MS)
                    .again(0, 200, 100);
            },
            json!({"lost_segment": 1, "out_of_order": 1}),
        ),
        (
            "acknowledged but not in the file",
            |talk| {
                talk.lose(0, 100).after(MS).send(1, ACK, &[]);
            },
            json!({"ack_lost_segment": 1}),
        ),
        (
            "keep-alive and its answer",
            |talk| {
                talk.after(MS)
                    .send(1, ACK, &[])
                    .after(45_000 * MS)
                    .again(0, 1, 1)
                    .after(MS)
                    .send(1, ACK, &[]);
            },
            json!({"duplicate_ack": 1, "keep_alive": 1, "keep_alive_ack": 1}),
        ),
        (
            "a closed window, a probe, its answer, and open again",
            |talk| {
                talk.send(0, ACK, &[b'x'; 100])
                    .after(MS)
                    .window(1, 0)
                    .send(1, ACK, &[])
                    .after(MS);
                talk.again(0, 0, 1)
                    .after(MS)
                    .send(1, ACK, &[])
                    .after(MS)
                    .window(1, 500)
                    .send(1, ACK, &[]);
            },
            json!({"zero_window": 2, "zero_window_probe": 1, "zero_window_probe_ack": 1, "window_update": 1}),
        ),
        (
            "a window of 1,280 bytes that is filled",
            |talk| {
                talk.window(1, 10)
                    .send(1, ACK, &[])
                    .after(MS)
                    .send(0, ACK, &[b'x'; 1_280]);
            },
            json!({"window_update": 1, "window_full": 1}),
        ),
        (
            "a new stream on the same ports",
            |talk| {
                talk.lose(0, 10_000).after(MS).send(0, SYN, &[]);
            },
            json!({"reused_ports": 1}),
        ),
        (
            "the SYN-ACK again",
            |talk| {
                let packet = talk.packets[1].clone();
                talk.packets.push(Packet {
                    time: talk.now + 1_000 * MS,
                    ..packet
                });
            },
            json!({"plain_retransmission": 1, "retransmission": 1}),
        ),
        (
            "numbers that wrap around are nothing special",
            |talk| {
                *talk = Talk::new(
                    vm(50_000),
                    server(),
                    [u32::MAX - 50, u32::MAX - 2_000],
                    START,
                );
                talk.handshake(MS)
                    .send(0, ACK, &[b'x'; 100])
                    .after(MS)
                    .send(1, ACK, &[b'x'; 3_000])
                    .after(MS)
                    .send(0, ACK, &[]);
            },
            json!({}),
        ),
        (
            "a FIN that is sent again",
            |talk| {
                talk.send(0, FIN | ACK, &[]);
                let packet = talk.packets.last().expect("a packet").clone();
                talk.packets.push(Packet {
                    time: talk.now + 400 * MS,
                    ..packet
                });
            },
            json!({"plain_retransmission": 1, "retransmission": 1}),
        ),
    ];
    for (name, story, expected) in stories {
        let mut talk = talk();
        talk.handshake(5 * MS).after(MS);
        story(&mut talk);
        assert_eq!(marks(&of(&talk.packets)), expected, "{name}");
    }
}

#[test]
fn closed_windows_and_resets_have_their_times() {
    let mut talk = talk();
    talk.handshake(MS)
        .send(0, ACK, b"x")
        .after(MS)
        .window(1, 0)
        .send(1, ACK, &[]);
    talk.after(700 * MS)
        .window(1, 500)
        .send(1, ACK, &[])
        .after(MS)
        .send(0, ACK, b"x")
        .after(MS)
        .send(1, ACK, &[]);
    talk.after(240_000 * MS).send(1, RST | ACK, &[]);
    let tcp = &of(&talk.packets)["tcp"];
    assert_eq!(
        tcp["zero_windows"],
        json!([{"receiver": "10.1.2.3", "sender": "10.0.0.4", "server": "10.1.2.3:443", "times": 1, "longest": "0.700000000", "total": "0.700000000", "still_closed": 0}])
    );
    assert_eq!(
        tcp["resets"],
        json!([{"sender": "10.1.2.3", "server": "10.1.2.3:443", "count": 1, "idle_mean": "240.000000000", "idle_max": "240.000000000"}])
    );
    assert_eq!(
        (&tcp["reset_streams"], &tcp["open_streams"]),
        (&json!(1), &json!(1))
    );
}
