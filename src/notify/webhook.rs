//! Posts notifications to a webhook: one request, one answer. The worker, which keeps the notification, retries.

use super::{DeliveryError, Format, Links, Notifier, Sent, Signer, post::Post};
use crate::incident::{Event, Notification};
use async_trait::async_trait;
use std::{fmt, time::Duration, time::SystemTime};
use url::Url;

/// How long a receiver may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    pub connect: Duration,
    /// Connecting, sending and the whole answer.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            total: Duration::from_secs(10),
        }
    }
}

/// The receiver of notifications, the events that are sent, and their form.
pub struct WebhookOptions {
    pub url: Url,
    /// The setting that holds the URL.
    pub setting: &'static str,
    pub format: Format,
    pub signer: Option<Signer>,
    pub events: Vec<Event>,
    pub links: Links,
    /// A client that trusts whom it should, so far.
    pub http: reqwest::ClientBuilder,
    pub timeouts: Timeouts,
}

/// Sends notifications to a webhook.
pub struct WebhookNotifier {
    post: Post,
    format: Format,
    signer: Option<Signer>,
    events: Vec<Event>,
    links: Links,
}

impl WebhookNotifier {
    /// No call leaves the process yet.
    ///
    /// # Errors
    /// When the HTTPS client cannot be set up.
    pub fn new(options: WebhookOptions) -> Result<Self, reqwest::Error> {
        let WebhookOptions { url, setting, .. } = options;
        Ok(Self {
            post: Post::new(url, setting, None, options.http, options.timeouts)?,
            format: options.format,
            signer: options.signer,
            events: options.events,
            links: options.links,
        })
    }
}

#[async_trait]
impl Notifier for WebhookNotifier {
    fn wants(&self, event: Event) -> bool {
        self.events.contains(&event)
    }

    async fn send(&self, notification: &Notification) -> Result<Sent, DeliveryError> {
        let rendered = self.format.render(notification, &self.links);
        let signature = self
            .signer
            .as_ref()
            .map(|signer| signer.headers(&notification.id(), unix_now(), &rendered.body));
        let signed = |mut request: reqwest::RequestBuilder| {
            for (name, value) in signature.into_iter().flatten() {
                request = request.header(name, value);
            }
            request
        };
        self.post.send(rendered, signed).await?;
        Ok(Sent::default())
    }
}

impl fmt::Debug for WebhookNotifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookNotifier")
            .field("host", &self.post.host)
            .field("format", &self.format)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}

fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}
