//! Writes capture files to a folder, where they stay after the sandbox has stopped.

use std::path::PathBuf;

pub(super) struct Disk {
    root: Option<PathBuf>,
}

impl Disk {
    pub fn new(root: Option<PathBuf>) -> Self {
        Self { root }
    }

    /// The file of a blob, whether or not it has landed.
    pub fn place(&self, blob: &str) -> Option<PathBuf> {
        let root = self.root.as_ref()?;
        Some(
            blob.split('/')
                .fold(root.clone(), |path, part| path.join(part)),
        )
    }

    pub fn write(&self, blob: &str, bytes: &[u8]) {
        let Some(path) = self.place(blob) else { return };
        let written = path
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&path, bytes));
        if let Err(error) = written {
            // The blob can still be read over HTTPS, so this is worth a line and no more.
            tracing::warn!(path = %path.display(), error = %error, "capture file not written");
        }
    }
}
