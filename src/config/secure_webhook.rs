//! Who may send alerts, when that is more than whoever knows the function key.

use super::{app_settings::Reader, azure};
use std::path::PathBuf;
use url::Url;
use uuid::Uuid;

const TENANT: &str = "SecureWebhook__TenantId";
const AUDIENCE: &str = "SecureWebhook__Audience";
const EASY_AUTH: &str = "SecureWebhook__TrustEasyAuth";
const CALLER: &str = "SecureWebhook__CallerAppId";
/// Microsoft's application "AzNS AAD Webhook", which sends the alerts of secure webhooks.
/// <https://learn.microsoft.com/en-us/azure/azure-monitor/alerts/action-groups#configure-authentication-for-secure-webhook>
const ACTION_GROUPS: &str = "461e8683-5575-4561-ac7f-899cc907d62a";

/// What a caller must prove. The meanings are those of an Entra access token's claims.
#[derive(Debug, Clone)]
pub struct SecureWebhookSettings {
    /// The tenant's GUID, in lower case.
    pub tenant_id: String,
    /// The client id of the function's app registration, its Application ID URI, or both.
    pub audiences: Vec<String>,
    /// Client id of the one application that may call.
    pub caller_app_id: String,
    /// The app role that it must have.
    pub role: String,
    /// Both issuers of the tenant; that of v2.0 tokens ends in `/v2.0`.
    pub issuers: Vec<String>,
    /// App Service authentication has checked the token and says in headers what is in it.
    pub trust_easy_auth: bool,
    /// Where the tenant publishes its signing keys.
    pub authority_host: Url,
    /// As [`super::AzureSettings::ca_file`].
    pub ca_file: Option<PathBuf>,
}

/// `None` when nothing of it is set, or when a part of it is wrong.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<SecureWebhookSettings> {
    let tenant = reader.text(TENANT);
    let audiences = reader.list(AUDIENCE);
    let trust_easy_auth = reader.flag(EASY_AUTH);
    let caller = reader.text(CALLER);
    let role = reader.text("SecureWebhook__Role");
    let issuers = reader.list("SecureWebhook__Issuer");
    let asked_for = tenant.is_some()
        || !audiences.is_empty()
        || trust_easy_auth
        || caller.is_some()
        || role.is_some()
        || !issuers.is_empty();
    if !asked_for {
        return None;
    }
    if tenant.is_none() {
        reader.problem(
            TENANT,
            "missing; with it and SecureWebhook__Audience alerts need a token, without any SecureWebhook setting none",
        );
    }
    if audiences.is_empty() {
        reader.problem(
            AUDIENCE,
            "missing; the client id of the function's app registration, its Application ID URI, or both",
        );
    }
    let tenant_id = tenant.and_then(|text| guid(reader, TENANT, text));
    let caller_app_id = guid(reader, CALLER, caller.unwrap_or(ACTION_GROUPS));
    let authority_host = azure::authority_host(reader);
    let (tenant_id, authority_host) = (tenant_id?, authority_host?);
    let issuers = match issuers.is_empty() {
        true => vec![
            format!("https://sts.windows.net/{tenant_id}/"),
            format!(
                "{}/{tenant_id}/v2.0",
                authority_host.as_str().trim_end_matches('/')
            ),
        ],
        false => issuers,
    };
    if audiences.is_empty() {
        return None;
    }
    Some(SecureWebhookSettings {
        tenant_id,
        audiences,
        caller_app_id: caller_app_id?,
        role: role.unwrap_or("ActionGroupsSecureWebhook").to_owned(),
        issuers,
        trust_easy_auth,
        authority_host,
        ca_file: reader.text("SSL_CERT_FILE").map(PathBuf::from),
    })
}

/// Tokens name tenants and applications by GUID only; a domain name would never match.
fn guid(reader: &mut Reader<'_>, name: &str, text: &str) -> Option<String> {
    match Uuid::try_parse(text) {
        Ok(id) => Some(id.hyphenated().to_string()),
        Err(_) => {
            reader.problem(name, "a GUID such as 00000000-0000-0000-0000-000000000000");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AppSettings;

    const GUID: &str = "72F1B9C4-3D0E-4A6B-8F57-C2E9D1A60B38";

    fn read_pairs(pairs: &[(&str, &str)]) -> Result<Option<SecureWebhookSettings>, Vec<String>> {
        let pairs = pairs.iter().map(|(n, v)| (n.to_string(), v.to_string()));
        let settings: AppSettings = pairs.collect();
        let mut reader = Reader::new(&settings);
        let read = read(&mut reader);
        let names = |problem: crate::config::Problem| problem.name;
        reader
            .finish(read)
            .map_err(|error| error.problems.into_iter().map(names).collect())
    }

    #[test]
    fn half_a_set_is_refused_by_name() {
        for (pairs, missing) in [
            (&[(TENANT, GUID)][..], &[AUDIENCE][..]),
            (&[(AUDIENCE, "api://alerts")], &[TENANT]),
            (&[(EASY_AUTH, "true")], &[TENANT, AUDIENCE]),
            (&[("SecureWebhook__Role", "R")], &[TENANT, AUDIENCE]),
            (&[(TENANT, "contoso.example"), (AUDIENCE, "x")], &[TENANT]),
            (
                &[(TENANT, GUID), (AUDIENCE, "x"), (CALLER, "AzNS")],
                &[CALLER],
            ),
        ] {
            assert_eq!(read_pairs(pairs).unwrap_err(), missing, "{pairs:?}");
        }
        assert!(read_pairs(&[]).unwrap().is_none());
        assert!(read_pairs(&[(EASY_AUTH, "false")]).unwrap().is_none());
    }

    #[test]
    fn issuers_follow_the_tenant_and_the_cloud() {
        let mut pairs = vec![(TENANT, GUID), (AUDIENCE, "api://alerts, abc")];
        let settings = read_pairs(&pairs).unwrap().unwrap();
        let tenant = GUID.to_ascii_lowercase();
        assert_eq!(settings.audiences, ["api://alerts", "abc"]);
        assert_eq!(settings.caller_app_id, ACTION_GROUPS);
        assert_eq!(
            settings.issuers,
            [
                format!("https://sts.windows.net/{tenant}/"),
                format!("https://login.microsoftonline.com/{tenant}/v2.0"),
            ]
        );
        pairs.push(("AzureEnvironment", "AzureUSGovernment"));
        let settings = read_pairs(&pairs).unwrap().unwrap();
        assert_eq!(
            settings.issuers[1],
            format!("https://login.microsoftonline.us/{tenant}/v2.0")
        );
    }
}
