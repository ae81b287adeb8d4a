//! What a storage account's errors mean, in words without secrets: the errors of the crates print addresses with their
//! queries, which may hold a signature.
//! <https://learn.microsoft.com/en-us/rest/api/storageservices/common-rest-api-error-codes>

use crate::text;
use azure_core::error::ErrorKind;
use std::{error::Error, fmt};

/// Why an account refuses a caller, and what an operator can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The error code in the answer.
    pub code: &'static str,
    pub sentence: &'static str,
    pub fix: &'static str,
}

const REFUSALS: [Refusal; 8] = [
    Refusal {
        code: "AuthorizationPermissionMismatch",
        sentence: "the function's identity has no role for the blobs of the storage account",
        fix: "assign the function's identity the role Storage Blob Data Contributor on its own storage account, and Storage Blob Data Reader on the account of the captures",
    },
    Refusal {
        code: "AuthorizationFailure",
        sentence: "the firewall of the storage account does not let the function in",
        fix: "allow the function's network in the storage account's firewall, or connect the function to a virtual network that the account allows",
    },
    Refusal {
        code: "KeyBasedAuthenticationNotPermitted",
        sentence: "the storage account does not allow keys, and the function opens it with one",
        fix: "open the account with the function's identity (AzureWebJobsStorage__accountName in place of AzureWebJobsStorage), or allow shared keys on the account",
    },
    Refusal {
        code: "AuthenticationFailed",
        sentence: "the storage account does not accept the key, the signature or the clock of the function",
        fix: "check that the connection string is the account's current one, that its signature has not expired, and that the clock of this machine is right",
    },
    Refusal {
        code: "InvalidAuthenticationInfo",
        sentence: "the storage account does not accept the function's token",
        fix: "check that the function's identity belongs to the tenant of the storage account's subscription",
    },
    Refusal {
        code: "NoAuthenticationInformation",
        sentence: "the storage account has received neither a key nor a token",
        fix: "check the connection string of the storage account",
    },
    Refusal {
        code: "AuthorizationServiceMismatch",
        sentence: "the shared access signature is not valid for blobs",
        fix: "create a shared access signature that is valid for blobs and queues, containers and objects",
    },
    Refusal {
        code: "AuthorizationResourceTypeMismatch",
        sentence: "the shared access signature is not valid for containers and their blobs",
        fix: "create a shared access signature that is valid for blobs and queues, containers and objects",
    },
];

/// A 403 whose code is not in the table: policies, locks, codes that are new.
const OTHER: Refusal = Refusal {
    code: "",
    sentence: "the storage account refuses the function",
    fix: "check the storage account's roles, firewall and policies",
};

impl Refusal {
    /// What an answer with this status and code refuses; `None` when it is no refusal.
    pub fn of(status: u16, code: &str) -> Option<Self> {
        let known = REFUSALS.iter().find(|refusal| refusal.code == code);
        match (known, status) {
            (Some(known), _) => Some(*known),
            (None, 401 | 403) => Some(OTHER),
            (None, _) => None,
        }
    }
}

/// The error code in an answer.
pub fn code(error: &azure_core::Error) -> Option<&str> {
    match error.kind() {
        ErrorKind::HttpResponse { error_code, .. } => error_code.as_deref(),
        _ => None,
    }
}

/// The HTTP status of an answer.
pub fn status(error: &azure_core::Error) -> Option<u16> {
    match error.kind() {
        ErrorKind::HttpResponse { status, .. } => Some(u16::from(*status)),
        _ => None,
    }
}

/// Why a call failed, in words.
#[derive(Debug)]
pub struct Cause(pub(crate) String);

impl Cause {
    /// The words for an error of the crates.
    pub fn of(error: &azure_core::Error) -> Self {
        if let Some(status) = status(error) {
            let code = code(error).unwrap_or("without an error code");
            let code = text::clean(code, text::WORD);
            return Self(format!("Azure answered {status} {code}"));
        }
        let mut causes = without_queries(&error.to_string());
        let mut cause = Error::source(error);
        while let Some(next) = cause {
            let more = without_queries(&next.to_string());
            if !causes.contains(&more) {
                causes = format!("{causes}: {more}");
            }
            cause = next.source();
        }
        Self(text::clean(&causes, text::MESSAGE).into_owned())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Cause {}

/// Cuts the query off each address in a text.
fn without_queries(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, address) = rest.split_at(at + 3);
        kept.push_str(before);
        let end = address
            .find(|c: char| c.is_whitespace() || matches!(c, ')' | '\'' | '"' | '>'))
            .unwrap_or(address.len());
        let (address, after) = address.split_at(end);
        kept.push_str(address.split('?').next().unwrap_or_default());
        rest = after;
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_query_is_in_a_text() {
        for (text, shown) in [
            ("plain", "plain"),
            (
                "sending for url (https://q.example/jobs?sig=s3cr3t&a=b): refused",
                "sending for url (https://q.example/jobs): refused",
            ),
            (
                "http://a/?x=1 and 'http://b/?y=2'",
                "http://a/ and 'http://b/'",
            ),
        ] {
            assert_eq!(without_queries(text), shown);
        }
    }

    #[test]
    fn a_refusal_is_known_by_its_code_else_by_its_status() {
        for (status, code, sentence) in [
            (403, "AuthorizationFailure", Some("firewall")),
            (403, "AuthorizationPermissionMismatch", Some("no role")),
            (401, "InvalidAuthenticationInfo", Some("token")),
            (
                403,
                "InsufficientAccountPermissions",
                Some("refuses the function"),
            ),
            (404, "BlobNotFound", None),
            (503, "ServerBusy", None),
        ] {
            let refusal = Refusal::of(status, code);
            match (refusal, sentence) {
                (Some(refusal), Some(part)) => assert!(refusal.sentence.contains(part), "{code}"),
                (refusal, expected) => assert_eq!(refusal.is_some(), expected.is_some(), "{code}"),
            }
        }
    }
}
