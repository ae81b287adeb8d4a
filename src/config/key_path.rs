//! Where the key file is. Settings come from Windows, where case does not matter and paths have drives.

use super::key_file::Key;
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Component, Path, PathBuf},
};
use zeroize::Zeroizing;

/// The original's place for it, below the function app's folder.
const DEFAULT: [&str; 3] = ["AlertPacketCapture", "keys", "PassEncryptKey.key"];
/// A key file of 32 lines in the widest encoding has well under 1 KiB.
const LARGEST: u64 = 64 * 1024;

/// The path to read. `root` is the function app's folder; without it, the current directory.
pub(super) fn resolve(set: Option<&str>, root: Option<&str>) -> PathBuf {
    let set = set.map_or_else(|| DEFAULT.iter().collect(), PathBuf::from);
    let path = root.map_or_else(PathBuf::new, PathBuf::from).join(set);
    std::path::absolute(&path).unwrap_or(path)
}

/// Reads the key from the file at `path`, whose name may differ in case.
///
/// # Errors
/// A sentence for people, with the path and never the content. `set` is the setting as it was written.
pub(super) fn read(path: &Path, set: Option<&str>) -> Result<(PathBuf, Key), String> {
    let shown = path.display();
    let path = match find(path) {
        Ok(Some(path)) => path,
        Ok(None) if !cfg!(windows) && set.is_some_and(is_windows_path) => {
            return Err(format!(
                "{} is a Windows path, and this is not Windows; give the key file's path here",
                set.unwrap_or_default()
            ));
        }
        Ok(None) => {
            return Err(format!(
                "there is no key file {shown}; set AzureCredKeyPath to the file that AzureCredPassword was encrypted with"
            ));
        }
        Err(error) => {
            return Err(format!(
                "the key file {shown} cannot be looked up ({error})"
            ));
        }
    };
    let shown = path.display();
    let bytes = bytes_of(&path)
        .map_err(|error| format!("the key file {shown} cannot be read ({error})"))?;
    match Key::read(&bytes) {
        Ok(key) => Ok((path, key)),
        Err(error) => Err(format!("the key file {shown} {error}")),
    }
}

fn bytes_of(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    // Opening a pipe would wait for its other end.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    File::open(path)?.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The path as it is on the disk: exactly so, or the only one that differs in case alone.
fn find(path: &Path) -> io::Result<Option<PathBuf>> {
    if path.try_exists()? {
        return Ok(Some(path.to_path_buf()));
    }
    let mut found = PathBuf::new();
    for component in path.components() {
        let Component::Normal(name) = component else {
            found.push(component);
            continue;
        };
        if found.join(name).try_exists()? {
            found.push(name);
            continue;
        }
        let mut alike = Vec::new();
        if found.is_dir() {
            for entry in fs::read_dir(&found)? {
                let entry = entry?.file_name();
                if entry.eq_ignore_ascii_case(name) {
                    alike.push(entry);
                }
            }
        }
        match alike.as_slice() {
            [] => return Ok(None),
            [one] => found.push(one),
            [..] => {
                return Err(io::Error::other(format!(
                    "{} has several names there that differ in case alone",
                    name.display()
                )));
            }
        }
    }
    Ok(Some(found))
}

fn is_windows_path(text: &str) -> bool {
    let drive = matches!(text.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    drive || text.contains('\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_originals_place() {
        let path = resolve(None, Some("/home/site/wwwroot"));
        assert!(path.ends_with("wwwroot/AlertPacketCapture/keys/PassEncryptKey.key"));
        assert!(path.is_absolute() || cfg!(windows));
        assert!(resolve(None, None).is_absolute());
        let path = resolve(Some("keys/a.key"), Some("/home/site/wwwroot"));
        assert!(path.ends_with("wwwroot/keys/a.key"));
        assert_eq!(
            resolve(Some("/k/a.key"), Some("/home")),
            Path::new("/k/a.key")
        );
    }

    #[test]
    fn windows_paths_are_recognized() {
        for (text, windows) in [
            (r"D:\home\site\wwwroot\k.key", true),
            ("D:/home/k.key", true),
            (r"keys\k.key", true),
            ("/home/k.key", false),
            ("keys/k.key", false),
        ] {
            assert_eq!(is_windows_path(text), windows, "{text}");
        }
    }
}
