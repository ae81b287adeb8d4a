//! Two sets of figures side by side, member by member.

use first_look::{Context, Look, Options};
use serde_json::Value;

/// Members that are only about the same, or that name things in words of their own.
const NOT_COMPARED: [&str; 4] = [
    // The program that printed the truth.
    "tool",
    // A sentence; whether there is one is compared by `cut_short` and `is_capture`.
    "file.error",
    // Every protocol that TShark dissects; ours has those of the lower layers.
    "protocols",
    // Names in encrypted packets, which are not decrypted here.
    "quic.sni",
];

/// The figures of a capture.
pub fn figures(capture: &[u8]) -> Value {
    look(capture)["figures"].clone()
}

/// All that is said of a capture, which is read in chunks of an odd size.
pub fn look(capture: &[u8]) -> Value {
    let mut look = Look::new(Options::default());
    for chunk in capture.chunks(4_093) {
        look.feed(chunk);
    }
    look.finish(&Context::default()).json()
}

/// How many values were compared, and those that differ: member, theirs, ours.
pub fn differences(theirs: &Value, ours: &Value) -> (usize, Vec<(String, String, String)>) {
    let mut found = Vec::new();
    let mut compared = 0;
    walk("", theirs, ours, &mut compared, &mut found);
    (compared, found)
}

fn walk(
    member: &str,
    theirs: &Value,
    ours: &Value,
    compared: &mut usize,
    found: &mut Vec<(String, String, String)>,
) {
    if NOT_COMPARED.contains(&member) {
        return;
    }
    let mut differ = |theirs: String, ours: String| found.push((member.to_owned(), theirs, ours));
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            for (name, value) in theirs {
                let path = if member.is_empty() {
                    name.clone()
                } else {
                    format!("{member}.{name}")
                };
                walk(
                    &path,
                    value,
                    ours.get(name).unwrap_or(&Value::Null),
                    compared,
                    found,
                );
            }
            // Counts by name must have no more names than TShark's.
            if is_count_by_name(member) {
                for name in ours.keys().filter(|name| !theirs.contains_key(*name)) {
                    found.push((
                        format!("{member}.{name}"),
                        "nothing".into(),
                        ours[name].to_string(),
                    ));
                }
            }
        }
        (Value::Array(theirs), Value::Array(ours)) => {
            // The truth of a file with very many streams lists the first 50.
            let listed_in_part = member == "tcp_streams" && theirs.len() == 50;
            if theirs.len() != ours.len() && !(listed_in_part && ours.len() > 50) {
                differ(
                    format!("{} entries", theirs.len()),
                    format!("{} entries", ours.len()),
                );
                return;
            }
            for (index, (theirs, ours)) in theirs.iter().zip(ours).enumerate() {
                walk(&format!("{member}[{index}]"), theirs, ours, compared, found);
            }
        }
        _ => {
            *compared += 1;
            if theirs != ours {
                differ(theirs.to_string(), ours.to_string());
            }
        }
    }
}

fn is_count_by_name(member: &str) -> bool {
    const COUNTS: [&str; 15] = [
        "tcp.rst_by_sender",
        "tcp.no_answer_to",
        "tcp.refused_by",
        "tcp.failed_by_client",
        "dns.rcodes",
        "dns.failed",
        "dns.asked",
        "tls.sni",
        "tls.versions",
        "tls.alerts",
        "icmp.v4",
        "icmp.v6",
        "arp.targets_by_sender",
        "http.status",
        "http.methods",
    ];
    COUNTS.contains(&member) || member.starts_with("tcp_streams[") && member.contains("].analysis[")
}
