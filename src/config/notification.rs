//! Who is told how captures went: a webhook, or nobody but the log.

use super::{app_settings::Reader, azure, secure_string};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{fmt, path::PathBuf};
use url::{Host, Position, Url};
use zeroize::Zeroizing;

const URL: &str = "Notification__WebhookUrl";
const FORMAT: &str = "Notification__Format";
const SECRET: &str = "Notification__Secret";
const EVENTS: &str = "Notification__Events";
/// The specification of Standard Webhooks asks for as many bytes.
const SHORTEST_SECRET: usize = 24;

/// A webhook that is told.
#[derive(Debug, Clone)]
pub struct NotificationSettings {
    pub webhook_url: WebhookUrl,
    pub format: NotificationFormat,
    /// What is sent is signed with it.
    pub secret: Option<SigningSecret>,
    /// Never empty.
    pub events: Vec<NotificationEvent>,
    /// The cloud's portal, for links.
    pub portal: Url,
    /// This function, as a URI reference.
    pub source: String,
    /// As [`super::AzureSettings::ca_file`].
    pub ca_file: Option<PathBuf>,
}

/// The webhook's URL. Who knows it can write to the channel: only its host prints, and it is wiped when dropped.
#[derive(Clone)]
pub struct WebhookUrl(Zeroizing<String>);

impl WebhookUrl {
    /// The URL itself, for the one who posts to it.
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

/// The bytes that both sides sign with. They do not print and are wiped when dropped.
#[derive(Clone)]
pub struct SigningSecret(Zeroizing<Vec<u8>>);

impl SigningSecret {
    /// The bytes themselves, for the one who signs.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret")
    }
}

/// What the receiver understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotificationFormat {
    Json,
    Teams,
    Slack,
}

/// What the receiver wants to hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotificationEvent {
    Created,
    Completed,
    Failed,
    Skipped,
}

const FORMATS: [(&str, NotificationFormat); 3] = [
    ("json", NotificationFormat::Json),
    ("teams", NotificationFormat::Teams),
    ("slack", NotificationFormat::Slack),
];
const ALL_EVENTS: [(&str, NotificationEvent); 4] = [
    ("created", NotificationEvent::Created),
    ("completed", NotificationEvent::Completed),
    ("failed", NotificationEvent::Failed),
    ("skipped", NotificationEvent::Skipped),
];

/// `None` when no webhook is set, or when a part of it is wrong.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<NotificationSettings> {
    let url = reader.text(URL);
    if url.is_none() {
        for name in [FORMAT, SECRET, EVENTS] {
            if reader.text(name).is_some() {
                reader.problem(
                    URL,
                    format!("missing; {name} is set, and without a URL nobody is told"),
                );
            }
        }
    }
    let webhook_url = url.and_then(|text| webhook_url(reader, text));
    let format = reader.text(FORMAT).unwrap_or("json");
    let format = named(&FORMATS, format).or_else(|| {
        reader.problem(FORMAT, "json, teams or slack");
        None
    });
    let secret = reader.text(SECRET).map(|text| secret(reader, text));
    let events = events(reader);
    let source = match reader.text("WEBSITE_HOSTNAME") {
        Some(host) => format!("https://{host}"),
        None => "alert-packet-capture".to_owned(),
    };
    Some(NotificationSettings {
        webhook_url: webhook_url?,
        format: format?,
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

fn named<T: Copy>(table: &[(&str, T)], text: &str) -> Option<T> {
    let found = table
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(text));
    found.map(|(_, value)| *value)
}

fn webhook_url(reader: &mut Reader<'_>, text: &str) -> Option<WebhookUrl> {
    if key_vault_reference(reader, URL, text) {
        return None;
    }
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
            reader.problem(
                URL,
                "the receiver's https address (http only on this machine itself)",
            );
            None
        }
    }
}

fn secret(reader: &mut Reader<'_>, text: &str) -> Option<SigningSecret> {
    if key_vault_reference(reader, SECRET, text) {
        return None;
    }
    let bytes = match text.strip_prefix("whsec_") {
        Some(encoded) => STANDARD.decode(encoded).ok(),
        None => Some(text.as_bytes().to_vec()),
    };
    let bytes = bytes.map(Zeroizing::new);
    match bytes.filter(|bytes| bytes.len() >= SHORTEST_SECRET) {
        Some(bytes) => Some(SigningSecret(bytes)),
        None => {
            reader.problem(
                SECRET,
                format!(
                    "whsec_ and the base64 of {SHORTEST_SECRET} random bytes or more, or any text of {SHORTEST_SECRET} bytes or more"
                ),
            );
            None
        }
    }
}

/// App Service leaves the reference where the value should be when it cannot resolve it.
fn key_vault_reference(reader: &mut Reader<'_>, name: &str, text: &str) -> bool {
    let is_one = secure_string::is_key_vault_reference(text);
    if is_one {
        let unreadable = secure_string::Unreadable::KeyVaultReference;
        reader.problem(name, unreadable.to_string());
    }
    is_one
}

