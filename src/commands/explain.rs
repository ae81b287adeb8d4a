//! `handler explain`: how an alert is read and what would be done about it, at the command line, without a
//! server and without Azure. This is how people test their alert rules.

use crate::{
    alert::{self, MAX_BODY_BYTES},
    config::{AllowedSettings, AppSettings},
    functions::Explanation,
    incident::Allowed,
};
use std::{
    fs::File,
    io::{self, Read, Write},
    process::ExitCode,
};

/// Reads the files, or standard input, and prints what would be done. The exit code is 0 when all of them are
/// alerts, 1 when one is not, 2 when a file or a setting cannot be read.
pub fn main(arguments: &[String], environment: &AppSettings) -> ExitCode {
    let as_json = arguments.iter().any(|argument| argument == "--json");
    let files: Vec<&String> = arguments
        .iter()
        .filter(|argument| *argument != "--json")
        .collect();
    if let Some(unknown) = files.iter().find(|file| file.starts_with("--")) {
        eprintln!("error: unknown option {unknown}; usage: handler explain [--json] [FILE...]");
        return ExitCode::from(2);
    }
    let (allowed, max_targets) = match allowed(environment) {
        Ok(read) => read,
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::from(2);
        }
    };
    let mut code = 0;
    let inputs: Vec<Option<&String>> = if files.is_empty() {
        vec![None]
    } else {
        files.into_iter().map(Some).collect()
    };
    for input in inputs {
        let name = input.map_or("standard input", String::as_str);
        let body = match read(input) {
            Ok(body) => body,
            Err(error) => {
                eprintln!("error: {name}: {error}");
                code = 2;
                continue;
            }
        };
        let explanation = Explanation::of(alert::read(&body), &allowed, max_targets);
        if !explanation.is_alert() {
            code = code.max(1);
        }
        let text = if as_json {
            explanation.to_json()
        } else {
            format!("{name}\n{}", explanation.to_text())
        };
        // A closed pipe (`| head`) is no reason to panic.
        if writeln!(io::stdout(), "{text}").is_err() {
            break;
        }
    }
    ExitCode::from(code)
}

/// What is allowed, and for how many targets of an alert. Everything of Azure may be missing.
fn allowed(environment: &AppSettings) -> Result<(Allowed, usize), String> {
    let settings = AllowedSettings::read(environment).map_err(|error| error.to_string())?;
    Ok((settings.allowed, settings.max_targets))
}

/// One byte more than is allowed is enough to see that a body is too large.
fn read(file: Option<&String>) -> io::Result<Vec<u8>> {
    let limit = MAX_BODY_BYTES as u64 + 1;
    let mut body = Vec::new();
    match file {
        Some(path) => File::open(path)?.take(limit).read_to_end(&mut body)?,
        None => io::stdin().take(limit).read_to_end(&mut body)?,
    };
    Ok(body)
}
