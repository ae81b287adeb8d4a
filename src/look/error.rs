//! Why there is nothing to say about a capture's file, in one sentence, and what to do about it in another one.

use crate::storage::{Cause, Refusal, refusal};
use std::time::Duration;

/// Why a file could not be read. The texts are for people and hold no secret.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    #[error("the storage path is not the address of a blob in a storage account of this cloud")]
    ForeignAddress,
    #[error("the capture's file is not in the storage account, {} s after the capture ended", .waited.as_secs())]
    Missing { waited: Duration },
    #[error("the capture's file is empty, {} s after the capture ended", .waited.as_secs())]
    Empty { waited: Duration },
    #[error("{} (Azure answered {status} {})", .refusal.sentence, .refusal.code)]
    Refused { status: u16, refusal: Refusal },
    #[error("could not get a token for the storage account: {cause}")]
    NoToken { cause: Cause },
    #[error("could not read the capture's file: {cause}")]
    Unavailable { cause: Cause },
    #[error("the capture's file is still being written")]
    StillWritten,
    #[error("nothing of the capture's file arrived within {} s", .within.as_secs())]
    TooSlow { within: Duration },
    /// What the package `first-look` says about a file that is no capture.
    #[error("{problem}")]
    NoCapture { problem: String, fix: &'static str },
    #[error("internal error: the reader of captures stopped at this file")]
    Broken,
}

impl LookError {
    /// Whether the function's identity has no role for the blobs of the account.
    pub fn is_missing_role(&self) -> bool {
        matches!(self, Self::Refused { refusal, .. } if refusal.code == "AuthorizationPermissionMismatch")
    }

    /// What an operator can do about it.
    pub fn fix(&self) -> &'static str {
        match self {
            Self::ForeignAddress => {
                "check the capture in the portal: Network Watcher, Packet capture. If it is right there, the message of the job was not written by this function"
            }
            Self::Missing { .. } => {
                "check that the VM reaches the storage account over port 443, that no lifecycle rule removes the file, and that the account allows shared keys: the agent uploads with a shared access signature"
            }
            Self::Empty { .. } => {
                "check that the VM reaches the storage account over port 443, and that the capture's filters match any traffic"
            }
            Self::Refused { refusal, .. } => match refusal.code {
                "AuthorizationPermissionMismatch" => {
                    "assign the function's identity the role Storage Blob Data Reader on the storage account of the captures"
                }
                _ => refusal.fix,
            },
            Self::NoToken { .. } => "check the function's identity with `handler doctor`",
            Self::Unavailable { .. } => {
                "check the storage account's state and its address; the file can be read later with `handler look`"
            }
            Self::StillWritten => "read the file later with `handler look`",
            Self::TooSlow { .. } => {
                "set FirstLook__MaxSeconds higher, or read the file with `handler look`"
            }
            Self::NoCapture { fix, .. } => fix,
            Self::Broken => "report the file to the developers of this function",
        }
    }

    /// The meaning of an error of the crates.
    pub(super) fn of(error: &azure_core::Error) -> Self {
        let code = refusal::code(error).unwrap_or_default();
        let refused =
            refusal::status(error).and_then(|status| Some((status, Refusal::of(status, code)?)));
        match (refused, error.kind()) {
            (Some((status, refusal)), _) => Self::Refused { status, refusal },
            (None, azure_core::error::ErrorKind::Credential) => Self::NoToken {
                cause: Cause::of(error),
            },
            (None, _) => Self::unavailable(error),
        }
    }

    pub(super) fn unavailable(error: &azure_core::Error) -> Self {
        Self::Unavailable {
            cause: Cause::of(error),
        }
    }
}
