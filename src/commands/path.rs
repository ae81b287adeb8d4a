//! Files that are named at the terminal.

use crate::text;
use std::path::Path;

/// Whether a file stands for standard input or output.
pub fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// A path in a line for people.
pub fn shown(path: &Path) -> String {
    text::clean(&path.to_string_lossy(), text::ID).into_owned()
}
