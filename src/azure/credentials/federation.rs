//! An application that trusts the tokens of another issuer: those of a Kubernetes cluster, which come in a file, or those
//! of a managed identity.
//! <https://learn.microsoft.com/en-us/entra/workload-id/workload-identity-federation>

use super::{Application, ManagedIdentity, RenewableCredential, SignIn};
use crate::azure::sign_in::Trouble;
use azure_core::{
    credentials::TokenCredential,
    error::{Error, ErrorKind},
    http::ClientMethodOptions,
};
use azure_identity::ClientAssertion;
use std::{path::PathBuf, sync::Arc};

/// A token in a file, read again for every request: the cluster replaces it long before it expires. The SDK's own
/// credential caches it for ten minutes and cannot be built while the file is missing.
#[derive(Debug, Clone)]
struct TokenFile(PathBuf);

#[async_trait::async_trait]
impl ClientAssertion for TokenFile {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        match tokio::fs::read_to_string(&self.0).await {
            Ok(text) => Ok(text.trim().to_owned()),
            Err(source) => {
                let path = self.0.clone();
                let trouble = Trouble::TokenFile { path, source };
                Err(Error::new(ErrorKind::Credential, trouble))
            }
        }
    }
}

/// An application and the file of a token that it trusts.
///
/// # Errors
/// When the tenant or the authority host is not well-formed (the host must be https).
pub fn token_file(
    sign_in: SignIn,
    application: Application,
    path: PathBuf,
    http: reqwest::Client,
) -> azure_core::Result<RenewableCredential> {
    RenewableCredential::new(sign_in, move || {
        application.asserting(TokenFile(path.clone()), &http)
    })
}

#[derive(Debug)]
struct IdentityToken {
    identity: ManagedIdentity,
    scope: String,
}

#[async_trait::async_trait]
impl ClientAssertion for IdentityToken {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let token = self.identity.get_token(&[&self.scope], None).await?;
        Ok(token.token.secret().to_owned())
    }
}

/// An application and the managed identity that it trusts. `audience` is what the cloud calls its exchange of
/// tokens, such as `api://AzureADTokenExchange`; `platform` reaches the identity endpoint.
///
/// # Errors
/// When the tenant or the authority host is not well-formed (the host must be https).
pub fn managed_identity_federation(
    sign_in: SignIn,
    application: Application,
    identity: ManagedIdentity,
    audience: &str,
    http: reqwest::Client,
) -> azure_core::Result<RenewableCredential> {
    let scope = format!("{audience}/.default");
    let identity = Arc::new(identity);
    RenewableCredential::new(sign_in, move || {
        let token = IdentityToken {
            identity: identity.without_tokens(),
            scope: scope.clone(),
        };
        application.asserting(token, &http)
    })
}
