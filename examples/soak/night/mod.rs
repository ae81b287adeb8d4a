//! A bad night: for a given time Azure, the job queue and the receiver of notifications answer at random with all that
//! was ever seen of them, while several senders post alerts. Then everything gets well again, and what came of each
//! alert is judged. The example and a story in `tests/it` run it, each with a function of its own.

mod azure;
mod bodies;
mod receiver;
mod senders;
mod verdict;

pub use azure::Azure;
pub use receiver::Receiver;
pub use verdict::Verdict;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use senders::{Sender, Sent};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::watch, task::JoinSet};

/// How a night goes.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How long everything misbehaves.
    pub lasts: Duration,
    /// Begins every row of random numbers.
    pub seed: u64,
    pub senders: usize,
    /// Mean pause of a sender between two alerts.
    pub pause: Duration,
    /// How long the function may take to end all jobs once everything is well again.
    pub drain: Duration,
    /// Longest of Azure's pieces of mischief.
    pub longest: Duration,
    /// Processes of the function are killed on the way: what they knew of duplicates is lost.
    pub kills: bool,
}

/// Runs the night. `urls`: where the function listens at the moment; nothing while it is being started again.
/// `show`: is called now and then with the progress.
pub async fn run(
    plan: &Plan,
    azure: &Azure,
    receiver: &Receiver,
    urls: watch::Receiver<Option<String>>,
    show: impl Fn(String),
) -> Verdict {
    let began = Instant::now();
    let until = began + plan.lasts;
    let mut senders = JoinSet::new();
    let sent = Arc::new(Sent::default());
    for number in 0..plan.senders {
        let seed = plan.seed.wrapping_add(1 + number as u64);
        let sender = Sender::new(number, seed, plan.pause, urls.clone(), sent.clone());
        senders.spawn(sender.send(until));
    }
    let mut random = StdRng::seed_from_u64(plan.seed);
    azure.misbehave(&mut random);
    while Instant::now() < until {
        let what = azure.disturb(&mut random, plan.longest);
        receiver.disturb(&mut random);
        let figures = format!(
            "{} alerts sent, {} jobs, {} notifications; {what}",
            sent.alerts(),
            sent.jobs().len(),
            receiver.notices().len()
        );
        show(figures);
        let pause = plan.longest.mul_f64(random.random_range(0.1..0.3));
        tokio::time::sleep(pause.min(until.saturating_duration_since(Instant::now()))).await;
    }
    let healed = azure.recover();
    receiver.recover();
    let recovered = Instant::now();
    // Each sender gets its last alert accepted.
    let mut stuck = Vec::new();
    while let Some(ended) = tokio::select! {
        ended = senders.join_next() => ended,
        () = tokio::time::sleep_until((recovered + plan.drain).into()) => {
            stuck.push("a sender never got its alert accepted".to_owned());
            None
        }
    } {
        if let Err(error) = ended {
            stuck.push(format!("a sender broke down: {error}"));
        }
    }
    senders.abort_all();
    loop {
        let open = verdict::open(&sent, &receiver.notices());
        let queued = azure.queued();
        if open == 0 && queued == 0 {
            break;
        }
        if recovered.elapsed() > plan.drain {
            stuck.push(format!(
                "{open} jobs without a final notification and {queued} messages in the queue {:?} after everything \
                 was well again",
                plan.drain
            ));
            break;
        }
        show(format!(
            "all is well again; {open} jobs are open, {queued} messages queued"
        ));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let drained = recovered.elapsed();
    verdict::of(verdict::Night {
        plan,
        sent: &sent,
        azure,
        receiver,
        healed,
        drained,
        stuck,
    })
}
