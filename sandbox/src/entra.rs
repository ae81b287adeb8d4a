//! Entra ID as far as an application needs it, with a secret, a certificate or another issuer's token, and the tokens
//! of managed identities: they are opaque, and every mistake of the client has its AADSTS number.

use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use url::form_urlencoded;
use uuid::Uuid;

use super::answer::{Answer, Outcome, gateway_error};
use super::assertions::{self, Assertion, Trusted};
use super::ids::same;
use super::managed_identity;
use super::routes::Route;
use super::samples;
use super::signing_key::{Signing, SigningKey};

/// The audience of tokens for storage accounts.
const STORAGE: &str = "https://storage.azure.com";

struct Token {
    text: String,
    expires: OffsetDateTime,
    /// Whether the token is for storage.
    storage: bool,
}

/// The tenant, its one application and the tokens given out.
pub(super) struct Directory {
    pub audience: String,
    pub secret_expired: bool,
    /// In DER, as registered with the application.
    pub certificates: Vec<Vec<u8>>,
    pub trusts_managed_identity: bool,
    endpoint: String,
    lifetime: Duration,
    tokens: Vec<Token>,
    /// Made when first needed: most stories do without, and an RSA key takes its time.
    signing_key: Option<SigningKey>,
    cluster_key: Option<SigningKey>,
}

impl Directory {
    pub fn new(endpoint: &str, lifetime: Duration) -> Self {
        Self {
            audience: endpoint.to_owned(),
            secret_expired: false,
            certificates: Vec::new(),
            trusts_managed_identity: true,
            endpoint: endpoint.to_owned(),
            lifetime,
            tokens: Vec::new(),
            signing_key: None,
            cluster_key: None,
        }
    }

    /// The texts of all tokens given out.
    pub fn tokens_given(&self) -> Vec<String> {
        self.tokens.iter().map(|token| token.text.clone()).collect()
    }

    pub fn expire_tokens(&mut self) {
        for token in &mut self.tokens {
            token.expires = OffsetDateTime::UNIX_EPOCH;
        }
    }

    pub fn token(&mut self, route: &Route, body: &[u8], now: OffsetDateTime) -> Outcome {
        let form: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
        let field = |name: &str| {
            let found = form
                .iter()
                .find(|(key, value)| key == name && !value.is_empty());
            found.map(|(_, value)| value.as_str())
        };
        self.tenant(&route.child)?;
        if field("grant_type") != Some("client_credentials") {
            return Err(refusal(
                400,
                "unsupported_grant_type",
                70003,
                "The grant type is not supported.",
            ));
        }
        let client = field("client_id").unwrap_or_default();
        if !same(client, samples::CLIENT_ID) {
            let text = format!("Application '{client}' is not in the directory.");
            return Err(refusal(400, "unauthorized_client", 700016, &text));
        }
        match (field("client_assertion"), field("client_secret")) {
            (Some(assertion), _) => {
                if field("client_assertion_type") != Some(assertions::TYPE) {
                    let text = "The client_assertion_type is not supported.";
                    return Err(refusal(400, "invalid_request", 50027, text));
                }
                self.check_assertion(assertion, client, &route.child, now)?;
            }
            (None, Some(secret)) => self.check_secret(secret, client)?,
            (None, None) => {
                let text = "The body must hold 'client_assertion' or 'client_secret'.";
                return Err(refusal(401, "invalid_client", 7000218, text));
            }
        }
        let scope = field("scope").unwrap_or_default();
        match scope.strip_suffix("/.default") {
            None => {
                let text = format!("Scope {scope} is not valid: it must end in /.default.");
                return Err(refusal(400, "invalid_scope", 1_002_012, &text));
            }
            Some(audience) if audience != self.audience && audience != STORAGE => {
                let text = format!("The resource principal named {audience} was not found.");
                return Err(refusal(400, "invalid_resource", 500_011, &text));
            }
            Some(_) => {}
        }

        let text = self.new_token(now + self.lifetime, scope.starts_with(STORAGE));
        let seconds = self.lifetime.as_secs();
        Ok(Answer::json(
            200,
            json!({
                "token_type": "Bearer",
                "expires_in": seconds,
                "ext_expires_in": seconds,
                "access_token": text,
            }),
        )
        .with("cache-control", "no-store, no-cache"))
    }

