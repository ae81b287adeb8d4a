//! A capture of everything at once: TCP of all kinds, DNS, ARP, ICMP. The seed decides.

use super::chance::Chance;
use super::file::{File, Kind, Packet};
use super::frames::{self, ACK, End, PSH, RST, SYN, end};
use super::talk::Talk;

const START: u64 = 1_790_000_000_000_000_000;

pub fn kind(chance: &mut Chance) -> Kind {
    let big_endian = chance.percent(50);
    match chance.below(5) {
        0 => Kind::Pcap {
            big_endian,
            nanoseconds: true,
        },
        1 => Kind::Pcapng {
            big_endian,
            resolution: None,
        },
        2 => Kind::Pcapng {
            big_endian,
            resolution: Some(9),
        },
        3 => Kind::Modified { big_endian },
        _ => Kind::Pcap {
            big_endian,
            nanoseconds: false,
        },
    }
}

/// The bytes of a capture file.
pub fn capture(seed: u64) -> Vec<u8> {
    let mut chance = Chance::new(seed);
    let kind = kind(&mut chance);
    let snap_length = if chance.percent(20) {
        chance.between(54, 120) as u32
    } else {
        262_144
    };
    File::of(kind, snap_length, &packets(&mut chance))
}

/// The packets of a capture, in the order of their times.
pub fn packets(chance: &mut Chance) -> Vec<Packet> {
    let mut packets = Vec::new();
    for number in 0..chance.between(3, 12) {
        let now = START + chance.below(4_000_000_000);
        let (client, server) = ends(chance, number);
        // Numbers that wrap around within the first kilobytes, half of the time.
        let number = |chance: &mut Chance| {
            let near = chance.below(5_000) as u32;
            if chance.percent(50) {
                u32::MAX - near
            } else {
                chance.next() as u32
            }
        };
        let mut talk = Talk::new(client, server, [number(chance), number(chance)], now);
        match chance.below(10) {
            0 => no_answer(&mut talk, chance),
            1 => refused(&mut talk),
            2 | 3 => orderly(&mut talk, chance),
            4 => dns(&mut packets, chance, now),
            5 => neighbors(&mut packets, chance, now),
            _ => wild(&mut talk, chance),
        }
        packets.append(&mut talk.packets);
    }
    // Whole microseconds: some formats keep no more.
    for packet in &mut packets {
        packet.time -= packet.time % 1_000;
    }
    packets.sort_by_key(|packet| packet.time);
    packets
}

fn ends(chance: &mut Chance, number: u64) -> (End, End) {
    let ports = if chance.percent(20) { 2 } else { 20_000 };
    let port = 20_000 + chance.below(ports) as u16;
    let service = [443, 80, 1433, 8_443, 9_000][chance.below(5) as usize];
    if chance.percent(20) {
        (
            end("fd00::4", port),
            end(&format!("fd00::2:{number:x}"), service),
        )
    } else {
        (
            end("10.0.0.4", port),
            end(&format!("10.1.2.{}", number % 250 + 1), service),
        )
    }
}

fn no_answer(talk: &mut Talk, chance: &mut Chance) {
    let mut wait = 1_000_000_000;
    for _ in 0..chance.between(1, 3) {
        // The same SYN again: the stream must not move on.
        talk.again_syn().after(wait);
        wait *= 2;
    }
}

fn refused(talk: &mut Talk) {
    talk.send(0, SYN, &[])
        .after(800_000)
        .send(1, RST | ACK, &[]);
}

fn orderly(talk: &mut Talk, chance: &mut Chance) {
    talk.handshake(chance.between(300_000, 40_000_000));
    for _ in 0..chance.between(1, 20) {
        let question = vec![b'q'; chance.between(1, 600) as usize];
        talk.after(chance.below(3_000_000))
            .send(0, ACK | PSH, &question);
        for _ in 0..chance.between(1, 6) {
            let answer = vec![b'a'; chance.between(1, 1_400) as usize];
            talk.after(chance.below(400_000)).send(1, ACK, &answer);
        }
        talk.after(chance.below(400_000)).send(0, ACK, &[]);
    }
    if chance.percent(70) {
        talk.close();
    }
}

fn wild(talk: &mut Talk, chance: &mut Chance) {
    let scale = |chance: &mut Chance| {
        if chance.percent(60) {
            Some(chance.below(9) as u8)
        } else {
            None
        }
    };
    let scales = (scale(chance), scale(chance));
    talk.scales(scales.0, scales.1);
    if chance.percent(70) {
        talk.handshake(chance.between(100_000, 20_000_000));
    }
    for _ in 0..chance.between(5, 120) {
        talk.wild_step(chance);
    }
}

fn dns(packets: &mut Vec<Packet>, chance: &mut Chance, mut now: u64) {
    let server = end("168.63.129.16", 53);
    for number in 0..chance.between(1, 12) {
        let asking = end("10.0.0.4", 50_000 + chance.below(3) as u16);
        let name = format!("host{}.example.com", chance.below(4));
        let id = if chance.percent(30) { 7 } else { number as u16 };
        for _ in 0..chance.between(1, 2) {
            packets.push(Packet {
                time: now,
                bytes: frames::udp(asking, server, &frames::dns(id, false, 0, &name)),
            });
            now += chance.between(1_000, 3_000_000_000);
        }
        let rcode = [0, 0, 0, 2, 3][chance.below(5) as usize];
        for _ in 0..chance.below(3) {
            packets.push(Packet {
                time: now,
                bytes: frames::udp(server, asking, &frames::dns(id, true, rcode, &name)),
            });
            now += chance.between(1_000, 900_000_000);
        }
    }
}

fn neighbors(packets: &mut Vec<Packet>, chance: &mut Chance, mut now: u64) {
    let own = [10, 0, 0, 4];
    for _ in 0..chance.between(1, 10) {
        let target = [10, 0, 0, chance.between(5, 12) as u8];
        packets.push(Packet {
            time: now,
            bytes: frames::arp(1, own, target),
        });
        now += 400_000;
        if chance.percent(50) {
            packets.push(Packet {
                time: now,
                bytes: frames::arp(2, target, own),
            });
        }
        let (client, server) = (end("10.0.0.4", 30_000), end("10.9.9.9", 161));
        let about = frames::udp(client, server, b"lost");
        packets.push(Packet {
            time: now,
            bytes: about.clone(),
        });
        let code = chance.below(5) as u8;
        packets.push(Packet {
            time: now + 1_000,
            bytes: frames::icmp_error(server.ip, client.ip, 3, code, &about),
        });
        now += chance.below(50_000_000);
    }
}
