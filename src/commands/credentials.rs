//! `handler credentials`: makes a key file, encrypts a password with it, and checks the configured identity, without
//! PowerShell. Secrets are never arguments: the shell's history and other users would see them.

use crate::{
    advice,
    app::{self, Pace},
    azure::error::chain,
    config::{AppSettings, AzureSettings, key_file::Key, secure_string},
    readiness::quote,
    text,
};
use std::{
    error::Error,
    fs::{self, File, OpenOptions},
    io::{self, IsTerminal, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};
use zeroize::Zeroizing;

/// Far more than any key file or client secret.
const MAXIMUM_INPUT_BYTES: u64 = 64 * 1024;
/// Characters of an error: all settings may be invalid, and Entra's messages are long.
const MAXIMUM_ERROR: usize = 16 * 1024;

/// Make a key file, encrypt a password with it, and check the configured identity
#[derive(Debug, PartialEq, Eq, clap::Subcommand)]
pub enum Command {
    /// Write a new key of 256 bits to a file that only its owner can read
    NewKey {
        file: PathBuf,
        /// Replace an existing file; passwords encrypted with the old key become unreadable
        #[arg(long)]
        force: bool,
    },
    /// Encrypt a password, read from the terminal or from standard input
    Encrypt {
        /// The key file to encrypt with
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Sign in to Azure with the configured identity
    Check {
        /// Only read the settings; send nothing
        #[arg(long)]
        offline: bool,
    },
}

/// Exit code 0 for success, 1 for a failure.
pub fn run(command: Command, settings: &AppSettings) -> ExitCode {
    let result = match command {
        Command::NewKey { file, force } => new_key(&file, force),
        Command::Encrypt { key } => encrypt(&key),
        Command::Check { offline } => check(settings, offline),
    };
    match result {
        // A closed pipe is no reason to panic, and no success either.
        Ok(text) if writeln!(io::stdout(), "{text}").is_ok() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            let error = chain(error.as_ref());
            eprintln!("error: {}", text::clean(&error, MAXIMUM_ERROR));
            ExitCode::FAILURE
        }
    }
}

fn new_key(file: &Path, force: bool) -> Result<String, Box<dyn Error>> {
    let text = Key::generate()?.to_file();
    let shown = file.display();
    let written = if force {
        replace(file, text.as_bytes())
    } else {
        create(file, text.as_bytes())
    };
    match written {
        Ok(()) => Ok(format!(
            "New key of 256 bits written to {shown}. Keep the file beside the app and out of source control; AzureCredKeyPath takes its path.\nNext: handler credentials encrypt --key {}",
            quote(&shown.to_string())
        )),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(format!(
            "{shown} exists and was not changed; --force replaces it, and passwords encrypted with the old key become unreadable"
        )
        .into()),
        Err(error) => Err(format!("could not write {shown}: {error}").into()),
    }
}

/// Creates a file that only its owner can read. An existing file is an error.
fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

/// Replaces a file in one step: it is never half written.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(name);
    create(&new, content)?;
    fs::rename(&new, path).inspect_err(|_| {
        let _ = fs::remove_file(&new);
    })
}

fn encrypt(key: &Path) -> Result<String, Box<dyn Error>> {
    let key = read_key(key)?;
    let password = if io::stdin().is_terminal() {
        Zeroizing::new(rpassword::prompt_password("Password (not shown): ")?)
    } else {
        password_from(io::stdin())?
    };
    Ok(secure_string::encrypt(&password, &key)?)
}

fn read_key(path: &Path) -> Result<Key, Box<dyn Error>> {
    let shown = path.display();
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    File::open(path)
        .and_then(|file| file.take(MAXIMUM_INPUT_BYTES).read_to_end(&mut bytes))
        .map_err(|error| format!("could not read the key file {shown}: {error}"))?;
    Ok(Key::read(&bytes).map_err(|error| format!("the key file {shown} {error}"))?)
}

/// The input without its last line end. A byte order mark comes from a shell, not from the secret.
fn password_from(input: impl Read) -> Result<Zeroizing<String>, Box<dyn Error>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    input.take(MAXIMUM_INPUT_BYTES).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == MAXIMUM_INPUT_BYTES {
        return Err("standard input is too long for a password".into());
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| "the password on standard input is not UTF-8 text")?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text
        .strip_suffix("\r\n")
        .or(text.strip_suffix('\n'))
        .unwrap_or(text);
    Ok(Zeroizing::new(text.to_owned()))
}

fn check(environment: &AppSettings, offline: bool) -> Result<String, Box<dyn Error>> {
    let azure = AzureSettings::read(environment)?;
    let source = &azure.identity.source;
    if let Some(warning) = source.warning() {
        eprintln!("warning: {warning}");
    }
    let found = format!("{}, from {source}", azure.identity);
    if offline {
        return Ok(format!(
            "readable: {found}\nNothing was sent to Azure; without --offline this command signs in."
        ));
    }
    let arm = app::arm_client(&azure, &Pace::default())?;
    match super::runtime()?.block_on(arm.fetch_token()) {
        Ok(_) => Ok(format!("signed in: {found}")),
        Err(error) => Err(match advice::for_error(&error) {
            Some(advice) => format!("{advice} [{}; {found}]", chain(&error)).into(),
            None => format!("{} [{found}]", chain(&error)).into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(clap::Parser)]
    struct Line {
        #[command(subcommand)]
        command: Command,
    }

    #[test]
    fn arguments_follow_the_table() {
        let new_key = |force| {
            Some(Command::NewKey {
                file: "k".into(),
                force,
            })
        };
        let encrypt = || Some(Command::Encrypt { key: "k".into() });
        let check = |offline| Some(Command::Check { offline });
        let cases: Vec<(&[&str], Option<Command>)> = vec![
            (&["new-key", "k"], new_key(false)),
            (&["new-key", "k", "--force"], new_key(true)),
            (&["new-key", "--force", "k"], new_key(true)),
            (&["new-key", "--force"], None),
            (&["new-key"], None),
            (&["encrypt", "--key", "k"], encrypt()),
            (&["encrypt", "--key=k"], encrypt()),
            // A password is no argument.
            (&["encrypt", "--key", "k", "s3cret"], None),
            (&["encrypt"], None),
            (&["check"], check(false)),
            (&["check", "--offline"], check(true)),
            (&["check", "--online"], None),
            (&[], None),
        ];
        for (arguments, command) in cases {
            let words = ["credentials"].iter().chain(arguments);
            let parsed = Line::try_parse_from(words).ok().map(|line| line.command);
            assert_eq!(parsed, command, "{arguments:?}");
        }
    }

    #[test]
    fn one_line_end_is_dropped() {
        for (input, password) in [
            ("p~w", "p~w"),
            ("p~w\n", "p~w"),
            ("p~w\r\n", "p~w"),
            ("p~w\n\n", "p~w\n"),
            ("\u{feff} p~w \n", " p~w "),
        ] {
            assert_eq!(*password_from(input.as_bytes()).unwrap(), password);
        }
        assert!(password_from(&[0xff][..]).is_err());
    }
}
