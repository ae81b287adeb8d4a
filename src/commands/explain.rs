//! `handler explain`: how an alert is read and what would be done about it, without a server and without Azure.
//! This is how people test their alert rules.

use crate::{
    alert::{self, MAX_BODY_BYTES},
    config::{AllowedSettings, AppSettings},
    functions::Explanation,
    incident::{Allowed, Profiles},
    text,
};
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

/// Explain how an alert is read and which captures it would start
///
/// Nothing is sent to Azure. The exit code is 0 when all files are alerts, 1 when one is not, 2 when a file or a
/// setting is not readable.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Print one line of JSON for each alert, as the function would answer
    #[arg(long)]
    json: bool,
    /// Files with the body of an alert; standard input when there are none
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub fn run(arguments: &Arguments, settings: &AppSettings) -> ExitCode {
    let (allowed, max_targets, profiles) = match allowed(settings) {
        Ok(read) => read,
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::from(2);
        }
    };
    let inputs: Vec<Option<&Path>> = match arguments.files.as_slice() {
        [] => vec![None],
        files => files.iter().map(|file| Some(file.as_path())).collect(),
    };
    let mut code = 0;
    for input in inputs {
        let name = input.map_or("standard input".into(), Path::to_string_lossy);
        let name = text::clean(&name, text::ID);
        let body = match read(input) {
            Ok(body) => body,
            Err(error) => {
                eprintln!("error: could not read {name}: {error}");
                code = 2;
                continue;
            }
        };
        let explanation = Explanation::of(alert::read(&body), &allowed, max_targets, &profiles);
        if !explanation.is_alert() {
            code = code.max(1);
        }
        let printed = match arguments.json {
            true => explanation.to_json(),
            false => format!("{name}\n{}", explanation.to_text()),
        };
        if let Err(message) = super::print(&format!("{printed}\n")) {
            eprintln!("error: {message}");
            return ExitCode::from(2);
        }
    }
    ExitCode::from(code)
}

/// What is allowed, for how many targets of an alert, and by which profiles. Everything of Azure may be missing.
fn allowed(settings: &AppSettings) -> Result<(Allowed, usize, Arc<Profiles>), String> {
    let read = AllowedSettings::read(settings).map_err(|error| error.to_string())?;
    let profiles = Profiles {
        all: read.profiles,
        cooldown: read.cooldown,
    };
    Ok((read.allowed, read.max_targets, Arc::new(profiles)))
}

/// One byte more than is allowed is enough to see that a body is too large.
pub(super) fn read(file: Option<&Path>) -> io::Result<Vec<u8>> {
    let limit = MAX_BODY_BYTES as u64 + 1;
    let mut body = Vec::new();
    match file {
        Some(path) => File::open(path)?.take(limit).read_to_end(&mut body)?,
        None => io::stdin().take(limit).read_to_end(&mut body)?,
    };
    Ok(body)
}
