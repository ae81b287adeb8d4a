//! Names, neighbors and doubles: small captures whose figures are computed by hand.

use serde_json::json;

use super::generator::file::Packet;
use super::generator::frames::{self, ACK, end};
use super::setup::{MS, START, of, talk, vm};

#[test]
fn dns_queries_and_what_became_of_them() {
    let dns_server = end("168.63.129.16", 53);
    let mut packets = Vec::new();
    let mut at = |time: u64, id, response, rcode, name| {
        let message = frames::dns(id, response, rcode, name);
        let (from, to) = if response {
            (dns_server, vm(50_000))
        } else {
            (vm(50_000), dns_server)
        };
        packets.push(Packet {
            time: START + time * MS,
            bytes: frames::udp(from, to, &message),
        });
    };
    at(0, 1, false, 0, "a.example.com");
    at(20, 1, true, 0, "a.example.com");
    // Asked twice, answered twice: one time, from the first query on.
    at(100, 2, false, 0, "b.example.com");
    at(1_100, 2, false, 0, "b.example.com");
    at(1_140, 2, true, 3, "b.example.com");
    at(1_150, 2, true, 3, "b.example.com");
    // The same id 5 s later is another query.
    at(2_000, 3, false, 0, "c.example.com");
    at(7_000, 3, false, 0, "c.example.com");
    at(8_000, 4, false, 0, "d.example.com");
    at(8_010, 4, true, 2, "d.example.com");
    // Within the file's last second.
    at(8_500, 5, false, 0, "e.example.com");
    let figures = of(&packets);
    let dns = &figures["dns"];
    for (name, expected) in [
        ("queries", 7),
        ("responses", 4),
        ("repeated", 1),
        ("repeated_responses", 1),
        ("answered", 3),
        ("unanswered", 3),
        ("too_late", 1),
    ] {
        assert_eq!(dns[name], expected, "{name}");
    }
    assert_eq!(
        dns["rcodes"],
        json!({"NXDOMAIN": 2, "NOERROR": 1, "SERVFAIL": 1})
    );
    assert_eq!(
        dns["failed"],
        json!({"NXDOMAIN b.example.com": 2, "SERVFAIL d.example.com": 1})
    );
    assert_eq!(
        dns["time"],
        json!({"count": 3, "min": "0.010000000", "p50": "0.020000000", "p95": "1.040000000", "max": "1.040000000"})
    );
    let sums = &dns["servers"][0];
    assert_eq!(
        (&sums["queries"], &sums["silent"], &sums["failed"]),
        (&json!(7), &json!(2), &json!(1))
    );
    assert_eq!(figures["udp"]["streams"], 1);
}

#[test]
fn tls_hellos_are_put_together_and_alerts_are_read() {
    let hello = frames::client_hello("www.example.com");
    let mut talk = talk();
    talk.handshake(MS).send(0, ACK, &hello[..40]).after(MS);
    // The first half once more does not harm.
    talk.again(0, 40, 40).send(0, ACK, &hello[40..]).after(MS);
    talk.send(1, ACK, &frames::server_hello())
        .after(MS)
        .send(0, ACK, &frames::alert(48));
    let tls = &of(&talk.packets)["tls"];
    assert_eq!(
        (&tls["client_hello"], &tls["server_hello"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(tls["sni"], json!({"www.example.com": 1}));
    assert_eq!(tls["versions"], json!({"TLS 1.3": 1}));
    assert_eq!(tls["alerts"], json!({"2/48": 1}));
}

#[test]
fn what_an_icmp_error_quotes_is_no_traffic() {
    let about = frames::udp(vm(50_000), end("10.9.9.9", 161), b"lost");
    let own = [10, 0, 0, 4];
    let packets: Vec<Packet> = [
        about.clone(),
        frames::icmp_error(
            "10.9.9.9".parse().expect("an address"),
            vm(50_000).ip,
            3,
            3,
            &about,
        ),
        frames::arp(1, own, [10, 0, 0, 7]),
        frames::arp(2, [10, 0, 0, 7], own),
        frames::arp(1, own, [10, 0, 0, 8]),
        frames::arp(1, own, own),
    ]
    .into_iter()
    .enumerate()
    .map(|(index, bytes)| Packet {
        time: START + index as u64 * MS,
        bytes,
    })
    .collect();
    let figures = of(&packets);
    assert_eq!(figures["udp"]["packets"], 1);
    assert_eq!(figures["icmp"]["v4"], json!({"3/3": 1}));
    assert_eq!(
        figures["icmp"]["unreachable_by_sender"],
        json!({"10.9.9.9": 1})
    );
    assert_eq!(figures["icmp"]["errors"][0]["about"], "10.9.9.9:161");
    assert_eq!(
        (&figures["arp"]["requests"], &figures["arp"]["replies"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(figures["arp"]["silent"], json!(["10.0.0.8"]));
}

#[test]
fn packets_that_are_in_the_file_twice_are_counted() {
    let mut talk = talk();
    talk.handshake(MS).send(0, ACK, b"x");
    let twice: Vec<Packet> = talk
        .packets
        .iter()
        .flat_map(|packet| {
            [
                packet.clone(),
                Packet {
                    time: packet.time + 20_000,
                    ..packet.clone()
                },
            ]
        })
        .collect();
    assert_eq!(of(&talk.packets)["doubles"], 0);
    assert_eq!(of(&twice)["doubles"], 4);
}
