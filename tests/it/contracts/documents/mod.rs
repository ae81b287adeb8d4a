//! The documents agree with the code: links, settings, log messages, the picture, and plain words. A page that is wrong at
//! 2 AM is worse than none.

mod front_page;
mod links;
mod messages;
mod settings;
mod source;
mod words;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Folders with files that are not part of the project.
const SKIPPED: [&str; 4] = ["target", "node_modules", ".git", "corpus"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a file of the project.
fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files below a folder with one of these extensions, as paths from the project's root, in order.
fn files(below: &str, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let start = root().join(below);
    if start.is_file() {
        return vec![PathBuf::from(below)];
    }
    collect(&start, extensions, &mut found);
    found.sort();
    found
        .iter()
        .map(|path| path.strip_prefix(root()).unwrap().to_path_buf())
        .collect()
}

fn collect(folder: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if !SKIPPED.contains(&name.as_ref()) {
                collect(&path, extensions, found);
            }
        } else if extensions.iter().any(|extension| name.ends_with(extension)) {
            found.push(path);
        }
    }
}

/// Every span between single backticks, outside of code blocks.
fn code_spans(page: &str) -> Vec<&str> {
    outside_of_code_blocks(page)
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .collect()
}

fn outside_of_code_blocks(page: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    page.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        !inside && !fence
    })
}
