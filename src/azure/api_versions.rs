//! The api-version of each provider. Sovereign and private clouds lag behind the public one by months or years, so each
//! can be set; the defaults have been out long enough for the usual clouds.
//! <https://learn.microsoft.com/en-us/azure/azure-resource-manager/troubleshooting/error-register-resource-provider>

use url::Url;

/// One for each provider, such as `2025-05-01`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiVersions {
    pub network: String,
    pub compute: String,
    pub storage: String,
    pub authorization: String,
    pub alerts_management: String,
}

impl Default for ApiVersions {
    fn default() -> Self {
        Self {
            // The same contract from 2023-11-01 to 2026-03-01, rolled out in every cloud.
            network: "2025-05-01".to_owned(),
            compute: "2024-07-01".to_owned(),
            storage: "2023-05-01".to_owned(),
            authorization: "2022-04-01".to_owned(),
            // The first that takes a comment.
            alerts_management: "2025-05-25-preview".to_owned(),
        }
    }
}

/// The codes with which a cloud says that it does not know a version. The second one comes as a 404.
const CODES: [&str; 3] = [
    "NoRegisteredProviderFound",
    "InvalidResourceType",
    "InvalidApiVersionParameter",
];

/// The providers whose version can be set.
const PROVIDERS: [&str; 5] = [
    "Microsoft.Network",
    "Microsoft.Compute",
    "Microsoft.Storage",
    "Microsoft.Authorization",
    "Microsoft.AlertsManagement",
];

/// The last provider in the path of a URL, whose version the call names.
fn provider_of(url: &Url) -> Option<&'static str> {
    let mut segments = url.path_segments()?.rev();
    let mut after = segments.next()?;
    for segment in segments {
        if segment.eq_ignore_ascii_case("providers") {
            let mut known = PROVIDERS.into_iter();
            return known.find(|provider| provider.eq_ignore_ascii_case(after));
        }
        after = segment;
    }
    None
}

/// A cloud does not know the api-version of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownVersion {
    /// Such as `Microsoft.Network`.
    pub provider: &'static str,
    /// The version that the call named.
    pub api_version: String,
}

/// Whether a refusal with this code is about the version. `None` for all other codes.
pub fn unknown(code: &str, url: &Url) -> Option<UnknownVersion> {
    if !CODES.contains(&code) {
        return None;
    }
    let provider = provider_of(url)?;
    let named = url.query_pairs().find(|(name, _)| name == "api-version");
    Some(UnknownVersion {
        provider,
        api_version: named.map_or(String::new(), |(_, version)| version.into_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_provider_of_a_path_has_the_version() {
        const WATCHER: &str =
            "subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkWatchers/w";
        for (path, expected) in [
            (WATCHER.to_owned(), Some("Microsoft.Network")),
            (
                "subscriptions/s/providers/microsoft.compute/virtualMachines".to_owned(),
                Some("Microsoft.Compute"),
            ),
            (
                "subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a"
                    .to_owned(),
                Some("Microsoft.Storage"),
            ),
            (
                format!("{WATCHER}/providers/Microsoft.Authorization/permissions"),
                Some("Microsoft.Authorization"),
            ),
            ("subscriptions/s".to_owned(), None),
            (
                "subscriptions/s/providers/Microsoft.Else/things".to_owned(),
                None,
            ),
        ] {
            let url = Url::parse(&format!("https://arm.example/{path}?api-version=v")).unwrap();
            assert_eq!(provider_of(&url), expected, "{path}");
            let unknown_one = unknown("InvalidResourceType", &url);
            let provider = unknown_one.as_ref().map(|it| it.provider);
            assert_eq!(provider, expected, "{path}");
            assert!(unknown_one.is_none_or(|it| it.api_version == "v"));
            assert_eq!(unknown("AuthorizationFailed", &url), None);
        }
    }
}
