//! The commands that a person types at `handler`: arguments and printing alone. Without a command it is the server.

mod credentials;
mod doctor;
mod drill;
mod explain;
mod look;
mod path;
mod profiles;
mod progress;
mod verify;

use crate::{config::AppSettings, telemetry};
use clap::{CommandFactory, Parser, Subcommand};
use std::{
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
};

/// Starts Network Watcher packet captures for Azure Monitor alerts.
///
/// Without a command it serves the function on FUNCTIONS_CUSTOMHANDLER_PORT.
#[derive(Debug, Parser)]
#[command(name = "handler", version = telemetry::version())]
pub struct CommandLine {
    /// `None` serves the function.
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl CommandLine {
    /// Reads the process's arguments. After an error, `--help` or `--version` gives the exit code.
    ///
    /// # Errors
    /// 2 for wrong arguments, with a usage line on standard error; 0 when help was asked for.
    pub fn read(words: impl IntoIterator<Item = OsString>) -> Result<Self, ExitCode> {
        let words: Vec<OsString> = words.into_iter().collect();
        // The Functions host gives no arguments: then there is nothing to parse before the server starts.
        if words.len() <= 1 {
            return Ok(Self { command: None });
        }
        Self::try_parse_from(&words).map_err(|error| {
            let _ = error.print();
            if error.use_stderr() && !error.to_string().contains("Usage:") {
                eprintln!("{}", usage(&words));
            }
            u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
        })
    }
}

/// The usage line of the command that the words name. clap leaves it out of errors about values.
fn usage(words: &[OsString]) -> String {
    let mut root = CommandLine::command();
    root.build();
    let mut command = &mut root;
    for word in &words[1..] {
        if command.find_subcommand(word).is_none() {
            break;
        }
        command = command.find_subcommand_mut(word).expect("it was found");
    }
    command.render_usage().to_string()
}

/// What `handler` does beside serving the function.
#[derive(Debug, Subcommand)]
pub enum Command {
    Explain(explain::Arguments),
    #[command(subcommand)]
    Credentials(credentials::Command),
    Doctor(doctor::Arguments),
    Drill(drill::Arguments),
    Look(look::Arguments),
    #[command(subcommand)]
    Profiles(profiles::Command),
    Verify(verify::Arguments),
}

impl Command {
    /// Runs the command and gives the exit code: 0 for a good result, 1 for a bad one, 2 for wrong input.
    pub fn run(self, settings: &AppSettings) -> ExitCode {
        match self {
            Self::Explain(arguments) => explain::run(&arguments, settings),
            Self::Credentials(command) => credentials::run(command, settings),
            Self::Doctor(arguments) => doctor::run(&arguments, settings),
            Self::Drill(arguments) => drill::run(&arguments, settings),
            Self::Look(arguments) => look::run(&arguments),
            Self::Profiles(command) => profiles::run(&command),
            Self::Verify(arguments) => verify::run(&arguments),
        }
    }
}

/// Prints a result. A closed pipe (`| head`) has taken what it wanted; on a full disk the result is lost.
fn print(text: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("could not write to standard output: {error}"))
        }
        _ => Ok(()),
    }
}

/// Commands run on one thread, as the server does.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::error::ErrorKind;

    #[test]
    fn the_definition_of_the_arguments_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn help_exists_for_each_command_and_a_wrong_option_gets_a_usage_line() {
        for command in [
            &[][..],
            &["explain"],
            &["credentials"],
            &["credentials", "new-key"],
            &["credentials", "encrypt"],
            &["credentials", "check"],
            &["doctor"],
            &["drill"],
            &["look"],
            &["verify"],
        ] {
            let parse = |option: &str| {
                let words = [&["handler"], command, &[option]].concat();
                CommandLine::try_parse_from(words).unwrap_err()
            };
            let help = parse("--help");
            assert_eq!(help.kind(), ErrorKind::DisplayHelp, "{command:?}");
            assert_eq!(help.exit_code(), 0);
            let wrong = parse("--no-such-option");
            assert_eq!(wrong.exit_code(), 2, "{command:?}");
            assert!(wrong.to_string().contains("Usage: handler"), "{wrong}");
        }
    }
}
