//! Ten seconds of a web server in trouble. Its database stops answering in the middle, its DNS server fails, and the burst
//! that the alert counted goes out with some loss. What happens when is a share of the capture's length; round trips and
//! repetitions have the lengths that they have in a network.

use std::io;
use std::time::Duration;

use etherparse::{ArpHardwareId, ArpOperation, ArpPacket, EtherType, PacketBuilder};
use rand::RngExt;
use rand::rngs::StdRng;

use super::burst::{self, Burst};
use super::message::{self, SERVFAIL};
use super::talk::{End, Talk, datagram};
use super::{Frame, Host, PEER, VM};

const DATABASE: End = End(Host::beyond([10, 1, 2, 3]), 1433);
const DNS: End = End(
    Host {
        mac: [0x00, 0x0d, 0x3a, 0x2b, 0x11, 0x10],
        ip: [10, 20, 0, 10],
    },
    53,
);
/// Azure's own address: DNS, and the probes of load balancers.
const PLATFORM: Host = Host::beyond([168, 63, 129, 16]);
const GATEWAY: [u8; 4] = [10, 20, 0, 1];

/// Visitors of the web site.
const VISITS: usize = 70;
/// Streams to the database that were opened before the capture.
const POOL: u16 = 6;
/// When the database stops answering, and the DNS server begins to fail, as shares of the capture.
const STOP: f64 = 0.42;
const DNS_FAILS: f64 = 0.36;

const MILLISECOND: Duration = Duration::from_millis(1);

pub(super) fn frames(random: &mut StdRng, duration: Duration) -> io::Result<Vec<Frame>> {
    let mut frames = Vec::new();
    visits(&mut frames, random, duration)?;
    pool(&mut frames, random, duration)?;
    attempts(&mut frames, random, duration)?;
    lookups(&mut frames, random, duration)?;
    rush(&mut frames, random, duration)?;
    platform(&mut frames, random, duration)?;
    frames.sort_by_key(|(at, _)| *at);
    // The session ends whatever is under way.
    frames.retain(|(at, _)| *at < duration);
    Ok(frames)
}

/// Requests from the internet. While the database does not answer, their answers are late and short.
fn visits(out: &mut Vec<Frame>, random: &mut StdRng, duration: Duration) -> io::Result<()> {
    for _ in 0..VISITS {
        let at = duration.mul_f64(random.random_range(0.0..1.0));
        let visitor = Host::beyond([203, 0, 113, random.random_range(1..=40)]);
        let client = End(visitor, random.random_range(32_768..=60_999));
        let round_trip = MILLISECOND * random.random_range(9..=70);
        let mut talk = Talk::new(client, End(VM, 443), random, at);
        talk.open(round_trip)?;
        let hello = message::client_hello(random, "shop.contoso.com");
        let flight = message::server_hello(random);
        talk.exchange(&hello, round_trip, &[flight])?;
        let waits = at > duration.mul_f64(STOP);
        let parts = if waits { 1 } else { random.random_range(2..=5) };
        let page = (0..parts)
            .map(|_| {
                let length = if waits {
                    210
                } else {
                    random.random_range(900..=1_390)
                };
                message::sealed(random, length)
            })
            .collect::<Vec<_>>();
        let pause = match waits {
            true => MILLISECOND * random.random_range(1_400..=1_600),
            false => MILLISECOND * random.random_range(12..=40),
        };
        let question = message::sealed(random, 420);
        talk.exchange(&question, pause, &page)?;
        talk.wait(round_trip).close(round_trip)?;
        out.append(&mut talk.frames);
    }
    Ok(())
}

/// Queries on streams that were open before. The first one after the stop is repeated with doubled pauses (RFC 6298).
fn pool(out: &mut Vec<Frame>, random: &mut StdRng, duration: Duration) -> io::Result<()> {
    let stop = duration.mul_f64(STOP);
    for number in 0..POOL {
        let client = End(VM, 50_200 + number * 2);
        let at = duration / 200 * random.random_range(1..=8);
        let mut talk = Talk::new(client, DATABASE, random, at);
        while talk.now < stop {
            let query = message::noise(random, 280);
            let length = random.random_range(120..=1_380);
            let rows = message::noise(random, length);
            let time = Duration::from_micros(random.random_range(900..=4_500));
            talk.exchange(&query, time, &[rows])?;
            talk.wait(duration / 1_000 * random.random_range(40..=90));
        }
        let query = message::noise(random, 280);
        let sequence = talk.send(0, &query)?;
        let mut pause = 300 * MILLISECOND;
        while talk.now < duration {
            talk.wait(pause).again(0, sequence, &query)?;
            pause *= 2;
        }
        out.append(&mut talk.frames);
    }
    Ok(())
}

