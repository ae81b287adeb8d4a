//! Whether notifications can be delivered. Only a connection is made: a test message would be read by people, and the
//! path of the URL is a secret that no other request should show.

use super::{Group, Parts, Report};
use crate::config::{Destination, Settings};
use std::time::Duration;
use tokio::net::TcpStream;

const CHECK: &str = "notification";
/// How long connecting may take; it takes well under a second.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

pub async fn check(parts: &Parts, settings: &Settings, report: &mut Report) {
    if parts.found.is_wrong(Group::Notification) {
        return report.skipped(CHECK, "its app settings are invalid");
    }
    let Some(settings) = &settings.notification else {
        return report.ok(CHECK, "off: only the log says how captures finished");
    };
    for receiver in &settings.receivers {
        connect(parts, &receiver.destination, report).await;
    }
}

async fn connect(parts: &Parts, destination: &Destination, report: &mut Report) {
    let host = destination.url().host();
    let url = destination.url().expose();
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
    let setting = destination.setting();
    let fix = match destination {
        Destination::Webhook { .. } => format!("{setting}=https://..."),
        Destination::PagerDuty { .. } | Destination::Slack { .. } => format!("{setting}=..."),
    };
    report.warning(
        CHECK,
        format!("could not connect to {host}: {cause}; notifications would be lost. Check the host name and the outbound rules of the app's network"),
        parts.hosting.set(&fix),
    );
}
