//! Who the function is to Azure, in words. The one place of the doctor that knows which identities there are.

use super::mend;
use crate::{
    azure::error::{AzureError, Failure, chain},
    config::{AzureSettings, SecretForm},
};

/// Which identity, and from which settings it comes. The settings' names alone, no secret.
pub fn describe(azure: &AzureSettings) -> String {
    let identity = &azure.identity;
    format!(
        "service principal {} of tenant {}, from {}",
        identity.client_id, identity.tenant_id, identity.source
    )
}

/// Whom roles are given to.
pub fn assignee(azure: &AzureSettings) -> String {
    azure.identity.client_id.clone()
}

/// What Entra said, once: the credential repeats it in each of its causes.
pub fn refusal(error: &AzureError) -> String {
    match &error.failure {
        Failure::NoToken {
            code: Some(_),
            message,
            ..
        } => message.clone(),
        _ => chain(error),
    }
}

/// What helps when Entra gives no token, by its code.
/// <https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes>
pub fn mend_token(azure: &AzureSettings, error: &AzureError) -> String {
    let client = &azure.identity.client_id;
    let [tenant, _, secret] = azure.identity.source.settings;
    match error.code() {
        "AADSTS700016" => format!(
            "az ad app show --id {client}   # in the tenant {}?",
            azure.identity.tenant_id
        ),
        "AADSTS90002" | "AADSTS900023" => {
            format!("az account show --query tenantId   # belongs into {tenant}")
        }
        "AADSTS500011" | "AADSTS1002012" | "AADSTS70011" => mend::show_cloud(
            "activeDirectoryResourceId",
            "AZURE_RESOURCE_MANAGER_AUDIENCE",
        ),
        code if code.starts_with("AADSTS") => {
            let encrypted = match azure.identity.source.secret {
                SecretForm::Encrypted { .. } => ", encrypted with `handler credentials encrypt`",
                _ => "",
            };
            format!(
                "az ad app credential reset --id {client} --append   # its password belongs into {secret}{encrypted}"
            )
        }
        _ => mend::show_cloud("activeDirectory", "AZURE_AUTHORITY_HOST"),
    }
}
