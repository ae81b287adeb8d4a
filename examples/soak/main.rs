//! Drives the built handler through a bad night: `cargo run --example soak -- --seconds 600`. Azure, the job queue and
//! the receiver of notifications answer at random with everything that was ever seen of them; at the end each accepted
//! alert has exactly one final notification, nothing was captured twice, and nothing is left over. With `--kill-every`
//! the handler is killed now and then.

mod arguments;
mod night;
mod process;

use arguments::Arguments;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use night::{Azure, Plan, Receiver, Verdict};
use process::Handler;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    error::Error,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// The host kills a process 10 s after it asked it to stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// Memory that a process may keep: connections, what it remembers of its last jobs, and what the allocator holds back.
const KEPT_KIB: u64 = 24 * 1024;
/// How long memory may take to come back.
const SETTLE: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(verdict) => {
            print!("{verdict}");
            match verdict.wrong.is_empty() {
                true => ExitCode::SUCCESS,
                false => ExitCode::FAILURE,
            }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<Verdict, Box<dyn Error>> {
    let path = match &arguments.handler {
        Some(path) => path.clone(),
        None => process::build()?,
    };
    let seed = arguments.seed.unwrap_or_else(|| rand::rng().random());
    println!("seed {seed}");
    let ca_file = std::env::temp_dir().join(format!("apc-soak-{}.pem", std::process::id()));
    let azure = Azure::start(Duration::from_secs(1), Some(ca_file.clone())).await?;
    let receiver = Receiver::start(seed, Duration::from_secs(5)).await?;
    let mut settings = [azure.settings(), receiver.settings()].concat();
    settings.push(("SSL_CERT_FILE".to_owned(), ca_file.display().to_string()));
    let ended = soak(arguments, seed, &path, &settings, &azure, &receiver).await;
    let _ = std::fs::remove_file(&ca_file);
    ended
}

async fn soak(
    arguments: &Arguments,
    seed: u64,
    path: &Path,
    settings: &[(String, String)],
    azure: &Azure,
    receiver: &Receiver,
) -> Result<Verdict, Box<dyn Error>> {
    let plan = Plan {
        lasts: arguments.seconds,
        seed,
        senders: arguments.senders,
        pause: arguments.pause_ms,
        drain: arguments.drain,
        longest: Duration::from_secs(15),
        kills: arguments.kill_every.is_some(),
    };
    let log = arguments.log.as_deref();
    let handler = Handler::start(path, settings, log).await?;
    let (urls, listening) = watch::channel(Some(handler.url.clone()));
    let bar = ProgressBar::new(plan.lasts.as_secs())
        .with_style(ProgressStyle::with_template("{elapsed} {bar:30} {msg}")?);
    let began = Instant::now();
    let show = |what: String| {
        bar.set_position(began.elapsed().as_secs());
        bar.set_message(what);
        // Without a terminal, such as in CI, a line now and then.
        if bar.is_hidden() && began.elapsed().as_secs().is_multiple_of(10) {
            println!("{:4} s: {}", began.elapsed().as_secs(), bar.message());
        }
    };
    let first = handler.resident()?;
    let night = night::run(&plan, azure, receiver, listening, show);
    let mut attended = Attended {
        handler: Some(handler),
        highest: first,
        kills: 0,
        stops: 0,
        longest_stop: Duration::ZERO,
    };
    let kill_until = began + plan.lasts;
    let mut random = StdRng::seed_from_u64(seed);
    let keep = attended.keep(
        &mut random,
        arguments,
        kill_until,
        || Handler::start(path, settings, log),
        &urls,
    );
    let mut verdict = tokio::select! {
        verdict = night => verdict,
        broke = keep => return Err(broke),
    };
    bar.finish_and_clear();
    let highest = attended.highest;
    let restarts = format!(
        "{} kills, {} stops of {:.2} s at most",
        attended.kills,
        attended.stops,
        attended.longest_stop.as_secs_f64()
    );
    let handler = attended
        .handler
        .take()
        .ok_or("the handler is not running")?;
    let last = settled(&handler, first).await?;
    if last > first + KEPT_KIB {
        verdict.wrong.push(format!(
            "memory is at {last} KiB; it began with {first} KiB"
        ));
    }
    verdict.figure(
        "memory, KiB",
        format!("{first} at the start, {highest} at most, {last} at the end"),
    );
    verdict.figure("restarts", restarts);
    match handler.stop(STOP_WITHIN).await {
        Ok((took, status)) => {
            verdict.figure("s to stop", format!("{:.2} ({status})", took.as_secs_f64()));
            if !status.success() {
                verdict
                    .wrong
                    .push(format!("the process stopped with {status}"));
            }
        }
        Err(error) => verdict.wrong.push(error.to_string()),
    }
    verdict.figure("seed", seed);
    Ok(verdict)
}

/// Memory once it is near its start, or after a while.
async fn settled(handler: &Handler, first: u64) -> Result<u64, Box<dyn Error>> {
    let began = Instant::now();
    loop {
        let now = handler.resident()?;
        if now <= first + KEPT_KIB || began.elapsed() > SETTLE {
            return Ok(now);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// The handler as it is watched.
struct Attended {
    handler: Option<Handler>,
    highest: u64,
    kills: usize,
    stops: usize,
    longest_stop: Duration,
}

impl Attended {
    /// Watches the handler, and kills it now and then if that is wanted. Returns when it broke.
    async fn keep<F>(
        &mut self,
        random: &mut StdRng,
        arguments: &Arguments,
        kill_until: Instant,
        start: impl Fn() -> F,
        urls: &watch::Sender<Option<String>>,
    ) -> Box<dyn Error>
    where
        F: Future<Output = Result<Handler, Box<dyn Error>>>,
    {
        let next_kill = |random: &mut StdRng| {
            let every = arguments.kill_every?;
            Some(Instant::now() + every.mul_f64(random.random_range(0.5..1.5)))
        };
        let mut kill_at = next_kill(random);
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let Some(handler) = &mut self.handler else {
                return "the handler is not running".into();
            };
            match handler.ended() {
                Ok(None) => {}
                Ok(Some(status)) => return format!("the handler ended by itself: {status}").into(),
                Err(error) => return error.into(),
            }
            match handler.resident() {
                Ok(resident) => self.highest = self.highest.max(resident),
                Err(error) => return error,
            }
            let due = kill_at.is_some_and(|at| (at..kill_until).contains(&Instant::now()));
            if due && let Some(handler) = self.handler.take() {
                urls.send_replace(None);
                // Half of them are asked to stop in the middle of their work.
                if random.random_bool(0.5) {
                    match handler.stop(STOP_WITHIN).await {
                        Ok((took, _)) => self.longest_stop = self.longest_stop.max(took),
                        Err(error) => return error,
                    }
                    self.stops += 1;
                } else {
                    if let Err(error) = handler.kill().await {
                        return error.into();
                    }
                    self.kills += 1;
                }
                match start().await {
                    Ok(handler) => {
                        urls.send_replace(Some(handler.url.clone()));
                        self.handler = Some(handler);
                    }
                    Err(error) => return error,
                }
                kill_at = next_kill(random);
            }
        }
    }
}
