//! Which callers may send alerts, when the function key alone is not enough.

use super::{Warning, azure, reader::Reader};
use crate::functions::Expected;
use std::path::PathBuf;
use url::Url;
use uuid::Uuid;

const TENANT: &str = "SecureWebhook__TenantId";
const AUDIENCE: &str = "SecureWebhook__Audience";
const EASY_AUTH: &str = "SecureWebhook__TrustEasyAuth";
const CALLER: &str = "SecureWebhook__CallerAppId";
const ROLE: &str = "SecureWebhook__Role";
const ISSUER: &str = "SecureWebhook__Issuer";
/// Microsoft's application "AzNS AAD Webhook", which sends the alerts of secure webhooks.
/// <https://learn.microsoft.com/en-us/azure/azure-monitor/alerts/action-groups#configure-authentication-for-secure-webhook>
const ACTION_GROUPS: &str = "461e8683-5575-4561-ac7f-899cc907d62a";

/// What a caller must prove, and how it is checked.
#[derive(Debug, Clone)]
pub struct SecureWebhookSettings {
    pub expected: Expected,
    /// App Service authentication has checked the token and passes its claims in headers.
    pub trust_easy_auth: bool,
    /// Where the tenant publishes its signing keys.
    pub authority_host: Url,
    /// File of certificate authorities, as [`super::AzureSettings::ca_file`].
    pub ca_file: Option<PathBuf>,
}

impl SecureWebhookSettings {
    /// Tokens of version 2.0 carry the client id as their audience, those of version 1.0 the Application ID URI or
    /// the client id, as the caller asked for it.
    /// <https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference>
    pub fn warning(&self) -> Option<Warning> {
        let is_client_id = |audience: &String| Uuid::try_parse(audience).is_ok();
        let ids = self.expected.audiences.iter().filter(|it| is_client_id(it));
        let text = match (ids.count(), self.expected.audiences.len()) {
            (0, _) => {
                "has no client id: tokens of version 2.0, which always carry the client id, are refused; add the client id of the app registration"
            }
            (ids, all) if ids == all => {
                "has no Application ID URI: tokens of version 1.0, which usually carry the Application ID URI, are refused; add the URI (api://...)"
            }
            _ => return None,
        };
        Some(Warning {
            name: AUDIENCE,
            text: text.to_owned(),
        })
    }
}

/// `None` when none of these settings is set, or when one of them is wrong.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<SecureWebhookSettings> {
    let asked_for = [TENANT, AUDIENCE, CALLER, ROLE, ISSUER]
        .into_iter()
        .any(|name| reader.is_present(name));
    let trust_easy_auth = reader.flag(EASY_AUTH);
    if !asked_for && !trust_easy_auth {
        return None;
    }
    let tenant = reader.text(TENANT);
    if tenant.is_none() {
        reader.problem(
            TENANT,
            "missing; alerts need a token when it and SecureWebhook__Audience are set, and none when no SecureWebhook setting is set",
        );
    }
    let audiences = reader.list(AUDIENCE);
    if audiences.is_empty() {
        reader.problem(
            AUDIENCE,
            "missing; needs the client id of the function's app registration, its Application ID URI, or both",
        );
    }
    let tenant_id = tenant.and_then(|text| guid(reader, TENANT, text));
    let caller = reader.text(CALLER).unwrap_or(ACTION_GROUPS);
    let caller_app_id = guid(reader, CALLER, caller);
    let role = reader.text(ROLE).unwrap_or("ActionGroupsSecureWebhook");
    let issuers = reader.list(ISSUER);
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
        expected: Expected {
            tenant_id,
            audiences,
            issuers,
            caller_app_id: caller_app_id?,
            role: role.to_owned(),
        },
        trust_easy_auth,
        authority_host,
        ca_file: reader.text("SSL_CERT_FILE").map(PathBuf::from),
    })
}

/// Tokens name tenants and applications by GUID only; a domain name would never match.
fn guid(reader: &mut Reader<'_>, name: &'static str, text: &str) -> Option<String> {
    match Uuid::try_parse(text) {
        Ok(id) => Some(id.hyphenated().to_string()),
        Err(_) => {
            reader.wrong(name);
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
            (&[(ROLE, "R")], &[TENANT, AUDIENCE]),
            (&[(TENANT, "")], &[TENANT, AUDIENCE]),
            (&[(TENANT, GUID), (AUDIENCE, ", ;")], &[AUDIENCE]),
            (&[(TENANT, GUID), (AUDIENCE, "x"), (ISSUER, ",")], &[ISSUER]),
            (&[(TENANT, GUID), (AUDIENCE, "x"), (ROLE, " ")], &[ROLE]),
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
        assert_eq!(settings.expected.audiences, ["api://alerts", "abc"]);
        assert_eq!(settings.expected.caller_app_id, ACTION_GROUPS);
        assert_eq!(
            settings.expected.issuers,
            [
                format!("https://sts.windows.net/{tenant}/"),
                format!("https://login.microsoftonline.com/{tenant}/v2.0"),
            ]
        );
        pairs.push(("AzureEnvironment", "AzureUSGovernment"));
        let settings = read_pairs(&pairs).unwrap().unwrap();
        assert_eq!(
            settings.expected.issuers[1],
            format!("https://login.microsoftonline.us/{tenant}/v2.0")
        );
    }

    #[test]
    fn half_an_audience_is_a_warning_that_names_the_tokens_left_out() {
        const URI: &str = "api://2f4a6c1e-9b3d-4e57-8a10-5c7e9d1f3b25";
        for (audience, left_out) in [
            (GUID.to_owned(), Some("tokens of version 1.0")),
            (URI.to_owned(), Some("tokens of version 2.0")),
            (format!("{GUID}, {URI}"), None),
            (format!("{URI};{GUID}"), None),
        ] {
            let settings = read_pairs(&[(TENANT, GUID), (AUDIENCE, &audience)]);
            let warning = settings.unwrap().unwrap().warning();
            let text = warning.map(|warning| warning.to_string());
            match left_out {
                None => assert_eq!(text, None, "{audience}"),
                Some(words) => assert!(text.unwrap().contains(words), "{audience}"),
            }
        }
    }
}
