//! The configured identity becomes a credential.

use crate::{
    app::BuildError,
    azure::{
        credentials::{self, Assigned, ManagedIdentity, RenewableCredential, Signer},
        transport,
    },
    config::{Identity, IdentityEndpoint, IdentityKind},
};
use zeroize::Zeroizing;

/// # Errors
/// A tenant with characters that no tenant has, or a system without CA certificates.
pub fn credential(
    identity: &Identity,
    http: reqwest::Client,
) -> Result<RenewableCredential, BuildError> {
    let sign_in = identity.sign_in;
    let built = match &identity.kind {
        IdentityKind::ClientSecret {
            application,
            secret,
        } => {
            let secret = secret.expose().to_owned().into();
            credentials::client_secret(sign_in, application.clone(), secret, http)
        }
        IdentityKind::ClientCertificate {
            application,
            certificate,
            send_chain,
        } => {
            let key = certificate.private_key.expose();
            Signer::new(&certificate.chain, key, *send_chain).and_then(|signer| {
                credentials::certificate(sign_in, application.clone(), signer, http)
            })
        }
        IdentityKind::WorkloadIdentity {
            application,
            token_file,
        } => credentials::token_file(sign_in, application.clone(), token_file.clone(), http),
        IdentityKind::ManagedIdentityFederation {
            application,
            endpoint,
            identity_client_id,
            audience,
        } => credentials::managed_identity_federation(
            sign_in,
            application.clone(),
            managed_identity(endpoint, Assigned::Client(identity_client_id.clone()))?,
            audience,
            http,
        ),
        IdentityKind::ManagedIdentity { endpoint, assigned } => {
            credentials::managed_identity(sign_in, managed_identity(endpoint, assigned.clone())?)
        }
        IdentityKind::AzureCli { tenant_id } => {
            credentials::azure_cli(sign_in, tenant_id.clone(), None)
        }
    };
    built.map_err(BuildError::Credential)
}

fn managed_identity(
    endpoint: &IdentityEndpoint,
    assigned: Assigned,
) -> Result<ManagedIdentity, BuildError> {
    let header = Zeroizing::new(endpoint.header.expose().to_owned());
    let http = transport::platform_client()?;
    Ok(ManagedIdentity::new(
        endpoint.url.clone(),
        header,
        assigned,
        &http,
    ))
}
