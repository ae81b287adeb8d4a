//! Where Azure is and who we are there.

use super::app_settings::Reader;
use std::{fmt, path::PathBuf};
use url::Url;

/// The endpoints and the identity.
#[derive(Debug, Clone)]
pub struct AzureSettings {
    pub tenant_id: String,
    pub client_id: String,
    pub client_secret: ClientSecret,
    /// Microsoft Entra ID, such as `https://login.microsoftonline.com`.
    pub authority_host: Url,
    /// Azure Resource Manager, such as `https://management.azure.com`.
    pub resource_manager_endpoint: Url,
    /// The audience of Resource Manager's tokens; not always its address.
    pub audience: String,
    /// A PEM file of certificate authorities that replaces the system's.
    pub ca_file: Option<PathBuf>,
}

/// A client secret. It does not print.
#[derive(Clone)]
pub struct ClientSecret(String);

impl ClientSecret {
    /// The text itself, for the one who sends it to Entra.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret")
    }
}

/// `None` when a part of the identity is missing and a dry run needs none.
pub(super) fn read(reader: &mut Reader<'_>, dry_run: bool) -> Option<AzureSettings> {
    let tenant_id = reader.first_of(&["AZURE_TENANT_ID", "AzureTenant"]);
    let client_id = reader.first_of(&["AZURE_CLIENT_ID", "AzureClientID"]);
    let secret = reader.text("AZURE_CLIENT_SECRET");
    let authority_host = https_url(
        reader,
        "AZURE_AUTHORITY_HOST",
        "https://login.microsoftonline.com",
    );
    let resource_manager_endpoint = https_url(
        reader,
        "AZURE_RESOURCE_MANAGER_ENDPOINT",
        "https://management.azure.com",
    );
    let audience = reader
        .text("AZURE_RESOURCE_MANAGER_AUDIENCE")
        .map(|text| text.strip_suffix("/.default").unwrap_or(text).to_owned())
        .or_else(|| {
            let endpoint = resource_manager_endpoint.as_ref()?.as_str();
            Some(endpoint.trim_end_matches('/').to_owned())
        });
    let ca_file = reader.text("SSL_CERT_FILE").map(PathBuf::from);
    if dry_run && (tenant_id.is_none() || client_id.is_none() || secret.is_none()) {
        return None;
    }
    for (name, value) in [
        ("AZURE_TENANT_ID (or AzureTenant)", tenant_id),
        ("AZURE_CLIENT_ID (or AzureClientID)", client_id),
        ("AZURE_CLIENT_SECRET", secret),
    ] {
        if value.is_none() {
            reader.problem(
                name,
                "missing; the function signs in as a service principal",
            );
        }
    }
    Some(AzureSettings {
        tenant_id: tenant_id?.to_owned(),
        client_id: client_id?.to_owned(),
        client_secret: ClientSecret(secret?.to_owned()),
        authority_host: authority_host?,
        resource_manager_endpoint: resource_manager_endpoint?,
        audience: audience?,
        ca_file,
    })
}

fn https_url(reader: &mut Reader<'_>, name: &str, default: &str) -> Option<Url> {
    let text = reader.text(name).unwrap_or(default);
    match Url::parse(text) {
        Ok(url)
            if url.scheme() == "https"
                && url.has_host()
                && url.query().is_none()
                && url.username().is_empty() =>
        {
            Some(url)
        }
        _ => {
            reader.problem(name, format!("an https address such as {default}"));
            None
        }
    }
}
