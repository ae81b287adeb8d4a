//! The command line.

use std::{path::PathBuf, time::Duration};

pub const USAGE: &str =
    "usage: load [--alerts N] [--concurrency C] [--rtt-ms R] [--watchers W] [--captures L]
            [--capacity J] [--common] [--http1] [--json FILE] [--handler PATH]
  --alerts N        alerts, each of a machine of its own (1000)
  --concurrency C   alerts under way at once (32)
  --rtt-ms R        what every call to Azure takes (0)
  --watchers W      network watchers that the machines are spread over (16)
  --captures L      captures of others that each watcher lists (10)
  --capacity J      JobQueue__Capacity; beyond it alerts are answered 503 and sent again (1000)
  --common          the common schema, which does not say the region
  --http1           no HTTP/2 to Azure
  --json FILE       write the report there too
  --handler PATH    that executable instead of one that is built for production first";

#[derive(Debug, Clone)]
pub struct Arguments {
    pub alerts: usize,
    pub concurrency: usize,
    pub rtt: Duration,
    pub watchers: usize,
    pub captures: usize,
    pub capacity: usize,
    pub common: bool,
    pub http1: bool,
    pub json: Option<PathBuf>,
    pub handler: Option<PathBuf>,
}

/// # Errors
/// A sentence about what is wrong.
pub fn parse(mut given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments {
        alerts: 1000,
        concurrency: 32,
        rtt: Duration::ZERO,
        watchers: 16,
        captures: 10,
        capacity: 1_000,
        common: false,
        http1: false,
        json: None,
        handler: None,
    };
    while let Some(name) = given.next() {
        let mut value = || given.next().ok_or(format!("{name} needs a value"));
        let number = |text: String| {
            text.parse::<usize>()
                .map_err(|_| format!("{text} is not a number"))
        };
        match name.as_str() {
            "--alerts" => arguments.alerts = number(value()?)?.max(1),
            "--concurrency" => arguments.concurrency = number(value()?)?.max(1),
            "--rtt-ms" => arguments.rtt = Duration::from_millis(number(value()?)? as u64),
            "--watchers" => arguments.watchers = number(value()?)?.max(1),
            "--captures" => arguments.captures = number(value()?)?,
            "--capacity" => arguments.capacity = number(value()?)?.max(1),
            "--common" => arguments.common = true,
            "--http1" => arguments.http1 = true,
            "--json" => arguments.json = Some(value()?.into()),
            "--handler" => arguments.handler = Some(value()?.into()),
            other => return Err(format!("{other} is not known")),
        }
    }
    Ok(arguments)
}
