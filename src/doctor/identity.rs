//! Who the function is to Azure, in words. The one place of the doctor that knows which identities there are.

use super::mend;
use crate::{
    azure::error::{AzureError, Failure, chain},
    config::{AppSettings, AzureSettings},
};

/// The settings that make up the identity, under all names they may have.
const SETTINGS: [&str; 5] = [
    "AZURE_TENANT_ID",
    "AzureTenant",
    "AZURE_CLIENT_ID",
    "AzureClientID",
    "AZURE_CLIENT_SECRET",
];

/// Which identity, and from which settings it comes. The settings' names alone, no secret.
pub fn describe(environment: &AppSettings, azure: &AzureSettings) -> String {
    format!(
        "service principal {} of tenant {}, with a client secret (from {})",
        azure.client_id,
        azure.tenant_id,
        environment.names_of(&SETTINGS).join(", ")
    )
}

/// Whom roles are given to.
pub fn assignee(azure: &AzureSettings) -> String {
    azure.client_id.clone()
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
    let client = &azure.client_id;
    match error.code() {
        "AADSTS700016" => format!(
            "az ad app show --id {client}   # in the tenant {}?",
            azure.tenant_id
        ),
        "AADSTS90002" | "AADSTS900023" => {
            "az account show --query tenantId   # belongs into AZURE_TENANT_ID".to_owned()
        }
        "AADSTS500011" | "AADSTS1002012" | "AADSTS70011" => mend::show_cloud(
            "activeDirectoryResourceId",
            "AZURE_RESOURCE_MANAGER_AUDIENCE",
        ),
        code if code.starts_with("AADSTS") => format!(
            "az ad app credential reset --id {client} --append   # its password belongs into AZURE_CLIENT_SECRET"
        ),
        _ => mend::show_cloud("activeDirectory", "AZURE_AUTHORITY_HOST"),
    }
}
