//! What a file is by its beginning, and how it ends. The cases without packets are distinguished, because each has
//! a different cause: no upload, a refusal of the storage service, a proxy's page.

/// Format of a capture file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// pcap with microseconds.
    Pcap,
    /// pcap with nanoseconds.
    PcapNanoseconds,
    /// pcap with 24 bytes in front of each record ("modified").
    PcapModified,
    Pcapng,
}

impl Format {
    /// The name that Wireshark's tools give the format.
    pub fn name(self) -> &'static str {
        match self {
            Format::Pcap => "pcap",
            Format::PcapNanoseconds => "nsecpcap",
            Format::PcapModified => "modpcap",
            Format::Pcapng => "pcapng",
        }
    }
}

/// What the file is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No bytes at all.
    #[default]
    Empty,
    Capture(Format),
    /// Ends within the header of the file.
    CutHeader,
    /// An error message of the storage service, with its code if one is given.
    StorageError(String),
    /// A web page, as a proxy sends it.
    WebPage,
    /// Packed with gzip or a similar program.
    Packed,
    Unknown,
}

impl Kind {
    /// What to do with a file that is no capture.
    pub fn fix(&self) -> Option<&'static str> {
        Some(match self {
            Kind::Capture(_) => return None,
            Kind::Empty | Kind::CutHeader => {
                "Wait until the capture has finished and download the file again. If it stays like this, check that the VM \
                 reaches the storage account over port 443."
            }
            Kind::StorageError(_) => {
                "Read the message in the file, and download the capture again with an identity that may read blobs: \
                 az storage blob download --auth-mode login."
            }
            Kind::WebPage => {
                "Open the file in a browser to see who answered: a sign-in page or a proxy. Download the capture again with \
                 az storage blob download --auth-mode login."
            }
            Kind::Packed => {
                "Unpack it and give the file that comes out, or pipe it: gzip -dc FILE | handler look -"
            }
            Kind::Unknown => {
                "Check the path. Files of other formats are converted with Wireshark's editcap: editcap -F pcapng IN OUT."
            }
        })
    }
}

/// How the file ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Ending {
    #[default]
    Complete,
    /// Ends within a record.
    Cut,
    /// What follows cannot be read.
    Damaged(String),
}

/// Names a file whose beginning is not that of a capture.
pub(crate) fn of_beginning(beginning: &[u8], bytes: u64) -> Kind {
    if bytes == 0 {
        return Kind::Empty;
    }
    if bytes < super::pcap::HEADER as u64 && begins_like_a_capture(beginning) {
        return Kind::CutHeader;
    }
    if beginning.starts_with(&[0x1f, 0x8b])
        || beginning.starts_with(b"PK\x03\x04")
        || beginning.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
    {
        return Kind::Packed;
    }
    let text = String::from_utf8_lossy(beginning);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let lower = text.to_ascii_lowercase();
    if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        return Kind::WebPage;
    }
    if lower.starts_with("<?xml") || lower.starts_with("<error>") || lower.starts_with("{\"error\"")
    {
        return Kind::StorageError(storage_code(text));
    }
    Kind::Unknown
}

/// The beginning of a magic number, or all of it.
fn begins_like_a_capture(beginning: &[u8]) -> bool {
    let front = &beginning[..beginning.len().min(4)];
    super::pcap::MAGICS
        .iter()
        .map(|(magic, ..)| magic)
        .chain([&super::pcapng::SECTION])
        .any(|magic| magic.starts_with(front))
}

/// The code in `<Code>BlobNotFound</Code>`: letters only, so that it can be shown as it is.
fn storage_code(text: &str) -> String {
    let after = text.split_once("<Code>").map_or("", |(_, after)| after);
    after
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .take(64)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_without_packets_are_distinguished() {
        let error = "\u{feff}<?xml version=\"1.0\"?><Error><Code>BlobNotFound</Code><Message>…</Message></Error>";
        let cases: [(&[u8], Kind); 8] = [
            (b"", Kind::Empty),
            (b"\xd4\xc3", Kind::CutHeader),
            (b"\xa1\xb2\xc3\xd4\0\x02\0\x04", Kind::CutHeader),
            (error.as_bytes(), Kind::StorageError("BlobNotFound".into())),
            (
                b"<?xml version='1.0'?><Error><Code><script></Code></Error>",
                Kind::StorageError(String::new()),
            ),
            (b"<!DOCTYPE HTML><title>Blocked</title>", Kind::WebPage),
            (b"\x1f\x8b\x08\0", Kind::Packed),
            (b"no capture at all, but some text", Kind::Unknown),
        ];
        for (beginning, expected) in cases {
            assert_eq!(
                of_beginning(beginning, beginning.len() as u64),
                expected,
                "{beginning:?}"
            );
            assert!(expected.fix().is_some_and(|fix| !fix.is_empty()));
        }
        assert_eq!(Kind::Capture(Format::Pcap).fix(), None);
    }
}
