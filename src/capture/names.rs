//! What is kept of a watcher's list when it has been read: which names it has and, of each, which capture has it.

use crate::azure::network_watcher::PacketCapture;
use std::{
    hash::{DefaultHasher, Hasher},
    num::NonZeroU64,
};

/// Maximum number of names kept. A longer list is not cached: each alert reads it again.
const MOST_NAMES: usize = 1_000;

/// The names of a list, 16 bytes each. Two names may look the same; a name that is there is never missed. Of a list that
/// is too long, any name may be there.
#[derive(Debug, Clone, Default)]
pub struct Names {
    known: Vec<Known>,
    count: usize,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    name: u64,
    identity: Option<Identity>,
}

/// Distinguishes a capture from a later one of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity(NonZeroU64);

impl Identity {
    /// By the file that Azure names after the millisecond of the create. Without one, such as when the file stays on the
    /// machine, by the etag, which is that of the whole watcher: the same etag means that nothing has changed at all.
    pub fn of(capture: &PacketCapture) -> Option<Self> {
        let path = capture.storage_path.as_deref().unwrap_or_default();
        let named_by_azure = path.rsplit('/').next()?.starts_with("packetcapture_");
        let text = match named_by_azure {
            true => path,
            false => capture.etag.as_deref().filter(|etag| !etag.is_empty())?,
        };
        let mut hasher = DefaultHasher::new();
        hasher.write(text.as_bytes());
        NonZeroU64::new(hasher.finish()).map(Self)
    }
}

impl Names {
    /// Adds the name of a capture and, where Azure has shown it, its identity.
    pub fn add(&mut self, name: &str, capture: Option<&PacketCapture>) {
        self.count = self.count.saturating_add(1);
        if self.count <= MOST_NAMES {
            self.known.push(Known {
                name: hash(name),
                identity: capture.and_then(Identity::of),
            });
        }
    }

    /// A capture was deleted.
    pub fn remove(&mut self, name: &str) {
        // Of a long list not all hashes are kept, so it stays "any name may be there".
        if self.count <= MOST_NAMES
            && let Some(at) = self.position(name)
        {
            self.known.swap_remove(at);
            self.count = self.count.saturating_sub(1);
        }
    }

    /// All captures, finished ones too, as they counted in 2017.
    pub fn count(&self) -> usize {
        self.count
    }

    /// `false`: no capture has this name.
    pub fn may_have(&self, name: &str) -> bool {
        self.count > MOST_NAMES || self.position(name).is_some()
    }

    /// The identity of the capture that has this name, if it is known.
    pub fn identity(&self, name: &str) -> Option<Identity> {
        self.known.get(self.position(name)?)?.identity
    }

    fn position(&self, name: &str) -> Option<usize> {
        let wanted = hash(name);
        self.known.iter().position(|known| known.name == wanted)
    }
}

fn hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.bytes()
        .for_each(|byte| hasher.write_u8(byte.to_ascii_lowercase()));
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_list_little_is_kept() {
        let mut names = Names::default();
        for n in 0..10_000 {
            names.add(&format!("ours-{n}"), None);
        }
        assert_eq!((names.count(), names.known.len()), (10_000, MOST_NAMES));
        assert!(names.may_have("Ours-1234") && names.may_have("not there"));
    }

    #[test]
    fn names_that_are_there_are_never_missed() {
        let all: Vec<_> = (0..MOST_NAMES).map(|n| format!("Name-{n}")).collect();
        let mut names = Names::default();
        all.iter().for_each(|name| names.add(name, None));
        assert!(all.iter().all(|name| names.may_have(&name.to_uppercase())));
        assert!(!names.may_have("name"));
    }

    #[test]
    fn a_deleted_name_is_free_again() {
        let mut names = Names::default();
        names.add("One", None);
        names.add("Two", None);
        names.remove("ONE");
        names.remove("three");
        assert_eq!(names.count(), 1);
        assert!(!names.may_have("one") && names.may_have("two"));
    }

    #[test]
    fn a_capture_is_known_by_its_file_or_its_watchers_etag() {
        const FILE: &str = "https://a.blob.example/logs/packetcapture_01_02_03_456.cap";
        const LATER: &str = "https://a.blob.example/logs/packetcapture_01_02_04_456.cap";
        // A path that Azure did not choose may be that of the next capture too.
        const CHOSEN: &str = "https://a.blob.example/logs/web-01.cap";
        for (path, etag, other_path, other_etag, expected) in [
            (FILE, "1", FILE, "2", true),
            (FILE, "", FILE, "", true),
            (FILE, "1", LATER, "1", false),
            (CHOSEN, "1", CHOSEN, "1", true),
            (CHOSEN, "1", CHOSEN, "2", false),
            ("", "1", "", "1", true),
            ("", "1", "", "2", false),
            ("", "", "", "", false),
            (CHOSEN, "", CHOSEN, "", false),
        ] {
            let capture = |path: &str, etag: &str| PacketCapture {
                storage_path: Some(path.to_owned()),
                etag: Some(etag.to_owned()),
                ..PacketCapture::default()
            };
            let mut names = Names::default();
            names.add("One", Some(&capture(path, etag)));
            let known = names.identity("oNE");
            let same = known.is_some() && known == Identity::of(&capture(other_path, other_etag));
            assert_eq!(same, expected, "{path} {etag} {other_path} {other_etag}");
            assert_eq!(names.identity("two"), None);
        }
    }
}
