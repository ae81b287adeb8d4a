//! How the function signs in, and what can go wrong before Microsoft Entra ID is asked or at the platform's endpoint.
//! Errors carry it, so that the room `advice` can name the settings to change.

use super::error::is_temporary_status;
use std::{error::Error as StdError, io, path::PathBuf};

/// The ways to prove the function's identity.
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
    /// Who issues the token, for messages.
    pub fn issuer(self) -> &'static str {
        match self {
            Self::ManagedIdentity => "the managed identity endpoint",
            Self::AzureCli => "the Azure CLI",
            _ => "Microsoft Entra ID",
        }
    }
}

/// The way and the names of the settings behind it, for advice.
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
    #[error("could not read the federated token file {} ({source})", .path.display())]
    TokenFile { path: PathBuf, source: io::Error },
    #[error("the managed identity endpoint answered {status}: {message}")]
    Refused { status: u16, message: String },
    #[error("no answer from the managed identity endpoint")]
    NoAnswer(#[source] azure_core::Error),
    #[error("the managed identity endpoint's answer could not be read")]
    Unreadable(#[source] serde_json::Error),
}

/// The codes of [`Trouble::code`].
pub const TOKEN_FILE_UNREADABLE: &str = "FederatedTokenFileUnreadable";
pub const IDENTITY_NOT_FOUND: &str = "ManagedIdentityNotFound";
pub const IDENTITY_REFUSED: &str = "ManagedIdentityRefused";
pub const ENDPOINT_SILENT: &str = "ManagedIdentityEndpointSilent";

impl Trouble {
    /// The first one among the causes of an error.
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

    /// A code like Azure's, for logs and advice.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TokenFile { .. } => TOKEN_FILE_UNREADABLE,
            Self::Refused { status: 400, .. } => IDENTITY_NOT_FOUND,
            Self::Refused { status, .. } if is_temporary_status(*status) => ENDPOINT_SILENT,
            Self::Refused { .. } => IDENTITY_REFUSED,
            Self::NoAnswer(_) | Self::Unreadable(_) => ENDPOINT_SILENT,
        }
    }

    /// Whether a retry makes sense. The cluster may write the file a moment later.
    pub fn is_temporary(&self) -> bool {
        !matches!(self.code(), IDENTITY_NOT_FOUND | IDENTITY_REFUSED)
    }
}
