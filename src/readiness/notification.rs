//! Whether notifications can be delivered. Only a connection is made: a test message would be read by people, and the
//! path of the URL is a secret that no other request should show.

use super::{Group, Parts, Report};
use crate::config::{NotificationFormat, Settings};
use std::time::Duration;
use tokio::net::TcpStream;

const CHECK: &str = "notification";
/// How long connecting may take; it takes well under a second.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Receivers whose hosts tell which format they accept.
const KNOWN: [(&str, NotificationFormat, &str); 2] = [
    ("hooks.slack.com", NotificationFormat::Slack, "slack"),
    (".webhook.office.com", NotificationFormat::Teams, "teams"),
];

pub async fn check(parts: &Parts, settings: &Settings, report: &mut Report) {
    if parts.found.is_wrong(Group::Notification) {
        return report.skipped(CHECK, "its app settings are invalid");
    }
    let Some(settings) = &settings.notification else {
        return report.ok(CHECK, "off: only the log says how captures finished");
    };
    let host = settings.webhook_url.host();
    if let Some(format) = accepted_instead(&host, settings.format) {
        return report.warning(
            CHECK,
            format!("{host} accepts the format {format}, and another one is set"),
            parts.hosting.set(&format!("Notification__Format={format}")),
        );
    }
    let url = settings.webhook_url.expose();
    let port = url.port_or_known_default().unwrap_or(443);
    // An IPv6 address has brackets in a URL and none for the connection.
    let name = url.host_str().unwrap_or_default();
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let connected = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect((name, port))).await;
    let cause = match connected {
        Ok(Ok(_)) => {
            return report.ok(
                CHECK,
                format!("{host} accepts connections; no notification was sent"),
            );
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()),
    };
    report.warning(
        CHECK,
        format!("could not connect to {host}: {cause}; notifications would be lost. Check the host name and the outbound rules of the app's network"),
        parts.hosting.set("Notification__WebhookUrl=https://..."),
    );
}

/// The format that a well-known receiver accepts, if it is another one than is set.
fn accepted_instead(host: &str, format: NotificationFormat) -> Option<&'static str> {
    let known = KNOWN.iter().find(|(name, ..)| host.ends_with(name))?;
    (known.1 != format).then_some(known.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_receivers_get_the_format_that_they_accept() {
        use NotificationFormat::{Json, Slack, Teams};
        for (host, format, expected) in [
            ("hooks.slack.com", Json, Some("slack")),
            ("hooks.slack.com", Slack, None),
            ("contoso.webhook.office.com", Slack, Some("teams")),
            ("contoso.webhook.office.com", Teams, None),
            ("alerts.example:8443", Json, None),
        ] {
            assert_eq!(accepted_instead(host, format), expected, "{host}");
        }
    }
}
