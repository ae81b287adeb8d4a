//! A resource id as text: written, read back by serde, compared. Two spellings that differ in letter case are one id
//! everywhere, so comparisons and hashes fold it. They do that as they read: a second, folded text would take a fifth of
//! the memory of a followed capture.
//!
//! Only ASCII letters are folded, as Azure compares. Two groups whose names differ in another letter are two groups: the
//! Kelvin sign (U+212A) is no k, although Unicode's lower case of it is one.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{InvalidResourceId, ResourceId};

/// Bytes that are folded and hashed at once.
const PIECE: usize = 64;

fn folded(id: &ResourceId) -> impl Iterator<Item = u8> {
    id.text.bytes().map(|byte| byte.to_ascii_lowercase())
}

impl FromStr for ResourceId {
    type Err = InvalidResourceId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        ResourceId::parse(text)
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResourceId({})", self.text)
    }
}

impl PartialEq for ResourceId {
    fn eq(&self, other: &Self) -> bool {
        self.text.eq_ignore_ascii_case(&other.text)
    }
}

impl Eq for ResourceId {}

impl Hash for ResourceId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // In pieces: a hasher is slow at single bytes.
        let mut folded = [0; PIECE];
        for piece in self.text.as_bytes().chunks(PIECE) {
            let folded = &mut folded[..piece.len()];
            folded.copy_from_slice(piece);
            folded.make_ascii_lowercase();
            state.write(folded);
        }
        state.write_u8(0xff);
    }
}

impl PartialOrd for ResourceId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ResourceId {
    fn cmp(&self, other: &Self) -> Ordering {
        folded(self).cmp(folded(other))
    }
}

impl Serialize for ResourceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for ResourceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        ResourceId::parse(&text).map_err(de::Error::custom)
    }
}
