//! See it work: an imitation of Azure, the function beside it, one alert, and the capture file at the end.

mod alerts;
mod arguments;
mod demo;
mod desk;
mod explanation;
mod sessions;
mod show;
mod stage;
mod stay;
mod timeline;

use alert_packet_capture::telemetry;
use arguments::{Arguments, Mode};
use clap::Parser;
use desk::Desk;
use show::Show;
use stage::Stage;
use std::{error::Error, io::IsTerminal, process::ExitCode};

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    match run(Arguments::parse().into()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(mode: Mode) -> Result<(), Failure> {
    let logs = start_logs();
    let desk = Desk::open().await?;
    let mut stage = Stage::set(mode, &desk).await?;
    // Log lines go to stdout too and would tear a bar apart.
    let bars = std::io::stdout().is_terminal() && !logs;
    let mut show = Show::of(&stage, desk, bars);
    stage.start_function(mode).await?;
    let shown = async {
        if let Some(function) = &stage.function {
            demo::play(&mut show, &stage, &function.url).await?;
        }
        match mode.stays {
            true => stay::play(&mut show, &stage).await,
            false => Ok(()),
        }
    };
    let result = match mode.stays {
        true => tokio::select! {
            result = shown => result,
            _ = tokio::signal::ctrl_c() => Ok(()),
        },
        false => shown.await,
    };
    show.end();
    stage.strike().await;
    result
}

/// The timeline is what this program prints; the function's log lines are for those who ask for them.
fn start_logs() -> bool {
    let level = std::env::var("RUST_LOG").ok().filter(|it| !it.is_empty());
    if level.is_some() {
        let format = std::env::var("LOG_FORMAT").ok();
        telemetry::start(level.as_deref(), format.as_deref(), None);
    }
    level.is_some()
}
