//! Every call that reached the sandbox and how it was answered: what tests assert on and what the
//! demo shows as its timeline.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use time::OffsetDateTime;
use tokio::sync::broadcast;

use super::calls::Call;

/// Far longer than any test needs, so only a stuck one meets it.
const GUARD: Duration = Duration::from_secs(10);

/// One call.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Position in the journal, from 0.
    pub seq: u64,
    /// When it was answered.
    pub time: OffsetDateTime,
    /// HTTP method.
    pub method: String,
    /// Path without the query, which may hold signatures.
    pub path: String,
    /// The path from the resource type on.
    pub short: String,
    /// Which call it was.
    pub kind: Call,
    /// The status answered; none when the connection was cut or hangs.
    pub status: Option<u16>,
    /// The fault that met it, if any.
    pub fault: Option<String>,
    /// What deserves a look, such as an altered signature.
    pub note: Option<String>,
    /// The `api-version` asked for.
    pub api_version: Option<String>,
    /// The JSON body, a text when it is not JSON, null when there is none. Of a
    /// token's form or query it is who asks and by what proof, never the proof.
    pub body: Value,
    /// `x-ms-client-request-id`
    pub client_request_id: Option<String>,
    /// Whether an `Authorization` header came with it.
    pub authorized: bool,
}

impl Entry {
    /// A line such as `PUT packetCaptures/PSAzureFunction 201`.
    pub fn line(&self) -> String {
        let mut line = format!("{} {}", self.method, self.short);
        match (self.status, &self.fault) {
            (Some(status), _) => line += &format!(" {status}"),
            (None, Some(fault)) => line += &format!(" ({fault})"),
            (None, None) => {}
        }
        if let Some(note) = &self.note {
            line += &format!(" !! {note}");
        }
        line
    }
}

pub(super) struct Journal {
    entries: Mutex<Vec<Entry>>,
    news: broadcast::Sender<Entry>,
}

impl Journal {
    pub fn new() -> Self {
        Self {
            entries: Mutex::default(),
            news: broadcast::Sender::new(1024),
        }
    }

    pub fn record(&self, mut entry: Entry) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entry.seq = entries.len() as u64;
        entries.push(entry.clone());
        // Sent under the lock so that subscribers see the journal's order. It may have no subscribers.
        let _ = self.news.send(entry);
    }

    pub fn entries(&self) -> Vec<Entry> {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub fn lines(&self) -> Vec<String> {
        self.entries().iter().map(Entry::line).collect()
    }

    pub fn subscribe(&self) -> broadcast::Receiver<Entry> {
        self.news.subscribe()
    }

    pub async fn wait_for(&self, condition: impl Fn(&[Entry]) -> bool) {
        // Subscribed before the first look: a call between look and wait is not missed.
        let mut news = self.subscribe();
        let satisfied = tokio::time::timeout(GUARD, async {
            while !condition(&self.entries()) {
                // Lagging only means that there is news.
                let _ = news.recv().await;
            }
        })
        .await;
        if satisfied.is_err() {
            panic!(
                "the sandbox waited {GUARD:?} without success; its journal:\n  {}",
                self.lines().join("\n  ")
            );
        }
    }
}
