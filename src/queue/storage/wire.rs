//! One queue of a storage account over HTTP: each call with a deadline, the queue created when it is missing,
//! every failure in words without secrets.

use crate::{
    queue::{Message, Payload, QueueError},
    storage::{
        Cause, Opened, Way,
        refusal::{code, status},
    },
};
use azure_core::http::{ExponentialRetryOptions, RequestContent, RetryOptions, XmlFormat};
use azure_storage_queue::{
    QueueClient, QueueServiceClient, QueueServiceClientOptions,
    models::{
        QueueClientGetPropertiesResultHeaders, QueueClientReceiveMessagesOptions,
        QueueClientSendMessageOptions, QueueClientUpdateMessageOptions, QueueMessage,
    },
};
use base64::{Engine, prelude::BASE64_STANDARD};
use std::{future::Future, time::Duration};
use tokio::sync::Semaphore;

/// How long one call may take, without the wait for its turn. Queue Storage answers within tens of milliseconds, and
/// the sender of an alert waits for it.
const DEADLINE: Duration = Duration::from_secs(4);
/// Maximum number of calls at once.
pub(super) const CALLS: usize = 16;
/// The longest time for which a message can be hidden.
const LONGEST_HIDDEN: Duration = Duration::from_secs(7 * 24 * 3600);
/// The time to live of a message that never expires.
const FOR_EVER: i32 = -1;

/// A message as Queue Storage has it. The text is base64, if all is well.
pub(super) struct Received {
    pub message_id: String,
    pub pop_receipt: String,
    pub delivered: u32,
    pub text: String,
}

impl Received {
    /// The message with what it carries.
    pub fn message(self, job: Payload) -> Message {
        Message {
            message_id: self.message_id,
            pop_receipt: self.pop_receipt,
            delivered: self.delivered,
            job,
            replaces: None,
        }
    }
}

/// Where a message was put.
pub(super) struct Put {
    message_id: String,
    pop_receipt: String,
}

impl Put {
    /// The message with what it carries.
    pub fn message(self, delivered: u32, job: Payload) -> Message {
        Message {
            message_id: self.message_id,
            pop_receipt: self.pop_receipt,
            delivered,
            job,
            replaces: None,
        }
    }
}

/// One queue of a storage account over HTTP.
pub(super) struct Wire {
    queue: QueueClient,
    pub address: String,
    calls: Semaphore,
}

/// The queue service's client.
pub(super) fn service(way: Way, http: reqwest::Client) -> azure_core::Result<QueueServiceClient> {
    // A put whose answer was lost is repeated like the rest: the message may then be there twice, and receivers have to
    // expect that anyway.
    let retry = RetryOptions::exponential(ExponentialRetryOptions {
        initial_delay: azure_core::time::Duration::milliseconds(100),
        max_retries: 3,
        max_total_elapsed: azure_core::time::Duration::seconds(3),
        max_delay: azure_core::time::Duration::seconds(1),
    });
    let Opened {
        url,
        credential,
        options,
    } = way.open(http, retry)?;
    let options = QueueServiceClientOptions {
        client_options: options,
        ..QueueServiceClientOptions::default()
    };
    QueueServiceClient::new(url, credential, Some(options))
}

impl Wire {
    pub fn new(service: &QueueServiceClient, name: &str) -> azure_core::Result<Self> {
        let queue = service.queue_client(name)?;
        let mut address = queue.url().clone();
        address.set_query(None);
        Ok(Self {
            queue,
            address: address.to_string(),
            calls: Semaphore::new(CALLS),
        })
    }

    /// Puts a message in that stays hidden so long.
    pub async fn put(&self, text: &str, hidden: Duration) -> Result<Put, QueueError> {
        let content = content(text);
        let options = QueueClientSendMessageOptions {
            message_time_to_live: Some(FOR_EVER),
            visibility_timeout: Some(seconds(hidden)),
            ..Default::default()
        };
        let sent = self
            .call("take a message", || async {
                let content = content.clone();
                let sent = self
                    .queue
                    .send_message(content, Some(options.clone()))
                    .await?;
                sent.into_model()?.into_message()
            })
            .await?;
        match (sent.message_id, sent.pop_receipt) {
            (Some(message_id), Some(pop_receipt)) => Ok(Put {
                message_id,
                pop_receipt,
            }),
            _ => Err(self.unavailable(
                "take a message",
                Cause("its answer names no message".to_owned()),
                None,
            )),
        }
    }

