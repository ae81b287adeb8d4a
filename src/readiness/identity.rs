//! The identity that the function signs in with: its description, and what to do when Azure gives it no token.

use super::{Hosting, Report, fix};
use crate::shell::{ShellCommand, Word};
use crate::{
    advice,
    azure::{
        credentials::Assigned,
        error::{AzureError, Failure, chain},
        sign_in,
    },
    config::{AzureSettings, Credential, Identity, IdentityKind, SecretForm},
};

/// Which identity, and from which settings it comes: their names, no secret.
pub fn describe(azure: &AzureSettings, hosting: &Hosting, report: &mut Report) {
    let identity = &azure.identity;
    report.ok("identity", format!("{identity}, from {}", identity.source));
    if let Some(warning) = identity.source.warning() {
        let fix = match identity.source.credential {
            Credential::AzureCli => hosting.assign_identity(None),
            _ => ShellCommand::new("handler credentials encrypt --key PassEncryptKey.key"),
        };
        report.warning("identity", warning, fix);
    }
}

/// The principal that roles are assigned to.
pub fn assignee(identity: &Identity, hosting: &Hosting) -> Word {
    match (identity.client_id(), &identity.kind) {
        (Some(client_id), _) => Word::from(client_id),
        (None, IdentityKind::AzureCli { .. }) => Word::output_of(&ShellCommand::new(
            "az ad signed-in-user show --query id --output tsv",
        )),
        (
            None,
            IdentityKind::ManagedIdentity {
                assigned: Assigned::Resource(id),
                ..
            },
        ) => Word::output_of(
            &ShellCommand::new("az identity show")
                .with("--ids", &id.to_string())
                .words("--query principalId --output tsv"),
        ),
        (None, _) => Word::output_of(
            &hosting
                .show_identity()
                .words("--query principalId --output tsv"),
        ),
    }
}

/// The reason, once (the credential repeats it in each of its causes), and what to do.
pub fn refusal(error: &AzureError) -> String {
    let reason = match &error.failure {
        Failure::NoToken {
            code: Some(_),
            message,
            ..
        } => message.clone(),
        _ => chain(error),
    };
    match advice::for_error(error) {
        Some(advice) => format!("{reason}: {advice}"),
        None => reason,
    }
}

/// The command to start with when no token is issued, by the kind of identity and the code.
/// <https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes>
pub fn fix_token(azure: &AzureSettings, hosting: &Hosting, error: &AzureError) -> ShellCommand {
    let identity = &azure.identity;
    let client = identity.client_id().unwrap_or("<client id>");
    let app = |words| ShellCommand::new(words).with("--id", client);
    let setting = |i: usize| identity.source.settings.get(i).copied().unwrap_or_default();
    let code = match error.trouble() {
        Some(trouble) => trouble.code(),
        None => error.code(),
    };
    match (code, &identity.kind) {
        (_, IdentityKind::AzureCli { .. }) => ShellCommand::new("az login"),
        // Usually the app's one identity is user-assigned, and only its client id is missing.
        (
            sign_in::IDENTITY_NOT_FOUND,
            IdentityKind::ManagedIdentity {
                assigned: Assigned::System,
                ..
            },
        ) => hosting.set("AZURE_CLIENT_ID=<client id of the user-assigned identity>"),
        (sign_in::IDENTITY_NOT_FOUND, kind) => {
            let client_id = match kind {
                IdentityKind::ManagedIdentityFederation {
                    identity_client_id, ..
                } => Some(identity_client_id.as_str()),
                _ => identity.client_id(),
            };
            hosting.assign_identity(client_id)
        }
        (sign_in::IDENTITY_REFUSED | sign_in::ENDPOINT_SILENT, _) => hosting.restart(),
        (sign_in::TOKEN_FILE_UNREADABLE, IdentityKind::WorkloadIdentity { token_file, .. }) => {
            ShellCommand::new("ls")
                .with("-l", &token_file.display().to_string())
                .remark(&format!("the path in {}", setting(2)))
        }
        ("AADSTS700016", IdentityKind::ManagedIdentity { .. }) => hosting.show_identity(),
        ("AADSTS700016", _) => app("az ad app show").remark(&format!(
            "is it in the tenant {}",
            identity.tenant_id().unwrap_or_default()
        )),
        ("AADSTS90002" | "AADSTS900023", _) => fix::show_tenant(setting(0)),
        ("AADSTS500011" | "AADSTS1002012" | "AADSTS70011", _) => fix::show_cloud(
            "activeDirectoryResourceId",
            "AZURE_RESOURCE_MANAGER_AUDIENCE",
        ),
        ("AADSTS700024", _) => {
            ShellCommand::new("date -u").remark("check the clock of this machine")
        }
        (
            code,
            IdentityKind::WorkloadIdentity { .. } | IdentityKind::ManagedIdentityFederation { .. },
        ) if code.starts_with("AADSTS") => app("az ad app federated-credential list")
            .remark("issuer, subject and audience must equal those of the token"),
        (code, IdentityKind::ClientCertificate { .. }) if code.starts_with("AADSTS") => {
            app("az ad app credential reset")
                .words("--append --cert @certificate.pem")
                .remark(&format!("the public part of {}", setting(2)))
        }
        (code, _) if code.starts_with("AADSTS") => {
            let encrypted = match identity.source.form {
                SecretForm::Encrypted { .. } => ", encrypted with handler credentials encrypt",
                _ => "",
            };
            app("az ad app credential reset")
                .words("--append")
                .remark(&format!("the password goes in {}{encrypted}", setting(2)))
        }
        _ => fix::show_cloud("activeDirectory", "AZURE_AUTHORITY_HOST"),
    }
}
