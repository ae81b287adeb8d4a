//! The identity that signs in to Azure. The names of the settings decide which one, once, at start (`choice`); then the
//! settings of that one are read (`read`). A wrong one is never passed over for the next.

mod certificate;
mod choice;
mod endpoint;
mod password;
mod read;
mod storage_account;
mod undecided;

pub use certificate::{ClientCertificate, PrivateKey};
pub use choice::Credential;
pub(super) use read::{Directory, read};
pub(super) use storage_account::{check_credential, of_storage_account};

use crate::azure::{
    credentials::{Application, Assigned},
    sign_in::SignIn,
};
use std::{fmt, path::PathBuf};
use url::Url;
use zeroize::Zeroizing;

/// Tenant, client and secret as the original named them.
const OLD: [&str; 3] = ["AzureTenant", "AzureClientID", PASSWORD];
/// Settings of a service principal, as Azure's own tools name them.
const NEW: [&str; 3] = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", SECRET];
const PASSWORD: &str = "AzureCredPassword";
const KEY_PATH: &str = "AzureCredKeyPath";
const FORMAT: &str = "AzureCredPasswordFormat";
const SECRET: &str = "AZURE_CLIENT_SECRET";
const CERTIFICATE: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
const CERTIFICATE_PASSWORD: &str = "AZURE_CLIENT_CERTIFICATE_PASSWORD";
const SEND_CHAIN: &str = "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN";
const TOKEN_FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";
/// The client id of the user-assigned managed identity whose tokens the app registration trusts. The
/// registration itself stays in `AzureClientID` (or `AZURE_CLIENT_ID`), so people who come from the original
/// keep client, tenant and role assignments and drop the password.
/// <https://learn.microsoft.com/en-us/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity>
const FEDERATED: &str = "AzureFederatedIdentityClientId";
const ENDPOINT: &str = "IDENTITY_ENDPOINT";
const HEADER: &str = "IDENTITY_HEADER";
/// Names one of [`Credential`], which is taken then whatever else is set.
const EXPLICIT: &str = "AzureCredential";

/// The one identity that was chosen, and where it came from.
#[derive(Debug, Clone)]
pub struct Identity {
    pub kind: IdentityKind,
    /// How the identity signs in, for the advice when no token is issued.
    pub sign_in: SignIn,
    pub source: IdentitySource,
}

/// The ways to sign in.
#[derive(Debug, Clone)]
pub enum IdentityKind {
    /// The application's secret, whichever setting it came from.
    ClientSecret {
        application: Application,
        secret: SecretText,
    },
    /// A certificate that is registered with the application. Its file is read once: a new one takes a restart.
    ClientCertificate {
        application: Application,
        certificate: ClientCertificate,
        /// Whether its chain goes along, for applications that trust a subject name and an issuer.
        send_chain: bool,
    },
    /// A token of a Kubernetes cluster that the application trusts; the file is renewed by others.
    WorkloadIdentity {
        application: Application,
        token_file: PathBuf,
    },
    /// A token of a user-assigned managed identity that the application trusts.
    ManagedIdentityFederation {
        application: Application,
        endpoint: IdentityEndpoint,
        identity_client_id: String,
        /// The audience of that token.
        audience: &'static str,
    },
    /// A managed identity of the app.
    ManagedIdentity {
        endpoint: IdentityEndpoint,
        assigned: Assigned,
    },
    /// The login of the person at the terminal.
    AzureCli { tenant_id: Option<String> },
}

/// Where App Service and Functions give out tokens of managed identities.
#[derive(Debug, Clone)]
pub struct IdentityEndpoint {
    pub url: Url,
    pub header: SecretText,
}

/// A secret. It does not print and is wiped when dropped.
#[derive(Clone)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// The text itself, for the one who sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText")
    }
}

impl Identity {
    /// The application, if the identity is one.
    pub fn application(&self) -> Option<&Application> {
        match &self.kind {
            IdentityKind::ClientSecret { application, .. }
            | IdentityKind::ClientCertificate { application, .. }
            | IdentityKind::WorkloadIdentity { application, .. }
            | IdentityKind::ManagedIdentityFederation { application, .. } => Some(application),
            IdentityKind::ManagedIdentity { .. } | IdentityKind::AzureCli { .. } => None,
        }
    }