/// New streams to the database: a few at the beginning, and many when the pool runs dry.
fn attempts(out: &mut Vec<Frame>, random: &mut StdRng, duration: Duration) -> io::Result<()> {
    for number in 0..64_u16 {
        let client = End(VM, 51_000 + number * 3);
        let answered = number < 8;
        let share = match answered {
            true => random.random_range(0.02..STOP - 0.04),
            false => random.random_range(STOP + 0.01..0.92),
        };
        let mut talk = Talk::new(client, DATABASE, random, duration.mul_f64(share));
        if answered {
            let time = Duration::from_micros(random.random_range(900..=2_200));
            talk.open(time)?;
            let query = message::noise(random, 310);
            talk.exchange(&query, time, &[message::noise(random, 640)])?;
            talk.wait(time).close(time)?;
        } else {
            for pause in [1, 2, 4] {
                talk.syn()?;
                talk.wait(Duration::from_secs(pause));
            }
        }
        out.append(&mut talk.frames);
    }
    Ok(())
}

/// Names of the virtual network go to a DNS server in it, others to Azure.
fn lookups(out: &mut Vec<Frame>, random: &mut StdRng, duration: Duration) -> io::Result<()> {
    for number in 0..56_u16 {
        let at = duration.mul_f64(random.random_range(0.01..0.93));
        let client = End(VM, 53_000 + number * 5);
        let fails = at > duration.mul_f64(DNS_FAILS);
        let (server, name, found) = match number % 4 {
            0 => (
                End(PLATFORM, 53),
                "stshop.blob.core.windows.net",
                Ok([192, 0, 2, 80]),
            ),
            _ if fails && number % 8 < 3 => (DNS, "sql-shop.contoso.internal", Err(None)),
            _ if fails => (DNS, "sql-shop.contoso.internal", Err(Some(SERVFAIL))),
            _ => (DNS, "sql-shop.contoso.internal", Ok(DATABASE.0.ip)),
        };
        let query = message::query(random.random(), name);
        let mut ask = |at| -> io::Result<()> {
            out.push((at, datagram(client, server, &query)?));
            Ok(())
        };
        ask(at)?;
        let (late, answer) = match found {
            // Asked again, and never answered.
            Err(None) => {
                ask(at + Duration::from_secs(1))?;
                ask(at + Duration::from_secs(3))?;
                continue;
            }
            Err(Some(rcode)) => (MILLISECOND * random.random_range(280..=900), Err(rcode)),
            Ok(address) => (
                Duration::from_micros(random.random_range(400..=3_200)),
                Ok(address),
            ),
        };
        let answer = message::answer(&query, answer);
        out.push((at + late, datagram(server, client, &answer)?));
    }
    Ok(())
}

/// The burst that the alert counted.
fn rush(out: &mut Vec<Frame>, random: &mut StdRng, duration: Duration) -> io::Result<()> {
    let client = End(VM, random.random_range(49_152..=49_900));
    let round_trip = MILLISECOND * random.random_range(10..=14);
    let mut talk = Talk::new(client, End(PEER, 443), random, duration.mul_f64(0.55));
    talk.open(round_trip)?;
    let hello = message::client_hello(random, "collector.example.net");
    let flight = message::server_hello(random);
    talk.exchange(&hello, round_trip, &[flight])?;
    let burst = Burst {
        segments: 980,
        gap: duration / 4_500,
        round_trip,
        loss: 0.028,
    };
    burst::send(&mut talk, &burst, random)?;
    talk.wait(round_trip).close(round_trip)?;
    out.append(&mut talk.frames);
    Ok(())
}

/// What Azure itself sends: the load balancer's probes, and the gateway's ARP.
fn platform(out: &mut Vec<Frame>, random: &mut StdRng, duration: Duration) -> io::Result<()> {
    for (share, port) in [(0.08, 49_301), (0.58, 49_377)] {
        let mut talk = Talk::new(
            End(PLATFORM, port),
            End(VM, 443),
            random,
            duration.mul_f64(share),
        );
        let round_trip = Duration::from_micros(350);
        talk.open(round_trip)?;
        talk.wait(round_trip).close(round_trip)?;
        out.append(&mut talk.frames);
    }
    let gateway = Host::beyond(GATEWAY);
    let at = duration.mul_f64(0.03);
    for (at, operation, from, to) in [
        (
            at,
            ArpOperation::REQUEST,
            VM,
            Host {
                mac: [0; 6],
                ..gateway
            },
        ),
        (at + MILLISECOND, ArpOperation::REPLY, gateway, VM),
    ] {
        let packet = ArpPacket::new(
            ArpHardwareId::ETHERNET,
            EtherType::IPV4,
            operation,
            &from.mac,
            &from.ip,
            &to.mac,
            &to.ip,
        )
        .map_err(|error| io::Error::other(format!("{error:?}")))?;
        let target = if to.mac == [0; 6] { [0xff; 6] } else { to.mac };
        let step = PacketBuilder::ethernet2(from.mac, target).arp(packet);
        let mut frame = Vec::with_capacity(step.size());
        step.write(&mut frame).map_err(io::Error::other)?;
        out.push((at, frame));
    }
    Ok(())
}
