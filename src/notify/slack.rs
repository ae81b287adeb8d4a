//! Slack with a bot's token: one message an incident, updated in place by what comes later and answered in its thread.
//! <https://docs.slack.dev/reference/methods/chat.postMessage>, <https://docs.slack.dev/reference/methods/chat.update>

use super::{
    DeliveryError, Format, Links, Notifier, Rendered, Sent, Timeouts,
    post::{Answered, Post},
    slack_threads::Threads,
};
use crate::incident::{Event, Notification, Thread};
use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;
use std::fmt;
use url::Url;
use zeroize::Zeroizing;

/// A channel of Slack, and the bot that writes to it.
pub struct SlackOptions<'a> {
    /// The Web API, such as `https://slack.com/api`.
    pub url: Url,
    /// The receiver's name in the settings, which the record keeps with the thread.
    pub name: &'static str,
    /// The setting that holds the token.
    pub setting: &'static str,
    pub token: &'a str,
    /// A channel's id.
    pub channel: String,
    pub events: Vec<Event>,
    pub links: Links,
    /// A client that trusts whom it should, so far.
    pub http: reqwest::ClientBuilder,
    pub timeouts: Timeouts,
}

/// Writes to a channel of Slack as a bot.
pub struct SlackBot {
    post: Post,
    name: &'static str,
    token: Zeroizing<String>,
    channel: String,
    events: Vec<Event>,
    links: Links,
    threads: Threads,
}

/// What Slack answers to every call, with status 200 even when it refuses.
#[derive(Deserialize)]
struct Said {
    ok: bool,
    #[serde(default)]
    error: String,
    channel: Option<String>,
    ts: Option<String>,
}

/// Refusals that say that the message is gone: a new one takes its place.
const GONE: [&str; 4] = [
    "message_not_found",
    "thread_not_found",
    "cant_update_message",
    "edit_window_closed",
];

impl SlackBot {
    /// No call leaves the process yet.
    ///
    /// # Errors
    /// When the HTTPS client cannot be set up.
    pub fn new(options: SlackOptions<'_>) -> Result<Self, reqwest::Error> {
        let mut url = options.url;
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty();
        }
        let (setting, token) = (options.setting, options.token);
        Ok(Self {
            post: Post::new(url, setting, Some(token), options.http, options.timeouts)?,
            name: options.name,
            token: Zeroizing::new(token.to_owned()),
            channel: options.channel,
            events: options.events,
            links: options.links,
            threads: Threads::default(),
        })
    }

    /// A new message, or an answer in a thread.
    async fn post_message(
        &self,
        message: &Value,
        thread: Option<&Thread>,
    ) -> Result<Thread, DeliveryError> {
        let mut message = message.clone();
        message["channel"] = self.channel.as_str().into();
        if let Some(thread) = thread {
            message["channel"] = (*thread.channel).into();
            message["thread_ts"] = (*thread.ts).into();
        }
        let said = self.call("chat.postMessage", &message).await?;
        Ok(Thread {
            receiver: self.name.into(),
            channel: said.channel.unwrap_or_else(|| self.channel.clone()).into(),
            ts: said.ts.unwrap_or_default().into(),
        })
    }

    /// The message of an incident, as it is now.
    async fn update(&self, message: &Value, thread: &Thread) -> Result<(), DeliveryError> {
        let mut message = message.clone();
        message["channel"] = (*thread.channel).into();
        message["ts"] = (*thread.ts).into();
        self.call("chat.update", &message).await.map(drop)
    }

    async fn call(&self, method: &str, message: &Value) -> Result<Said, DeliveryError> {
        let rendered = Rendered::json(message);
        let below = format!("/{method}");
        let with = |request: reqwest::RequestBuilder| request.bearer_auth(self.token.as_str());
        let answered = self.post.call(&below, rendered, with).await?;
        self.said(&answered)
    }

    fn said(&self, answered: &Answered) -> Result<Said, DeliveryError> {
        let refused = |code: &str| DeliveryError::Slack {
            host: self.post.host.clone(),
            setting: self.post.setting,
            code: self.post.shown(code),
            retry_after: answered.retry_after,
        };
        match serde_json::from_slice::<Said>(&answered.body) {
            Ok(said) if said.ok => Ok(said),
            Ok(said) => Err(refused(&said.error)),
            Err(_) => Err(refused("an answer that is not Slack's")),
        }
    }

    /// Updates the message of the incident and answers it; `None`: the message is gone.
    async fn follow(
        &self,
        message: &Value,
        thread: &Thread,
    ) -> Result<Option<Thread>, DeliveryError> {
        let followed = async {
            self.update(message, thread).await?;
            self.post_message(message, Some(thread)).await
        };
        match followed.await {
            Ok(_) => Ok(Some(thread.clone())),
            Err(DeliveryError::Slack { code, .. }) if GONE.contains(&&*code) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl Notifier for SlackBot {
    fn wants(&self, event: Event) -> bool {
        self.events.contains(&event)
    }

    async fn send(&self, notification: &Notification) -> Result<Sent, DeliveryError> {
        let message = Format::Slack.value(notification, &self.links);
        let key = notification.incident_key();
        let context = notification.incident.as_ref();
        let known = context.and_then(|it| it.threads.iter().find(|it| *it.receiver == *self.name));
        // One message an incident, though two jobs of it may report at the same time.
        let mut turn = self.threads.turn(&key).await;
        let thread = known.or(turn.thread()).cloned();
        let followed = match &thread {
            Some(thread) => self.follow(&message, thread).await?,
            None => None,
        };
        let thread = match followed {
            Some(thread) => thread,
            None => self.post_message(&message, None).await?,
        };
        turn.keep(thread.clone());
        Ok(Sent {
            thread: Some(thread),
        })
    }
}

impl fmt::Debug for SlackBot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlackBot")
            .field("host", &self.post.host)
            .field("channel", &self.channel)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}
