//! The configured identity becomes a credential. `config` and `azure` know nothing of one another.

use crate::{
    app::BuildError,
    azure::{
        credentials::{self, Application, ManagedIdentity, RenewableCredential, Signer},
        sign_in::{SignIn, Way},
        transport,
    },
    config::{AzureSettings, Identity, IdentityEndpoint, IdentityKind, Principal},
};
use zeroize::Zeroizing;

/// # Errors
/// A tenant with characters that no tenant has, or a system without CA certificates.
pub fn credential(
    azure: &AzureSettings,
    http: reqwest::Client,
) -> Result<RenewableCredential, BuildError> {
    let sign_in = sign_in(&azure.identity);
    let application = |principal: &Principal| Application {
        authority_host: azure.authority_host.clone(),
        tenant_id: principal.tenant_id.clone(),
        client_id: principal.client_id.clone(),
    };
    let built = match &azure.identity.kind {
        IdentityKind::ClientSecret { principal, secret } => credentials::client_secret(
            sign_in,
            application(principal),
            secret.expose().to_owned().into(),
            http,
        ),
        IdentityKind::ClientCertificate {
            principal,
            certificate,
            send_chain,
        } => {
            let key = certificate.private_key.expose();
            Signer::new(&certificate.chain, key, *send_chain).and_then(|signer| {
                credentials::certificate(sign_in, application(principal), signer, http)
            })
        }
        IdentityKind::WorkloadIdentity {
            principal,
            token_file,
        } => credentials::token_file(sign_in, application(principal), token_file.clone(), http),
        IdentityKind::ManagedIdentityFederation {
            principal,
            endpoint,
            identity_client_id,
        } => credentials::managed_identity_federation(
            sign_in,
            application(principal),
            managed_identity(endpoint, Some(identity_client_id.clone()))?,
            azure.token_exchange_audience,
            http,
        ),
        IdentityKind::ManagedIdentity {
            endpoint,
            client_id,
        } => credentials::managed_identity(sign_in, managed_identity(endpoint, client_id.clone())?),
        IdentityKind::AzureCli { tenant_id } => {
            credentials::azure_cli(sign_in, tenant_id.clone(), None)
        }
    };
    built.map_err(BuildError::Credential)
}

fn managed_identity(
    endpoint: &IdentityEndpoint,
    client_id: Option<String>,
) -> Result<ManagedIdentity, BuildError> {
    let header = Zeroizing::new(endpoint.header.expose().to_owned());
    let http = transport::platform_client()?;
    Ok(ManagedIdentity::new(
        endpoint.url.clone(),
        header,
        client_id,
        &http,
    ))
}

/// The way, with the names of the settings that were used.
pub fn sign_in(identity: &Identity) -> SignIn {
    let (way, tenant, client, proof) = match &identity.kind {
        IdentityKind::ManagedIdentity { client_id, .. } => {
            let client = match client_id {
                Some(_) => "AZURE_CLIENT_ID",
                None => "",
            };
            (Way::ManagedIdentity, "", client, "IDENTITY_ENDPOINT")
        }
        IdentityKind::AzureCli { .. } => (Way::AzureCli, "AZURE_TENANT_ID", "", ""),
        application => {
            let way = match application {
                IdentityKind::ClientCertificate { .. } => Way::Certificate,
                IdentityKind::WorkloadIdentity { .. } => Way::FederatedToken,
                IdentityKind::ManagedIdentityFederation { .. } => Way::ManagedIdentityFederation,
                _ => Way::ClientSecret,
            };
            let settings = &identity.source.settings;
            let name = |i: usize| settings.get(i).copied().unwrap_or_default();
            (way, name(0), name(1), name(2))
        }
    };
    SignIn {
        way,
        tenant,
        client,
        proof,
    }
}
