//! What people can do about a failed call to Azure, one sentence without a full stop: for the log, the answers, the
//! notifications and the commands. The clients themselves only say what failed.

mod sign_in;

use crate::azure::{
    api_versions::UnknownVersion,
    error::{AzureError, Failure},
};

/// The advice for an error, if there is any beyond its own text.
pub fn for_error(error: &AzureError) -> Option<String> {
    if let Some(unknown) = error.unknown_version() {
        return Some(format!(
            "this cloud does not know the api-version {}: set {} to one that it supports",
            unknown.api_version,
            api_version_setting(unknown)
        ));
    }
    match (&error.failure, error.code()) {
        (Failure::NoToken { code, sign_in, .. }, _) => {
            let trouble = error.trouble().map(|trouble| trouble.code());
            sign_in::advice(sign_in, code.as_deref().or(trouble))
        }
        (_, code) => for_code(code),
    }
}

/// The advice for an error code of Azure's alone, as a record of the error has it.
pub fn for_code(code: &str) -> Option<String> {
    match code {
        "AuthorizationFailed" | "LinkedAuthorizationFailed" => {
            Some("assign the function's identity a role with that action, at that scope".to_owned())
        }
        "DenyAssignmentAuthorizationFailed" => Some(
            "a deny assignment excludes the function's identity, which no role changes: find it under the scope's access control".to_owned(),
        ),
        "RequestDisallowedByPolicy" => Some(
            "change the policy, or exempt the resource from its assignment".to_owned(),
        ),
        "NetworkWatcherVmExtensionNotInstalled" => {
            Some("install the Network Watcher agent extension on the machine".to_owned())
        }
        "ScopeLocked" => {
            Some("remove the lock, or exclude the network watcher from it".to_owned())
        }
        _ => None,
    }
}

/// The setting that holds a provider's api-version, such as `AzureApiVersion__Network`.
pub fn api_version_setting(unknown: &UnknownVersion) -> String {
    let provider = unknown.provider;
    let provider = provider.strip_prefix("Microsoft.").unwrap_or(provider);
    format!("AzureApiVersion__{provider}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: &str, unknown_version: Option<UnknownVersion>) -> AzureError {
        AzureError {
            operation: "list packet captures",
            resource: "/subscriptions/s".to_owned(),
            failure: Failure::Refused {
                status: 400,
                code: code.to_owned(),
                message: String::new(),
                request_id: None,
                unknown_version: unknown_version.map(Box::new),
                retry_after: None,
            },
        }
    }

    #[test]
    fn advice_names_what_to_change() {
        let unknown = UnknownVersion {
            provider: "Microsoft.Network",
            api_version: "2099-01-01".to_owned(),
        };
        for (code, unknown, words) in [
            ("AuthorizationFailed", None, Some("assign the function's")),
            (
                "LinkedAuthorizationFailed",
                None,
                Some("assign the function's"),
            ),
            (
                "InvalidResourceType",
                Some(unknown),
                Some("api-version 2099-01-01: set AzureApiVersion__Network"),
            ),
            ("ScopeLocked", None, Some("remove the lock")),
            ("RequestDisallowedByPolicy", None, Some("the policy")),
            (
                "DenyAssignmentAuthorizationFailed",
                None,
                Some("which no role changes"),
            ),
            ("InternalServerError", None, None),
        ] {
            let advice = for_error(&refused(code, unknown));
            assert_eq!(advice.is_some(), words.is_some(), "{code}: {advice:?}");
            let advice = advice.unwrap_or_default();
            assert!(advice.contains(words.unwrap_or_default()), "{advice}");
        }
    }
}
