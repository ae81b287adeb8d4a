//! Who the function is to Azure, in words. The one place of the doctor that knows which identities there are.

use super::{mend, report::Report};
use crate::{
    advice,
    azure::{
        error::{AzureError, Failure, chain},
        sign_in,
    },
    config::{AppSettings, AzureSettings, Credential, IdentityKind, SecretForm},
};

/// Which identity, and from which settings it comes. The settings' names alone, no secret.
pub fn describe(azure: &AzureSettings, environment: &AppSettings, report: &mut Report) {
    let identity = &azure.identity;
    report.ok("identity", format!("{identity}, from {}", identity.source));
    if let Some(warning) = identity.source.warning() {
        let mend = match identity.source.credential {
            Credential::AzureCli => mend::assign_identity(environment, None),
            _ => "handler credentials encrypt --key PassEncryptKey.key".to_owned(),
        };
        report.warning("identity", warning, mend);
    }
}

/// Whom roles are given to, as a shell would read it.
pub fn assignee(azure: &AzureSettings, environment: &AppSettings) -> String {
    match (azure.identity.client_id(), &azure.identity.kind) {
        (Some(client_id), _) => mend::quoted(client_id),
        (None, IdentityKind::AzureCli { .. }) => {
            r#""$(az ad signed-in-user show --query id --output tsv)""#.to_owned()
        }
        (None, _) => format!(
            r#""$({} --query principalId --output tsv)""#,
            mend::show_identity(environment)
        ),
    }
}

/// What was said, once (the credential repeats it in each of its causes), and what to do.
pub fn refusal(error: &AzureError) -> String {
    let said = match &error.failure {
        Failure::NoToken {
            code: Some(_),
            message,
            ..
        } => message.clone(),
        _ => chain(error),
    };
    match advice::for_error(error) {
        Some(advice) => format!("{said}: {advice}"),
        None => said,
    }
}

/// The command that helps when no token is given, by the kind of identity and the code.
/// <https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes>
pub fn mend_token(azure: &AzureSettings, environment: &AppSettings, error: &AzureError) -> String {
    let identity = &azure.identity;
    let client = mend::quoted(identity.client_id().unwrap_or("<client id>"));
    let setting = |i: usize| identity.source.settings.get(i).copied().unwrap_or_default();
    let code = match error.trouble() {
        Some(trouble) => trouble.code(),
        None => error.code(),
    };
    match (code, &identity.kind) {
        (_, IdentityKind::AzureCli { .. }) => "az login".to_owned(),
        (sign_in::IDENTITY_NOT_FOUND, kind) => {
            let client_id = match kind {
                IdentityKind::ManagedIdentityFederation {
                    identity_client_id, ..
                } => Some(identity_client_id.as_str()),
                _ => identity.client_id(),
            };
            mend::assign_identity(environment, client_id)
        }
        (sign_in::IDENTITY_REFUSED | sign_in::ENDPOINT_SILENT, _) => mend::restart(environment),
        (sign_in::TOKEN_FILE_UNREADABLE, IdentityKind::WorkloadIdentity { token_file, .. }) => {
            let path = mend::quoted(&token_file.display().to_string());
            format!("ls -l {path}   # the path in {}", setting(2))
        }
        ("AADSTS700016", IdentityKind::ManagedIdentity { .. }) => mend::show_identity(environment),
        ("AADSTS700016", _) => format!(
            "az ad app show --id {client}   # in the tenant {}?",
            identity.tenant_id().unwrap_or_default()
        ),
        ("AADSTS90002" | "AADSTS900023", _) => mend::show_tenant(setting(0)),
        ("AADSTS500011" | "AADSTS1002012" | "AADSTS70011", _) => mend::show_cloud(
            "activeDirectoryResourceId",
            "AZURE_RESOURCE_MANAGER_AUDIENCE",
        ),
        ("AADSTS700024", _) => "date -u   # is this machine's clock right?".to_owned(),
        (
            code,
            IdentityKind::WorkloadIdentity { .. } | IdentityKind::ManagedIdentityFederation { .. },
        ) if code.starts_with("AADSTS") => format!(
            "az ad app federated-credential list --id {client}   # issuer, subject and audience must be the token's"
        ),
        (code, IdentityKind::ClientCertificate { .. }) if code.starts_with("AADSTS") => format!(
            "az ad app credential reset --id {client} --append --cert @certificate.pem   # the public part of {}",
            setting(2)
        ),
        (code, _) if code.starts_with("AADSTS") => {
            let encrypted = match identity.source.form {
                SecretForm::Encrypted { .. } => ", encrypted with `handler credentials encrypt`",
                _ => "",
            };
            format!(
                "az ad app credential reset --id {client} --append   # its password belongs into {}{encrypted}",
                setting(2)
            )
        }
        _ => mend::show_cloud("activeDirectory", "AZURE_AUTHORITY_HOST"),
    }
}
