//! Whether somebody is told how captures went. The receiver is connected to and sent nothing: a notice would be
//! read by people, and its path is a secret that no other request should show.

use super::{mend, report::Report};
use crate::config::{AppSettings, NotificationSettings};
use std::time::Duration;
use tokio::net::TcpStream;

const CHECK: &str = "notification";
/// Connecting takes well under a second.
const PATIENCE: Duration = Duration::from_secs(5);

pub async fn check(
    environment: &AppSettings,
    settings: Option<&NotificationSettings>,
    report: &mut Report,
) {
    let Some(settings) = settings else {
        return report.ok(CHECK, "off: the log alone tells how captures went");
    };
    let host = settings.webhook_url.host();
    let url = settings.webhook_url.expose();
    let port = url.port_or_known_default().unwrap_or(443);
    // An IPv6 address has brackets in a URL and none for the connection.
    let name = url.host_str().unwrap_or_default();
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let connected = tokio::time::timeout(PATIENCE, TcpStream::connect((name, port))).await;
    let trouble = match connected {
        Ok(Ok(_)) => {
            return report.ok(
                CHECK,
                format!("{host} takes connections; no notice was sent"),
            );
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
    };
    report.warning(
        CHECK,
        format!("{host} cannot be connected to ({trouble}): notices would be lost; look at the host name, or at what the app's network lets out"),
        mend::app_setting(environment, "Notification__WebhookUrl=https://..."),
    );
}
