//! Holds every exact figure of generated captures against TShark, where TShark 4.0 is installed: loss, disorder, resets,
//! numbers that wrap around, keep-alives, closed windows, small snap lengths.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use first_look::Kind;
use serde_json::{Value, json};

use super::findings::{everything, seen, with_alert};
use super::generator::file::{File, MICROSECONDS};

/// Captures that are compared: some each time, all with `FULL_TESTS=1`. TShark takes half a second for each.
const CAPTURES: [u64; 2] = [12, 200];

const ANALYSIS: [&str; 15] = [
    "retransmission",
    "fast_retransmission",
    "spurious_retransmission",
    "out_of_order",
    "duplicate_ack",
    "zero_window",
    "window_full",
    "lost_segment",
    "ack_lost_segment",
    "keep_alive",
    "keep_alive_ack",
    "window_update",
    "zero_window_probe",
    "zero_window_probe_ack",
    "reused_ports",
];

const FIELDS: [&str; 17] = [
    "frame.len",
    "frame.cap_len",
    "tcp.stream",
    "tcp.flags",
    "tcp.len",
    "tcp.analysis.initial_rtt",
    "udp.stream",
    "dns.flags.response",
    "dns.response_to",
    "dns.retransmit_request",
    "dns.retransmit_response",
    "icmp.type",
    "arp.opcode",
    "ip.src",
    "ipv6.src",
    "dns.flags.rcode",
    "frame.time_epoch",
];

/// What TShark says, by the names of our own figures.
fn tshark(path: &str) -> Value {
    let mut command = Command::new("tshark");
    command.args([
        "-n",
        "-r",
        path,
        "-T",
        "fields",
        "-E",
        "separator=/t",
        "-E",
        "occurrence=f",
    ]);
    command.env(
        "WIRESHARK_CONFIG_DIR",
        std::env::temp_dir().join("first-look-no-settings"),
    );
    for field in FIELDS {
        command.args(["-e", field]);
    }
    for mark in ANALYSIS {
        command.args(["-e", &format!("tcp.analysis.{mark}")]);
    }
    let output = command.output().expect("TShark starts");
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    let mut round_trips: BTreeMap<String, String> = BTreeMap::new();
    // Streams whose latest packet may have set the round trip: TShark shows it from the packet after on.
    let mut just_set: BTreeSet<String> = BTreeSet::new();
    let (mut streams, mut flows) = (BTreeSet::new(), BTreeSet::new());
    let mut add = |name, count: u64| *sums.entry(name).or_default() += count;
    for line in String::from_utf8(output.stdout).expect("text").lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        let cell = |name: &str| {
            cells[FIELDS
                .iter()
                .position(|field| *field == name)
                .expect("a field")]
        };
        let number = |name: &str| cell(name).parse::<u64>().unwrap_or(0);
        let quoted = !cell("icmp.type").is_empty();
        add("packets", 1);
        add("bytes", number("frame.len"));
        add(
            "cut_packets",
            u64::from(number("frame.cap_len") < number("frame.len")),
        );
        if !cell("tcp.stream").is_empty() && !quoted {
            streams.insert(cell("tcp.stream").to_owned());
            add("tcp.packets", 1);
            add("tcp.payload", number("tcp.len"));
            let flags =
                u32::from_str_radix(cell("tcp.flags").trim_start_matches("0x"), 16).expect("flags");
            add("tcp.syn", u64::from(flags & 0x12 == 2));
            add("tcp.syn_ack", u64::from(flags & 0x12 == 0x12));
            add("tcp.rst", u64::from(flags & 4 != 0));
            add("tcp.fin", u64::from(flags & 1 != 0));
            just_set.remove(cell("tcp.stream"));
            if flags & 0x12 == 0x10 {
                just_set.insert(cell("tcp.stream").into());
            }
            if !cell("tcp.analysis.initial_rtt").is_empty() {
                round_trips.insert(
                    cell("tcp.stream").into(),
                    cell("tcp.analysis.initial_rtt").into(),
                );
            }
        }
        for (mark, cell) in ANALYSIS.iter().zip(&cells[FIELDS.len()..]) {
            add(mark, u64::from(!cell.is_empty()));
        }
        if !cell("udp.stream").is_empty() && !quoted {
            flows.insert(cell("udp.stream").to_owned());
        }
        let is_response = matches!(cell("dns.flags.response"), "1" | "True");
        add(
            "dns.queries",
            u64::from(!cell("dns.flags.response").is_empty() && !is_response),
        );
        add("dns.responses", u64::from(is_response));
        let repeated = !cell("dns.retransmit_response").is_empty();
        add("dns.repeated_responses", u64::from(repeated));
        add(
            "dns.repeated",
            u64::from(!cell("dns.retransmit_request").is_empty()),
        );
        add(
            "dns.answered",
            u64::from(!cell("dns.response_to").is_empty() && !repeated),
        );
        add("arp.requests", u64::from(cell("arp.opcode") == "1"));
        add("arp.replies", u64::from(cell("arp.opcode") == "2"));
        add("icmp.unreachable", u64::from(cell("icmp.type") == "3"));
    }
    just_set.retain(|stream| !round_trips.contains_key(stream));
    let round_trips: BTreeSet<String> = round_trips
        .into_iter()
        .map(|(stream, time)| format!("{stream} {time}"))
        .collect();
    let mut out = json!({ "tcp.streams": streams.len(), "udp.streams": flows.len(), "round_trips": round_trips, "not_shown": just_set });
    for (name, sum) in sums {
        out[name] = sum.into();
    }
    out
}

