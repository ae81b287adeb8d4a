//! Holds the figures of public captures against what TShark says of them. The captures are not part of the project;
//! where they are not there, there is nothing to compare.

use std::fs;
use std::path::Path;

use super::compare::{differences, figures};

/// What cannot be equal, and why: file, member, reason. A few members are not compared at all (see `compare`).
const KNOWN: [(&str, &str, &str); 4] = [
    (
        "made-empty.pcap",
        "file.type",
        "a file without bytes is not of type ERF, which TShark falls back to",
    ),
    ("made-empty.pcap", "file.encapsulation", "the same"),
    ("made-empty.pcap", "file.snaplen_declared", "the same"),
    (
        "206_example_b.pcap",
        "http.status.206",
        "the body of the third response never ends, so TShark does not show its head",
    ),
];

#[test]
fn figures_are_those_of_tshark() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/captures");
    let Ok(entries) = fs::read_dir(folder.join("truth")) else {
        eprintln!("no captures in {}: nothing compared", folder.display());
        return;
    };
    let mut wrong = Vec::new();
    let mut used = Vec::new();
    let mut compared = 0;
    for entry in entries {
        let path = entry.expect("a folder that can be listed").path();
        let truth = serde_json::from_slice(&fs::read(&path).expect("a file that can be read"))
            .expect("JSON");
        let name = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let ours = figures(&fs::read(folder.join(&name)).expect("the capture of the figures"));
        let (members, found) = differences(&truth, &ours);
        compared += members;
        for (member, theirs, ours) in found {
            match KNOWN
                .iter()
                .find(|(file, known, _)| *file == name && *known == member)
            {
                Some(known) => used.push(known),
                None => wrong.push(format!("{name}: {member}: TShark {theirs}, here {ours}")),
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {compared} members differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    for known in &KNOWN {
        assert!(used.contains(&known), "no longer different: {known:?}");
    }
    println!("{compared} members compared");
}
