//! `handler doctor --all`: a readiness run in a terminal. Its result is printed and kept nowhere.

use super::parts;
use crate::{
    config::AppSettings,
    fleet::{self, MAXIMUM_STORED_BYTES, Run, Verdict},
    readiness::{Everywhere, Keep},
};
use std::{fmt::Write, process::ExitCode, time::Duration};
use time::OffsetDateTime;

/// Interval between two calls to Azure.
const BETWEEN_CALLS: Duration = Duration::from_millis(100);

struct Nowhere;

#[async_trait::async_trait]
impl Keep for Nowhere {
    async fn last(&self) -> Option<Run> {
        None
    }

    async fn unfinished(&self) -> Option<Run> {
        None
    }

    async fn keep(&self, _: &Run) -> bool {
        true
    }
}

/// Exit code 0 when all machines are ready, 1 when one is not, or is unknown.
pub fn run(json: bool, settings: &AppSettings) -> ExitCode {
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
    if let Err(message) = super::super::print(&format!("{text}\n")) {
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
    for fix in fleet::fixes(run) {
        let _ = writeln!(text, "\nfix: {} ({} machines)", fix.cause, fix.machines);
        for command in fix.commands {
            let _ = writeln!(text, "  {command}");
        }
    }
    let _ = write!(text, "\n{} calls to Azure", run.calls);
    text
}
