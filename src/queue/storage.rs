//! The queue of several processes, in Azure Queue Storage. What a process puts in, it holds: hidden from the
//! others and given out again here when it is due. What a process leaves behind becomes visible, and the
//! Functions host's trigger or another process's poll finds it.
//! <https://learn.microsoft.com/en-us/azure/storage/queues/storage-queues-introduction>

mod holding;
mod schedule;
mod wire;

use super::{JobQueue, Message, Payload, QueueError};
use crate::storage::{Connection, Way};
use azure_core::credentials::TokenCredential;
use holding::Holding;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;
use url::Url;

/// The queue that the trigger in `PacketCaptureJob/function.json` listens to.
const JOBS: &str = "packet-capture-jobs";
/// The longest wait: Azure hides a message for a week at most.
const LONGEST_WAIT: Duration = Duration::from_secs(6 * 24 * 3600);

/// How a storage queue behaves.
#[derive(Debug, Clone, Copy)]
pub struct StorageOptions {
    /// How long a message is hidden from others while this process has it.
    pub visibility_timeout: Duration,
    /// Whether to look for messages that others left; otherwise the Functions host's trigger brings them.
    pub poll: bool,
}

/// The queue of several processes, in Azure Queue Storage.
pub struct StorageQueue {
    holding: Arc<Holding>,
}

impl StorageQueue {
    /// A queue opened with an account key or a shared access signature. No call leaves the process yet.
    ///
    /// # Errors
    /// An endpoint that no client can be made for.
    pub fn connect(
        connection: Connection,
        http: reqwest::Client,
        options: StorageOptions,
    ) -> azure_core::Result<Self> {
        let way = Way::Access(connection.endpoint, connection.access);
        Self::new(way, http, options)
    }

    /// A queue opened with a token for `https://storage.azure.com`. `service` is such as
    /// `https://ACCOUNT.queue.core.windows.net`.
    ///
    /// # Errors
    /// An endpoint that no client can be made for.
    pub fn with_identity(
        service: Url,
        credential: Arc<dyn TokenCredential>,
        http: reqwest::Client,
        options: StorageOptions,
    ) -> azure_core::Result<Self> {
        Self::new(Way::Identity(service, credential), http, options)
    }

    /// Whether the queue is there. It is created when it is first used, and not by this.
    ///
    /// # Errors
    /// [`QueueError::Unavailable`] when the queue service is not in reach or refuses.
    pub async fn exists(&self) -> Result<bool, QueueError> {
        Ok(self.holding.jobs.count_if_exists().await?.is_some())
    }

    /// The URL of the queue, without any secret.
    pub fn address(&self) -> &str {
        &self.holding.jobs.address
    }

    fn new(way: Way, http: reqwest::Client, options: StorageOptions) -> azure_core::Result<Self> {
        let service = wire::service(way, http)?;
        let holding = Holding::new(&service, options)?;
        Ok(Self {
            holding: Arc::new(holding),
        })
    }
}

#[async_trait::async_trait]
impl JobQueue for StorageQueue {
    async fn put(&self, jobs: Vec<Payload>) -> Result<(), QueueError> {
        let written =
            |job: Payload| -> Result<_, QueueError> { Ok((job.text()?.into_owned(), job)) };
        let jobs = (jobs.into_iter().map(written)).collect::<Result<Vec<_>, _>>()?;
        // A task of its own: a caller that disconnects must not leave a part of the messages behind.
        let put = tokio::spawn(self.holding.clone().put_all(jobs));
        let put = put.await.unwrap_or_else(|panic| {
            Err(QueueError::Unavailable {
                tried: "put messages",
                queue: JOBS.to_owned(),
                status: None,
                source: Box::new(panic),
            })
        });
        if let Err(error) = &put {
            tracing::warn!("{}", told(error));
        }
        put
    }

    async fn receive(&self) -> Message {
        loop {
            match self.holding.look() {
                Ok(message) => return message,
                Err(None) => self.holding.changed.notified().await,
                Err(Some(at)) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(at) => {}
                        () = self.holding.changed.notified() => {}
                    }
                }
            }
        }
    }

    async fn keep(&self, message: &Message, job: Payload) -> Result<Message, QueueError> {
        let (holding, start) = (&self.holding, Instant::now());
        let hidden = holding.options.visibility_timeout;
        let updated = holding.rewrite(message, Some(&job), hidden).await;
        let kept = holding.settled(message, updated)?;
        let mut state = holding.state();
        state.schedule.hold(kept.clone(), start, start + hidden);
        Ok(kept)
    }

    async fn put_back(
        &self,
        message: &Message,
        job: Payload,
        wait: Duration,
    ) -> Result<(), QueueError> {
        let (holding, start) = (&self.holding, Instant::now());
        let wait = wait.min(LONGEST_WAIT);
        let hidden = wait.saturating_add(holding.options.visibility_timeout);
        let updated = holding.rewrite(message, Some(&job), hidden).await;
        let back = match holding.settled(message, updated) {
            Err(error) if error.is_temporary() => {
                tracing::warn!("could not release a job; retrying: {}", told(&error));
                let written = Message {
                    job,
                    ..message.clone()
                };
                tokio::spawn(holding.clone().put_back_later(written, start + wait));
                return Ok(());
            }
            settled => settled?,
        };
        let mut state = holding.state();
        state.schedule.wait(back, start + wait, start + hidden);
        drop(state);
        holding.changed.notify_one();
        Ok(())
    }

    async fn delete(&self, message: &Message) -> Result<(), QueueError> {
        let deleted = self.holding.delete(message).await;
        self.holding.settled(message, deleted)?;
        self.holding.state().schedule.forget(message);
        Ok(())
    }

    async fn poison(&self, message: &Message, job: Payload) -> Result<(), QueueError> {
        let moved = self.holding.move_away(message, &job).await;
        self.holding.settled(message, moved)?;
        self.holding.state().schedule.forget(message);
        Ok(())
    }

    async fn poisoned(&self) -> Result<usize, QueueError> {
        // It is not created for that.
        let count = self.holding.poison.count_if_exists().await?;
        Ok(count.unwrap_or_default())
    }

    async fn receive_poisoned(&self) -> Result<Vec<Message>, QueueError> {
        self.holding.receive_poisoned().await
    }

    async fn show_poisoned(
        &self,
        message: &Message,
        job: Option<&Payload>,
    ) -> Result<(), QueueError> {
        let text = job.map(Payload::text).transpose()?;
        let shown = (self.holding.poison).update(message, text.as_deref(), Duration::ZERO);
        shown.await.map(drop)
    }

    async fn waiting(&self) -> usize {
        match self.holding.jobs.count().await {
            Ok(count) => count,
            Err(error) => {
                tracing::debug!("{}", told(&error));
                self.holding.state().schedule.len()
            }
        }
    }

    async fn close(&self) {
        let held = {
            let mut state = self.holding.state();
            state.closed = true;
            state.schedule.drain()
        };
        self.holding.hand_back(held).await;
    }

    fn is_durable(&self) -> bool {
        true
    }
}

/// An error and its cause in one line.
fn told(error: &QueueError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
