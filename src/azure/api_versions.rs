//! With which api-version each provider is asked. Sovereign and private clouds lag behind the public one by months
//! or years, so each can be set; the defaults have been out long enough for the usual clouds.
//! <https://learn.microsoft.com/en-us/azure/azure-resource-manager/troubleshooting/error-register-resource-provider>

use super::{authorization, compute, network_watcher, storage};
use url::Url;

/// One a provider, such as `2025-05-01`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiVersions {
    pub network: String,
    pub compute: String,
    pub storage: String,
    pub authorization: String,
}

impl Default for ApiVersions {
    fn default() -> Self {
        Self {
            network: network_watcher::API_VERSION.to_owned(),
            compute: compute::API_VERSION.to_owned(),
            storage: storage::API_VERSION.to_owned(),
            authorization: authorization::API_VERSION.to_owned(),
        }
    }
}

/// The refusals that say that a cloud does not know a version. The second one comes as a 404.
const CODES: [&str; 3] = [
    "NoRegisteredProviderFound",
    "InvalidResourceType",
    "InvalidApiVersionParameter",
];

/// Provider and setting.
const SETTINGS: [(&str, &str); 4] = [
    ("Microsoft.Network", "AzureApiVersion__Network"),
    ("Microsoft.Compute", "AzureApiVersion__Compute"),
    ("Microsoft.Storage", "AzureApiVersion__Storage"),
    ("Microsoft.Authorization", "AzureApiVersion__Authorization"),
];

/// The setting that holds the version with which this URL asks: that of the last provider in its path.
fn setting_of(url: &Url) -> Option<&'static str> {
    let mut segments = url.path_segments()?.rev();
    let mut after = segments.next()?;
    for segment in segments {
        if segment.eq_ignore_ascii_case("providers") {
            let known = SETTINGS
                .iter()
                .find(|(provider, _)| provider.eq_ignore_ascii_case(after));
            return known.map(|(_, setting)| *setting);
        }
        after = segment;
    }
    None
}

/// A cloud that does not know the version it was asked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownVersion {
    /// Such as `AzureApiVersion__Network`.
    pub setting: &'static str,
    /// What to do: a sentence without a full stop.
    pub advice: String,
}

/// Whether a refusal with this code is about the version. `None` for all other codes.
pub fn unknown(code: &str, url: &Url) -> Option<UnknownVersion> {
    if !CODES.contains(&code) {
        return None;
    }
    let setting = setting_of(url)?;
    let asked = url
        .query_pairs()
        .find(|(name, _)| name == "api-version")
        .map_or(String::new(), |(_, value)| format!(" {value}"));
    let advice = format!(
        "this cloud does not know the api-version{asked}: set {setting} to one that it supports"
    );
    Some(UnknownVersion { setting, advice })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_provider_of_a_path_says_which_setting() {
        const WATCHER: &str =
            "subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkWatchers/w";
        for (path, expected) in [
            (WATCHER.to_owned(), Some("AzureApiVersion__Network")),
            (
                "subscriptions/s/providers/microsoft.compute/virtualMachines".to_owned(),
                Some("AzureApiVersion__Compute"),
            ),
            (
                "subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a"
                    .to_owned(),
                Some("AzureApiVersion__Storage"),
            ),
            (
                format!("{WATCHER}/providers/Microsoft.Authorization/permissions"),
                Some("AzureApiVersion__Authorization"),
            ),
            ("subscriptions/s".to_owned(), None),
            (
                "subscriptions/s/providers/Microsoft.Else/things".to_owned(),
                None,
            ),
        ] {
            let url = Url::parse(&format!("https://arm.example/{path}?api-version=v")).unwrap();
            assert_eq!(setting_of(&url), expected, "{path}");
            let told = unknown("InvalidResourceType", &url).map(|it| it.setting);
            assert_eq!(told, expected, "{path}");
            assert_eq!(unknown("AuthorizationFailed", &url), None);
        }
    }
}
