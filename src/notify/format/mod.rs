//! The forms that a notification can have for a webhook. Pure: a notification in, a body out.

mod json;
pub(super) mod pagerduty;
mod slack;
mod teams;
#[cfg(test)]
mod tests;

use super::Links;
use crate::incident::Notification;
use serde_json::Value;

/// What the receiver understands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// A CloudEvent with all facts, for programs.
    #[default]
    Json,
    /// A message with an Adaptive Card, for a workflow of Microsoft Teams.
    Teams,
    /// Blocks, for an incoming webhook or a bot of Slack.
    Slack,
    /// Events of PagerDuty's Events API v2.
    PagerDuty,
}

/// A request's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

impl Rendered {
    /// A JSON body.
    pub(super) fn json(value: &Value) -> Self {
        Self {
            content_type: "application/json; charset=utf-8",
            body: bytes(value),
        }
    }
}

impl Format {
    /// The body for a notification.
    pub fn render(self, notification: &Notification, links: &Links) -> Rendered {
        let rendered = Rendered::json(&self.value(notification, links));
        match self {
            Format::Json => Rendered {
                content_type: "application/cloudevents+json; charset=utf-8",
                ..rendered
            },
            Format::Teams | Format::Slack | Format::PagerDuty => rendered,
        }
    }

    /// The same as JSON.
    pub(super) fn value(self, notification: &Notification, links: &Links) -> Value {
        match self {
            Format::Json => json::render(notification, links),
            Format::Teams => teams::render(notification, links),
            Format::Slack => slack::render(notification, links),
            Format::PagerDuty => pagerduty::trigger(notification, links),
        }
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}
