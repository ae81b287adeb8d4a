//! Asks for a run: those who ask know nothing of how it is made.

use std::sync::Arc;
use tokio::sync::{Notify, watch};

/// Asks for a run over all machines. Clones ask the same process; several requests at once are one.
#[derive(Debug, Clone)]
pub struct Start {
    asked: Arc<Notify>,
    /// Number of runs that this process has ended.
    ended: watch::Sender<u64>,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            asked: Arc::default(),
            ended: watch::Sender::new(0),
        }
    }
}

impl Start {
    /// Asks for a run, which begins when the one in progress has finished.
    pub fn ask(&self) {
        self.asked.notify_one();
    }

    /// Waits until a run is asked for.
    pub async fn asked(&self) {
        self.asked.notified().await;
    }

    /// A run has ended, and operators were notified of its news.
    pub fn ended(&self) {
        self.ended
            .send_modify(|runs| *runs = runs.saturating_add(1));
    }

    /// Changes each time when a run has ended.
    pub fn ends(&self) -> watch::Receiver<u64> {
        self.ended.subscribe()
    }
}
