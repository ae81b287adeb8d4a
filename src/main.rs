//! The function's executable: settings, build, serve, stop.

use alert_packet_capture::{
    app::{self, App, Pace},
    commands::{credentials, explain},
    config::{AppSettings, Settings},
    readiness, telemetry,
};
use std::{error::Error, io::IsTerminal, net::Ipv4Addr, process::ExitCode};
use tokio::net::TcpListener;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        None => match serve() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        },
        Some("explain") => explain::main(&arguments[1..], &AppSettings::from_environment()),
        Some("credentials") => credentials::main(&arguments[1..], &with_terminal()),
        Some("doctor") => examine(&arguments[1..]),
        Some(_) => {
            eprintln!(
                "usage: handler                              serve the function\n       handler explain [--json] [FILE...]   say what would be done about an alert\n       handler credentials ...              make and encrypt a password, check what it signs in with\n       handler doctor [OPTION...]           say whether all is set up right, and what mends it"
            );
            ExitCode::from(2)
        }
    }
}

// One thread: an alert takes well under a millisecond of it, and threads would spend as much on waking each other.
#[tokio::main(flavor = "current_thread")]
async fn serve() -> Result<(), Box<dyn Error>> {
    let environment = AppSettings::from_environment();
    let settings = Settings::read(&environment)?;
    let export = app::export(&settings)?;
    let (level, format) = (environment.get("RUST_LOG"), environment.get("LOG_FORMAT"));
    telemetry::start(level, format, export.as_ref());
    let app = App::build(&settings, &Pace::default())?;
    let address = (Ipv4Addr::LOCALHOST, settings.port);
    let listener = TcpListener::bind(address).await.map_err(|error| {
        format!("127.0.0.1:{} cannot be listened on ({error}); is another handler running? FUNCTIONS_CUSTOMHANDLER_PORT sets the port", settings.port)
    })?;
    tracing::info!("listening on http://{}", listener.local_addr()?);
    app::log_settings(&settings);
    let served = app.serve(listener, stop_signal()).await;
    if let Some(export) = export {
        export.stop().await;
    }
    Ok(served?)
}

#[tokio::main(flavor = "current_thread")]
async fn examine(arguments: &[String]) -> ExitCode {
    let terminal = std::io::stdout().is_terminal();
    readiness::main(arguments, &with_terminal(), terminal).await
}

/// The settings for the commands that a person types. The server reads them without a terminal, even at one.
fn with_terminal() -> AppSettings {
    AppSettings::from_environment().at_terminal(std::io::stdin().is_terminal())
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
