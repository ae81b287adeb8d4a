//! The command line.

use clap::Parser;
use std::{path::PathBuf, time::Duration};

/// Runs the handler for a while against an Azure that answers at random with everything that was ever seen of it.
#[derive(Debug, Clone, Parser)]
#[command(name = "soak", version)]
pub struct Arguments {
    /// How long everything misbehaves; ending all jobs takes some minutes more
    #[arg(long, value_name = "S", default_value = "600", value_parser = seconds)]
    pub seconds: Duration,

    /// Begins all rows of random numbers; without it, one is chosen and printed
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// Those who send alerts at the same time
    #[arg(long, value_name = "N", default_value = "4")]
    pub senders: usize,

    /// Mean pause of a sender between two alerts, in milliseconds
    #[arg(long, value_name = "MS", default_value = "3000", value_parser = milliseconds)]
    pub pause_ms: Duration,

    /// End the handler about this often, by SIGKILL or SIGTERM, and start it again
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub kill_every: Option<Duration>,

    /// Maximum time until all jobs have ended once everything is well again
    #[arg(long, value_name = "S", default_value = "420", value_parser = seconds)]
    pub drain: Duration,

    /// Write the handler's log to this file
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,

    /// Test this executable; without it, one is built first
    #[arg(long, value_name = "PATH")]
    pub handler: Option<PathBuf>,
}

fn seconds(text: &str) -> Result<Duration, std::num::ParseIntError> {
    text.parse().map(Duration::from_secs)
}

fn milliseconds(text: &str) -> Result<Duration, std::num::ParseIntError> {
    text.parse().map(Duration::from_millis)
}