    /// Up to `most` visible messages, hidden from others from now on.
    pub async fn get(&self, most: usize, hidden: Duration) -> Result<Vec<Received>, QueueError> {
        let options = QueueClientReceiveMessagesOptions {
            number_of_messages: Some(i32::try_from(most).unwrap_or(i32::MAX)),
            visibility_timeout: Some(seconds(hidden)),
            ..Default::default()
        };
        let list = self
            .call("give messages", || async {
                let received = self.queue.receive_messages(Some(options.clone())).await?;
                received.into_model()
            })
            .await?;
        let items = list.items.unwrap_or_default().into_iter();
        Ok(items
            .filter_map(|item| {
                Some(Received {
                    message_id: item.message_id?,
                    pop_receipt: item.pop_receipt?,
                    delivered: item
                        .dequeue_count
                        .map_or(1, |count| u32::try_from(count).unwrap_or(u32::MAX)),
                    text: item.message_text.unwrap_or_default(),
                })
            })
            .collect())
    }

    /// Hides a message for this long, with another text if there is one. Gives the new receipt.
    pub async fn update(
        &self,
        message: &Message,
        text: Option<&str>,
        hidden: Duration,
    ) -> Result<String, QueueError> {
        let options = QueueClientUpdateMessageOptions {
            queue_message: text.map(content),
            ..Default::default()
        };
        let (id, receipt) = (&message.message_id, &message.pop_receipt);
        self.call("write a message", || async {
            let options = Some(options.clone());
            let hidden = seconds(hidden);
            let updated = self.queue.update_message(id, receipt, hidden, options);
            updated
                .await?
                .headers()
                .get_str(&"x-ms-popreceipt".into())
                .map(str::to_owned)
        })
        .await
    }

    pub async fn delete(&self, message: &Message) -> Result<(), QueueError> {
        let (id, receipt) = (&message.message_id, &message.pop_receipt);
        self.call("delete a message", || async {
            self.queue.delete_message(id, receipt, None).await.map(drop)
        })
        .await
    }

    /// Messages in the queue, about.
    pub async fn count(&self) -> Result<usize, QueueError> {
        let count = self
            .call("count its messages", || async {
                let properties = self.queue.get_properties(None).await?;
                properties.approximate_messages_count()
            })
            .await?;
        Ok(usize::try_from(count.unwrap_or_default()).unwrap_or_default())
    }

    /// Messages in the queue, about; `None` when there is no queue. It is not created for that.
    pub async fn count_if_exists(&self) -> Result<Option<usize>, QueueError> {
        self.within_deadline("read its properties", async {
            match self.queue.get_properties(None).await {
                Err(error) if code(&error) == Some("QueueNotFound") => Ok(None),
                answer => {
                    let count = answer?.approximate_messages_count()?.unwrap_or_default();
                    Ok(Some(usize::try_from(count).unwrap_or_default()))
                }
            }
        })
        .await
    }

    /// One call, repeated once when the queue had to be created first.
    async fn call<T, F>(&self, tried: &'static str, call: impl Fn() -> F) -> Result<T, QueueError>
    where
        F: Future<Output = azure_core::Result<T>>,
    {
        let _turn = self.calls.acquire().await;
        let called = async {
            match call().await {
                Err(error) if code(&error) == Some("QueueNotFound") => {
                    self.queue.create(None).await?;
                    call().await
                }
                other => other,
            }
        };
        self.within_deadline(tried, called).await
    }

    async fn within_deadline<T>(
        &self,
        tried: &'static str,
        called: impl Future<Output = azure_core::Result<T>>,
    ) -> Result<T, QueueError> {
        match tokio::time::timeout(DEADLINE, called).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => match code(&error) {
                Some("MessageNotFound") => Err(QueueError::Vanished),
                Some("PopReceiptMismatch") => Err(QueueError::NotFound),
                _ => Err(self.unavailable(tried, Cause::of(&error), status(&error))),
            },
            Err(_) => {
                let cause = format!("no answer within {} s", DEADLINE.as_secs());
                Err(self.unavailable(tried, Cause(cause), None))
            }
        }
    }

    fn unavailable(&self, tried: &'static str, cause: Cause, status: Option<u16>) -> QueueError {
        QueueError::Unavailable {
            tried,
            queue: self.address.clone(),
            status,
            source: Box::new(cause),
        }
    }
}

/// The Functions trigger takes base64.
fn content(text: &str) -> RequestContent<QueueMessage, XmlFormat> {
    let message = QueueMessage {
        message_text: Some(BASE64_STANDARD.encode(text)),
    };
    // A struct of one text is always XML.
    RequestContent::try_from(message).unwrap_or_else(|_| RequestContent::from(Vec::new()))
}

/// Whole seconds, rounded up: a message hidden a moment too long is better than one that two have.
fn seconds(hidden: Duration) -> i32 {
    let hidden = hidden.min(LONGEST_HIDDEN);
    let seconds = hidden.as_secs() + u64::from(hidden.subsec_nanos() > 0);
    i32::try_from(seconds.min(LONGEST_HIDDEN.as_secs())).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
