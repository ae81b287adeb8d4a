//! The receivers of notifications, if there are any.

mod names;
mod one;
#[cfg(test)]
mod tests;

use super::{Warning, azure, reader::Reader};
use crate::{incident::Event, notify::Format};
use names::{NUMBERED, SINGLE};
use std::{fmt, path::PathBuf};
use url::{Host, Position, Url};
use zeroize::Zeroizing;

const PAGE_BASE: &str = "Notification__PageBaseUrl";

/// The receivers of notifications and what all of them get.
#[derive(Debug, Clone)]
pub struct NotificationSettings {
    /// Never empty.
    pub receivers: Vec<ReceiverSettings>,
    /// The cloud's portal, for links.
    pub portal: Url,
    /// The list of incidents, for links; without a key.
    pub pages: Option<Url>,
    /// This function, as a URI reference.
    pub source: String,
    /// File of certificate authorities, as [`super::AzureSettings::ca_file`].
    pub ca_file: Option<PathBuf>,
}

/// A receiver and what it gets.
#[derive(Debug, Clone)]
pub struct ReceiverSettings {
    /// By which jobs remember it: `webhook`, or the number of its settings.
    pub name: &'static str,
    pub destination: Destination,
    /// Never empty.
    pub events: Vec<Event>,
    /// What is probably not meant.
    pub warning: Option<Warning>,
}

/// Where notifications go, and as what. `setting` is the name of the one that errors point to.
#[derive(Debug, Clone)]
pub enum Destination {
    Webhook {
        url: WebhookUrl,
        setting: &'static str,
        format: Format,
        /// What is sent is signed with it.
        secret: Option<SigningSecret>,
    },
    /// PagerDuty's Events API v2.
    PagerDuty {
        url: WebhookUrl,
        setting: &'static str,
        routing_key: Key,
    },
    /// Slack's Web API, as a bot.
    Slack {
        url: WebhookUrl,
        setting: &'static str,
        token: Key,
        channel: String,
    },
}

impl Destination {
    /// The address that requests go to.
    pub fn url(&self) -> &WebhookUrl {
        match self {
            Destination::Webhook { url, .. }
            | Destination::PagerDuty { url, .. }
            | Destination::Slack { url, .. } => url,
        }
    }

    /// The setting that errors point to.
    pub fn setting(&self) -> &'static str {
        match self {
            Destination::Webhook { setting, .. }
            | Destination::PagerDuty { setting, .. }
            | Destination::Slack { setting, .. } => setting,
        }
    }

    /// The form of what is sent.
    pub fn format(&self) -> Format {
        match self {
            Destination::Webhook { format, .. } => *format,
            Destination::PagerDuty { .. } => Format::PagerDuty,
            Destination::Slack { .. } => Format::Slack,
        }
    }

    /// Whether what is sent is signed.
    pub fn is_signed(&self) -> bool {
        matches!(
            self,
            Destination::Webhook {
                secret: Some(_),
                ..
            }
        )
    }
}

impl NotificationSettings {
    /// What is probably not meant.
    pub fn warnings(&self) -> impl Iterator<Item = Warning> {
        self.receivers.iter().filter_map(|it| it.warning.clone())
    }
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

/// A token or a routing key. It is not printed and is wiped when dropped.
#[derive(Clone)]
pub struct Key(Zeroizing<String>);

impl Key {
    /// The key itself, to send.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
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

/// `None` when no receiver is set, or when a part of all of them is wrong.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<NotificationSettings> {
    let receivers: Vec<ReceiverSettings> = std::iter::once(&SINGLE)
        .chain(&NUMBERED)
        .filter_map(|names| one::read(reader, names))
        .collect();
    let host = reader.text("WEBSITE_HOSTNAME");
    let source = match host {
        Some(host) => format!("https://{host}"),
        None => "alert-packet-capture".to_owned(),
    };
    let pages = pages(reader);
    if pages.is_none() && reader.text(PAGE_BASE).is_some() {
        reader.wrong(PAGE_BASE);
    }
    let portal = azure::portal(reader);
    let ca_file = reader.text("SSL_CERT_FILE").map(PathBuf::from);
    (!receivers.is_empty()).then_some(NotificationSettings {
        receivers,
        portal,
        pages,
        source,
        ca_file,
    })
}

/// The list of incidents: what is set, or that of the host. It goes out in notifications: with a query it would take the
/// function key along.
pub(super) fn pages(reader: &mut Reader<'_>) -> Option<Url> {
    let Some(text) = reader.text(PAGE_BASE) else {
        let host = reader.text("WEBSITE_HOSTNAME")?;
        return Url::parse(&format!("https://{host}/api/PacketCaptures")).ok();
    };
    let good = |url: &Url| {
        http_allowed(url)
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    };
    Url::parse(text).ok().filter(good)
}

/// Whether an address may be used: over HTTPS, or on this machine itself.
fn http_allowed(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || url.scheme() == "http" && loopback
}
