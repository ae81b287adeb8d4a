//! An application with a client secret.

use super::{Application, RenewableCredential, SignIn};
use azure_core::credentials::{Secret, TokenCredential};
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use std::sync::Arc;

/// An application that proves its identity with a client secret.
///
/// # Errors
/// When the tenant or the authority host is not well-formed (the host must be https).
pub fn client_secret(
    sign_in: SignIn,
    application: Application,
    secret: Secret,
    http: reqwest::Client,
) -> azure_core::Result<RenewableCredential> {
    RenewableCredential::new(sign_in, move || {
        let client_options = application.client_options(&http);
        let credential: Arc<dyn TokenCredential> = ClientSecretCredential::new(
            &application.tenant_id,
            application.client_id.clone(),
            secret.clone(),
            Some(ClientSecretCredentialOptions { client_options }),
        )?;
        Ok(credential)
    })
}
