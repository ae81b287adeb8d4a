//! What a run has shown, for people and, as JSON, for the plots in `docs`.

use crate::{
    arguments::Arguments,
    azure::{Azure, KINDS, Kind},
    process::Cost,
};
use serde_json::{Value, json};
use std::time::Duration;

/// What was measured.
pub struct Run {
    pub took: Duration,
    /// Sorted.
    pub to_put: Vec<Duration>,
    /// Sorted.
    pub to_answer: Vec<Duration>,
    /// Answers 503: the alert was sent again.
    pub sent_away: u64,
    pub starts: Vec<Duration>,
    pub idle: Cost,
    /// When the last alert was answered.
    pub answered: Cost,
    /// When all captures were followed to their end.
    pub ended: Cost,
}

/// Of sorted durations, in milliseconds.
pub fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let at = (sorted.len() * percent / 100).min(last);
    sorted.get(at).map_or(0.0, |it| it.as_secs_f64() * 1e3)
}

pub fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

/// Three digits after the point.
pub fn short(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

pub fn as_json(arguments: &Arguments, azure: &Azure, run: &Run) -> Value {
    let alerts = arguments.alerts as f64;
    let percentiles = |sorted: &[Duration]| {
        json!({
            "p50": short(percentile(sorted, 50)),
            "p90": short(percentile(sorted, 90)),
            "p99": short(percentile(sorted, 99)),
        })
    };
    let calls: serde_json::Map<String, Value> = KINDS
        .iter()
        .map(|(kind, name)| ((*name).to_owned(), azure.count(*kind).into()))
        .collect();
    let all: u64 = KINDS.iter().map(|(kind, _)| azure.count(*kind)).sum();
    // A list is asked for beside the machine's region, and the first time beside the watchers.
    let beside = azure.count(Kind::Machine).max(azure.count(Kind::List));
    let in_turn = beside + azure.count(Kind::Put);
    let cpu = run.ended.cpu.saturating_sub(run.idle.cpu);
    json!({
        "alerts": arguments.alerts,
        "concurrency": arguments.concurrency,
        "rttMs": arguments.rtt.as_millis() as u64,
        "watchers": arguments.watchers,
        "captures": arguments.captures,
        "schema": if arguments.common { "common" } else { "classic" },
        "http": if arguments.http1 { "1.1" } else { "2" },
        "alertsPerSecond": short(alerts / run.took.as_secs_f64()),
        "toPutMs": percentiles(&run.to_put),
        "toAnswerMs": percentiles(&run.to_answer),
        "sentAway": run.sent_away,
        "calls": calls,
        "callsPerAlert": short(all as f64 / alerts),
        "sequentialRoundTripsPerAlert": short(in_turn as f64 / alerts),
        "cpuMsPerAlert": short(cpu.as_secs_f64() * 1e3 / alerts),
        "startMs": percentiles(&run.starts),
        "residentMiB": {
            "idle": short(mib(run.idle.resident)),
            "answered": short(mib(run.answered.resident)),
            "ended": short(mib(run.ended.resident)),
            "highest": short(mib(run.ended.highest)),
        },
    })
}

pub fn as_text(report: &Value) -> String {
    let row = |name: &str| {
        let of = |percent: &str| report[name][percent].as_f64().unwrap_or_default();
        format!("{:>9.2} {:>9.2} {:>9.2}", of("p50"), of("p90"), of("p99"))
    };
    let resident = |when: &str| report["residentMiB"][when].as_f64().unwrap_or_default();
    format!(
        "{} alerts ({} schema, HTTP/{}), {} at once, {} ms a call, {} watchers, {} captures listed on each\n\
         {:.0} alerts/s, {} sent away with 503 and sent again\n\
         {:18}{:>9} {:>9} {:>9}\n\
         to the PUT, ms    {}\n\
         to the answer, ms {}\n\
         start, ms         {}\n\
         {} calls an alert, {} sequential round trips up to the PUT\n\
         {} ms of CPU an alert, its capture followed to the end\n\
         {:.1} MiB resident idle, {:.1} after the last answer, {:.1} after the last capture, {:.1} at most",
        report["alerts"],
        report["schema"].as_str().unwrap_or_default(),
        report["http"].as_str().unwrap_or_default(),
        report["concurrency"],
        report["rttMs"],
        report["watchers"],
        report["captures"],
        report["alertsPerSecond"].as_f64().unwrap_or_default(),
        report["sentAway"],
        "",
        "p50",
        "p90",
        "p99",
        row("toPutMs"),
        row("toAnswerMs"),
        row("startMs"),
        report["callsPerAlert"],
        report["sequentialRoundTripsPerAlert"],
        report["cpuMsPerAlert"],
        resident("idle"),
        resident("answered"),
        resident("ended"),
        resident("highest"),
    )
}
