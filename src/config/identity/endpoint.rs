//! App Service's identity endpoint: two settings that the platform sets.

use super::{ENDPOINT, HEADER, IdentityEndpoint, SecretText, read::Parts};
use std::net::IpAddr;
use url::{Host, Url};

impl Parts<'_, '_> {
    /// App Service's endpoint is plain HTTP, which is fine as far as the request stays on the machine or its
    /// private network: the header is a secret.
    pub(super) fn endpoint(&mut self) -> Option<IdentityEndpoint> {
        let url = self.need(ENDPOINT);
        let header = self.need(HEADER);
        self.worth_reading()?;
        for other in ["IDENTITY_SERVER_THUMBPRINT", "IMDS_ENDPOINT"] {
            if self.reader.text(other).is_some() {
                let message = "is set by Service Fabric or Azure Arc, whose managed identities are not supported; use another identity";
                self.reader.problem(other, message);
                return None;
            }
        }
        match Url::parse(url?) {
            Ok(url) if is_near_or_https(&url) => Some(IdentityEndpoint {
                url,
                header: SecretText::new(header?),
            }),
            _ => {
                let message = "needs the address that App Service sets: https, or http on the machine itself or its private network";
                self.reader.problem(ENDPOINT, message);
                None
            }
        }
    }
}

fn is_near_or_https(url: &Url) -> bool {
    let near = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_link_local() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unicast_link_local() || ip.is_unique_local(),
    };
    url.username().is_empty()
        && match (url.scheme(), url.host()) {
            ("https", Some(_)) => true,
            ("http", Some(Host::Ipv4(ip))) => near(ip.into()),
            ("http", Some(Host::Ipv6(ip))) => near(ip.into()),
            ("http", Some(Host::Domain(name))) => name.eq_ignore_ascii_case("localhost"),
            _ => false,
        }
}
