//! What to do when no token is given, by the way one signs in and by the code that came back: the one place that
//! knows, for the log, the answers, the notices and the commands.
//! <https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes>

use std::{error::Error as StdError, io, path::PathBuf};

/// The ways to prove who one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    ClientSecret,
    Certificate,
    /// A token in a file, from an issuer that the application trusts.
    FederatedToken,
    /// A managed identity that the application trusts.
    ManagedIdentityFederation,
    ManagedIdentity,
    AzureCli,
}

impl Way {
    /// Who gives the token, for messages.
    pub fn issuer(self) -> &'static str {
        match self {
            Self::ManagedIdentity => "the managed identity endpoint",
            Self::AzureCli => "the Azure CLI",
            _ => "Microsoft Entra ID",
        }
    }
}

/// The way and the names of the settings behind it, which advice repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignIn {
    pub way: Way,
    /// Such as `AZURE_TENANT_ID`.
    pub tenant: &'static str,
    pub client: &'static str,
    /// What proves it: the secret's, the certificate's or the token file's setting.
    pub proof: &'static str,
}

/// What went wrong before Entra was asked, or at the platform's endpoint.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("the federated token file {} cannot be read ({source})", .path.display())]
    TokenFile { path: PathBuf, source: io::Error },
    #[error("the managed identity endpoint answered {status}: {message}")]
    Refused { status: u16, message: String },
    #[error("no answer from the managed identity endpoint")]
    NoAnswer(#[source] azure_core::Error),
    #[error("the managed identity endpoint's answer could not be read")]
    Unreadable(#[source] serde_json::Error),
}

pub const TOKEN_FILE_UNREADABLE: &str = "FederatedTokenFileUnreadable";
pub const IDENTITY_NOT_FOUND: &str = "ManagedIdentityNotFound";
pub const IDENTITY_REFUSED: &str = "ManagedIdentityRefused";
pub const ENDPOINT_SILENT: &str = "ManagedIdentityEndpointSilent";

impl Trouble {
    /// Finds it among the causes of an error.
    pub(super) fn within<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(trouble) = error.downcast_ref() {
                return Some(trouble);
            }
            cause = error.source();
        }
        None
    }

    /// In the manner of Azure's codes, for logs and for [`SignIn::advice`].
    pub fn code(&self) -> &'static str {
        match self {
            Self::TokenFile { .. } => TOKEN_FILE_UNREADABLE,
            Self::Refused { status: 400, .. } => IDENTITY_NOT_FOUND,
            Self::Refused { status, .. } if super::error::is_temporary_status(*status) => {
                ENDPOINT_SILENT
            }
            Self::Refused { .. } => IDENTITY_REFUSED,
            Self::NoAnswer(_) | Self::Unreadable(_) => ENDPOINT_SILENT,
        }
    }

    /// Whether it may heal by itself. The cluster may write the file a moment later.
    pub fn is_temporary(&self) -> bool {
        !matches!(self.code(), IDENTITY_NOT_FOUND | IDENTITY_REFUSED)
    }
}

impl SignIn {
    /// What to do, as a sentence without a full stop; `code` is Entra's, ours, or none when nobody answered.
    pub fn advice(&self, code: Option<&str>) -> Option<String> {
        let Self {
            way,
            tenant,
            client,
            proof,
        } = *self;
        let federated = matches!(way, Way::FederatedToken | Way::ManagedIdentityFederation);
        Some(match code {
            None => match way {
                Way::AzureCli => "sign in with `az login`, or install the Azure CLI".to_owned(),
                Way::ManagedIdentity => return self.advice(Some(ENDPOINT_SILENT)),
                _ => "Entra could not be reached, or was busy: look at the network and try again"
                    .to_owned(),
            },
            Some("AADSTS7000215") => format!(
                "the client secret is wrong: it was readable, yet is not this application's; was the secret's ID taken instead of its value, or another application's secret? Its value belongs into {proof}{}",
                encrypted(proof)
            ),
            Some("AADSTS7000222") => format!(
                "the client secret has expired: make a new one in the app registration and put its value into {proof}{}",
                encrypted(proof)
            ),
            Some("AADSTS700016") => match way {
                Way::ManagedIdentity => "the tenant does not know the managed identity: it may be gone, or was made a moment ago; assign it anew".to_owned(),
                _ => format!(
                    "the tenant has no such application: look at the client id ({client}), and whether the tenant ({tenant}) is the right one"
                ),
            },
            Some("AADSTS90002" | "AADSTS900023") => format!(
                "there is no such tenant: look at {tenant} and the cloud (AzureEnvironment or AZURE_AUTHORITY_HOST)"
            ),
            Some("AADSTS500011") => "the tenant does not know the audience asked for: look at AZURE_RESOURCE_MANAGER_AUDIENCE and the cloud".to_owned(),
            Some("AADSTS1002012" | "AADSTS70011") => "the audience asked for is not well-formed: look at AZURE_RESOURCE_MANAGER_AUDIENCE".to_owned(),
            Some("AADSTS7000112") => "the application is disabled in the tenant".to_owned(),
            Some("AADSTS7000218") => "the application takes no proof of this kind, or none was sent".to_owned(),
            Some("AADSTS700027") => format!(
                "the certificate in {proof} is not this application's, or has expired: upload its public part to the app registration, or give the file whose certificate is registered; the thumbprint tells them apart"
            ),
            Some("AADSTS700024") if federated => format!(
                "the federated token was not valid at this time: look at the clock, and at what writes {proof}"
            ),
            Some("AADSTS700024") => "the assertion was not valid at this time: this machine's clock is wrong".to_owned(),
            Some("AADSTS700021" | "AADSTS700023") => format!(
                "the assertion was made for another application or tenant: look at {client}, {tenant} and AZURE_AUTHORITY_HOST"
            ),
            Some("AADSTS70021" | "AADSTS700211" | "AADSTS700212" | "AADSTS700213") => match way {
                Way::ManagedIdentityFederation => format!(
                    "the application trusts no such managed identity: add a federated credential for the identity of {proof} to the app registration (issuer: the tenant, subject: the identity's object id, audience: api://AzureADTokenExchange)"
                ),
                _ => format!(
                    "the application has no federated credential that fits the token in {proof}: issuer, subject and audience must be equal to the letter"
                ),
            },
            Some("AADSTS50027") if federated => format!(
                "what {proof} stands for is no token: look at what writes it"
            ),
            Some("AADSTS50013" | "AADSTS7000272") => format!(
                "the token in {proof} is not signed by the issuer that the application trusts: look at what writes it"
            ),
            Some(TOKEN_FILE_UNREADABLE) => format!(
                "look at {proof} and whether the pod has the label azure.workload.identity/use: \"true\""
            ),
            Some(IDENTITY_NOT_FOUND) => {
                // App Service says the same when the app has a user-assigned identity only and none is named.
                if way == Way::ManagedIdentity && client.is_empty() {
                    return Some("no system-assigned identity: set AZURE_CLIENT_ID to the client id of the app's user-assigned identity, or, if the app has none, assign a system-assigned identity (az functionapp identity assign, or az webapp identity assign) and restart the app".to_owned());
                }
                let which = match way {
                    Way::ManagedIdentity => format!("the user-assigned identity of {client}"),
                    _ => format!("the user-assigned identity of {proof}"),
                };
                format!(
                    "the app has no such managed identity: assign it {which} (az functionapp identity assign, or az webapp identity assign) and restart the app; a user-assigned one is named by its client id"
                )
            }
            Some(IDENTITY_REFUSED) => "the platform refuses the app's own identity header: IDENTITY_ENDPOINT and IDENTITY_HEADER are set by App Service and by nobody else; remove them from the app settings and restart the app".to_owned(),
            Some(ENDPOINT_SILENT) => "the platform's identity endpoint (IDENTITY_ENDPOINT) does not answer: restart the app; if it stays so, assign the identity anew".to_owned(),
            Some(_) => return None,
        })
    }
}

