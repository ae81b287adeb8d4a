//! PagerDuty's Events API v2: an incident is triggered, and resolved once its captures ended and its alerts are resolved.
//! <https://developer.pagerduty.com/docs/send-alert-event>

use super::{
    DeliveryError, Links, Notifier, Rendered, Sent, Timeouts,
    format::pagerduty::{resolve, trigger},
    post::Post,
};
use crate::incident::{Event, Notification};
use async_trait::async_trait;
use serde_json::Value;
use std::fmt;
use url::Url;
use zeroize::Zeroizing;

/// A service of PagerDuty that gets notifications.
pub struct PagerDutyOptions<'a> {
    /// Such as `https://events.pagerduty.com/v2/enqueue`.
    pub url: Url,
    /// The setting that holds the routing key.
    pub setting: &'static str,
    /// The integration key of an Events API v2 integration.
    pub routing_key: &'a str,
    pub events: Vec<Event>,
    pub links: Links,
    /// A client that trusts whom it should, so far.
    pub http: reqwest::ClientBuilder,
    pub timeouts: Timeouts,
}

/// Triggers and resolves incidents in PagerDuty.
pub struct PagerDuty {
    post: Post,
    routing_key: Zeroizing<String>,
    events: Vec<Event>,
    links: Links,
}

impl PagerDuty {
    /// No call leaves the process yet.
    ///
    /// # Errors
    /// When the HTTPS client cannot be set up.
    pub fn new(options: PagerDutyOptions<'_>) -> Result<Self, reqwest::Error> {
        let PagerDutyOptions {
            url,
            setting,
            routing_key: key,
            ..
        } = options;
        Ok(Self {
            post: Post::new(url, setting, Some(key), options.http, options.timeouts)?,
            routing_key: Zeroizing::new(key.to_owned()),
            events: options.events,
            links: options.links,
        })
    }

    async fn enqueue(&self, mut event: Value) -> Result<(), DeliveryError> {
        event["routing_key"] = self.routing_key.as_str().into();
        let rendered = Rendered::json(&event);
        self.post.send(rendered, |request| request).await
    }
}

#[async_trait]
impl Notifier for PagerDuty {
    fn wants(&self, event: Event) -> bool {
        event == Event::Resolved || self.events.contains(&event)
    }

    async fn send(&self, notification: &Notification) -> Result<Sent, DeliveryError> {
        let only_closes = matches!(
            notification.event,
            Event::Resolved | Event::ReadinessRestored
        ) && notification.closes();
        if !only_closes {
            self.enqueue(trigger(notification, &self.links)).await?;
        }
        if notification.closes() {
            self.enqueue(resolve(notification, &self.links)).await?;
        }
        Ok(Sent::default())
    }
}

impl fmt::Debug for PagerDuty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PagerDuty")
            .field("host", &self.post.host)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}
