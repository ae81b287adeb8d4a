//! Much traffic of a busy server: many streams at a time, some loss, DNS, ARP. Nothing is held but the streams that run.

use super::chance::Chance;
use super::file::{File, MICROSECONDS};
use super::frames::{self, ACK, End, PSH, RST, SYN, Tcp, end};
use super::talk::Talk;

/// Streams at a time.
const RUNNING: usize = 64;
const START: u64 = 1_790_000_000_000_000_000;

struct Running {
    talk: Talk,
    exchanges: u64,
}

fn begin(chance: &mut Chance, now: u64) -> Running {
    let client = end("10.0.0.4", chance.between(20_000, 60_000) as u16);
    let server = end(
        &format!("20.{}.{}.5", chance.below(40), chance.below(250)),
        443,
    );
    let mut talk = Talk::new(
        client,
        server,
        [chance.next() as u32, chance.next() as u32],
        now,
    );
    talk.handshake(chance.between(500_000, 30_000_000)).send(
        0,
        ACK | PSH,
        &frames::client_hello("api.example.com"),
    );
    Running {
        talk,
        exchanges: chance.between(2, 60),
    }
}

/// Writes a capture of about `size` bytes, piece by piece.
pub fn capture(size: u64, seed: u64, mut write: impl FnMut(&[u8])) {
    let mut chance = Chance::new(seed);
    let mut file = File::new(MICROSECONDS, 1, 262_144);
    let mut running: Vec<Running> = (0..RUNNING).map(|_| begin(&mut chance, START)).collect();
    let (mut now, mut written) = (START, 0);
    while written < size {
        let index = chance.below(RUNNING as u64) as usize;
        let stream = &mut running[index];
        stream.talk.now = stream.talk.now.max(now);
        exchange(&mut stream.talk, &mut chance);
        stream.exchanges -= 1;
        if stream.exchanges == 0 {
            stream.talk.close();
        }
        for packet in stream.talk.packets.drain(..) {
            now = now.max(packet.time);
            file.packet(now, &packet.bytes);
        }
        if stream.exchanges == 0 {
            running[index] = begin(&mut chance, now);
        }
        if chance.percent(10) {
            let (asking, server) = (
                end("10.0.0.4", chance.between(50_000, 60_000) as u16),
                end("168.63.129.16", 53),
            );
            let (id, name) = (
                chance.next() as u16,
                format!("host{}.example.com", chance.below(200)),
            );
            file.packet(
                now,
                &frames::udp(asking, server, &frames::dns(id, false, 0, &name)),
            );
            if chance.percent(98) {
                file.packet(
                    now + 2_000,
                    &frames::udp(server, asking, &frames::dns(id, true, 0, &name)),
                );
            }
        }
        if chance.percent(1) {
            file.packet(
                now,
                &frames::arp(1, [10, 0, 0, 4], [10, 0, 0, chance.below(200) as u8]),
            );
        }
        now += 20_000;
        written += file.bytes.len() as u64;
        write(&file.bytes);
        file.bytes.clear();
    }
}

fn exchange(talk: &mut Talk, chance: &mut Chance) {
    let question = vec![b'q'; chance.between(50, 700) as usize];
    talk.after(10_000).send(0, ACK | PSH, &question);
    for _ in 0..chance.between(1, 6) {
        let length = if chance.percent(70) {
            1_400
        } else {
            chance.between(1, 1_399)
        } as usize;
        if chance.percent(1) {
            talk.lose(1, length)
                .after(5_000)
                .ack(0, length as u32)
                .after(5_000_000)
                .again(1, length as u32, length);
        } else {
            talk.after(5_000).send(1, ACK, &vec![b'a'; length]);
        }
    }
    talk.after(5_000).send(0, ACK, &[]);
}

/// Writes a flood of SYNs: each from another address and port.
pub fn flood(packets: u64, seed: u64, mut write: impl FnMut(&[u8])) {
    let mut chance = Chance::new(seed);
    let mut file = File::new(MICROSECONDS, 1, 262_144);
    let server = end("10.0.0.4", 443);
    for number in 0..packets {
        let ip = std::net::Ipv4Addr::from(chance.next() as u32 | 0x0100_0000).into();
        let from = End {
            ip,
            port: chance.between(1_024, 65_535) as u16,
        };
        let syn = Tcp {
            sequence: chance.next() as u32,
            flags: SYN,
            window: 1_024,
            ..Tcp::default()
        };
        file.packet(START + number * 1_000, &frames::tcp(from, server, &syn));
        write(&file.bytes);
        file.bytes.clear();
    }
}

/// Writes datagrams with times anywhere in 68 years.
pub fn wide(packets: u64, seed: u64, mut write: impl FnMut(&[u8])) {
    let mut chance = Chance::new(seed);
    let mut file = File::new(MICROSECONDS, 1, 262_144);
    let frame = frames::udp(end("10.0.0.4", 1), end("10.0.0.5", 2), b"x");
    for _ in 0..packets {
        file.packet(chance.below(1 << 31) * 1_000_000_000, &frame);
        write(&file.bytes);
        file.bytes.clear();
    }
}

/// Writes what fills every table at once: each packet is of ends, names and ids that were not there before.
pub fn strange(packets: u64, seed: u64, mut write: impl FnMut(&[u8])) {
    let mut chance = Chance::new(seed);
    let mut file = File::new(MICROSECONDS, 1, 262_144);
    for number in 0..packets {
        let bytes = strange_frame(&mut chance);
        file.packet(START + number * 1_000_000, &bytes);
        write(&file.bytes);
        file.bytes.clear();
    }
}

fn strange_frame(chance: &mut Chance) -> Vec<u8> {
    let mut any = |port: Option<u16>| End {
        ip: std::net::Ipv6Addr::from(u128::from(chance.next()) << 64 | 0x2001_0db8).into(),
        port: port.unwrap_or(chance.between(1_024, 65_535) as u16),
    };
    let ends = [any(None), any(None), any(Some(53)), any(Some(443))];
    let [from, to, dns, web] = ends;
    let (number, window) = (chance.next() as u32, chance.below(2) as u16 * 500);
    let name = format!("{:0>60}.{:0>60}.example.com", chance.next(), chance.next());
    let segment = |flags, payload| Tcp {
        sequence: number,
        ack: number,
        flags,
        window,
        payload,
        ..Tcp::default()
    };
    match number % 8 {
        0 => frames::tcp(from, web, &segment(SYN, Vec::new())),
        1 => frames::tcp(web, from, &segment(RST | ACK, Vec::new())),
        2 => frames::tcp(from, web, &segment(ACK, frames::client_hello(&name))),
        3 => frames::tcp(web, from, &segment(ACK | PSH, frames::alert(40))),
        4 => frames::udp(from, to, b"x"),
        5 => frames::udp(from, dns, &frames::dns(number as u16, false, 0, &name)),
        6 => frames::udp(dns, from, &frames::dns(number as u16, true, 2, &name)),
        _ => frames::arp(1, [10, 0, 0, 4], number.to_be_bytes()),
    }
}
