//! Whether callers are asked for a token, and whether their tokens could be checked: the tenant's keys are fetched,
//! as the first alert would have it done.

use super::{mend, report::Report};
use crate::{
    app::{self, Pace},
    azure::error::chain,
    config::{AppSettings, SecureWebhookSettings},
};

const CHECK: &str = "secure webhook";
const TENANT: &str = "SecureWebhook__TenantId";

pub async fn check(
    environment: &AppSettings,
    settings: Option<&SecureWebhookSettings>,
    pace: &Pace,
    report: &mut Report,
) {
    let Some(settings) = settings else {
        return report.ok(CHECK, "off: the function key alone guards the function");
    };
    let needed = format!(
        "callers need the role {} of tenant {}",
        settings.expected.role, settings.expected.tenant_id
    );
    if settings.trust_easy_auth {
        // https://learn.microsoft.com/en-us/azure/app-service/reference-app-settings#authentication--authorization
        let on = environment
            .get("WEBSITE_AUTH_ENABLED")
            .is_some_and(|it| it.eq_ignore_ascii_case("true"));
        return match on {
            true => report.ok(CHECK, format!("{needed}; App Service authentication is on")),
            false => report.failed(
                CHECK,
                "SecureWebhook__TrustEasyAuth is true and App Service authentication is not on here: anybody could write its headers",
                mend::enable_authentication(environment),
            ),
        };
    }
    let keys = match app::entra_keys(settings, pace) {
        Ok(keys) => keys,
        Err(error) => {
            let mend = mend::app_setting(environment, "SSL_CERT_FILE=...");
            return report.failed(CHECK, chain(&error), mend);
        }
    };
    match keys.try_fetch().await {
        Ok(()) => report.ok(CHECK, format!("{needed}; its signing keys are in reach")),
        Err(error) => {
            let mend = match error.is_refusal() {
                true => mend::show_tenant(TENANT),
                false => mend::show_cloud("activeDirectory", "AZURE_AUTHORITY_HOST"),
            };
            let message = format!("alerts are refused with a 503: {}", chain(&error));
            report.failed(CHECK, message, mend);
        }
    }
}
