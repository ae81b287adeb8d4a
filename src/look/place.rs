//! Where a capture's file may be. The address comes out of a job's message, which can be forged, and a token goes with the
//! request: it goes to storage accounts of the cloud and nowhere else.

use super::LookError;
use url::{Host, Url};

/// The blob services that captures are read from.
#[derive(Debug, Clone)]
pub enum Storage {
    /// Those of the cloud, by the domain of its storage accounts, such as `core.windows.net`.
    Cloud(&'static str),
    /// One with an address of its own, in a private cloud: `https://HOST[:PORT]`.
    At(Url),
}

/// Accounts with endpoints in DNS zones: `ACCOUNT.z12.blob.storage.azure.net`.
/// <https://learn.microsoft.com/en-us/azure/storage/common/storage-account-overview#azure-dns-zone-endpoints-preview>
const ZONES: &str = ".blob.storage.azure.net";

impl Storage {
    /// The address, if it is that of a blob in one of these services.
    ///
    /// # Errors
    /// [`LookError::ForeignAddress`].
    pub fn checked(&self, storage_path: &str) -> Result<Url, LookError> {
        let url = Url::parse(storage_path).ok();
        let good = url.filter(|url| is_plain(url) && self.has(url));
        good.ok_or(LookError::ForeignAddress)
    }

    /// The address of an account's blobs.
    pub fn account(&self, name: &str) -> Option<Url> {
        match self {
            Self::Cloud(suffix) => Url::parse(&format!("https://{name}.blob.{suffix}")).ok(),
            Self::At(service) => service.join(&format!("/{name}")).ok(),
        }
    }

    fn has(&self, url: &Url) -> bool {
        match (self, url.host()) {
            (Self::Cloud(suffix), Some(Host::Domain(host))) => {
                let Some((account, domain)) = host.split_once('.') else {
                    return false;
                };
                let service = domain.strip_prefix("blob.") == Some(*suffix);
                let zone = domain
                    .strip_suffix(ZONES)
                    .is_some_and(|zone| *suffix == "core.windows.net" && is_zone(zone));
                let usual_port = url.port().is_none();
                is_account(account) && (service || zone) && usual_port && segments(url) >= 2
            }
            (Self::At(service), Some(_)) => url.origin() == service.origin() && segments(url) >= 3,
            _ => false,
        }
    }
}

/// Nothing but https, a host, a port and a path.
fn is_plain(url: &Url) -> bool {
    url.scheme() == "https"
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

fn segments(url: &Url) -> usize {
    let segments = url.path_segments().into_iter().flatten();
    segments.take_while(|segment| !segment.is_empty()).count()
}

fn is_account(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (3..=24).contains(&name.len()) && name.chars().all(legal)
}

fn is_zone(zone: &str) -> bool {
    let digits = zone.strip_prefix('z').unwrap_or_default();
    (1..=2).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_to_storage_accounts_of_the_cloud_only() {
        let cloud = Storage::Cloud("core.windows.net");
        for good in [
            "https://stcaptures.blob.core.windows.net/network-watcher-logs/a/b.cap",
            "https://stcaptures.blob.core.windows.net:443/c/b.cap",
            "https://stcaptures.z07.blob.storage.azure.net/c/b.cap",
        ] {
            assert!(cloud.checked(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/c/b.cap",
            "http://stcaptures.blob.core.windows.net/c/b.cap",
            "https://stcaptures.blob.core.windows.net/c",
            "https://stcaptures.blob.core.windows.net/",
            "https://stcaptures.blob.core.windows.net//c/b",
            "https://stcaptures.blob.core.windows.net:8443/c/b.cap.evil",
            "https://stcaptures.queue.core.windows.net/c/b.cap",
            "https://blob.core.windows.net/c/b.cap",
            "https://st.evil.blob.core.windows.net/c/b.cap",
            "https://evil.example/blob.core.windows.net/c/b.cap",
            "https://stcaptures.blob.core.windows.net.evil.example/c/b.cap",
            "https://stcaptures.blob.core.windows.net@evil.example/c/b.cap",
            "https://user@stcaptures.blob.core.windows.net/c/b.cap",
            "https://stcaptures.blob.core.windows.net/c/b.cap?sig=x",
            "https://stcaptures.blob.core.windows.net/c/b.cap#x",
            "https://stcaptures.blob.core.usgovcloudapi.net/c/b.cap",
            "https://stcaptures.zz.blob.storage.azure.net/c/b.cap",
            "https://stcaptures.evil.blob.storage.azure.net/c/b.cap",
            "https://127.0.0.1/c/b.cap",
            "https://[::1]/c/b.cap",
        ] {
            assert!(cloud.checked(bad).is_err(), "{bad}");
        }
        let china = Storage::Cloud("core.chinacloudapi.cn");
        let path = "https://stcaptures.z07.blob.storage.azure.net/c/b.cap";
        assert!(
            china.checked(path).is_err(),
            "those zones are of the public cloud"
        );
    }

    #[test]
    fn a_private_cloud_has_one_address() {
        let storage = Storage::At(Url::parse("https://127.0.0.1:4443").unwrap());
        for (path, good) in [
            ("https://127.0.0.1:4443/stcaptures/c/b.cap", true),
            ("https://127.0.0.1:4443/stcaptures/c", false),
            ("https://127.0.0.1/stcaptures/c/b.cap", false),
            ("http://127.0.0.1:4443/stcaptures/c/b.cap", false),
            ("https://stcaptures.blob.core.windows.net/a/c/b.cap", false),
        ] {
            assert_eq!(storage.checked(path).is_ok(), good, "{path}");
        }
    }
}