fn encrypted(setting: &str) -> &'static str {
    match setting {
        "AzureCredPassword" => ", encrypted with `handler credentials encrypt`",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_has_advice_that_names_its_settings() {
        let sign_in = |way, client, proof| SignIn {
            way,
            tenant: "AzureTenant",
            client,
            proof,
        };
        let password = sign_in(Way::ClientSecret, "AzureClientID", "AzureCredPassword");
        let secret = sign_in(Way::ClientSecret, "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET");
        let certificate = sign_in(Way::Certificate, "AZURE_CLIENT_ID", "CERTIFICATE");
        let file = sign_in(Way::FederatedToken, "AZURE_CLIENT_ID", "TOKEN_FILE");
        let trusted = sign_in(Way::ManagedIdentityFederation, "AzureClientID", "TRUSTED");
        let managed = sign_in(Way::ManagedIdentity, "", "IDENTITY_ENDPOINT");
        let user_assigned = sign_in(Way::ManagedIdentity, "AZURE_CLIENT_ID", "IDENTITY_ENDPOINT");
        let person = sign_in(Way::AzureCli, "", "");
        for (sign_in, code, words) in [
            (
                password,
                Some("AADSTS7000215"),
                "AzureCredPassword, encrypted with",
            ),
            (secret, Some("AADSTS7000222"), "expired: make a new one"),
            (secret, Some("AADSTS7000222"), "into AZURE_CLIENT_SECRET"),
            (
                password,
                Some("AADSTS700016"),
                "the client id (AzureClientID)",
            ),
            (
                managed,
                Some("AADSTS700016"),
                "does not know the managed identity",
            ),
            (secret, Some("AADSTS90002"), "look at AzureTenant"),
            (
                certificate,
                Some("AADSTS700027"),
                "the certificate in CERTIFICATE",
            ),
            (certificate, Some("AADSTS700024"), "clock"),
            (file, Some("AADSTS700024"), "what writes TOKEN_FILE"),
            (certificate, Some("AADSTS700023"), "AZURE_AUTHORITY_HOST"),
            (secret, Some("AADSTS7000218"), "no proof of this kind"),
            (file, Some("AADSTS70021"), "the token in TOKEN_FILE"),
            (trusted, Some("AADSTS700213"), "the identity of TRUSTED"),
            (file, Some("AADSTS50027"), "no token"),
            (
                managed,
                Some("AADSTS500011"),
                "AZURE_RESOURCE_MANAGER_AUDIENCE",
            ),
            (
                secret,
                Some("AADSTS1002012"),
                "AZURE_RESOURCE_MANAGER_AUDIENCE",
            ),
            (secret, None, "look at the network"),
            (managed, None, "IDENTITY_ENDPOINT"),
            (
                managed,
                Some(IDENTITY_NOT_FOUND),
                "no system-assigned identity: set AZURE_CLIENT_ID to",
            ),
            (
                user_assigned,
                Some(IDENTITY_NOT_FOUND),
                "assign it the user-assigned identity of AZURE_CLIENT_ID",
            ),
            (person, None, "az login"),
        ] {
            let advice = sign_in.advice(code).unwrap();
            assert!(advice.contains(words), "{code:?}: {advice}");
        }
        assert_eq!(secret.advice(Some("AADSTS50000")), None);
    }
}
