//! `handler doctor --all`: a readiness run in a terminal. Its result is printed and kept nowhere.

use super::{
    super::path::{self, is_dash},
    parts,
};
use crate::{
    config::AppSettings,
    fleet::{self, MAXIMUM_STORED_BYTES, Run, Verdict},
    readiness::{Everywhere, Keep},
};
use std::{
    fmt::Write as _,
    fs::OpenOptions,
    io::{self, IsTerminal, Write},
    path::Path,
    process::ExitCode,
    time::Duration,
};
use time::OffsetDateTime;

/// Interval between two calls to Azure.
const BETWEEN_CALLS: Duration = Duration::from_millis(100);

/// Characters of the progress bar.
const WIDTH: usize = 30;

/// Keeps nothing, and shows at a terminal how far the run is.
struct Nowhere;

#[async_trait::async_trait]
impl Keep for Nowhere {
    async fn last(&self) -> Option<Run> {
        None
    }

    async fn unfinished(&self) -> Option<Run> {
        None
    }

    async fn keep(&self, run: &Run) -> bool {
        if io::stderr().is_terminal() {
            let line = match run.finished {
                // The line is removed.
                Some(_) => "\r\x1b[K".to_owned(),
                None => format!(
                    "\r\x1b[K{}",
                    progress(run.progress(), run.counts().machines())
                ),
            };
            let _ = io::stderr().write_all(line.as_bytes());
        }
        true
    }
}

/// `[##########                    ] 1650 of 5000 machines`.
fn progress(checked: usize, machines: usize) -> String {
    let full = checked
        .saturating_mul(WIDTH)
        .checked_div(machines)
        .unwrap_or_default()
        .min(WIDTH);
    let (done, left) = ("#".repeat(full), " ".repeat(WIDTH - full));
    format!("[{done}{left}] {checked} of {machines} machines")
}

/// Writes the script where only its owner can write it; - is standard output.
fn write(path: &Path, script: &str) -> Result<(), String> {
    if is_dash(path) {
        return super::super::print(script);
    }
    let failed = |error| format!("could not write {}: {error}", path::shown(path));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o755);
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(script.as_bytes()).map_err(failed)
}

/// Exit code 0 when all machines are ready, 1 when one is not, or is unknown.
pub fn run(json: bool, script: Option<&Path>, settings: &AppSettings) -> ExitCode {
    let made = super::super::runtime().map(|runtime| {
        runtime.block_on(async {
            let mut parts = parts::parts(settings);
            parts.arm = parts.arm.map(|arm| arm.ahead());
            let everywhere = Everywhere {
                parts: &parts,
                quiet: &(),
                keep: &Nowhere,
                pace: BETWEEN_CALLS,
            };
            everywhere.run(OffsetDateTime::now_utc()).await
        })
    });
    let run = match made {
        Ok(Some(run)) => run,
        Ok(None) => return ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: could not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let text = match json {
        true => format!("{:#}", run.to_json(MAXIMUM_STORED_BYTES)),
        false => text(&run),
    };
    let to_output = script.is_some_and(is_dash);
    let printed = match to_output {
        true => Ok(()),
        false => super::super::print(&format!("{text}\n")),
    };
    let printed = printed.and_then(|()| match script {
        Some(path) => write(path, &run.script()),
        None => Ok(()),
    });
    if let Err(message) = printed {
        eprintln!("error: {message}");
        return ExitCode::FAILURE;
    }
    let counts = run.counts();
    match counts.ready == counts.machines() && counts.machines() > 0 {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// The sentence, the machines by cause, and the commands that fix them.
fn text(run: &Run) -> String {
    let mut text = format!("{}\n", run.sentence());
    for verdict in [Verdict::NotReady, Verdict::Unknown] {
        for group in fleet::groups(run, verdict) {
            let _ = writeln!(text, "\n{} ({})", group.cause, group.machines.len());
            for machine in group.machines {
                let _ = writeln!(text, "  {machine}");
            }
        }
    }
    // Those with a fix are named there.
    for finding in run.findings.iter().filter(|it| it.fix.is_none()) {
        let _ = writeln!(text, "\n{}: {}", finding.check, finding.message);
    }
    for fix in fleet::fixes(run) {
        let machines = match fix.machines {
            0 => String::new(),
            1 => " (1 machine)".to_owned(),
            machines => format!(" ({machines} machines)"),
        };
        let _ = writeln!(text, "\nfix: {}{machines}", fix.cause);
        for command in fix.commands {
            let _ = writeln!(text, "  {command}");
        }
    }
    let _ = write!(text, "\n{} calls to Azure", run.calls);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{Finding, Reach, Weight};

    #[test]
    fn a_finding_without_a_command_is_printed_too() {
        let mut run = Run::new(OffsetDateTime::UNIX_EPOCH, "rules", []);
        for fix in [None, Some("az vm list".to_owned())] {
            run.findings.push(Finding {
                reach: Reach::None,
                check: "alert rules".to_owned(),
                weight: Weight::Unknown,
                message: format!("not known: {}", fix.is_some()),
                fix,
            });
        }
        let text = text(&run);
        for line in [
            "\nalert rules: not known: false\n",
            "\nfix: alert rules: not known: true\n  az vm list\n",
        ] {
            assert_eq!(text.matches(line).count(), 1, "{text}");
        }
    }
}
