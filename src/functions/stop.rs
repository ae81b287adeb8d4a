//! The stop of the process, as requests see it.

use std::time::Duration;
use tokio::sync::watch;

/// Another process is usually started within this time.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Says when the process stops. A dropped sender counts as a stop too.
#[derive(Debug, Clone)]
pub struct Stop {
    /// No further request is read.
    pub asked: watch::Receiver<bool>,
    /// No job makes progress in this process any more.
    pub worked: watch::Receiver<bool>,
}

impl Stop {
    /// Waits until no further request is to be read.
    pub(super) async fn asked(&self) {
        let _ = self.asked.clone().wait_for(|asked| *asked).await;
    }

    /// Waits until no job makes progress here any more.
    pub(super) async fn over(&self) {
        let _ = self.worked.clone().wait_for(|worked| *worked).await;
    }

    pub(super) fn is_over(&self) -> bool {
        *self.worked.borrow()
    }
}
