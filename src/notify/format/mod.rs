//! The forms that a notification can have for a webhook. Pure: a notification in, a body out.

mod json;
mod slack;
mod teams;
#[cfg(test)]
mod tests;

use super::Portal;
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
    /// Blocks, for an incoming webhook of Slack.
    Slack,
}

/// A request's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

impl Format {
    /// The body for a notification. `source` says which function it comes from, as a URI reference.
    pub fn render(self, notification: &Notification, portal: &Portal, source: &str) -> Rendered {
        let (content_type, body) = match self {
            Format::Json => (
                "application/cloudevents+json; charset=utf-8",
                json::render(notification, portal, source),
            ),
            Format::Teams => (
                "application/json; charset=utf-8",
                teams::render(notification, portal),
            ),
            Format::Slack => (
                "application/json; charset=utf-8",
                slack::render(notification, portal),
            ),
        };
        Rendered {
            content_type,
            body: bytes(&body),
        }
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}