/// Our own figures by the same names.
fn ours(capture: &[u8]) -> Value {
    let all = super::compare::look(capture);
    let figures = &all["figures"];
    let left_out = all["notLookedInto"].as_array().expect("a list");
    let cut_headers: u64 = left_out
        .iter()
        .filter(|left| {
            left["what"]
                .as_str()
                .is_some_and(|what| what.starts_with("TCP headers cut"))
        })
        .filter_map(|left| left["count"].as_u64())
        .sum();
    let streams = figures["tcp_streams"].as_array().expect("streams");
    let round_trips: BTreeSet<String> = streams
        .iter()
        .filter_map(|stream| {
            Some(format!(
                "{} {}",
                stream["stream"],
                stream["initial_rtt"].as_str()?
            ))
        })
        .collect();
    let mut out = json!({ "round_trips": round_trips, "cut_headers": cut_headers });
    for name in [
        "packets",
        "bytes",
        "cut_packets",
        "tcp.streams",
        "tcp.packets",
        "tcp.payload",
        "tcp.syn",
        "tcp.syn_ack",
        "tcp.rst",
        "tcp.fin",
        "udp.streams",
        "dns.queries",
        "dns.responses",
        "dns.repeated",
        "dns.repeated_responses",
        "dns.answered",
        "arp.requests",
        "arp.replies",
        "icmp.unreachable",
    ] {
        out[name] = name
            .split('.')
            .fold(figures, |value, member| &value[member])
            .clone();
    }
    for mark in ANALYSIS {
        out[mark] = figures["tcp"]["analysis"][mark].clone();
    }
    out
}

/// What differs for one capture.
fn differences(seed: u64, folder: &Path) -> Vec<String> {
    let capture = super::generator::mixed::capture(seed);
    let path = folder.join(format!("{seed}.cap"));
    fs::write(&path, &capture).expect("a file");
    let theirs = tshark(path.to_str().expect("a path"));
    let mut ours = ours(&capture);
    let not_shown = theirs["not_shown"].as_array().expect("a list").clone();
    if let Some(round_trips) = ours["round_trips"].as_array_mut() {
        let stream = |row: &Value| {
            row.as_str()
                .and_then(|row| row.split(' ').next())
                .map(str::to_owned)
        };
        round_trips.retain(|row| {
            !not_shown
                .iter()
                .any(|hidden| hidden.as_str() == stream(row).as_deref())
        });
    }
    // TShark matches no DNS messages that are cut, and shows no round trip where TCP headers are cut. Both can be
    // read from what is there.
    let cut = |name: &str| match name {
        "not_shown" => true,
        "dns.answered" | "dns.repeated" | "dns.repeated_responses" => ours["cut_packets"] != 0,
        "round_trips" => ours["cut_headers"] != 0,
        _ => false,
    };
    theirs
        .as_object()
        .expect("figures")
        .iter()
        .filter(|(name, value)| ours[name.as_str()] != **value && !cut(name))
        .map(|(name, value)| {
            format!(
                "seed {seed}: {name}: TShark {value}, here {}",
                ours[name.as_str()]
            )
        })
        .collect()
}

/// Whether TShark 4.0 can be asked; its versions differ.
fn is_installed() -> bool {
    let version = Command::new("tshark")
        .arg("--version")
        .output()
        .map(|output| output.stdout)
        .unwrap_or_default();
    let version = String::from_utf8_lossy(&version).into_owned();
    let is_installed = version.starts_with("TShark (Wireshark) 4.0.");
    if !is_installed {
        eprintln!(
            "TShark 4.0 is not installed: nothing compared. {}",
            version.lines().next().unwrap_or_default()
        );
    }
    is_installed
}

/// Each finding's filter lists its packets. Where packets are counted, it lists exactly these.
#[test]
fn the_filters_of_findings_list_their_packets() {
    if !is_installed() {
        return;
    }
    let mut packets = everything();
    let seen = seen(&mut packets, &with_alert());
    let path = std::env::temp_dir().join(format!("first-look-filters-{}", std::process::id()));
    fs::write(&path, File::of(MICROSECONDS, 262_144, &packets)).expect("written");
    for finding in seen.findings() {
        let output = Command::new("tshark")
            .args(["-n", "-r", &path.to_string_lossy(), "-Y", &finding.filter])
            .output()
            .expect("TShark starts");
        let listed = String::from_utf8_lossy(&output.stdout).lines().count() as u64;
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{finding:?}: {error}");
        match finding.kind {
            Kind::Retransmission | Kind::Burst | Kind::Tls | Kind::Reset => {
                assert_eq!(listed, finding.count, "{finding:?}");
            }
            _ => assert!(listed > 0, "{finding:?}"),
        }
    }
    fs::remove_file(&path).expect("removed");
}

#[test]
fn generated_captures_have_the_figures_of_tshark() {
    if !is_installed() {
        return;
    }
    let captures = CAPTURES[usize::from(std::env::var_os("FULL_TESTS").is_some())];
    let folder = std::env::temp_dir().join(format!("first-look-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let workers = thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let wrong: Vec<String> = thread::scope(|scope| {
        let folder = &folder;
        let share = |worker| (worker..captures).step_by(workers as usize);
        let running: Vec<_> = (0..workers)
            .map(|worker| {
                scope.spawn(move || {
                    share(worker)
                        .flat_map(|seed| differences(seed, folder))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        running
            .into_iter()
            .flat_map(|worker| worker.join().expect("no panic"))
            .collect()
    });
    fs::remove_dir_all(&folder).expect("removed");
    assert!(
        wrong.is_empty(),
        "{} differences:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
