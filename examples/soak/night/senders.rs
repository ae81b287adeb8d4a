//! Those who send alerts: each posts one after the other, again when it got no answer or a 503, and now and then twice
//! or with its resolution.

use super::bodies;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// How long a sender waits for an answer.
const PATIENCE: Duration = Duration::from_secs(30);
const AGAIN_AFTER: Duration = Duration::from_millis(300);

/// What was sent, and what came of it as far as the answers say.
#[derive(Default)]
pub struct Sent {
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    alerts: BTreeMap<String, Record>,
    refused: usize,
    strange: Vec<String>,
}

/// One alert.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Its jobs and their targets.
    pub jobs: BTreeMap<String, String>,
    /// A resolution followed it.
    pub resolved: bool,
    /// How often it got no answer.
    pub unanswered: usize,
}

impl Sent {
    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().expect("no panic while the lock is held")
    }

    pub fn alerts(&self) -> usize {
        self.lock().alerts.len()
    }

    pub fn records(&self) -> Vec<Record> {
        self.lock().alerts.values().cloned().collect()
    }

    /// Every job that an answer has named.
    pub fn jobs(&self) -> BTreeSet<String> {
        let book = self.lock();
        let jobs = book.alerts.values().flat_map(|record| record.jobs.keys());
        jobs.cloned().collect()
    }

    /// How often an alert was sent away.
    pub fn refused(&self) -> usize {
        self.lock().refused
    }

    /// Answers that no sender should get.
    pub fn strange(&self) -> Vec<String> {
        self.lock().strange.clone()
    }

    fn change(&self, key: &str, change: impl FnOnce(&mut Record)) {
        change(self.lock().alerts.entry(key.to_owned()).or_default());
    }
}

/// One sender.
pub struct Sender {
    number: usize,
    random: StdRng,
    pause: Duration,
    urls: watch::Receiver<Option<String>>,
    sent: Arc<Sent>,
    http: reqwest::Client,
}

impl Sender {
    pub fn new(
        number: usize,
        seed: u64,
        pause: Duration,
        urls: watch::Receiver<Option<String>>,
        sent: Arc<Sent>,
    ) -> Self {
        Self {
            number,
            random: StdRng::seed_from_u64(seed),
            pause,
            urls,
            sent,
            http: reqwest::Client::new(),
        }
    }

    /// Sends alerts until then.
    pub async fn send(mut self, until: Instant) {
        let mut count = 0;
        while Instant::now() < until {
            count += 1;
            let key = format!("{}-{count}", self.number);
            let alert = bodies::alert(&mut self.random, &key);
            self.sent.change(&key, |_| ());
            match self.random.random_range(0..8) {
                // Two deliveries at once.
                0 => {
                    let one = self.post(&key, &alert.body, true);
                    let other = self.post(&key, &alert.body, true);
                    tokio::join!(one, other);
                }
                // One after the other.
                1 => {
                    self.post(&key, &alert.body, true).await;
                    self.post(&key, &alert.body, true).await;
                }
                2 | 3 => {
                    self.post(&key, &alert.body, true).await;
                    if let Some(resolution) = &alert.resolution {
                        self.sent.change(&key, |record| record.resolved = true);
                        self.post(&key, resolution, false).await;
                    }
                }
                _ => self.post(&key, &alert.body, true).await,
            }
            let pause = self.pause.mul_f64(self.random.random_range(0.0..2.0));
            tokio::time::sleep(pause).await;
        }
    }

    /// Posts a body until it is accepted.
    async fn post(&self, key: &str, body: &Value, fires: bool) {
        let mut urls = self.urls.clone();
        loop {
            let url = match urls.wait_for(Option::is_some).await {
                Ok(url) => url.clone().unwrap_or_default(),
                Err(_) => return,
            };
            let request = self
                .http
                .post(format!("{url}/api/AlertPacketCapture"))
                .header("content-type", "application/json")
                .timeout(PATIENCE)
                .body(body.to_string());
            let answer = match request.send().await {
                Ok(response) => {
                    let status = response.status().as_u16();
                    let text = response.text().await;
                    text.map(|text| (status, text))
                }
                Err(error) => Err(error),
            };
            match answer {
                // An alert whose jobs all failed at once is answered 502.
                Ok((200 | 202 | 502, text)) => return self.accepted(key, &text, fires),
                Ok((503, _)) => self.sent.lock().refused += 1,
                Ok((status, text)) => {
                    let strange = format!("an alert was answered {status} {text}");
                    self.sent.lock().strange.push(strange);
                    return;
                }
                Err(error) if error.is_timeout() => {
                    let strange = format!("an alert had no answer within {PATIENCE:?}");
                    self.sent.lock().strange.push(strange);
                    self.sent.change(key, |record| record.unanswered += 1);
                }
                Err(_) => self.sent.change(key, |record| record.unanswered += 1),
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }

    fn accepted(&self, key: &str, text: &str, fires: bool) {
        let body: Value = serde_json::from_str(text).unwrap_or_default();
        let captures = body["captures"].as_array().cloned().unwrap_or_default();
        if !fires {
            return;
        }
        self.sent.change(key, |record| {
            for capture in &captures {
                if let (Some(job), Some(target)) =
                    (capture["jobId"].as_str(), capture["target"].as_str())
                {
                    record.jobs.insert(job.to_owned(), target.to_lowercase());
                }
            }
        });
    }
}
