//! Folders of inputs beside this package, for tests that compare with them where they are there.

use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A folder of inputs, if it is there. In CI it has to be.
pub fn beside(name: &str) -> Option<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = package.join("../shared").join(name);
    if folder.join("README.md").is_file() {
        return Some(folder);
    }
    let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(!in_ci, "{} is not there", folder.display());
    println!("{} is not there: nothing compared", folder.display());
    None
}

/// An input that people had trouble with, if the folder of them is there.
pub fn field(file: &str) -> Option<Value> {
    let text = fs::read_to_string(beside("field")?.join(format!("{file}.json"))).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}
