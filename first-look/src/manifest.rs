//! The manifest of a capture file: what it was when it was uploaded, so that its content can be proven unchanged later.
//! Written beside the record, read by `handler verify`. Members are not renamed; new ones may come.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The format that this version writes. A reader of another one cannot know what its members mean.
const FORMAT: &str = "alert-packet-capture/manifest/1";

/// What a capture file was, and where it came from. What is not known is left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Manifest {
    /// Name and version of the format.
    format: String,
    /// The file.
    pub file: FileEntry,
    /// The capture session.
    #[serde(default)]
    pub capture: CaptureEntry,
    /// The alert that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertEntry>,
    /// Client id or object id of the identity that created the capture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The program that wrote the manifest.
    pub tool: Tool,
    /// When the manifest was written, as RFC 3339 has it; so are all times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<String>,
}

/// The file, byte by byte.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FileEntry {
    /// Its name without folders.
    pub name: String,
    /// Its URL in the storage account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The ETag of the blob that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of all bytes, in 64 hexadecimal digits.
    pub sha256: Digest,
    /// Packets in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packets: Option<u64>,
}

/// The capture session, under Azure's own names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct CaptureEntry {
    /// Resource id of the packet capture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Resource id of the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// `bytesToCapturePerPacket`, `totalBytesPerSession`, `timeLimitInSeconds`, `filters` and others.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub parameters: Value,
    /// When the create was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// When the session began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<String>,
    /// When the session was seen to be finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished: Option<String>,
    /// Why it finished, such as `TimeExceeded`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
}

/// The alert.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct AlertEntry {
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The alert rule's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// When it fired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fired: Option<String>,
}

/// The program that wrote a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A SHA-256 digest; as text it is 64 hexadecimal digits in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 32]);

/// What a file is beside its manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The file that the manifest was written for, byte by byte.
    Same,
    /// The file has another number of bytes.
    OtherSize,
    /// The file has the same number of bytes, but other ones.
    OtherContent,
}

impl Manifest {
    /// The manifest of a file, without where it came from.
    pub fn new(name: impl Into<String>, size: u64, sha256: Digest) -> Manifest {
        Manifest {
            format: FORMAT.to_owned(),
            file: FileEntry {
                name: name.into(),
                url: None,
                etag: None,
                size,
                sha256,
                packets: None,
            },
            capture: CaptureEntry::default(),
            alert: None,
            identity: None,
            tool: Tool {
                name: "alert-packet-capture".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            written: None,
        }
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// Says in one sentence why the text is no manifest that this version can read.
    pub fn parse(text: &[u8]) -> Result<Manifest, String> {
        let value: Value =
            serde_json::from_slice(text).map_err(|error| format!("it is not JSON: {error}"))?;
        match value.get("format").and_then(Value::as_str) {
            Some(FORMAT) => {}
            Some(other) => {
                let other = crate::text::clean(other.as_bytes());
                return Err(format!("its format is {other}, and not {FORMAT}"));
            }
            None => return Err(format!("it has no format, which is {FORMAT}")),
        }
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    /// The manifest as JSON text, one member a line.
    pub fn text(&self) -> String {
        // Strings, numbers and what was JSON before: none of them can fail.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Whether a file of this size and digest is the one that the manifest was written for.
    pub fn verify(&self, size: u64, sha256: Digest) -> Verdict {
        match (self.file.size == size, self.file.sha256 == sha256) {
            (true, true) => Verdict::Same,
            (false, _) => Verdict::OtherSize,
            (true, false) => Verdict::OtherContent,
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Digest, Self::Error> {
        const WRONG: &str = "sha256 must have 64 hexadecimal digits";
        let digits: Option<Vec<u8>> = text
            .chars()
            .map(|digit| digit.to_digit(16).map(|digit| digit as u8))
            .collect();
        let digits = digits.filter(|digits| digits.len() == 64).ok_or(WRONG)?;
        let mut digest = [0; 32];
        for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair[0] << 4 | pair[1];
        }
        Ok(Digest(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(first: u8) -> Digest {
        let mut bytes = [0xab; 32];
        bytes[0] = first;
        Digest(bytes)
    }

    #[test]
    fn what_is_written_can_be_read() {
        let mut manifest = Manifest::new("a.cap", 24, digest(1));
        assert_eq!(
            manifest.text().lines().count(),
            13,
            "what is not known is left out: {}",
            manifest.text()
        );
        manifest.capture.parameters = serde_json::json!({"timeLimitInSeconds": 10});
        manifest.capture.stop_reason = Some("TimeExceeded".into());
        manifest.alert = Some(AlertEntry::default());
        manifest.identity = Some("b3c6a1d2".into());
        let text = manifest.text();
        assert_eq!(Manifest::parse(text.as_bytes()), Ok(manifest));
        for member in ["\"stopReason\"", "\"parameters\"", "\"sha256\": \"01abab"] {
            assert!(text.contains(member), "{member}: {text}");
        }
        // A member of a later version is not an error.
        let later = text.replace("\"identity\"", "\"later\": [1], \"identity\"");
        assert!(Manifest::parse(later.as_bytes()).is_ok());
    }

    #[test]
    fn other_texts_are_refused_with_the_reason() {
        let good = Manifest::new("a.cap", 24, digest(1)).text();
        for (text, expected) in [
            ("", "it is not JSON: "),
            ("\u{feff}{}", "it is not JSON: "),
            (
                "[]",
                "it has no format, which is alert-packet-capture/manifest/1",
            ),
            (
                &good.replace("manifest/1", "manifest/2"),
                "its format is alert-packet-capture/manifest/2, and not ",
            ),
            (
                &good.replace("01ab", "0xab"),
                "sha256 must have 64 hexadecimal digits",
            ),
            (
                &good.replace("01ab", "1ab"),
                "sha256 must have 64 hexadecimal digits",
            ),
            (&good.replace("24", "-24"), "invalid value"),
            (
                &good.replace("\"size\"", "\"sise\""),
                "missing field `size`",
            ),
        ] {
            let found = Manifest::parse(text.as_bytes()).expect_err(text);
            assert!(found.starts_with(expected), "{found}");
        }
        let upper = good.replace("01ab", "01AB");
        assert!(Manifest::parse(upper.as_bytes()).is_ok());
    }

    #[test]
    fn a_file_is_the_same_with_its_size_and_its_bytes_only() {
        let manifest = Manifest::new("a.cap", 24, digest(1));
        for (size, sha256, expected) in [
            (24, digest(1), Verdict::Same),
            (24, digest(2), Verdict::OtherContent),
            (25, digest(2), Verdict::OtherSize),
            (25, digest(1), Verdict::OtherSize),
        ] {
            assert_eq!(manifest.verify(size, sha256), expected);
        }
    }
}
