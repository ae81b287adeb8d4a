//! Why a notification could not be delivered. Webhook URLs are secrets, since Slack and Teams carry the key in them:
//! nothing here holds more of one than its host.

mod slack;

use std::time::Duration;

/// The longest wait that a receiver may ask for.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Why a notification could not be delivered, without the webhook's URL.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// No answer: the notification may or may not have arrived.
    #[error("the webhook at {host} ({setting}) did not answer: {cause}")]
    NoAnswer {
        host: String,
        /// The setting that names the receiver.
        setting: &'static str,
        /// The fault and its causes, in words.
        cause: String,
    },
    #[error(
        "the webhook at {host} ({setting}) answered {status}{}{}",
        said(.answer),
        advice(setting, *.status)
    )]
    Refused {
        host: String,
        setting: &'static str,
        status: u16,
        /// The beginning of what it answered; may be empty.
        answer: String,
        retry_after: Option<Duration>,
    },
    /// Slack answered 200 and an error code.
    #[error("Slack at {host} ({setting}) answered {code}{}", slack::advice(.code))]
    Slack {
        host: String,
        setting: &'static str,
        code: String,
        retry_after: Option<Duration>,
    },
}

impl DeliveryError {
    /// Whether another attempt makes sense: after a connection fault, and when the receiver is busy or broken.
    pub fn is_temporary(&self) -> bool {
        match self {
            DeliveryError::NoAnswer { .. } => true,
            DeliveryError::Refused { status, .. } => {
                matches!(status, 408 | 425 | 429 | 500..=599)
            }
            DeliveryError::Slack { code, .. } => slack::is_temporary(code),
        }
    }

    /// How long the receiver wants to be left alone; an hour at most.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            DeliveryError::NoAnswer { .. } => None,
            DeliveryError::Refused { retry_after, .. }
            | DeliveryError::Slack { retry_after, .. } => {
                retry_after.map(|wait| wait.min(LONGEST_WAIT))
            }
        }
    }
}

fn said(answer: &str) -> String {
    match answer {
        "" => String::new(),
        answer => format!(" ({answer})"),
    }
}

fn advice(setting: &str, status: u16) -> &'static str {
    let pagerduty = setting.ends_with("PagerDutyRoutingKey");
    match status {
        300..=399 => "; redirects are not followed, set the URL that they lead to",
        400 | 403 | 404 if pagerduty => {
            "; check that the setting is the integration key of an Events API v2 integration, and that the service exists"
        }
        401 | 403 | 404 | 410 => "; check that the webhook still exists and that the URL is whole",
        400 | 413 | 415 | 422 => "; check that Notification__Format is what the receiver takes",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "Notification__WebhookUrl";

    fn refused(status: u16, retry_after: Option<u64>) -> DeliveryError {
        DeliveryError::Refused {
            host: "hooks.example".to_owned(),
            setting: URL,
            status,
            answer: "no_service".to_owned(),
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    #[test]
    fn only_what_may_pass_by_itself_is_temporary() {
        for (status, expected) in [
            (301, false),
            (400, false),
            (401, false),
            (404, false),
            (408, true),
            (410, false),
            (413, false),
            (425, true),
            (429, true),
            (500, true),
            (501, true),
            (503, true),
            (599, true),
        ] {
            assert_eq!(refused(status, None).is_temporary(), expected, "{status}");
        }
        let lost = DeliveryError::NoAnswer {
            host: "hooks.example".to_owned(),
            setting: URL,
            cause: "cut".to_owned(),
        };
        assert!(lost.is_temporary());
        assert_eq!(lost.retry_after(), None);
    }

    #[test]
    fn no_wait_is_longer_than_an_hour() {
        for (asked, expected) in [(0, 0), (30, 30), (3600, 3600), (1_000_000, 3600)] {
            let wait = refused(503, Some(asked)).retry_after();
            assert_eq!(wait, Some(Duration::from_secs(expected)));
        }
    }

    #[test]
    fn it_says_what_to_do() {
        assert_eq!(
            refused(404, None).to_string(),
            "the webhook at hooks.example (Notification__WebhookUrl) answered 404 (no_service); check that the \
             webhook still exists and that the URL is whole"
        );
    }

    #[test]
    fn slack_says_what_to_fix() {
        let refused = |code: &str| DeliveryError::Slack {
            host: "slack.com".to_owned(),
            setting: "Notification__SlackToken",
            code: code.to_owned(),
            retry_after: Some(Duration::from_secs(30)),
        };
        let error = refused("not_in_channel");
        assert_eq!(
            error.to_string(),
            "Slack at slack.com (Notification__SlackToken) answered not_in_channel; invite the app to the channel, and set Notification__SlackChannel to the channel's id"
        );
        assert!(!error.is_temporary());
        assert!(refused("ratelimited").is_temporary());
        assert_eq!(
            refused("ratelimited").retry_after(),
            Some(Duration::from_secs(30))
        );
    }
}
