//! Somebody's own login, for the commands at a terminal. A server never comes here.

use super::{RenewableCredential, SignIn};
use azure_core::credentials::TokenCredential;
use azure_identity::{AzureCliCredential, AzureCliCredentialOptions, Executor};
use std::sync::Arc;

/// The login of `az`, in `tenant_id` or in the tenant that it is signed in to. `executor` runs the command; by
/// default it is a process.
///
/// # Errors
/// When the tenant is not well-formed.
pub fn azure_cli(
    sign_in: SignIn,
    tenant_id: Option<String>,
    executor: Option<Arc<dyn Executor>>,
) -> azure_core::Result<RenewableCredential> {
    RenewableCredential::new(sign_in, move || {
        let options = AzureCliCredentialOptions {
            tenant_id: tenant_id.clone(),
            executor: executor.clone(),
            ..Default::default()
        };
        let credential: Arc<dyn TokenCredential> = AzureCliCredential::new(Some(options))?;
        Ok(credential)
    })
}