    fn new_token(&mut self, expires: OffsetDateTime, storage: bool) -> String {
        let text = format!(
            "sandbox.{}.{}",
            Uuid::new_v4().simple(),
            Uuid::new_v4().simple()
        );
        self.tokens.push(Token {
            text: text.clone(),
            expires,
            storage,
        });
        text
    }

    fn check_secret(&self, secret: &str, client: &str) -> Result<(), Answer> {
        if secret != samples::CLIENT_SECRET {
            let text = format!("Invalid client secret provided for app '{client}'.");
            return Err(refusal(401, "invalid_client", 7000215, &text));
        }
        if self.secret_expired {
            let text = format!("The client secret keys of app '{client}' are expired.");
            return Err(refusal(401, "invalid_client", 7000222, &text));
        }
        Ok(())
    }

    fn check_assertion(
        &mut self,
        text: &str,
        client: &str,
        tenant: &str,
        now: OffsetDateTime,
    ) -> Result<(), Answer> {
        let Some(assertion) = Assertion::parse(text) else {
            let text = "JWT token is invalid or malformed.";
            return Err(refusal(400, "invalid_request", 50027, text));
        };
        if assertion.is_own() {
            let endpoint = format!("{}/{tenant}/oauth2/v2.0/token", self.endpoint);
            let certificates = &self.certificates;
            return assertions::check_own(&assertion, client, &endpoint, certificates, now);
        }
        let issuer = self.issuer();
        let of_tenant = self.signing_key.get_or_insert_with(SigningKey::generate);
        let of_cluster = self.cluster_key.get_or_insert_with(SigningKey::generate);
        let mut trusted = vec![Trusted {
            issuer: samples::CLUSTER,
            subject: samples::SERVICE_ACCOUNT,
            key: of_cluster,
        }];
        trusted.push(Trusted {
            issuer: &issuer,
            subject: match self.trusts_managed_identity {
                true => samples::MANAGED_IDENTITY_OBJECT_ID,
                false => "another application",
            },
            key: of_tenant,
        });
        assertions::check_federated(text, &assertion, &trusted, now)
    }

    fn issuer(&self) -> String {
        format!("{}/{}/v2.0", self.endpoint, samples::TENANT_ID)
    }

    /// A managed identity's token and its end; none for a resource that the tenant does not know. One that
    /// stands for an application is signed, all others are opaque.
    pub fn identity_token(
        &mut self,
        resource: &str,
        user_assigned: bool,
        now: OffsetDateTime,
    ) -> Option<(String, OffsetDateTime)> {
        let expires = now + self.lifetime;
        if user_assigned && resource == assertions::EXCHANGE {
            let (from, until) = (now.unix_timestamp(), expires.unix_timestamp());
            let claims = managed_identity::exchange_claims(&self.issuer(), from, until);
            return Some((self.sign(&claims, Signing::Right), expires));
        }
        let storage = resource.trim_end_matches('/') == STORAGE;
        let known = storage || resource == self.audience;
        known.then(|| (self.new_token(expires, storage), expires))
    }

    pub fn cluster_token(&mut self, claims: &Value) -> String {
        let key = self.cluster_key.get_or_insert_with(SigningKey::generate);
        key.token(claims, Signing::Right)
    }

