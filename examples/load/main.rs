//! Drives the real handler, as a process of its own, with many alerts against a fast fake Azure, and says what
//! came of it: `cargo run --release --example load -- --alerts 1000 --concurrency 32 --rtt-ms 50`. With `--cases` it
//! sends one alert after the other and says how many calls in a row each waits for.
//!
//! Captures end at once here and their time limit is one second, so an alert's job waits in memory for some two
//! seconds. `JobQueue__Capacity` bounds those jobs; an alert beyond it is answered 503, and sent again.

mod arguments;
#[allow(dead_code, reason = "the benchmarks use the rest")]
mod azure;
mod cases;
mod process;
mod report;

use arguments::Arguments;
use azure::{Azure, Kind, Options};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use process::Handler;
use report::Run;
use serde_json::Value;
use std::{
    error::Error,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// How often the start is measured.
const STARTS: usize = 15;
/// How long a sender waits before it repeats an alert that was answered 503.
const AGAIN_AFTER: Duration = Duration::from_millis(100);
/// The start's own work has finished by then.
const IDLE_AFTER: Duration = Duration::from_secs(2);
/// Captures are followed to their end by then.
const END_WITHIN: Duration = Duration::from_secs(120);

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let path = match &arguments.handler {
        Some(path) => path.clone(),
        None => process::build()?,
    };
    let azure = Azure::start(Options {
        round_trip: arguments.rtt,
        watchers: arguments.watchers,
        captures: arguments.captures,
        machines: arguments.machines,
        http2: !arguments.http1,
    })
    .await?;
    let azure = Arc::new(azure);
    let ca_file = std::env::temp_dir().join(format!("apc-load-{}.pem", std::process::id()));
    std::fs::write(&ca_file, &azure.ca_pem)?;
    let mut settings = azure.app_settings();
    settings.push(("SSL_CERT_FILE".to_owned(), ca_file.display().to_string()));
    if arguments.cases {
        let measured = cases::measure(arguments, &azure, &path, &settings).await;
        let _ = std::fs::remove_file(&ca_file);
        let report = measured?;
        println!("{}", cases::as_text(&report));
        return written(arguments, &report);
    }
    settings.extend([
        (
            "PacketCapture__TimeLimitInSeconds".to_owned(),
            "1".to_owned(),
        ),
        (
            "JobQueue__Capacity".to_owned(),
            arguments.capacity.to_string(),
        ),
    ]);
    let measured = measure(arguments, &azure, &path, &settings).await;
    let _ = std::fs::remove_file(&ca_file);
    let report = report::as_json(arguments, &azure, &measured?);
    println!("{}", report::as_text(&report));
    written(arguments, &report)
}

fn written(arguments: &Arguments, report: &Value) -> Result<(), Box<dyn Error>> {
    if let Some(path) = &arguments.json {
        std::fs::write(path, format!("{report:#}\n"))?;
    }
    Ok(())
}

async fn measure(
    arguments: &Arguments,
    azure: &Arc<Azure>,
    path: &std::path::Path,
    settings: &[(String, String)],
) -> Result<Run, Box<dyn Error>> {
    let mut starts = Vec::new();
    let production = azure.production_settings();
    for _ in 0..STARTS {
        starts.push(Handler::start(path, &production)?.started_within);
    }
    starts.sort_unstable();
    let handler = Handler::start(path, settings)?;
    tokio::time::sleep(IDLE_AFTER).await;
    let idle = handler.cost()?;
    let bar = ProgressBar::new(arguments.alerts as u64).with_style(ProgressStyle::with_template(
        "{bar:40} {pos}/{len} alerts, {per_sec}, {eta} left",
    )?);

    let next = Arc::new(AtomicUsize::new(0));
    let sent_away = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let callers: Vec<_> = (0..arguments.concurrency)
        .map(|_| {
            let caller = Caller {
                url: format!("{}/api/AlertPacketCapture", handler.address),
                http: reqwest::Client::new(),
                azure: azure.clone(),
                arguments: arguments.clone(),
                next: next.clone(),
                sent_away: sent_away.clone(),
                bar: bar.clone(),
            };
            tokio::spawn(caller.call())
        })
        .collect();
    let (mut to_put, mut to_answer) = (Vec::new(), Vec::new());
    for caller in callers {
        let (puts, answers) = caller.await?.map_err(|error| error.to_string())?;
        to_put.extend(puts);
        to_answer.extend(answers);
    }
    let took = began.elapsed();
    bar.finish_and_clear();
    let answered = handler.cost()?;
    to_put.sort_unstable();
    to_answer.sort_unstable();

    let deadline = Instant::now() + END_WITHIN;
    while azure.count(Kind::Status) < arguments.alerts as u64 {
        if Instant::now() > deadline {
            return Err("not all captures were followed to their end".into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(IDLE_AFTER).await;
    Ok(Run {
        took,
        to_put,
        to_answer,
        sent_away: sent_away.load(Ordering::Relaxed),
        starts,
        idle,
        answered,
        ended: handler.cost()?,
    })
}

/// One of those who send alerts, one after the other.
struct Caller {
    url: String,
    http: reqwest::Client,
    azure: Arc<Azure>,
    arguments: Arguments,
    next: Arc<AtomicUsize>,
    sent_away: Arc<AtomicU64>,
    bar: ProgressBar,
}

type Latencies = (Vec<Duration>, Vec<Duration>);

impl Caller {
    async fn call(self) -> Result<Latencies, Box<dyn Error + Send + Sync>> {
        let (mut to_put, mut to_answer) = (Vec::new(), Vec::new());
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.arguments.alerts {
                return Ok((to_put, to_answer));
            }
            let region = number % self.arguments.watchers;
            let machine = format!("vm{number:07}.{region}");
            let body = azure::alert(&machine, region, self.arguments.common);
            loop {
                let sent = Instant::now();
                let request = self
                    .http
                    .post(&self.url)
                    .header("content-type", "application/json")
                    .body(body.clone());
                let response = request.send().await?;
                let status = response.status().as_u16();
                let text = response.text().await?;
                if status == 503 {
                    self.sent_away.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(AGAIN_AFTER).await;
                    continue;
                }
                let answered = sent.elapsed();
                let put = self.azure.put_at(&machine).filter(|_| status == 200);
                let put = put.ok_or_else(|| format!("an alert was answered {status} {text}"))?;
                to_answer.push(answered);
                to_put.push(put.saturating_duration_since(sent));
                break;
            }
            self.bar.inc(1);
        }
    }
}
