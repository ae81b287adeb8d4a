//! What the process reports about itself: log lines, traces, numbers. Log lines go to stdout, one line an event, since
//! the Functions host takes every line on stderr for an error. It uses no other room but `text`.

mod export;
mod metrics;
mod trace;
mod version;

pub use export::{Export, ExportError};
pub use metrics::Metrics;
pub use trace::{continue_trace, describe, trace_parent};
pub use version::version;

use std::panic;
use tracing::Level;
use tracing_subscriber::{
    filter::{FilterExt, Targets},
    fmt,
    prelude::*,
};

/// At TRACE these print whole HTTP frames, tokens and bodies included; no level chosen by a user opens them.
const NEVER_BELOW_INFO: [&str; 7] = [
    "azure_identity",
    "h2",
    "hyper",
    "hyper_util",
    "reqwest",
    "rustls",
    "tower",
];

/// At INFO these print a line with the URL for each try that failed: of a storage account that is down, two lines out of
/// three. The program logs each failure itself, once, with its cause and what happens next.
const NEVER_BELOW_WARN: [&str; 2] = ["azure_core", "typespec_client_core"];

/// Reads `RUST_LOG`: levels, and levels by target. Lists may have spaces and commas too many; what is for `EnvFilter`
/// alone would be taken for a target that nothing has.
fn filter(text: &str) -> Result<Targets, String> {
    let parts = text.split(',').map(str::trim).filter(|it| !it.is_empty());
    let parts: Vec<&str> = parts.collect();
    if parts.is_empty() {
        return Err("it is empty".to_owned());
    }
    if text.contains('[') {
        return Err("spans and their fields cannot be chosen".to_owned());
    }
    parts.join(",").parse().map_err(|error| format!("{error}"))
}

/// What no level chosen by a user opens.
fn ceiling() -> Targets {
    let info = NEVER_BELOW_INFO.map(|target| (target, Level::INFO));
    let warn = NEVER_BELOW_WARN.map(|target| (target, Level::WARN));
    let all = Targets::new().with_default(Level::TRACE);
    all.with_targets(info).with_targets(warn)
}

/// Starts logging and, where an exporter is given, tracing. `level` is `RUST_LOG`'s value, `format` is
/// `LOG_FORMAT`'s (`json` or lines for people).
pub fn start(level: Option<&str>, format: Option<&str>, export: Option<&Export>) {
    // Not `EnvFilter`: what it has beyond targets and levels, the fields of spans, brings a regex engine along.
    let usual = Targets::new().with_default(Level::INFO);
    let (filter, wrong) = match level.map(filter) {
        None => (usual, None),
        Some(Ok(filter)) => (filter, None),
        Some(Err(error)) => (usual, Some(error)),
    };
    // A filter of its own, since in RUST_LOG a longer target (`hyper::proto`) would beat a shorter one's level.
    let filter = filter.and(ceiling());
    // Our own spans alone: the libraries' hold whole requests, and the exporter's would be exported in turn.
    let ours = Targets::new().with_target(env!("CARGO_CRATE_NAME"), Level::DEBUG);
    let traces = export.map(|export| export.layer().with_filter(ours));
    let layer = fmt::layer().with_ansi(false).with_target(false);
    let json = format.is_some_and(|format| format.eq_ignore_ascii_case("json"));
    let registry = tracing_subscriber::registry().with(traces);
    // A second start (tests, the sandbox) keeps the first.
    let _ = if json {
        let layer = layer.json().flatten_event(true);
        registry.with(layer.with_filter(filter)).try_init()
    } else {
        registry.with(layer.with_filter(filter)).try_init()
    };
    if let Some(error) = wrong {
        tracing::warn!("could not parse RUST_LOG: {error}; using info");
    }
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let message = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(place, "panic: {message}");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_never_log_more_than_the_table_says() {
        for (target, most) in [
            (env!("CARGO_CRATE_NAME"), Level::TRACE),
            ("hyper_util::client", Level::INFO),
            ("azure_identity::client_secret", Level::INFO),
            // A line with the URL for each try that failed.
            ("typespec_client_core::http::policies", Level::WARN),
            ("azure_core::http::policies", Level::WARN),
        ] {
            for level in [Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE] {
                let open = ceiling().would_enable(target, &level);
                assert_eq!(open, level <= most, "{target} {level}");
            }
        }
    }

    #[test]
    fn levels_follow_the_table() {
        let (ours, other) = (env!("CARGO_CRATE_NAME"), "h2::proto");
        for (text, expected) in [
            ("info", Some((Level::INFO, Level::INFO))),
            ("DEBUG", Some((Level::DEBUG, Level::DEBUG))),
            ("info,", Some((Level::INFO, Level::INFO))),
            (
                " warn , alert_packet_capture=debug",
                Some((Level::DEBUG, Level::WARN)),
            ),
            ("alert_packet_capture[step]=debug", None),
            ("loud", Some((Level::ERROR, Level::ERROR))),
            ("info=loud", None),
            (" , ", None),
        ] {
            let read = filter(text).ok();
            let most = |filter: &Targets, target: &str| {
                let levels = [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN];
                let most = levels
                    .into_iter()
                    .find(|it| filter.would_enable(target, it));
                most.unwrap_or(Level::ERROR)
            };
            let found = read.map(|filter| (most(&filter, ours), most(&filter, other)));
            assert_eq!(found, expected, "{text}");
        }
    }
}
