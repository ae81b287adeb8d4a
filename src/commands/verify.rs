//! `handler verify`: whether a capture file is the one that its manifest was written for, byte by byte.

use super::{path, print, progress::Progress};
use crate::text;
use aws_lc_rs::digest::{Context, SHA256};
use first_look::{Digest, Manifest, Verdict};
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Bytes read at a time.
const CHUNK: usize = 1 << 20;
/// Maximum size of a manifest. Those of this program have about 2 KiB.
const MAX_MANIFEST: u64 = 1 << 20;

/// Check that a capture file is unchanged
///
/// Computes size and SHA-256 of the file and compares them with its manifest, which the function writes when it reads a
/// finished capture. The exit code is 0 when the file is unchanged, 1 when it is not, 2 when a file cannot be read.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Capture file; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Manifest of the file, JSON
    #[arg(value_name = "MANIFEST")]
    manifest: PathBuf,
}

pub fn run(arguments: &Arguments) -> ExitCode {
    match verify(arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

/// Whether the file is unchanged.
fn verify(arguments: &Arguments) -> Result<bool, String> {
    let manifest = manifest(&arguments.manifest)?;
    let (shown, read) = match path::is_dash(&arguments.file) {
        true => ("standard input".into(), sum(&mut io::stdin().lock(), None)),
        false => (path::shown(&arguments.file), sum_file(&arguments.file)),
    };
    let (size, sha256) = read.map_err(|error| format!("could not read {shown}: {error}"))?;
    let verdict = manifest.verify(size, sha256);
    print(&page(&shown, &manifest, (size, sha256), verdict))?;
    Ok(verdict == Verdict::Same)
}

fn manifest(from: &Path) -> Result<Manifest, String> {
    let shown = path::shown(from);
    let mut content = Vec::new();
    let read = File::open(from).and_then(|file| file.take(MAX_MANIFEST).read_to_end(&mut content));
    read.map_err(|error| format!("could not read {shown}: {error}"))?;
    Manifest::parse(&content).map_err(|error| {
        let error = text::clean(&error, text::MESSAGE);
        format!("{shown} is not a manifest: {error}; the arguments are the capture file, then its manifest")
    })
}

fn sum_file(path: &Path) -> io::Result<(u64, Digest)> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    sum(&mut file, metadata.is_file().then_some(metadata.len()))
}

/// Size and digest of everything that can be read.
fn sum(from: &mut dyn Read, whole: Option<u64>) -> io::Result<(u64, Digest)> {
    let mut progress = Progress::start(whole);
    let mut digest = Context::new(&SHA256);
    let (mut buffer, mut size) = (vec![0; CHUNK], 0);
    loop {
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                digest.update(&buffer[..count]);
                size += count as u64;
                progress.add(count as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest.finish().as_ref());
    Ok((size, Digest(sha256)))
}

/// The result first, then what the manifest says of the file.
fn page(shown: &str, manifest: &Manifest, found: (u64, Digest), verdict: Verdict) -> String {
    let (size, sha256) = found;
    let mut out = match verdict {
        Verdict::Same => format!("ok       {shown} is unchanged: {size} bytes, SHA-256 {sha256}\n"),
        Verdict::OtherSize => format!(
            "CHANGED  {shown} has {size} bytes; the manifest says {}\n",
            manifest.file.size
        ),
        Verdict::OtherContent => format!(
            "CHANGED  {shown} has SHA-256 {sha256}; the manifest says {}\n",
            manifest.file.sha256
        ),
    };
    let (capture, alert) = (
        &manifest.capture,
        manifest.alert.clone().unwrap_or_default(),
    );
    let tool = format!("{} {}", manifest.tool.name, manifest.tool.version);
    for (name, value) in [
        ("file", Some(&manifest.file.name)),
        ("url", manifest.file.url.as_ref()),
        ("capture", capture.id.as_ref()),
        ("machine", capture.target.as_ref()),
        ("started", capture.started.as_ref()),
        ("finished", capture.finished.as_ref()),
        ("stopped by", capture.stop_reason.as_ref()),
        ("alert", alert.rule.as_ref()),
        ("fired", alert.fired.as_ref()),
        ("identity", manifest.identity.as_ref()),
        ("written", manifest.written.as_ref()),
        ("tool", Some(&tool)),
    ] {
        if let Some(value) = value {
            let value = text::clean(value, text::ID);
            out += &format!("{name:<11}{value}\n");
        }
    }
    out
}
