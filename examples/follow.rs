//! What many running captures cost the handler: `cargo run --release --example follow -- --captures 10000`. It is driven as
//! by the load, against the same fake Azure, whose captures keep running here until their time limit.

#[allow(dead_code, reason = "the load uses the rest")]
#[path = "load/azure.rs"]
mod azure;
#[allow(dead_code, reason = "the load uses the rest")]
#[path = "load/process.rs"]
mod process;

use azure::{Azure, Kind, Options};
use clap::Parser;
use process::{Cost, Handler};
use std::{
    error::Error,
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// Callers that send alerts.
const CALLERS: usize = 32;
/// Network watchers that the machines are spread over.
const WATCHERS: usize = 16;
/// How long a caller waits before it repeats an alert that was answered 503.
const AGAIN_AFTER: Duration = Duration::from_millis(100);
/// The work of the start, and of the last create, has finished by then.
const SETTLED_AFTER: Duration = Duration::from_secs(5);

/// Starts captures that keep running, and reports what following them costs
#[derive(Debug, Parser)]
#[command(name = "follow", version)]
struct Arguments {
    /// Captures, each of a machine of its own
    #[arg(long, value_name = "N", default_value = "10000")]
    captures: usize,

    /// PacketCapture__TimeLimitInSeconds
    #[arg(long, value_name = "S", default_value = "18000")]
    limit: u64,

    /// Minutes to follow them
    #[arg(long, value_name = "M", default_value = "3")]
    minutes: u32,

    /// Measure this executable; without it, one is built for production first
    #[arg(long, value_name = "PATH")]
    handler: Option<PathBuf>,
}

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
        round_trip: Duration::ZERO,
        watchers: WATCHERS,
        captures: 10,
        machines: 0,
        http2: true,
    })
    .await?;
    azure.keep_running(Duration::from_secs(arguments.limit));
    let ca_file = std::env::temp_dir().join(format!("apc-follow-{}.pem", std::process::id()));
    std::fs::write(&ca_file, &azure.ca_pem)?;
    let mut settings = azure.app_settings();
    settings.push(("SSL_CERT_FILE".to_owned(), ca_file.display().to_string()));
    settings.push((
        "PacketCapture__TimeLimitInSeconds".to_owned(),
        arguments.limit.to_string(),
    ));
    let measured = measure(arguments, &Arc::new(azure), &path, &settings).await;
    let _ = std::fs::remove_file(&ca_file);
    measured
}

async fn measure(
    arguments: &Arguments,
    azure: &Arc<Azure>,
    path: &std::path::Path,
    settings: &[(String, String)],
) -> Result<(), Box<dyn Error>> {
    let handler = Handler::start(path, settings)?;
    tokio::time::sleep(SETTLED_AFTER).await;
    let idle = handler.cost()?;
    let (next, sent_away) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let began = Instant::now();
    let callers = (0..CALLERS).map(|_| {
        let url = format!("{}/api/AlertPacketCapture", handler.address);
        let (next, sent_away) = (next.clone(), sent_away.clone());
        tokio::spawn(call(url, arguments.captures, next, sent_away))
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await?.map_err(|error| error.to_string())?;
    }
    tokio::time::sleep(SETTLED_AFTER).await;
    let mut before = handler.cost()?;
    let captures = arguments.captures as f64;
    println!(
        "{} captures started in {:.0} s, {} alerts sent again, {:.3} ms of CPU each\n\
         {:.1} MiB resident idle, {:.1} with all of them running, {:.1} at most: {:.0} bytes each",
        arguments.captures,
        began.elapsed().as_secs_f64(),
        sent_away.load(Ordering::Relaxed),
        (before.cpu - idle.cpu).as_secs_f64() * 1e3 / captures,
        mib(idle.resident),
        mib(before.resident),
        mib(before.highest),
        (before.resident.saturating_sub(idle.resident) * 1024) as f64 / captures,
    );
    for minute in 1..=arguments.minutes {
        let checks = azure.count(Kind::Status);
        tokio::time::sleep(Duration::from_secs(60)).await;
        let now: Cost = handler.cost()?;
        println!(
            "minute {minute}: {} ms of CPU, {} status checks, {:.1} MiB resident",
            (now.cpu - before.cpu).as_millis(),
            azure.count(Kind::Status) - checks,
            mib(now.resident),
        );
        before = now;
    }
    Ok(())
}

/// Sends alerts one after the other until all are sent.
async fn call(
    url: String,
    alerts: usize,
    next: Arc<AtomicUsize>,
    sent_away: Arc<AtomicUsize>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let http = reqwest::Client::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= alerts {
            return Ok(());
        }
        let region = number % WATCHERS;
        let body = azure::alert(&format!("vm{number:07}.{region}"), region, false);
        loop {
            let request = http.post(&url).header("content-type", "application/json");
            let response = request.body(body.clone()).send().await?;
            match response.status().as_u16() {
                503 => {
                    sent_away.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
                // 202: the capture is not created yet.
                200 | 202 => break,
                status => return Err(format!("an alert was answered {status}").into()),
            }
        }
    }
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
