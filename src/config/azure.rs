//! The cloud's endpoints, and the identity that signs in there.

use super::{
    AppSettings, SettingsError, api_versions,
    identity::{self, Directory, Identity},
    reader::Reader,
};
use crate::{azure::api_versions::ApiVersions, look::Storage};
use std::path::PathBuf;
use url::Url;

/// The endpoints and the identity.
#[derive(Debug, Clone)]
pub struct AzureSettings {
    pub identity: Identity,
    /// Azure Resource Manager, such as `https://management.azure.com`.
    pub resource_manager_endpoint: Url,
    /// The audience of Resource Manager's tokens; not always its address.
    pub audience: String,
    pub api_versions: ApiVersions,
    /// Where the files of captures may be read.
    pub captures: Storage,
    /// A PEM file of certificate authorities that replaces the system's.
    pub ca_file: Option<PathBuf>,
}

const ENVIRONMENT: &str = "AzureEnvironment";
const ENDPOINT: &str = "AZURE_RESOURCE_MANAGER_ENDPOINT";

/// The endpoints of a cloud. The audience of its tokens is the second one.
/// <https://learn.microsoft.com/en-us/entra/identity-platform/authentication-national-cloud>
#[derive(Clone, Copy)]
struct Cloud {
    name: &'static str,
    authority_host: &'static str,
    resource_manager: &'static str,
    /// <https://learn.microsoft.com/en-us/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity>
    token_exchange: &'static str,
    /// Of the addresses of storage accounts.
    storage_suffix: &'static str,
    portal: &'static str,
}

/// The default first.
static CLOUDS: [Cloud; 3] = [
    Cloud {
        name: "AzurePublicCloud",
        authority_host: "https://login.microsoftonline.com",
        resource_manager: "https://management.azure.com",
        token_exchange: "api://AzureADTokenExchange",
        storage_suffix: "core.windows.net",
        portal: "https://portal.azure.com",
    },
    Cloud {
        name: "AzureUSGovernment",
        authority_host: "https://login.microsoftonline.us",
        resource_manager: "https://management.usgovcloudapi.net",
        token_exchange: "api://AzureADTokenExchangeUSGov",
        storage_suffix: "core.usgovcloudapi.net",
        portal: "https://portal.azure.us",
    },
    Cloud {
        name: "AzureChinaCloud",
        authority_host: "https://login.chinacloudapi.cn",
        resource_manager: "https://management.chinacloudapi.cn",
        token_exchange: "api://AzureADTokenExchangeChina",
        storage_suffix: "core.chinacloudapi.cn",
        portal: "https://portal.azure.cn",
    },
];

impl AzureSettings {
    /// Reads these settings alone.
    ///
    /// # Errors
    /// Every one of them that is missing or wrong, by name.
    pub fn read(settings: &AppSettings) -> Result<Self, SettingsError> {
        let mut reader = Reader::new(settings);
        let azure = read(&mut reader, false);
        reader.finish(())?;
        Ok(azure.expect("without problems, what is needed is there"))
    }
}

/// `None` when a part of the identity is missing and a dry run needs none.
pub(super) fn read(reader: &mut Reader<'_>, dry_run: bool) -> Option<AzureSettings> {
    let cloud = cloud(reader);
    let directory = directory(reader);
    let identity = identity::read(reader, &directory, !dry_run);
    let own_endpoint = reader.text(ENDPOINT).is_some();
    let resource_manager_endpoint = https_url(reader, ENDPOINT, cloud.resource_manager);
    let audience = match reader.text("AZURE_RESOURCE_MANAGER_AUDIENCE") {
        Some(text) => Some(text.strip_suffix("/.default").unwrap_or(text).to_owned()),
        // Azure Stack, a private cloud or the sandbox: there the address usually is the audience.
        None if own_endpoint => resource_manager_endpoint
            .as_ref()
            .map(|endpoint| endpoint.as_str().trim_end_matches('/').to_owned()),
        None => Some(cloud.resource_manager.to_owned()),
    };
    let api_versions = api_versions::read(reader);
    let ca_file = reader.text("SSL_CERT_FILE").map(PathBuf::from);
    Some(AzureSettings {
        api_versions,
        captures: match own_endpoint {
            true => Storage::At(resource_manager_endpoint.clone()?),
            false => Storage::Cloud(cloud.storage_suffix),
        },
        identity: identity?,
        resource_manager_endpoint: resource_manager_endpoint?,
        audience: audience?,
        ca_file,
    })
}

/// Where the cloud's applications sign in.
pub(super) fn directory(reader: &mut Reader<'_>) -> Directory {
    Directory {
        authority_host: authority_host(reader),
        token_exchange: cloud(reader).token_exchange,
    }
}

/// Microsoft Entra ID of the cloud.
pub(super) fn authority_host(reader: &mut Reader<'_>) -> Option<Url> {
    let cloud = cloud(reader);
    https_url(reader, "AZURE_AUTHORITY_HOST", cloud.authority_host)
}

/// The domain of the cloud's storage accounts, such as `core.windows.net`.
pub(super) fn storage_suffix(reader: &mut Reader<'_>) -> &'static str {
    cloud(reader).storage_suffix
}

/// The Azure portal of the cloud.
pub(super) fn portal(reader: &mut Reader<'_>) -> Url {
    Url::parse(cloud(reader).portal).expect("the table holds whole addresses")
}

fn cloud(reader: &mut Reader<'_>) -> &'static Cloud {
    let named = CLOUDS.each_ref().map(|cloud| (cloud.name, cloud));
    reader.word(ENVIRONMENT, &named).unwrap_or(&CLOUDS[0])
}

pub(super) fn https_url(reader: &mut Reader<'_>, name: &'static str, default: &str) -> Option<Url> {
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
            reader.problem(name, format!("needs an https address such as {default}"));
            None
        }
    }
}
