//! Whether callers need a token, and whether tokens could be checked: the tenant's signing keys are fetched, as the
//! first alert would have them fetched.

use super::{Group, Parts, Report, fix};
use crate::{azure::error::chain, config::Settings};

const CHECK: &str = "secure webhook";
const TENANT: &str = "SecureWebhook__TenantId";

pub async fn check(parts: &Parts, settings: &Settings, report: &mut Report) {
    if parts.found.is_wrong(Group::SecureWebhook) {
        return report.skipped(CHECK, "its app settings are invalid");
    }
    let Some(settings) = &settings.secure_webhook else {
        return report.ok(CHECK, "off: only the function key protects the function");
    };
    let needed = format!(
        "callers need the role {} of tenant {}",
        settings.expected.role, settings.expected.tenant_id
    );
    if settings.trust_easy_auth {
        // https://learn.microsoft.com/en-us/azure/app-service/reference-app-settings#authentication--authorization
        return match parts.hosting.authentication {
            true => report.ok(CHECK, format!("{needed}; App Service authentication is on")),
            false => report.failed(
                CHECK,
                "SecureWebhook__TrustEasyAuth is true and App Service authentication is off: any caller could write its headers",
                parts.hosting.enable_authentication(),
            ),
        };
    }
    let keys = match &parts.keys {
        Some(Ok(keys)) => keys,
        Some(Err(error)) => {
            return report.failed(CHECK, error, parts.hosting.set("SSL_CERT_FILE=..."));
        }
        None => return report.skipped(CHECK, "no client for the signing keys was made"),
    };
    match keys.try_fetch().await {
        Ok(()) => report.ok(CHECK, format!("{needed}; its signing keys are available")),
        Err(error) => {
            let fix = match error.is_refusal() {
                true => fix::show_tenant(TENANT),
                false => fix::show_cloud("activeDirectory", "AZURE_AUTHORITY_HOST"),
            };
            let message = format!("alerts are answered with 503: {}", chain(&error));
            report.failed(CHECK, message, fix);
        }
    }
}
