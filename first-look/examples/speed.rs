//! Makes a large capture, and says how long reading it takes:
//! `cargo run --release -p first-look --example speed -- make FILE MEGABYTES` and `… -- read FILE`. `flood FILE PACKETS`
//! makes a flood of SYNs, `wide FILE PACKETS` time stamps 68 years apart, `strange FILE
//! PACKETS` new ends, names and ids in each packet: what costs a reader the most memory.

#[path = "../tests/it/generator/mod.rs"]
mod generator;

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::time::Instant;

use first_look::{Context, Look, Options};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["make", path, megabytes] => {
            let megabytes: u64 = megabytes.parse().map_err(io::Error::other)?;
            make(path, |write| {
                generator::bulk::capture(megabytes * 1_000_000, 1, write)
            })
        }
        ["flood", path, packets] => {
            let packets = packets.parse().map_err(io::Error::other)?;
            make(path, |write| generator::bulk::flood(packets, 1, write))
        }
        ["wide", path, packets] => {
            let packets = packets.parse().map_err(io::Error::other)?;
            make(path, |write| generator::bulk::wide(packets, 1, write))
        }
        ["strange", path, packets] => {
            let packets = packets.parse().map_err(io::Error::other)?;
            make(path, |write| generator::bulk::strange(packets, 1, write))
        }
        ["read", path] => read(path),
        _ => Err(io::Error::other(
            "make FILE MEGABYTES; flood, wide or strange FILE PACKETS; or read FILE",
        )),
    }
}

fn make(path: &str, generate: impl FnOnce(&mut dyn FnMut(&[u8]))) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut result = Ok(());
    generate(&mut |bytes| {
        if result.is_ok() {
            result = file.write_all(bytes);
        }
    });
    result.and_then(|()| file.flush())
}

/// Reads the file three times and prints the best time.
fn read(path: &str) -> io::Result<()> {
    let mut best = f64::MAX;
    for _ in 0..3 {
        let mut file = File::open(path)?;
        let mut buffer = vec![0; 1 << 20];
        let mut look = Look::new(Options::default());
        let start = Instant::now();
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                count => look.feed(&buffer[..count]),
            }
        }
        let held = look.held();
        let seen = look.finish(&Context::default());
        let seconds = start.elapsed().as_secs_f64();
        best = best.min(seconds);
        println!(
            "{} packets in {seconds:.3} s; largest table {} entries, {} bytes held",
            seen.packets(),
            held.0,
            held.1
        );
    }
    let megabytes = fs::metadata(path)?.len() as f64 / 1e6;
    println!(
        "best {best:.3} s, {:.0} MB/s{}",
        megabytes / best,
        peak_memory()
    );
    Ok(())
}

/// Peak memory of this process, where the system reports it.
fn peak_memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.map_or(String::new(), |peak| {
        format!(", peak memory {}", peak.trim())
    })
}
