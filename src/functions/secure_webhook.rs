//! Which callers may send alerts, beyond the function key: Azure Monitor's action groups sign in to the tenant and send
//! an access token. It is checked before the body is read.
//! <https://learn.microsoft.com/en-us/azure/azure-monitor/alerts/action-groups#configure-authentication-for-secure-webhook>
//!
//! Tokens and headers are not logged and not repeated in answers.

use super::{
    claims::{self, Claims, Expected, Principal},
    refusal::Refusal,
};
use async_trait::async_trait;
use axum::http::{HeaderMap, HeaderName, header::AUTHORIZATION};
use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

/// Maximum size of a token; those of applications have about 2 KB.
const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// When the signing keys cannot be fetched. Action groups repeat a 503 after 5 s.
const KEYS_RETRY_AFTER: Duration = Duration::from_secs(5);
/// The headers of App Service authentication.
const PRINCIPAL: HeaderName = HeaderName::from_static("x-ms-client-principal");
const PROVIDER: HeaderName = HeaderName::from_static("x-ms-client-principal-idp");

/// The source of a tenant's signing keys.
#[async_trait]
pub trait SigningKeys: Send + Sync {
    /// The key of this id, or `None` when the tenant has none.
    async fn key(&self, id: &str) -> Result<Option<Arc<DecodingKey>>, KeysUnavailable>;
}

/// The keys could not be fetched; a retry may succeed.
#[derive(Debug)]
pub struct KeysUnavailable;

/// The check of callers: what they must prove, and how.
pub struct SecureWebhook {
    pub expected: Expected,
    pub proof: Proof,
}

/// How a caller proves what it is.
pub enum Proof {
    /// With a token that this function checks.
    Token(Arc<dyn SigningKeys>),
    /// With the headers of App Service authentication. They prove something only where that is on, since it alone
    /// removes them from what a client sends.
    EasyAuth,
}

impl SecureWebhook {
    /// Checks what the request itself carries.
    pub(super) async fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        match &self.proof {
            Proof::EasyAuth => self.check_principal(headers),
            Proof::Token(keys) => {
                let claims = verified(token(headers)?, keys.as_ref()).await?;
                claims::judge(&claims, &self.expected, unix_now())
            }
        }
    }

    /// Whether the proof may be inside the host's envelope. A token there is as valid as one outside. The headers of App
    /// Service authentication are not: where the host forwards requests, a client can write an envelope.
    pub(super) fn may_be_inside(&self, headers: &HeaderMap) -> bool {
        matches!(self.proof, Proof::Token(_)) && !headers.contains_key(AUTHORIZATION)
    }

    fn check_principal(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let only = |name: &HeaderName| {
            let mut values = headers.get_all(name).iter();
            let first = values.next()?.to_str().ok()?;
            values.next().is_none().then_some(first)
        };
        if only(&PROVIDER).is_none_or(|provider| !provider.eq_ignore_ascii_case("aad")) {
            return Err(no_principal());
        }
        let principal: Principal = only(&PRINCIPAL)
            .filter(|text| text.len() <= MAX_TOKEN_BYTES)
            .and_then(|text| STANDARD.decode(text).ok())
            .and_then(|json| serde_json::from_slice(&json).ok())
            .ok_or_else(no_principal)?;
        claims::judge_principal(&principal, &self.expected)
    }
}

/// The bearer token of a request with one `Authorization` header.
fn token(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(no_token());
    };
    let value = value.to_str().unwrap_or_default().trim();
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") => Ok(token.trim()),
        _ => Err(no_token()),
    }
}

/// The claims of a token that one of the tenant's keys has signed with RS256, whatever its header asks for.
async fn verified(token: &str, keys: &dyn SigningKeys) -> Result<Claims, Refusal> {
    let unreadable = || Refusal::Unauthorized("the token cannot be read".to_owned());
    if token.len() > MAX_TOKEN_BYTES {
        return Err(unreadable());
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| unreadable())?;
    if header.alg != Algorithm::RS256 || header.crit.is_some() {
        return Err(Refusal::Unauthorized(
            "the token is not signed with RS256".to_owned(),
        ));
    }
    let id = header.kid.ok_or_else(unreadable)?;
    let key = keys.key(&id).await.map_err(|KeysUnavailable| {
        Refusal::NotTaken {
            message: "alert not accepted: the tenant's signing keys could not be fetched; check the function's log".to_owned(),
            retry_after: KEYS_RETRY_AFTER,
        }
    })?;
    let key = key.ok_or_else(|| {
        Refusal::Unauthorized(
            "the token is not signed with a key of the tenant SecureWebhook__TenantId".to_owned(),
        )
    })?;
    let mut signature_alone = Validation::new(Algorithm::RS256);
    // The claims are judged in one place, by `claims`.
    signature_alone.required_spec_claims.clear();
    signature_alone.validate_exp = false;
    signature_alone.validate_aud = false;
    match jsonwebtoken::decode(token, &key, &signature_alone) {
        Ok(data) => Ok(data.claims),
        Err(error) => match error.kind() {
            jsonwebtoken::errors::ErrorKind::InvalidSignature => Err(Refusal::Unauthorized(
                "the token's signature is wrong".to_owned(),
            )),
            _ => Err(unreadable()),
        },
    }
}

fn no_token() -> Refusal {
    Refusal::Unauthorized(
        "send Authorization: Bearer with an access token: in the action group, use the action Secure Webhook"
            .to_owned(),
    )
}

fn no_principal() -> Refusal {
    Refusal::Unauthorized(
        "App Service authentication passed on no caller of Microsoft Entra ID: is it on, and are requests forwarded to the handler?"
            .to_owned(),
    )
}

fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs() as i64)
}
