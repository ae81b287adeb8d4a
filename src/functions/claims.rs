//! Whether what a token says of its bearer is enough. Pure; the signature has been checked before.
//! <https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference>

use super::refusal::Refusal;
use crate::text;
use serde::Deserialize;
use serde_json::Value;

/// Maximum difference of the clocks, in seconds.
const SKEW: i64 = 5 * 60;
/// Maximum number of roles named in a refusal, so that a caller cannot fill the log with them.
const MOST_ROLES: usize = 5;

/// What a bearer must be.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The tenant's GUID.
    pub tenant_id: String,
    /// The client id of the function's registration, its Application ID URI, or both.
    pub audiences: Vec<String>,
    /// The issuer of v2.0 tokens ends in `/v2.0`.
    pub issuers: Vec<String>,
    pub caller_app_id: String,
    pub role: String,
}

/// The claims of an access token that matter here.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Claims {
    iss: String,
    aud: String,
    ver: String,
    tid: String,
    exp: Option<i64>,
    nbf: Option<i64>,
    /// The calling application in v1.0 tokens, and in v2.0 tokens.
    appid: String,
    azp: String,
    roles: Vec<String>,
    scp: Option<Value>,
    idtyp: Option<String>,
}

/// What App Service authentication says in `X-MS-CLIENT-PRINCIPAL` of a token that it has checked.
/// <https://learn.microsoft.com/en-us/azure/app-service/configure-authentication-user-identities#decode-the-client-principal-header>
#[derive(Deserialize)]
pub(super) struct Principal {
    claims: Vec<PrincipalClaim>,
}

#[derive(Deserialize)]
struct PrincipalClaim {
    typ: String,
    val: String,
}

impl Principal {
    /// Values under any of a claim's names: App Service writes some in a long form.
    fn values(&self, names: &[&str]) -> Vec<&str> {
        let named = |claim: &&PrincipalClaim| names.contains(&claim.typ.as_str());
        let found = self.claims.iter().filter(named);
        found.map(|claim| claim.val.as_str()).collect()
    }
}

/// Judges a token whose signature is good. `now` is in seconds since 1970.
pub(super) fn judge(claims: &Claims, expected: &Expected, now: i64) -> Result<(), Refusal> {
    match (claims.nbf, claims.exp) {
        (Some(nbf), _) if nbf > now.saturating_add(SKEW) => {
            return bad_token("the token is not valid yet; is this clock right?");
        }
        (_, Some(exp)) if exp.saturating_add(SKEW) <= now => {
            return bad_token("the token has expired");
        }
        (Some(_), Some(_)) => {}
        _ => return bad_token("the token has no exp or nbf"),
    }
    let second_version = match claims.ver.as_str() {
        "1.0" => false,
        "2.0" => true,
        _ => return bad_token("the token is neither of version 1.0 nor of 2.0"),
    };
    let issued_there = expected.issuers.contains(&claims.iss);
    if !issued_there || claims.iss.ends_with("/v2.0") != second_version {
        return bad_token("the token's issuer is not that of SecureWebhook__TenantId");
    }
    check_tenant(&[&claims.tid], expected)?;
    if second_version && !is_guid(&claims.aud) {
        return bad_token("the aud of a v2.0 token must be a client id");
    }
    check_audience(&[&claims.aud], expected)?;
    let caller = match second_version {
        true => claims.azp.as_str(),
        false => claims.appid.as_str(),
    };
    let roles: Vec<&str> = claims.roles.iter().map(String::as_str).collect();
    let kinds: Vec<&str> = claims.idtyp.as_deref().into_iter().collect();
    check_application(&kinds, claims.scp.is_some())?;
    check_caller(&[caller], expected)?;
    check_role(&roles, expected)
}

/// Judges what App Service authentication passes on; it has checked signature, issuer and times.
pub(super) fn judge_principal(principal: &Principal, expected: &Expected) -> Result<(), Refusal> {
    const TENANT: &str = "http://schemas.microsoft.com/identity/claims/tenantid";
    const CALLER: &str = "http://schemas.microsoft.com/identity/claims/applicationid";
    const ROLE: &str = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role";
    const SCOPE: &str = "http://schemas.microsoft.com/identity/claims/scope";
    check_tenant(&principal.values(&["tid", TENANT]), expected)?;
    check_audience(&principal.values(&["aud"]), expected)?;
    let delegated = !principal.values(&["scp", SCOPE]).is_empty();
    check_application(&principal.values(&["idtyp"]), delegated)?;
    check_caller(&principal.values(&["appid", "azp", CALLER]), expected)?;
    check_role(&principal.values(&["roles", ROLE]), expected)
}

fn check_tenant(tenants: &[&str], expected: &Expected) -> Result<(), Refusal> {
    match all(tenants, |tid| tid.eq_ignore_ascii_case(&expected.tenant_id)) {
        true => Ok(()),
        false => bad_token("the token is not of the tenant SecureWebhook__TenantId"),
    }
}

fn check_audience(audiences: &[&str], expected: &Expected) -> Result<(), Refusal> {
    let same = |aud: &str, ours: &str| {
        aud == ours || (is_guid(aud) && is_guid(ours) && aud.eq_ignore_ascii_case(ours))
    };
    let known = |aud: &str| expected.audiences.iter().any(|ours| same(aud, ours));
    match all(audiences, known) {
        true => Ok(()),
        false => bad_token(
            "the token is for another application: SecureWebhook__Audience must hold the client id, and for v1.0 tokens the Application ID URI too",
        ),
    }
}

fn check_application(kinds: &[&str], delegated: bool) -> Result<(), Refusal> {
    match delegated || kinds.iter().any(|kind| *kind != "app") {
        true => Err(Refusal::Forbidden(
            "the token acts for a user; alerts are sent with a token of an application itself"
                .to_owned(),
        )),
        false => Ok(()),
    }
}

fn check_caller(callers: &[&str], expected: &Expected) -> Result<(), Refusal> {
    let caller = &expected.caller_app_id;
    match all(callers, |app| app.eq_ignore_ascii_case(caller)) {
        true => Ok(()),
        false => Err(Refusal::Forbidden(format!(
            "the token is of the application {}; only {caller} may send alerts (SecureWebhook__CallerAppId)",
            named(callers)
        ))),
    }
}

fn check_role(roles: &[&str], expected: &Expected) -> Result<(), Refusal> {
    let role = &expected.role;
    match roles.contains(&role.as_str()) {
        true => Ok(()),
        false => Err(Refusal::Forbidden(format!(
            "assign the app role {role} of the function's registration to the service principal of {}; the token's roles: {}",
            expected.caller_app_id,
            named(roles)
        ))),
    }
}

fn bad_token(why: &str) -> Result<(), Refusal> {
    Err(Refusal::Unauthorized(why.to_owned()))
}

/// At least one, and no other.
fn all(values: &[&str], good: impl Fn(&str) -> bool) -> bool {
    !values.is_empty() && values.iter().all(|value| good(value))
}

fn is_guid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

/// Values for people: few, short, and no control characters.
fn named(values: &[&str]) -> String {
    let short = |value: &&str| text::clean(value, text::WORD).into_owned();
    let shown: Vec<String> = values.iter().take(MOST_ROLES).map(short).collect();
    let text = shown.join(", ");
    match text.is_empty() {
        true => "none".to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests;
