//! `handler doctor`: builds the parts, lets `readiness` check them, and prints the report.

mod all;
mod parts;
mod print;

use crate::{
    config::AppSettings,
    readiness::{self, Status, Targets},
    resource_id::ResourceId,
};
use std::{
    io::{self, IsTerminal},
    path::PathBuf,
    process::ExitCode,
};

/// Check the setup, and print the command that fixes each fault
///
/// Read-only. It sends no notifications; it only checks that the webhook host accepts a connection. The exit code is
/// 1 when a check fails; warnings do not count.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Print the checks as a JSON array
    #[arg(long)]
    json: bool,
    /// Print without colours; so does the environment variable NO_COLOR
    #[arg(long, alias = "no-colour")]
    no_color: bool,
    /// Check the network watchers and permissions of this subscription; repeatable
    #[arg(long = "subscription", value_name = "GUID", value_parser = subscription)]
    subscriptions: Vec<ResourceId>,
    /// Check all machines that alerts can name, as `Readiness__Targets` says
    #[arg(long, conflicts_with_all = ["subscriptions", "machines"])]
    all: bool,
    /// Write the commands that fix what --all found into this file, to be read and run by an operator; - is standard output
    #[arg(long, value_name = "FILE", requires = "all", conflicts_with = "json")]
    script: Option<PathBuf>,
    /// Check that an alert on this virtual machine could start a capture; repeatable
    #[arg(long = "vm", value_name = "ID", value_parser = machine)]
    machines: Vec<ResourceId>,
}

/// Exit code 0 when no check fails, 1 when one does.
pub fn run(arguments: &Arguments, settings: &AppSettings) -> ExitCode {
    if arguments.all {
        return all::run(arguments.json, arguments.script.as_deref(), settings);
    }
    let targets = Targets {
        subscriptions: arguments.subscriptions.clone(),
        machines: arguments.machines.clone(),
    };
    let report = super::runtime().map(|runtime| {
        runtime.block_on(async { readiness::check(&parts::parts(settings), &targets).await })
    });
    let report = match report {
        Ok(report) => report,
        Err(error) => {
            eprintln!("error: could not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    // https://no-color.org
    let plain = arguments.no_color || settings.get("NO_COLOR").is_some_and(|it| !it.is_empty());
    let text = match arguments.json {
        true => print::json(&report),
        false => print::text(&report, io::stdout().is_terminal() && !plain),
    };
    if let Err(message) = super::print(&format!("{text}\n")) {
        eprintln!("error: {message}");
        return ExitCode::FAILURE;
    }
    match report.count(Status::Failed) {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// A GUID, with or without `/subscriptions/` before it.
fn subscription(text: &str) -> Result<ResourceId, String> {
    let guid = text.strip_prefix("/subscriptions/").unwrap_or(text);
    match ResourceId::parse(&format!("/subscriptions/{guid}")) {
        Ok(id) if id.subscription_id() == id => Ok(id),
        Ok(_) => Err("expected the GUID of a subscription".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn machine(text: &str) -> Result<ResourceId, String> {
    match ResourceId::parse(text) {
        Ok(id) if id.is_type("Microsoft.Compute/virtualMachines") => Ok(id),
        Ok(_) => Err("expected the resource id of a virtual machine".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        _arguments: Arguments,
    }

    const SUB: &str = "0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee";

    #[test]
    fn arguments_follow_the_table() {
        let vm = format!(
            "/subscriptions/{SUB}/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v"
        );
        let set = vm.replace("virtualMachines", "virtualMachineScaleSets");
        let inline = format!("--vm={vm}");
        for (arguments, good) in [
            (vec![], true),
            (vec!["--json", "--no-color"], true),
            (vec!["--no-colour"], true),
            (vec!["--subscription", SUB, "--vm", &vm, "--vm", &vm], true),
            (vec![inline.as_str()], true),
            (vec!["--subscription"], false),
            (vec!["--subscription", "prod"], false),
            (vec!["--subscription", &vm], false),
            (vec!["--vm", &set], false),
            (vec!["--vm", "web-01"], false),
            (vec!["--json=1"], false),
            (vec!["--fix"], false),
            (vec!["web-01"], false),
        ] {
            let words = ["doctor"].iter().chain(&arguments);
            assert_eq!(Line::try_parse_from(words).is_ok(), good, "{arguments:?}");
        }
    }
}
