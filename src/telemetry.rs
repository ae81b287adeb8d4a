//! Log lines: stdout, one line an event, since the Functions host takes every line on stderr for an error.

use std::panic;
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

/// At TRACE these print whole HTTP frames, tokens and bodies included; no level chosen by a user opens them.
const NEVER_BELOW_INFO: [&str; 9] = [
    "azure_core",
    "azure_identity",
    "typespec_client_core",
    "h2",
    "hyper",
    "hyper_util",
    "reqwest",
    "rustls",
    "tower",
];

/// Starts logging. `level` is `RUST_LOG`'s value, `format` is `LOG_FORMAT`'s (`json` or lines for people).
pub fn start(level: Option<&str>, format: Option<&str>) {
    let (filter, wrong) = match EnvFilter::try_new(level.unwrap_or("info")) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new("info"), Some(error)),
    };
    let filter = NEVER_BELOW_INFO.iter().fold(filter, |filter, target| {
        match format!("{target}=info").parse() {
            Ok(directive) => filter.add_directive(directive),
            Err(_) => filter,
        }
    });
    let layer = fmt::layer().with_ansi(false).with_target(false);
    let json = format.is_some_and(|format| format.eq_ignore_ascii_case("json"));
    let registry = tracing_subscriber::registry().with(filter);
    // A second start (tests, the sandbox) keeps the first.
    let _ = if json {
        registry.with(layer.json().flatten_event(true)).try_init()
    } else {
        registry.with(layer).try_init()
    };
    if let Some(error) = wrong {
        tracing::warn!("RUST_LOG cannot be read, using info: {error}");
    }
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let message = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(place, "panic: {message}");
    }));
}
