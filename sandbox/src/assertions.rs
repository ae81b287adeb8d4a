//! What an application shows in place of a secret: an assertion signed with a registered certificate, or a token
//! of an issuer that it trusts. Checked for real, with Entra's number for every mistake.

use aws_lc_rs::digest::{self, Algorithm};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls_pki_types::CertificateDer;
use serde_json::{Value, json};
use time::OffsetDateTime;
use url::form_urlencoded;
use webpki::{
    EndEntityCert,
    aws_lc_rs::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256_LEGACY_KEY},
};

use super::answer::Answer;
use super::entra::refusal;
use super::samples;
use super::signing_key::SigningKey;

pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The audience of tokens that stand for an application.
pub(super) const EXCHANGE: &str = "api://AzureADTokenExchange";
/// Maximum difference of the clocks, in seconds, as Entra allows it.
const SKEW: i64 = 300;
/// An assertion that is good for longer is refused.
const LONGEST: i64 = 24 * 60 * 60;

/// A JWT taken apart, its signature not yet checked.
pub(super) struct Assertion {
    header: Value,
    claims: Value,
    /// What is signed, and how.
    text: String,
    signature: Vec<u8>,
}

impl Assertion {
    pub fn parse(text: &str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let json = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
        Some(Self {
            header: json(header)?,
            claims: json(claims)?,
            text: signed.to_owned(),
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    /// Whether it names a certificate, as only the application's own assertions do.
    pub fn is_own(&self) -> bool {
        ["x5t", "x5t#S256"]
            .iter()
            .any(|name| self.header[*name].is_string())
    }

    fn claim(&self, name: &str) -> &str {
        self.claims[name].as_str().unwrap_or_default()
    }

    fn times(&self, now: OffsetDateTime) -> Result<(), Answer> {
        let now = now.unix_timestamp();
        let (from, until) = (self.claims["nbf"].as_i64(), self.claims["exp"].as_i64());
        let good = until.is_some_and(|until| until + SKEW > now && until - now < LONGEST)
            && from.is_none_or(|from| from - SKEW < now);
        match good {
            true => Ok(()),
            false => {
                let text = format!(
                    "Client assertion is not within its valid time range. Current time: {now}, \
                     assertion valid from {from:?}, expiry time of assertion {until:?}."
                );
                Err(refusal(401, "invalid_client", 700_024, &text))
            }
        }
    }
}

/// An assertion of the application itself. `certificates` are the registered ones, in DER.
pub(super) fn check_own(
    assertion: &Assertion,
    client: &str,
    token_endpoint: &str,
    certificates: &[Vec<u8>],
    now: OffsetDateTime,
) -> Result<(), Answer> {
    let bad = |reason: &str| {
        let text = format!("Client assertion contains an invalid signature. [Reason - {reason}]");
        Err(refusal(401, "invalid_client", 700_027, &text))
    };
    let thumbprint = |algorithm: &'static Algorithm, der: &[u8]| {
        Value::from(URL_SAFE_NO_PAD.encode(digest::digest(algorithm, der)))
    };
    let named = |der: &&Vec<u8>| {
        let fits = |name: &str, algorithm| {
            let shown = &assertion.header[name];
            shown.is_null() || *shown == thumbprint(algorithm, der)
        };
        fits("x5t", &digest::SHA1_FOR_LEGACY_USE_ONLY) && fits("x5t#S256", &digest::SHA256)
    };
    let Some(certificate) = certificates.iter().find(named) else {
        return bad("The key was not found.");
    };
    let der = CertificateDer::from(certificate.as_slice());
    let algorithm = match assertion.header["alg"].as_str() {
        Some("RS256") => RSA_PKCS1_2048_8192_SHA256,
        Some("PS256") => RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        _ => return bad("The algorithm is not supported."),
    };
    let verified = EndEntityCert::try_from(&der).and_then(|it| {
        it.verify_signature(algorithm, assertion.text.as_bytes(), &assertion.signature)
    });
    if verified.is_err() {
        return bad("The key was used, but the signature does not match.");
    }
    assertion.times(now)?;
    if assertion.claim("aud") != token_endpoint {
        let text = format!(
            "Client assertion audience claim does not match Realm issuer: {}.",
            assertion.claim("aud")
        );
        return Err(refusal(401, "invalid_client", 700_023, &text));
    }
    if assertion.claim("iss") != client || assertion.claim("sub") != client {
        let text = "Client assertion application identifier doesn't match 'client_id' parameter.";
        return Err(refusal(401, "invalid_client", 700_021, text));
    }
    match assertion.claim("jti") {
        "" => bad("The assertion has no jti."),
        _ => Ok(()),
    }
}

/// Whom the application trusts: a federated credential of its registration.
pub(super) struct Trusted<'a> {
    pub issuer: &'a str,
    pub subject: &'a str,
    pub key: &'a SigningKey,
}

/// A token of another issuer.
pub(super) fn check_federated(
    token: &str,
    assertion: &Assertion,
    trusted: &[Trusted<'_>],
    now: OffsetDateTime,
) -> Result<(), Answer> {
    let (issuer, subject) = (assertion.claim("iss"), assertion.claim("sub"));
    let none = |code: u32, what: &str, value: &str| {
        let text = format!(
            "No matching federated identity record found for presented assertion {what} '{value}'. \
             Check your federated identity credential Subject, Audience and Issuer."
        );
        Err(refusal(401, "invalid_client", code, &text))
    };
    let mut known = trusted.iter().filter(|it| it.issuer == issuer).peekable();
    if known.peek().is_none() {
        return none(700_211, "issuer", issuer);
    }
    let Some(found) = known.find(|it| it.subject == subject) else {
        return none(700_213, "subject", subject);
    };
    if assertion.claim("aud") != EXCHANGE {
        return none(700_212, "audience", assertion.claim("aud"));
    }
    if !found.key.has_signed(token) {
        let text = "Assertion failed signature validation.";
        return Err(refusal(401, "invalid_client", 50013, text));
    }
    assertion.times(now)
}

/// Who asked for a token and by what proof, for the journal: nothing of the proof itself.
pub(super) fn described(form: &[u8]) -> Value {
    let form: Vec<(String, String)> = form_urlencoded::parse(form).into_owned().collect();
    let field = |name: &str| {
        let found = form.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    };
    let assertion = field("client_assertion").map(Assertion::parse);
    let proof = match (&assertion, field("client_secret")) {
        (Some(Some(it)), _) if it.is_own() && it.header["x5c"].is_array() => {
            "certificate with its chain"
        }
        (Some(Some(it)), _) if it.is_own() => "certificate",
        (Some(Some(it)), _) if it.claim("sub") == samples::MANAGED_IDENTITY_OBJECT_ID => {
            "token of a managed identity"
        }
        (Some(_), _) => "federated token",
        (None, Some(_)) => "client secret",
        (None, None) => "none",
    };
    json!({ "client_id": field("client_id"), "proof": proof })
}
