//! An application with a certificate. The SDK's own credential for it needs OpenSSL, so the assertion is made
//! here and handed to its credential for assertions, which sends the same form.
//! <https://learn.microsoft.com/en-us/entra/identity-platform/certificate-credentials>

use super::{Application, RenewableCredential, SignIn};
use aws_lc_rs::{
    digest::{self, Algorithm},
    rand::SystemRandom,
    rsa::KeyPair,
    signature::RSA_PSS_SHA256,
};
use azure_core::{
    error::{Error, ErrorKind},
    http::ClientMethodOptions,
};
use azure_identity::ClientAssertion;
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use std::{fmt, sync::Arc, time::SystemTime};
use url::Url;
use uuid::Uuid;

/// An assertion is sent at once; Entra itself allows for clocks that differ by five minutes.
const LIFETIME_SECONDS: u64 = 600;

/// Makes assertions with an RSA key.
pub struct Signer {
    key: KeyPair,
    /// Thumbprints and, if asked for, the chain.
    header: Value,
}

impl Signer {
    /// `chain` holds certificates in DER, the application's own first; `private_key` is DER, PKCS#8 or PKCS#1.
    /// With `send_chain` the chain goes along, for applications that trust a subject name and an issuer.
    ///
    /// # Errors
    /// When there is no certificate or the key is not RSA of 2048 bits or more.
    pub fn new(
        chain: &[Vec<u8>],
        private_key: &[u8],
        send_chain: bool,
    ) -> azure_core::Result<Self> {
        let wrong = |what| Error::with_message(ErrorKind::Credential, what);
        let own = chain.first().ok_or_else(|| wrong("no certificate"))?;
        let key = KeyPair::from_pkcs8(private_key)
            .or_else(|_| KeyPair::from_der(private_key))
            .map_err(|_| wrong("the private key is not RSA of at least 2048 bits"))?;
        let thumbprint =
            |algorithm: &'static Algorithm| encode(digest::digest(algorithm, own).as_ref());
        let mut header = json!({
            "typ": "JWT",
            "alg": "PS256",
            "x5t#S256": thumbprint(&digest::SHA256),
            // Older parts of Entra know certificates by it.
            "x5t": thumbprint(&digest::SHA1_FOR_LEGACY_USE_ONLY),
        });
        if send_chain {
            let chain = chain.iter().map(|der| BASE64_STANDARD.encode(der));
            header["x5c"] = chain.collect();
        }
        Ok(Self { key, header })
    }

    /// The signed assertion. `now` is in seconds since 1970; `id` must be unique.
    fn assertion(
        &self,
        client_id: &str,
        audience: &str,
        now: u64,
        id: &str,
    ) -> azure_core::Result<String> {
        let claims = json!({
            "aud": audience,
            "iss": client_id,
            "sub": client_id,
            "jti": id,
            "iat": now,
            "nbf": now,
            "exp": now.saturating_add(LIFETIME_SECONDS),
        });
        let part = |value: &Value| encode(value.to_string().as_bytes());
        let text = format!("{}.{}", part(&self.header), part(&claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(
                &RSA_PSS_SHA256,
                &SystemRandom::new(),
                text.as_bytes(),
                &mut signature,
            )
            .map_err(|_| {
                Error::with_message(ErrorKind::Credential, "could not sign with the private key")
            })?;
        Ok(format!("{text}.{}", encode(&signature)))
    }
}

fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// The certificate's owner at one tenant's token endpoint.
struct Assertion {
    signer: Arc<Signer>,
    client_id: String,
    audience: Url,
}

impl fmt::Debug for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Assertion")
    }
}

#[async_trait::async_trait]
impl ClientAssertion for Assertion {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.unwrap_or_default().as_secs();
        let id = Uuid::new_v4().to_string();
        self.signer
            .assertion(&self.client_id, self.audience.as_str(), now, &id)
    }
}

/// An application that proves its identity with a certificate.
///
/// # Errors
/// When the tenant or the authority host is not well-formed (the host must be https).
pub fn certificate(
    sign_in: SignIn,
    application: Application,
    signer: Signer,
    http: reqwest::Client,
) -> azure_core::Result<RenewableCredential> {
    let path = format!("/{}/oauth2/v2.0/token", application.tenant_id);
    let audience = application.authority_host.join(&path)?;
    let signer = Arc::new(signer);
    RenewableCredential::new(sign_in, move || {
        let assertion = Assertion {
            signer: signer.clone(),
            client_id: application.client_id.clone(),
            audience: audience.clone(),
        };
        application.asserting(assertion, &http)
    })
}
