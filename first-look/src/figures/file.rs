//! The file itself: what it is, and how it ends.

use serde::Serialize;

use crate::container::{Ending, FileFacts, Kind};

#[derive(Debug, Clone, Serialize)]
pub(crate) struct File {
    pub size: u64,
    #[serde(rename = "type")]
    pub format: Option<&'static str>,
    pub encapsulation: Option<String>,
    pub snaplen_declared: Option<String>,
    pub interfaces: Option<u32>,
    /// Ends within a record or within the file's header.
    pub cut_short: bool,
    /// Is a capture that could be read to its end, or to where it was cut.
    pub is_capture: bool,
    pub error: Option<String>,
    /// Packets that the capturing program says it dropped.
    pub dropped: u64,
    #[serde(skip)]
    pub kind: Kind,
    #[serde(skip)]
    pub ending: Ending,
}

impl File {
    pub fn of(facts: &FileFacts) -> File {
        let damaged = matches!(facts.ending, Ending::Damaged(_));
        let format = match facts.kind {
            Kind::Capture(format) if !damaged => Some(format.name()),
            _ => None,
        };
        let snap = match facts.snap_length {
            _ if format == Some("pcapng") => "(not set)".to_owned(),
            0 => "(not set)".to_owned(),
            length => format!("{length} bytes"),
        };
        File {
            size: facts.bytes,
            format,
            encapsulation: format.map(|_| encapsulation(&facts.links)),
            snaplen_declared: format.map(|_| format!("file hdr: {snap}")),
            interfaces: format.map(|_| facts.interfaces),
            cut_short: facts.kind == Kind::CutHeader || facts.ending == Ending::Cut,
            is_capture: format.is_some(),
            error: complaint(facts),
            dropped: facts.dropped,
            kind: facts.kind.clone(),
            ending: facts.ending.clone(),
        }
    }
}

/// The name that Wireshark gives the link type.
fn encapsulation(links: &[u16]) -> String {
    let Some(first) = links.first() else {
        return "unknown".into();
    };
    if links.iter().any(|link| link != first) {
        return "per-packet".into();
    }
    match first {
        0 => "null".into(),
        1 => "ether".into(),
        12 | 14 | 101 => "rawip".into(),
        108 => "loop".into(),
        113 => "linux-sll".into(),
        228 => "rawip4".into(),
        229 => "rawip6".into(),
        276 => "linux-sll2".into(),
        other => format!("link type {other}"),
    }
}

/// What is wrong with the file, in one sentence.
fn complaint(facts: &FileFacts) -> Option<String> {
    Some(match (&facts.kind, &facts.ending) {
        (Kind::Empty, _) => {
            "The file is empty: the upload has not happened, or has not finished.".into()
        }
        (Kind::CutHeader, _) => format!(
            "The file ends within its header, after {} bytes.",
            facts.bytes
        ),
        (Kind::StorageError(code), _) if code.is_empty() => {
            "The file is not a capture: it holds an error message instead.".into()
        }
        (Kind::StorageError(code), _) => {
            format!(
                "The file is not a capture: it holds an error message of the storage service, {code}."
            )
        }
        (Kind::WebPage, _) => {
            "The file is not a capture: it holds a web page, as a proxy sends it.".into()
        }
        (Kind::Packed, _) => "The file is packed (gzip, zip or zstd); unpack it first.".into(),
        (Kind::Unknown, _) => "The file is not a capture: it is neither pcap nor pcapng.".into(),
        (Kind::Capture(_), Ending::Complete) => return None,
        (Kind::Capture(_), Ending::Cut) => "The file ends in the middle of a record.".into(),
        (Kind::Capture(_), Ending::Damaged(reason)) => {
            format!("The file is damaged; what follows could not be read: {reason}.")
        }
    })
}