    /// The tenant, as far as settings name it.
    pub fn tenant_id(&self) -> Option<&str> {
        match &self.kind {
            IdentityKind::AzureCli { tenant_id } => tenant_id.as_deref(),
            _ => self.application().map(|it| it.tenant_id.as_str()),
        }
    }

    /// The client that Azure sees, as far as settings name it.
    pub fn client_id(&self) -> Option<&str> {
        match &self.kind {
            IdentityKind::ManagedIdentity {
                assigned: Assigned::Client(client_id),
                ..
            } => Some(client_id),
            _ => self.application().map(|it| it.client_id.as_str()),
        }
    }
}

/// Who it is, without a secret.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Application {
            tenant_id,
            client_id,
            ..
        }) = self.application()
        {
            write!(f, "service principal {client_id} of tenant {tenant_id}")?;
        }
        match &self.kind {
            IdentityKind::ClientSecret { .. } => Ok(()),
            IdentityKind::ClientCertificate { .. } => f.write_str(" with a certificate"),
            IdentityKind::WorkloadIdentity { .. } => f.write_str(" with a federated token"),
            IdentityKind::ManagedIdentityFederation {
                identity_client_id, ..
            } => write!(f, " through managed identity {identity_client_id}"),
            IdentityKind::ManagedIdentity { assigned, .. } => match assigned {
                Assigned::System => f.write_str("system-assigned managed identity"),
                Assigned::Client(id) => write!(f, "user-assigned managed identity {id}"),
                Assigned::Resource(id) => {
                    let name = id.name().unwrap_or_default();
                    write!(f, "user-assigned managed identity {name}")
                }
            },
            IdentityKind::AzureCli { .. } => f.write_str("login of the Azure CLI"),
        }
    }
}

/// Which settings the identity came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentitySource {
    pub credential: Credential,
    /// The names: tenant, client and proof for an application.
    pub settings: Vec<&'static str>,
    pub form: SecretForm,
    /// Whether `AzureCredential` named the way.
    pub explicit: bool,
    /// What else was set about identities and is not used.
    pub ignored: Vec<&'static str>,
}

/// How the proof was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretForm {
    /// `AzureCredPassword`, decrypted with this key file.
    Encrypted { key_file: PathBuf },
    /// `AzureCredPassword` with `AzureCredPasswordFormat` = `plain`.
    PlainPassword,
    /// `AZURE_CLIENT_SECRET`.
    Secret,
    /// A certificate; the portal shows the same thumbprint.
    Certificate { thumbprint: String },
    /// No setting: the platform, a cluster or a person vouches.
    None,
}

impl IdentitySource {
    /// What should be changed soon.
    pub fn warning(&self) -> Option<&'static str> {
        if self.form == SecretForm::PlainPassword {
            return Some(
                "AzureCredPassword is taken as a plain secret, since AzureCredPasswordFormat is plain; encrypt it with `handler credentials encrypt`, or keep it in Key Vault and refer to it in AZURE_CLIENT_SECRET",
            );
        }
        (self.credential == Credential::AzureCli).then_some(
            "this is your own login; the function itself never signs in with the Azure CLI and needs an identity of its own",
        )
    }
}

impl fmt::Display for IdentitySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.settings.split_last() {
            None => f.write_str("`az login`")?,
            Some((last, [])) => f.write_str(last)?,
            Some((last, first)) => write!(f, "{} and {last}", first.join(", "))?,
        }
        match &self.form {
            SecretForm::Encrypted { key_file } => {
                write!(f, " (decrypted with {})", key_file.display())?;
            }
            SecretForm::PlainPassword => f.write_str(" (a plain secret)")?,
            SecretForm::Certificate { thumbprint } => write!(f, " (thumbprint {thumbprint})")?,
            SecretForm::Secret | SecretForm::None => {}
        }
        if self.explicit {
            write!(f, ", chosen by {EXPLICIT}")?;
        }
        if !self.ignored.is_empty() {
            write!(f, "; set and ignored: {}", self.ignored.join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
