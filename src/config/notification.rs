//! The webhook that gets notifications, if there is one.

#[cfg(test)]
mod tests;

use super::{
    Warning, azure,
    reader::Reader,
    receiver::{Receiver, receiver},
};
use crate::{incident::Event, notify::Format};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{fmt, path::PathBuf};
use url::{Host, Position, Url};
use zeroize::Zeroizing;

const URL: &str = "Notification__WebhookUrl";
const FORMAT: &str = "Notification__Format";
const SECRET: &str = "Notification__Secret";
const EVENTS: &str = "Notification__Events";
/// The minimum of the specification of Standard Webhooks, in bytes.
const SHORTEST_SECRET: usize = 24;

const FORMATS: [(&str, Format); 3] = [
    ("json", Format::Json),
    ("teams", Format::Teams),
    ("slack", Format::Slack),
];

/// A webhook and what it gets.
#[derive(Debug, Clone)]
pub struct NotificationSettings {
    pub webhook_url: WebhookUrl,
    pub format: Format,
    /// What is probably not meant.
    pub warning: Option<Warning>,
    /// What is sent is signed with it.
    pub secret: Option<SigningSecret>,
    /// Never empty.
    pub events: Vec<Event>,
    /// The cloud's portal, for links.
    pub portal: Url,
    /// This function, as a URI reference.
    pub source: String,
    /// File of certificate authorities, as [`super::AzureSettings::ca_file`].
    pub ca_file: Option<PathBuf>,
}

/// The webhook's URL. It lets its holder write to the channel: only its host prints, and it is wiped when dropped.
#[derive(Clone)]
pub struct WebhookUrl(Zeroizing<String>);

impl WebhookUrl {
    /// The URL itself, to post to.
    pub fn expose(&self) -> Url {
        Url::parse(&self.0).expect("it was parsed when it was read")
    }

    /// Host and port.
    pub fn host(&self) -> String {
        self.expose()[Position::BeforeHost..Position::AfterPort].to_owned()
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookUrl({})", self.host())
    }
}

/// The bytes that both sides sign with. They are not printed and are wiped when dropped.
#[derive(Clone)]
pub struct SigningSecret(Zeroizing<Vec<u8>>);

impl SigningSecret {
    /// The bytes themselves, to sign with.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret")
    }
}

/// `None` when no webhook is set, or when a part of it is wrong.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<NotificationSettings> {
    let url = reader.text(URL);
    if url.is_none() {
        for name in [FORMAT, SECRET, EVENTS] {
            if reader.text(name).is_some() {
                reader.problem(
                    URL,
                    format!("missing; {name} is set and has no effect without a URL"),
                );
            }
        }
    }
    let webhook_url = url.and_then(|text| webhook_url(reader, text));
    let format_is_set = reader.text(FORMAT).is_some();
    let format = reader.word(FORMAT, &FORMATS);
    if let (Some(url), Some(format)) = (&webhook_url, format) {
        check_format(reader, url, format_is_set, format);
    }
    let warning = webhook_url.as_ref().filter(|_| !format_is_set);
    let warning = warning.and_then(warn_of_flow);
    let secret = reader.text(SECRET).map(|text| secret(reader, text));
    let events = events(reader);
    let source = match reader.text("WEBSITE_HOSTNAME") {
        Some(host) => format!("https://{host}"),
        None => "alert-packet-capture".to_owned(),
    };
    Some(NotificationSettings {
        webhook_url: webhook_url?,
        format: format?,
        warning,
        secret: match secret {
            Some(secret) => Some(secret?),
            None => None,
        },
        events,
        portal: azure::portal(reader),
        source,
        ca_file: reader.text("SSL_CERT_FILE").map(PathBuf::from),
    })
}

/// A workflow of a Teams channel answers 202 to JSON that it then cannot use, and its address looks like that of any
/// other flow.
fn warn_of_flow(url: &WebhookUrl) -> Option<Warning> {
    let is_flow = receiver(url.expose().host_str().unwrap_or_default()) == Receiver::Flow;
    is_flow.then(|| Warning {
        name: FORMAT,
        text: format!(
            "is not set, and {} is a flow: a Teams workflow accepts the default format json and then drops it, so set {FORMAT}=teams for Teams, or {FORMAT}=json for a flow that reads CloudEvents",
            url.host()
        ),
    })
}

/// A receiver that takes one format only must get that one.
fn check_format(reader: &mut Reader<'_>, url: &WebhookUrl, is_set: bool, format: Format) {
    let Receiver::Only(taken) = receiver(url.expose().host_str().unwrap_or_default()) else {
        return;
    };
    if taken != format {
        let word = |format| {
            FORMATS
                .iter()
                .find(|(_, it)| *it == format)
                .map_or("", |it| it.0)
        };
        let has = match is_set {
            true => format!("has '{}'", word(format)),
            false => format!("is not set, so {} is sent", word(format)),
        };
        let taken = word(taken);
        reader.problem(
            FORMAT,
            format!("{has}, needs {taken}: {} takes no other format", url.host()),
        );
    }
}

fn webhook_url(reader: &mut Reader<'_>, text: &str) -> Option<WebhookUrl> {
    let loopback = |url: &Url| match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match Url::parse(text) {
        Ok(url) if url.scheme() == "https" || (url.scheme() == "http" && loopback(&url)) => {
            Some(WebhookUrl(Zeroizing::new(url.into())))
        }
        _ => {
            reader.wrong(URL);
            None
        }
    }
}

fn secret(reader: &mut Reader<'_>, text: &str) -> Option<SigningSecret> {
    let bytes = match text.strip_prefix("whsec_") {
        Some(encoded) => STANDARD.decode(encoded).ok(),
        None => Some(text.as_bytes().to_vec()),
    };
    let bytes = bytes.map(Zeroizing::new);
    match bytes.filter(|bytes| bytes.len() >= SHORTEST_SECRET) {
        Some(bytes) => Some(SigningSecret(bytes)),
        None => {
            reader.wrong(SECRET);
            None
        }
    }
}

fn events(reader: &mut Reader<'_>) -> Vec<Event> {
    let names = reader.list(EVENTS);
    if names.is_empty() {
        return vec![Event::Completed, Event::Failed, Event::Skipped];
    }
    let mut events = Vec::new();
    for name in names {
        let mut all = Event::ALL.into_iter();
        match all.find(|event| event.as_str().eq_ignore_ascii_case(&name)) {
            Some(event) if events.contains(&event) => {}
            Some(event) => events.push(event),
            None => reader.wrong(EVENTS),
        }
    }
    events
}