fn events(reader: &mut Reader<'_>) -> Vec<NotificationEvent> {
    use NotificationEvent::{Completed, Failed, Skipped};
    let names = reader.list(EVENTS);
    if names.is_empty() {
        return vec![Completed, Failed, Skipped];
    }
    let mut events = Vec::new();
    for name in names {
        match named(&ALL_EVENTS, &name) {
            Some(event) if events.contains(&event) => {}
            Some(event) => events.push(event),
            None => {
                let all = ALL_EVENTS.map(|(name, _)| name).join(", ");
                reader.problem(EVENTS, format!("some of {all}"));
            }
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AppSettings;

    const HOOK: &str = "https://hooks.example/services/T0/AbCdEfGhIjKl";

    fn read_pairs(
        pairs: &[(&str, &str)],
    ) -> Result<Option<NotificationSettings>, crate::config::SettingsError> {
        let pairs = pairs.iter().map(|(n, v)| (n.to_string(), v.to_string()));
        let settings: AppSettings = pairs.collect();
        let mut reader = Reader::new(&settings);
        let read = read(&mut reader);
        reader.finish(read)
    }

    #[test]
    fn nothing_is_told_unless_a_url_is_set() {
        assert!(read_pairs(&[]).unwrap().is_none());
        let settings = read_pairs(&[(URL, HOOK)]).unwrap().unwrap();
        assert_eq!(settings.webhook_url.expose().as_str(), HOOK);
        assert_eq!(settings.format, NotificationFormat::Json);
        assert!(settings.secret.is_none());
        use NotificationEvent::{Completed, Failed, Skipped};
        assert_eq!(settings.events, [Completed, Failed, Skipped]);
        assert_eq!(settings.portal.as_str(), "https://portal.azure.com/");
        assert_eq!(settings.source, "alert-packet-capture");
    }

    #[test]
    fn all_that_is_set_is_read() {
        let settings = read_pairs(&[
            (URL, "http://127.0.0.1:8080/x"),
            (FORMAT, "Slack"),
            (SECRET, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            (EVENTS, "failed; Created, failed"),
            ("AzureEnvironment", "AzureChinaCloud"),
            ("WEBSITE_HOSTNAME", "contoso-captures.azurewebsites.net"),
        ])
        .unwrap()
        .unwrap();
        assert_eq!(settings.format, NotificationFormat::Slack);
        assert_eq!(settings.secret.unwrap().expose().len(), 24);
        use NotificationEvent::{Created, Failed};
        assert_eq!(settings.events, [Failed, Created]);
        assert_eq!(settings.portal.as_str(), "https://portal.azure.cn/");
        assert_eq!(
            settings.source,
            "https://contoso-captures.azurewebsites.net"
        );
        let raw = "a text that is no base64 and long";
        let settings = read_pairs(&[(URL, HOOK), (SECRET, raw)]).unwrap().unwrap();
        assert_eq!(settings.secret.unwrap().expose(), raw.as_bytes());
    }

    #[test]
    fn what_is_wrong_is_said_by_name_and_never_repeated() {
        let vault = "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/hook)";
        for (pairs, name, contained) in [
            (&[(SECRET, "sekret-sekret-sekret-sekret")][..], URL, SECRET),
            (&[(FORMAT, "teams")], URL, FORMAT),
            (&[(EVENTS, "failed")], URL, EVENTS),
            (&[(URL, "http://hooks.example/sekret")], URL, "https"),
            (
                &[(URL, "http://127.0.0.1.nip.example/sekret")],
                URL,
                "https",
            ),
            (&[(URL, "ftp://localhost/sekret")], URL, "https"),
            (&[(URL, "hooks.example/sekret")], URL, "https"),
            (&[(URL, vault)], URL, "Key Vault reference"),
            (&[(URL, HOOK), (FORMAT, "sekret")], FORMAT, "teams"),
            (&[(URL, HOOK), (SECRET, "sekret")], SECRET, "24"),
            (&[(URL, HOOK), (SECRET, "whsec_sekret!")], SECRET, "base64"),
            (
                &[(URL, HOOK), (SECRET, vault)],
                SECRET,
                "Key Vault reference",
            ),
            (
                &[(URL, HOOK), (EVENTS, "failed, sekret")],
                EVENTS,
                "skipped",
            ),
        ] {
            let error = read_pairs(pairs).unwrap_err();
            assert_eq!(error.problems.len(), 1, "{error}");
            assert_eq!(error.problems[0].name, name);
            assert!(error.to_string().contains(contained), "{error}");
            assert!(!format!("{error} {error:?}").contains("sekret"), "{error}");
        }
    }

    #[test]
    fn loopback_may_be_reached_over_http() {
        for url in [
            "http://localhost:7072/x",
            "http://127.0.0.2/",
            "http://[::1]:80/",
        ] {
            assert!(read_pairs(&[(URL, url)]).unwrap().is_some(), "{url}");
        }
    }

    #[test]
    fn only_the_host_prints() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let settings = read_pairs(&[(URL, HOOK), (SECRET, secret)]).unwrap();
        let printed = format!("{settings:?}");
        assert!(printed.contains("WebhookUrl(hooks.example)"), "{printed}");
        assert!(!printed.contains("AbCdEfGhIjKl") && !printed.contains("MfKQ9r8"));
    }
}
