//! Headless Chromium: takes pictures of a page, and returns the page's elements after its scripts ran.

use crate::support::folder::Folder;
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tokio::task::spawn_blocking;

/// How wide the page is, and which colours its reader prefers.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    pub width: u32,
    pub height: u32,
    pub dark: bool,
}

/// An installed Chromium.
#[derive(Clone)]
pub struct Browser {
    program: PathBuf,
}

impl Browser {
    /// The Chromium of the machine. Without one the test says so; with `CHROMIUM_TESTS=required`, as in CI, it fails.
    pub fn installed() -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let names = ["chromium", "chromium-browser", "google-chrome"];
        let found = std::env::split_paths(&path)
            .flat_map(|folder| names.map(|name| folder.join(name)))
            .find(|program| program.is_file());
        if found.is_none() {
            let required = std::env::var("CHROMIUM_TESTS").is_ok_and(|it| it == "required");
            assert!(
                !required,
                "CHROMIUM_TESTS=required, and there is no Chromium"
            );
            eprintln!(
                "not tested: there is no Chromium on this machine (Debian: apt-get install chromium)"
            );
        }
        found.map(|program| Self { program })
    }

    /// The page's elements once its scripts ran.
    pub async fn elements(&self, url: &str, window: Window) -> String {
        let output = self.run(url, window, &["--dump-dom"]).await;
        String::from_utf8(output).expect("text")
    }

    /// The same, and a picture of the page in a file.
    pub async fn picture(&self, url: &str, window: Window, file: &Path) -> String {
        let option = format!("--screenshot={}", file.display());
        let output = self.run(url, window, &["--dump-dom", &option]).await;
        assert!(file.is_file(), "{}", file.display());
        String::from_utf8(output).expect("text")
    }

    async fn run(&self, url: &str, window: Window, options: &[&str]) -> Vec<u8> {
        let profile = Folder::new();
        let mut command = Command::new(&self.program);
        command
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
            ])
            .args([
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
            ])
            .arg(format!("--user-data-dir={}", profile.0.display()))
            // No window is narrower than 500 pixels.
            .arg(format!(
                "--window-size={},{}",
                window.width.max(500),
                window.height
            ))
            // 0 is dark, 1 is light.
            .arg(format!(
                "--blink-settings=preferredColorScheme={}",
                u8::from(!window.dark)
            ))
            .args(options)
            .arg(url)
            // The script shows the offset of the reader's zone.
            .env("TZ", "Asia/Tokyo")
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        let output = spawn_blocking(move || command.output());
        let output = output.await.unwrap().expect("Chromium starts");
        drop(profile);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{url}: {errors}");
        output.stdout
    }
}
