//! Floods and accidents: what is held stays below its ceiling, and what was left out is said.

use first_look::{Context, Look, Options};

use super::generator::chance::Chance;
use super::generator::file::{File, MICROSECONDS};
use super::generator::frames;
use super::setup::START;

fn small() -> Options {
    let mut options = Options::default();
    (options.streams, options.entries, options.seconds) = (1_000, 1_000, 100);
    options
}

#[test]
fn a_flood_of_syns_is_counted_and_not_held() {
    let mut look = Look::new(small());
    super::generator::bulk::flood(50_000, 4, |bytes| {
        look.feed(bytes);
        assert!(look.held().0 <= 1_000, "{:?}", look.held());
    });
    let seen = look.finish(&Context::default());
    let json = seen.json();
    let tcp = &json["figures"]["tcp"];
    assert_eq!(tcp["syn"], 50_000);
    // Two with the same address and port are possible, but not many.
    assert!(tcp["streams"].as_u64() > Some(49_900));
    assert_eq!(tcp["streams"], tcp["no_answer"]);
    assert!(tcp["folded_streams"].as_u64() > Some(48_000));
    assert_eq!(json["figures"]["more_hosts"], true);
    let left_out = json["notLookedInto"].to_string();
    assert!(left_out.contains("TCP streams summed up"), "{left_out}");
    assert!(left_out.contains("pairs of addresses"), "{left_out}");
    // The server's own sums are right although its pairs were dropped.
    assert_eq!(json["figures"]["hosts"][0]["host"], "10.0.0.4");
    assert_eq!(json["figures"]["hosts"][0]["received_packets"], 50_000);
}

#[test]
fn time_stamps_decades_apart_cost_nothing() {
    let mut look = Look::new(small());
    super::generator::bulk::wide(5_000, 6, |bytes| {
        look.feed(bytes);
        assert!(look.held().0 <= 1_000, "{:?}", look.held());
    });
    let seen = look.finish(&Context::default());
    let rows = &seen.json()["figures"]["per_second"];
    assert!(
        rows["rows"]
            .as_array()
            .is_some_and(|rows| rows.len() <= 100)
    );
    assert!(rows["width"].as_i64() > Some(1_000_000));
    assert!(seen.html().len() < 300_000);
}

#[test]
fn names_and_queries_without_end() {
    let mut chance = Chance::new(8);
    let mut look = Look::new(small());
    look.feed(&File::new(MICROSECONDS, 1, 262_144).bytes);
    for number in 0..20_000_u64 {
        let from = frames::end("10.0.0.4", chance.between(20_000, 40_000) as u16);
        let query = frames::dns(
            chance.next() as u16,
            false,
            0,
            &format!("{:x}.example.com", chance.next()),
        );
        let mut file = File::new(MICROSECONDS, 1, 262_144);
        let header = file.bytes.len();
        file.packet(
            START + number * 1_000_000,
            &frames::udp(from, frames::end("10.0.0.2", 53), &query),
        );
        file.packet(
            START + number * 1_000_000,
            &frames::arp(1, [10, 0, 0, 4], (chance.next() as u32).to_be_bytes()),
        );
        look.feed(&file.bytes[header..]);
        assert!(look.held().0 <= 1_000);
    }
    let json = look.finish(&Context::default()).json();
    assert_eq!(json["figures"]["dns"]["queries"], 20_000);
    assert_eq!(json["figures"]["arp"]["requests"], 20_000);
    let left_out = json["notLookedInto"].to_string();
    for what in [
        "DNS queries forgotten",
        "names asked for seldom",
        "ARP: addresses beyond",
        "UDP flows forgotten",
    ] {
        assert!(left_out.contains(what), "{what} of {left_out}");
    }
}

#[test]
fn a_record_that_claims_two_gibibytes_is_not_waited_for() {
    let mut file = File::new(MICROSECONDS, 1, 262_144);
    file.u32(1);
    file.u32(0);
    file.u32(0x7fff_ffff);
    file.u32(0x7fff_ffff);
    let mut look = Look::new(small());
    look.feed(&file.bytes);
    assert!(look.is_over());
    look.feed(&vec![0; 1 << 20]);
    assert!(look.held().1 < 10_000, "{:?}", look.held());
    let error = look.finish(&Context::default()).json()["figures"]["file"]["error"].clone();
    assert!(
        error
            .as_str()
            .is_some_and(|error| error.contains("2147483647 bytes")),
        "{error}"
    );
}

#[test]
fn nothing_that_comes_once_is_held_for_ever() {
    let mut look = Look::new(small());
    super::generator::bulk::strange(30_000, 3, |bytes| {
        look.feed(bytes);
        let (entries, bytes) = look.held();
        // Streams whose TLS or DNS is read have a fixed ceiling.
        assert!(entries <= 2_048 && bytes < 10_000, "{entries}, {bytes}");
    });
    let seen = look.finish(&Context::default());
    assert_eq!(seen.packets(), 30_000);
    assert!(seen.html().len() < 300_000);
}