    pub fn openid_configuration(&self, route: &Route) -> Outcome {
        self.tenant(&route.child)?;
        let tenant = format!("{}/{}", self.endpoint, route.child);
        Ok(Answer::json(
            200,
            json!({
                "token_endpoint": format!("{tenant}/oauth2/v2.0/token"),
                "issuer": format!("{tenant}/v2.0"),
                "authorization_endpoint": format!("{tenant}/oauth2/v2.0/authorize"),
                "jwks_uri": format!("{tenant}/discovery/v2.0/keys"),
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
                "response_types_supported": ["code", "id_token"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }),
        ))
    }

    /// The public half of the one key that tokens for secure webhooks are signed with.
    pub fn keys(&mut self, route: &Route) -> Outcome {
        self.tenant(&route.child)?;
        let key = self.signing_key().public();
        Ok(Answer::json(200, json!({ "keys": [key] })))
    }

    pub fn sign(&mut self, claims: &Value, signing: Signing) -> String {
        self.signing_key().token(claims, signing)
    }

    pub fn rotate_signing_keys(&mut self) {
        self.signing_key = None;
    }

    pub fn rotate_cluster_keys(&mut self) {
        self.cluster_key = None;
    }

    fn signing_key(&mut self) -> &SigningKey {
        self.signing_key.get_or_insert_with(SigningKey::generate)
    }

    pub fn instance_discovery(&self) -> Outcome {
        let host = self.endpoint.trim_start_matches("https://");
        let tenant = format!("{}/{}", self.endpoint, samples::TENANT_ID);
        Ok(Answer::json(
            200,
            json!({
                "tenant_discovery_endpoint": format!("{tenant}/v2.0/.well-known/openid-configuration"),
                "api-version": "1.1",
                "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
            }),
        ))
    }

    /// Resource Manager's check of the `Authorization` header.
    pub fn check(&self, authorization: Option<&str>, now: OffsetDateTime) -> Result<(), Answer> {
        let denied = |code: &str, message: &str| {
            let challenge = format!(
                "Bearer authorization_uri=\"{}/{}\", error=\"invalid_token\", \
                 error_description=\"{message}\"",
                self.endpoint,
                samples::TENANT_ID
            );
            Err(gateway_error(401, code, message).with("www-authenticate", challenge))
        };
        let Some(header) = authorization else {
            let message = "Authentication failed. The 'Authorization' header is missing.";
            return denied("AuthenticationFailed", message);
        };
        let bearer = header
            .split_once(' ')
            .filter(|(scheme, _)| same(scheme, "Bearer"));
        let Some((_, text)) = bearer else {
            let message = "Authentication failed. The 'Authorization' header has a wrong format.";
            return denied("AuthenticationFailed", message);
        };
        match self.tokens.iter().find(|token| token.text == text) {
            None => denied("InvalidAuthenticationToken", "The access token is invalid."),
            Some(token) if token.expires <= now => denied(
                "ExpiredAuthenticationToken",
                "The access token expiry is in the past.",
            ),
            Some(token) if token.storage => denied(
                "InvalidAuthenticationTokenAudience",
                "The access token has been obtained for a wrong audience.",
            ),
            Some(_) => Ok(()),
        }
    }

    /// Whether a token opens storage accounts.
    pub fn is_for_storage(&self, text: &str, now: OffsetDateTime) -> bool {
        let mut tokens = self.tokens.iter();
        tokens.any(|token| token.text == text && token.storage && token.expires > now)
    }

    fn tenant(&self, tenant: &str) -> Result<(), Answer> {
        match same(tenant, samples::TENANT_ID) {
            true => Ok(()),
            false => {
                let text = format!("Tenant '{tenant}' not found.");
                Err(refusal(400, "invalid_request", 90002, &text))
            }
        }
    }
}

pub(super) fn refusal(status: u16, error: &str, code: u32, text: &str) -> Answer {
    let (trace, correlation) = (Uuid::new_v4(), Uuid::new_v4());
    let description =
        format!("AADSTS{code}: {text} Trace ID: {trace} Correlation ID: {correlation}");
    Answer::json(
        status,
        json!({
            "error": error,
            "error_description": description,
            "error_codes": [code],
            "timestamp": OffsetDateTime::now_utc().to_string(),
            "trace_id": trace.to_string(),
            "correlation_id": correlation.to_string(),
        }),
    )
}
