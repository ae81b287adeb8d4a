//! Asks for a run: those who ask know nothing of how it is made.

use std::sync::Arc;
use tokio::sync::Notify;

/// Asks for a run over all machines. Clones ask the same process; several requests at once are one.
#[derive(Debug, Clone, Default)]
pub struct Start(Arc<Notify>);

impl Start {
    /// Asks for a run, which begins when the one in progress has finished.
    pub fn ask(&self) {
        self.0.notify_one();
    }

    /// Waits until a run is asked for.
    pub async fn asked(&self) {
        self.0.notified().await;
    }
}
