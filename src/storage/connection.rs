//! Where a storage account's queues and blobs are and what opens them, read from a connection string as the portal and
//! the Functions host write it.
//! <https://learn.microsoft.com/en-us/azure/storage/common/storage-configure-connection-string>

use super::shared_key::SharedKey;
use base64::{Engine, prelude::BASE64_STANDARD};
use std::fmt;
use url::{Host, Url};
use zeroize::Zeroizing;

const PUBLIC_SUFFIX: &str = "core.windows.net";

/// The account and key of every storage emulator; published, so no secret.
/// <https://learn.microsoft.com/en-us/azure/storage/common/storage-connect-azurite>
const EMULATOR: &str = "http://127.0.0.1:10001/devstoreaccount1";
const EMULATOR_BLOBS: &str = "http://127.0.0.1:10000/devstoreaccount1";
const EMULATOR_ACCOUNT: &str = "devstoreaccount1";
const EMULATOR_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// The services of one account, and the right to use them. Does not print what is secret.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The queue service. Without a query: never secret.
    pub endpoint: Url,
    /// The blob service, without a query; `None` when the connection string names the queue service alone.
    pub blobs: Option<Url>,
    pub access: Access,
}

/// What opens the account.
#[derive(Clone)]
pub enum Access {
    SharedKey(SharedKey),
    /// A shared access signature: a query without the question mark. Wiped when dropped.
    Signature(Zeroizing<String>),
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SharedKey(_) => "SharedKey",
            Self::Signature(_) => "Signature",
        })
    }
}

/// The parts that matter here; others, such as `TableEndpoint`, are ignored.
#[derive(Default)]
struct Parts<'a> {
    development: Option<&'a str>,
    proxy: Option<&'a str>,
    protocol: Option<&'a str>,
    name: Option<&'a str>,
    key: Option<&'a str>,
    signature: Option<&'a str>,
    suffix: Option<&'a str>,
    queue_endpoint: Option<&'a str>,
    blob_endpoint: Option<&'a str>,
}

impl Connection {
    /// Reads a connection string.
    ///
    /// # Errors
    /// What was expected, as a text that repeats nothing of the string.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let parts = Parts::read(text)?;
        if let Some(flag) = parts.development {
            if !flag.eq_ignore_ascii_case("true") {
                return Err("UseDevelopmentStorage can only be true");
            }
            if parts.proxy.is_some() {
                return Err(
                    "DevelopmentStorageProxyUri is not supported; write out QueueEndpoint, AccountName and AccountKey",
                );
            }
            return Ok(Self {
                endpoint: Url::parse(EMULATOR).map_err(|_| "a usable emulator address")?,
                blobs: Url::parse(EMULATOR_BLOBS).ok(),
                access: Access::SharedKey(shared_key(EMULATOR_ACCOUNT, EMULATOR_KEY)?),
            });
        }
        Ok(Self {
            endpoint: parts.endpoint()?,
            blobs: parts.blobs()?,
            access: match (parts.signature, parts.name, parts.key) {
                (Some(_), _, Some(_)) => {
                    return Err("either AccountKey or SharedAccessSignature, not both");
                }
                (Some(signature), _, None) => {
                    Access::Signature(Zeroizing::new(signature.trim_start_matches('?').to_owned()))
                }
                (None, Some(name), Some(key)) => Access::SharedKey(shared_key(name, key)?),
                _ => {
                    return Err(
                        "a storage account's connection string with AccountName and AccountKey, or with SharedAccessSignature",
                    );
                }
            },
        })
    }
}

impl<'a> Parts<'a> {
    fn read(text: &'a str) -> Result<Self, &'static str> {
        let mut parts = Self::default();
        for part in text.split(';').map(str::trim).filter(|it| !it.is_empty()) {
            let (name, value) = part
                .split_once('=')
                .ok_or("a connection string: Name=Value parts, separated by semicolons")?;
            let place = match name.trim().to_ascii_lowercase().as_str() {
                "usedevelopmentstorage" => &mut parts.development,
                "developmentstorageproxyuri" => &mut parts.proxy,
                "defaultendpointsprotocol" => &mut parts.protocol,
                "accountname" => &mut parts.name,
                "accountkey" => &mut parts.key,
                "sharedaccesssignature" => &mut parts.signature,
                "endpointsuffix" => &mut parts.suffix,
                "queueendpoint" => &mut parts.queue_endpoint,
                "blobendpoint" => &mut parts.blob_endpoint,
                _ => continue,
            };
            let value = value.trim();
            if value.is_empty() {
                continue;
            }
            if place.replace(value).is_some() {
                return Err("a connection string that has each of its parts once");
            }
        }
        Ok(parts)
    }

    fn endpoint(&self) -> Result<Url, &'static str> {
        match self.service("queue", self.queue_endpoint) {
            Some(text) => checked(&text),
            None => Err("AccountName or QueueEndpoint in the connection string"),
        }
    }

    fn blobs(&self) -> Result<Option<Url>, &'static str> {
        let service = self.service("blob", self.blob_endpoint);
        service.map(|text| checked(&text)).transpose()
    }

    /// The address of a service: its own part, or made of the account's name.
    fn service(&self, kind: &str, endpoint: Option<&str>) -> Option<String> {
        let made = |name| {
            let protocol = self.protocol.unwrap_or("https");
            let suffix = self.suffix.unwrap_or(PUBLIC_SUFFIX);
            format!(
                "{protocol}://{name}.{kind}.{}",
                suffix.trim_start_matches('.')
            )
        };
        endpoint.map(str::to_owned).or_else(|| self.name.map(made))
    }
}

fn checked(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text)
        .map_err(|_| "a QueueEndpoint, a BlobEndpoint or an AccountName that makes a URL")?;
    if !url.username().is_empty() || url.query().is_some() || url.fragment().is_some() {
        return Err("a QueueEndpoint and a BlobEndpoint without a user name and a query");
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err("https; plain http is for an emulator on this machine"),
    }
}

/// Whether an address is on this machine, where plain http is good enough.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

fn shared_key(account: &str, key: &str) -> Result<SharedKey, &'static str> {
    let key = BASE64_STANDARD
        .decode(key)
        .map_err(|_| "an AccountKey in base64, as the portal shows it")?;
    Ok(SharedKey::new(account, Zeroizing::new(key)))
}

#[cfg(test)]
mod tests;
