//! The function's executable: settings, build, serve, stop.

use alert_packet_capture::{
    app::{self, App, Pace},
    commands::CommandLine,
    config::{AppSettings, Settings},
    telemetry,
};
use std::{error::Error, io::IsTerminal, net::Ipv4Addr, process::ExitCode};
use tokio::net::TcpListener;

fn main() -> ExitCode {
    let line = match CommandLine::read(std::env::args_os()) {
        Ok(line) => line,
        Err(code) => return code,
    };
    let settings = AppSettings::from_environment();
    match line.command {
        // Only a command may use the login of the person at the terminal.
        Some(command) => command.run(&settings.at_terminal(std::io::stdin().is_terminal())),
        None => match serve(&settings) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        },
    }
}

// One thread: an alert takes well under a millisecond of it, and threads would spend as much on waking each other.
#[tokio::main(flavor = "current_thread")]
async fn serve(environment: &AppSettings) -> Result<(), Box<dyn Error>> {
    let settings = Settings::read(environment)?;
    let export = app::export(&settings)?;
    let (level, format) = (environment.get("RUST_LOG"), environment.get("LOG_FORMAT"));
    telemetry::start(level, format, export.as_ref());
    let app = App::build(&settings, &Pace::default())?;
    let address = (Ipv4Addr::LOCALHOST, settings.port);
    let listener = TcpListener::bind(address).await.map_err(|error| {
        format!(
            "could not listen on 127.0.0.1:{}: {error}; is another handler running? FUNCTIONS_CUSTOMHANDLER_PORT sets the port",
            settings.port
        )
    })?;
    tracing::info!("listening on http://{}", listener.local_addr()?);
    app::log_settings(&settings);
    let served = app.serve(listener, stop_signal()).await;
    if let Some(export) = export {
        export.stop().await;
    }
    Ok(served?)
}

/// Ctrl-C, or SIGTERM where there is such a thing.
async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
