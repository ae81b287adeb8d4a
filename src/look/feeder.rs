//! The bytes of a file go through `first-look` and SHA-256 on a thread of the pool for blocking work, so that the one thread
//! that answers callers is not held up. The channel between them is short: a slow reader slows the download.

use super::LookError;
use aws_lc_rs::digest::{Context as Digest, SHA256};
use azure_core::Bytes;
use tokio::{sync::mpsc, task::JoinHandle};

/// Maximum number of chunks on their way to the reader.
const CHUNKS: usize = 4;

/// Bytes on their way through the reader.
pub(super) struct Feeder {
    chunks: mpsc::Sender<Bytes>,
    reader: JoinHandle<Fed>,
}

/// What has gone through.
pub(super) struct Fed {
    look: first_look::Look,
    digest: Digest,
    pub bytes: u64,
}

impl Feeder {
    pub fn start() -> Self {
        let (chunks, mut received) = mpsc::channel::<Bytes>(CHUNKS);
        let reader = tokio::task::spawn_blocking(move || {
            let mut fed = Fed {
                look: first_look::Look::new(first_look::Options::default()),
                digest: Digest::new(&SHA256),
                bytes: 0,
            };
            while let Some(chunk) = received.blocking_recv() {
                fed.look.feed(&chunk);
                fed.digest.update(&chunk);
                fed.bytes += chunk.len() as u64;
            }
            fed
        });
        Self { chunks, reader }
    }

    /// Hands a chunk over; waits while the reader has enough.
    ///
    /// # Errors
    /// [`LookError::Broken`] when the reader panicked.
    pub async fn feed(&self, chunk: Bytes) -> Result<(), LookError> {
        let sent = self.chunks.send(chunk).await;
        sent.map_err(|_| LookError::Broken)
    }

    /// Waits until the reader has read everything.
    ///
    /// # Errors
    /// As [`Feeder::feed`].
    pub async fn end(self) -> Result<Fed, LookError> {
        drop(self.chunks);
        self.reader.await.map_err(|_| LookError::Broken)
    }
}

impl Fed {
    /// Sorts and sums, on the pool too. Gives the digest in hexadecimal digits.
    ///
    /// # Errors
    /// As [`Feeder::feed`].
    pub async fn finish(
        self,
        context: first_look::Context,
    ) -> Result<(first_look::Seen, String), LookError> {
        let finished = tokio::task::spawn_blocking(move || {
            let digest = self.digest.finish();
            let digits = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
            (self.look.finish(&context), digits.collect())
        });
        finished.await.map_err(|_| LookError::Broken)
    }
}
