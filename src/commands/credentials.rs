//! `handler credentials`: makes a key file, encrypts the password with it, and checks what is configured.
//! People who come from the original go on without PowerShell; secrets are never taken from an argument, where
//! the shell's history and other users would see them.

use crate::{
    advice,
    app::{self, Pace},
    azure::error::chain,
    config::{AppSettings, AzureSettings, key_file::Key, secure_string},
};
use std::{
    error::Error,
    fs::{self, File, OpenOptions},
    io::{self, IsTerminal, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};
use zeroize::Zeroizing;

const USAGE: &str = "\
usage: handler credentials new-key FILE [--force]   make a key file; --force overwrites one
       handler credentials encrypt --key FILE       encrypt a password, asked for or from standard input
       handler credentials check [--offline]        sign in with what is configured, or only read it";

/// Far more than any key file or client secret.
const LARGEST_INPUT: u64 = 64 * 1024;

/// The command as it was given.
#[derive(Debug, PartialEq, Eq)]
enum Command {
    NewKey { file: PathBuf, force: bool },
    Encrypt { key: PathBuf },
    Check { offline: bool },
}

/// Exit code 0 when all is well, 1 when not, 2 when the command is not understood.
pub fn main(arguments: &[String], environment: &AppSettings) -> ExitCode {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let Some(command) = parse(&arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let result = match command {
        Command::NewKey { file, force } => new_key(&file, force),
        Command::Encrypt { key } => encrypt(&key),
        Command::Check { offline } => check(environment, offline),
    };
    match result {
        // A closed pipe is no reason to panic, and no success either.
        Ok(text) if writeln!(io::stdout(), "{text}").is_ok() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: &[&str]) -> Option<Command> {
    let is_name = |text: &str| !text.is_empty() && !text.starts_with('-');
    match *arguments {
        ["new-key", file] if is_name(file) => Some(Command::NewKey {
            file: file.into(),
            force: false,
        }),
        ["new-key", file, "--force"] | ["new-key", "--force", file] if is_name(file) => {
            Some(Command::NewKey {
                file: file.into(),
                force: true,
            })
        }
        ["encrypt", "--key", key] if is_name(key) => Some(Command::Encrypt { key: key.into() }),
        ["check"] => Some(Command::Check { offline: false }),
        ["check", "--offline"] => Some(Command::Check { offline: true }),
        _ => None,
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
            "{shown}: a new key of 256 bits. Keep it beside the app and out of source control; AzureCredKeyPath is its path.\nNext: handler credentials encrypt --key {shown}"
        )),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(format!(
            "{shown} exists and was left as it is; a password encrypted with it could no longer be read. --force overwrites it"
        )
        .into()),
        Err(error) => Err(format!("{shown} cannot be written ({error})").into()),
    }
}

/// A new file that only its owner reads. It is never opened if it exists.
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

/// The old file stays whole until the new one is.
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
        .and_then(|file| file.take(LARGEST_INPUT).read_to_end(&mut bytes))
        .map_err(|error| format!("the key file {shown} cannot be read ({error})"))?;
    Ok(Key::read(&bytes).map_err(|error| format!("the key file {shown} {error}"))?)
}

/// All of the input without its last line end. A byte order mark comes from a shell, not from the secret.
fn password_from(input: impl Read) -> Result<Zeroizing<String>, Box<dyn Error>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    input.take(LARGEST_INPUT).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == LARGEST_INPUT {
        return Err("what is on standard input is far too long for a password".into());
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
            "readable: {found}\nWhether Azure takes it shows without --offline alone."
        ));
    }
    let arm = app::arm_client(&azure, &Pace::default())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match runtime.block_on(arm.fetch_token()) {
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

    #[test]
    fn commands_are_understood_or_refused() {
        let new_key = |force| {
            Some(Command::NewKey {
                file: "k".into(),
                force,
            })
        };
        let cases: Vec<(&[&str], Option<Command>)> = vec![
            (&["new-key", "k"], new_key(false)),
            (&["new-key", "k", "--force"], new_key(true)),
            (&["new-key", "--force", "k"], new_key(true)),
            (&["new-key", "--force"], None),
            (&["new-key"], None),
            (
                &["encrypt", "--key", "k"],
                Some(Command::Encrypt { key: "k".into() }),
            ),
            (&["encrypt", "--key", "k", "s3cret"], None),
            (&["encrypt"], None),
            (&["check"], Some(Command::Check { offline: false })),
            (
                &["check", "--offline"],
                Some(Command::Check { offline: true }),
            ),
            (&["check", "--online"], None),
            (&[], None),
        ];
        for (arguments, command) in cases {
            assert_eq!(parse(arguments), command, "{arguments:?}");
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
