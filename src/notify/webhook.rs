//! Posts notifications to a webhook: one request, one answer. The worker, which keeps the notification, retries.

use super::{DeliveryError, Format, Notifier, Portal, Signer};
use crate::incident::{Event, Notification};
use crate::{retry_after, text};
use async_trait::async_trait;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use std::{
    error::Error,
    fmt,
    time::{Duration, SystemTime},
};
use url::{Position, Url};
use zeroize::Zeroizing;

/// Bytes of an answer that are read at most, for the error.
const MOST_ANSWER: usize = 2 * 1024;
/// Characters of it that are shown.
const MOST_SHOWN: usize = 200;
/// Parts of the URL shorter than this are words like `services`, not keys.
const SHORTEST_KEY: usize = 8;

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
    pub format: Format,
    pub signer: Option<Signer>,
    pub events: Vec<Event>,
    pub portal: Portal,
    /// Which function the notifications come from, as a URI reference.
    pub source: String,
    /// A client that trusts whom it should, so far.
    pub http: reqwest::ClientBuilder,
    pub timeouts: Timeouts,
}

/// Sends notifications to a webhook, and writes them to the log.
pub struct WebhookNotifier {
    /// A secret, as a whole.
    url: Zeroizing<String>,
    /// All of the URL that may be shown.
    host: String,
    format: Format,
    signer: Option<Signer>,
    events: Vec<Event>,
    portal: Portal,
    source: String,
    http: reqwest::Client,
}

impl WebhookNotifier {
    /// No call leaves the process yet.
    ///
    /// # Errors
    /// When the HTTPS client cannot be set up.
    pub fn new(options: WebhookOptions) -> Result<Self, reqwest::Error> {
        let http = options
            .http
            // The body would go to a place that no setting names.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("alert-packet-capture/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(options.timeouts.connect)
            .timeout(options.timeouts.total)
            .build()?;
        Ok(Self {
            host: options.url[Position::BeforeHost..Position::AfterPort].to_owned(),
            url: Zeroizing::new(options.url.into()),
            format: options.format,
            signer: options.signer,
            events: options.events,
            portal: options.portal,
            source: options.source,
            http,
        })
    }

    async fn post(&self, notification: &Notification) -> Result<(), DeliveryError> {
        let rendered = self.format.render(notification, &self.portal, &self.source);
        let mut request = self
            .http
            .post(self.url.as_str())
            .header(CONTENT_TYPE, rendered.content_type);
        if let Some(signer) = &self.signer {
            for (name, value) in signer.headers(&notification.id(), unix_now(), &rendered.body) {
                request = request.header(name, value);
            }
        }
        let response = request.body(rendered.body).send().await;
        let response = response.map_err(|error| self.no_answer(error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| retry_after::parse(value, SystemTime::now()));
        Err(DeliveryError::Refused {
            host: self.host.clone(),
            status: status.as_u16(),
            answer: self.shown(&beginning(response).await),
            retry_after,
        })
    }

    fn no_answer(&self, error: reqwest::Error) -> DeliveryError {
        let error = error.without_url();
        let mut cause = error.to_string();
        let mut source = error.source();
        while let Some(deeper) = source {
            cause = format!("{cause}: {deeper}");
            source = deeper.source();
        }
        DeliveryError::NoAnswer {
            host: self.host.clone(),
            cause: self.shown(&cause),
        }
    }

    /// A text from outside in one short line. Receivers that repeat the address they were called at are not
    /// quoted.
    fn shown(&self, text: &str) -> String {
        if repeats_key(text, &self.url) {
            return "what it says repeats parts of the URL and is left out".to_owned();
        }
        text::clean(text, MOST_SHOWN).into_owned()
    }
}

#[async_trait]
impl Notifier for WebhookNotifier {
    fn wants(&self, event: Event) -> bool {
        self.events.contains(&event)
    }

    async fn send(&self, notification: &Notification) -> Result<(), DeliveryError> {
        self.post(notification).await
    }
}

impl fmt::Debug for WebhookNotifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookNotifier")
            .field("host", &self.host)
            .field("format", &self.format)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}

/// What came of the first [`MOST_ANSWER`] bytes of an answer. A fault within makes it shorter, no more.
async fn beginning(mut response: reqwest::Response) -> String {
    let mut read = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = MOST_ANSWER.saturating_sub(read.len());
        read.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if read.len() == MOST_ANSWER {
            break;
        }
    }
    String::from_utf8_lossy(&read).into_owned()
}

/// Whether a text holds a part of the URL's path, query or user information that could be a key.
fn repeats_key(text: &str, url: &str) -> bool {
    let Ok(url) = Url::parse(url) else {
        return true;
    };
    let secret = |part: &str| part.len() >= SHORTEST_KEY && text.contains(part);
    let behind_host = &url[Position::BeforePath..];
    behind_host
        .split(['/', '?', '&', '=', '#'])
        .chain([url.username(), url.password().unwrap_or_default()])
        .any(secret)
        || url.query_pairs().any(|(_, value)| secret(&value))
}

fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_a_text_are_found() {
        let url = "https://user:Passw0rd!@hooks.example/services/T00000000/AbCdEfGhIjKl?sig=q%2Bw1234567&v=2";
        for (text, expected) in [
            ("no_service", false),
            ("no such thing at hooks.example", false),
            ("v=2", false),
            ("nothing at /services/T00000000/AbCdEfGhIjKl", true),
            ("bad key AbCdEfGhIjKl", true),
            ("signature q%2Bw1234567 is old", true),
            ("signature q+w1234567 is old", true),
        ] {
            assert_eq!(repeats_key(text, url), expected, "{text}");
        }
    }
}
