//! What App Service says to the process about the app that it runs in. All of it is missing elsewhere.
//! <https://learn.microsoft.com/en-us/azure/app-service/reference-app-settings>

use super::AppSettings;
use std::path::PathBuf;

/// The app as App Service describes it to the process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Platform {
    /// The app's name.
    pub site: Option<String>,
    pub resource_group: Option<String>,
    /// Such as `NAME.azurewebsites.net`.
    pub host_name: Option<String>,
    /// Where the app's files are.
    pub root: PathBuf,
    /// Whether App Service authentication checks callers before they reach this process.
    pub authentication: bool,
}

impl Platform {
    pub fn of(settings: &AppSettings) -> Self {
        let text = |name| {
            let text = settings.get(name).filter(|it| !it.is_empty());
            text.map(str::to_owned)
        };
        Self {
            site: text("WEBSITE_SITE_NAME"),
            resource_group: text("WEBSITE_RESOURCE_GROUP"),
            host_name: text("WEBSITE_HOSTNAME"),
            root: PathBuf::from(settings.get("FUNCTIONS_APP_ROOT_PATH").unwrap_or(".")),
            authentication: settings
                .get("WEBSITE_AUTH_ENABLED")
                .is_some_and(|it| it.eq_ignore_ascii_case("true")),
        }
    }
}
