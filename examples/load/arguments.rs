//! The command line.

use clap::Parser;
use std::{path::PathBuf, time::Duration};

/// Sends many alerts to the real handler against a fast fake Azure, and reports what came of it.
#[derive(Debug, Clone, Parser)]
#[command(name = "load", version)]
pub struct Arguments {
    /// Alerts, each about a machine of its own
    #[arg(long, value_name = "N", default_value = "1000", value_parser = at_least_one)]
    pub alerts: usize,

    /// Alerts in progress at once
    #[arg(long, value_name = "C", default_value = "32", value_parser = at_least_one)]
    pub concurrency: usize,

    /// Milliseconds that every call to Azure takes
    #[arg(long = "rtt-ms", value_name = "R", default_value = "0", value_parser = milliseconds)]
    pub rtt: Duration,

    /// Network watchers that the machines are spread over
    #[arg(long, value_name = "W", default_value = "16", value_parser = at_least_one)]
    pub watchers: usize,

    /// Captures of others that each watcher lists
    #[arg(long, value_name = "L", default_value = "10")]
    pub captures: usize,

    /// JobQueue__Capacity; alerts beyond it are answered 503 and sent again
    #[arg(long, value_name = "J", default_value = "1000", value_parser = at_least_one)]
    pub capacity: usize,

    /// Use the common alert schema, which does not name the region
    #[arg(long)]
    pub common: bool,

    /// No HTTP/2 to Azure
    #[arg(long)]
    pub http1: bool,

    /// Virtual machines that the subscription lists
    #[arg(long, value_name = "M", default_value = "0")]
    pub machines: usize,

    /// Measure single alerts, case by case, instead of many at once
    #[arg(long)]
    pub cases: bool,

    /// With --cases, measure this executable too, alert by alert in turn
    #[arg(long, value_name = "PATH", requires = "cases")]
    pub before: Option<PathBuf>,

    /// Write the report to this file too
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Measure this executable; without it, one is built for production first
    #[arg(long, value_name = "PATH")]
    pub handler: Option<PathBuf>,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("a whole number of at least 1 is needed".to_owned()),
    }
}

fn milliseconds(text: &str) -> Result<Duration, std::num::ParseIntError> {
    text.parse().map(Duration::from_millis)
}
