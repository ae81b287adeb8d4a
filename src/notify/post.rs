//! One request to a receiver and its answer, whatever the format. Addresses and keys are secrets: nothing that is said
//! about a failure holds more than the host.

use super::{DeliveryError, Rendered, Timeouts};
use crate::{retry_after, text};
use reqwest::{
    RequestBuilder,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use std::{
    error::Error,
    time::{Duration, SystemTime},
};
use url::{Position, Url};
use zeroize::Zeroizing;

/// Bytes of an answer that are read at most.
const MOST_ANSWER: usize = 16 * 1024;
/// Characters of it that are shown.
const MOST_SHOWN: usize = 200;
/// Parts of the URL shorter than this are words like `services`, not keys.
const SHORTEST_KEY: usize = 8;

/// A receiver's address, and the client that reaches it.
pub(super) struct Post {
    /// A secret, as a whole.
    url: Zeroizing<String>,
    /// All of the URL that may be shown.
    pub host: String,
    /// The setting that holds the address or the key, for errors.
    pub setting: &'static str,
    /// A key beside the address, which is never shown either.
    key: Option<Zeroizing<String>>,
    http: reqwest::Client,
}

/// What a receiver answered.
pub(super) struct Answered {
    status: u16,
    pub retry_after: Option<Duration>,
    /// The beginning of the body.
    pub body: Vec<u8>,
}

impl Post {
    /// `http` is a client that trusts whom it should, so far.
    pub fn new(
        url: Url,
        setting: &'static str,
        key: Option<&str>,
        http: reqwest::ClientBuilder,
        timeouts: Timeouts,
    ) -> Result<Self, reqwest::Error> {
        let http = http
            // The body would go to a place that no setting names.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("alert-packet-capture/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(timeouts.connect)
            .timeout(timeouts.total)
            .build()?;
        Ok(Self {
            host: url[Position::BeforeHost..Position::AfterPort].to_owned(),
            url: Zeroizing::new(url.into()),
            setting,
            key: key.map(|key| Zeroizing::new(key.to_owned())),
            http,
        })
    }

    /// Posts a body. Of an answer that accepts it, nothing is read.
    pub async fn send(
        &self,
        rendered: Rendered,
        with: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<(), DeliveryError> {
        let answered = self.exchange("", rendered, with, false).await?;
        self.accepted(&answered)
    }

    /// Posts a body to what is below the address and reads what is answered.
    pub async fn call(
        &self,
        below: &str,
        rendered: Rendered,
        with: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answered, DeliveryError> {
        let answered = self.exchange(below, rendered, with, true).await?;
        self.accepted(&answered)?;
        Ok(answered)
    }

    async fn exchange(
        &self,
        below: &str,
        rendered: Rendered,
        with: impl FnOnce(RequestBuilder) -> RequestBuilder,
        read_all: bool,
    ) -> Result<Answered, DeliveryError> {
        let url = Zeroizing::new(format!("{}{below}", *self.url));
        let request = self
            .http
            .post(url.as_str())
            .header(CONTENT_TYPE, rendered.content_type)
            .body(rendered.body);
        let response = with(request).send().await;
        let response = response.map_err(|error| self.no_answer(error))?;
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| retry_after::parse(value, SystemTime::now()));
        Ok(Answered {
            status: response.status().as_u16(),
            retry_after,
            body: match read_all || !response.status().is_success() {
                true => beginning(response).await,
                false => Vec::new(),
            },
        })
    }

    /// Nothing when the answer is a 2xx.
    fn accepted(&self, answered: &Answered) -> Result<(), DeliveryError> {
        match answered.status {
            200..=299 => Ok(()),
            status => Err(DeliveryError::Refused {
                host: self.host.clone(),
                setting: self.setting,
                status,
                answer: self.shown(&String::from_utf8_lossy(&answered.body)),
                retry_after: answered.retry_after,
            }),
        }
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
            setting: self.setting,
            cause: self.shown(&cause),
        }
    }

    /// A text from outside in one short line. Receivers that repeat the address they were called at, or a key, are not
    /// quoted.
    pub fn shown(&self, text: &str) -> String {
        let repeats = |key: &Zeroizing<String>| text.contains(key.as_str());
        if self.key.as_ref().is_some_and(repeats) || repeats_key(text, &self.url) {
            return "what it says repeats parts of the URL or a key and is left out".to_owned();
        }
        text::clean(text, MOST_SHOWN).into_owned()
    }
}

/// What came of the first [`MOST_ANSWER`] bytes of an answer. A fault within makes it shorter, no more.
async fn beginning(mut response: reqwest::Response) -> Vec<u8> {
    let mut read = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = MOST_ANSWER.saturating_sub(read.len());
        read.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if read.len() == MOST_ANSWER {
            break;
        }
    }
    read
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
