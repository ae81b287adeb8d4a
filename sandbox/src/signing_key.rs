//! The key that signs tokens for secure webhooks, and what a forger would make of its public half.

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use uuid::Uuid;

/// How a token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    /// As Entra does it.
    Right,
    /// With a key that is not the tenant's, under the id of one that is.
    OtherKey,
    /// With a key that is not the tenant's, under an unknown id.
    UnknownKey,
    /// Well signed, but the claims were altered afterwards.
    Altered,
    /// Under no key id.
    NoKeyId,
    /// `alg: none` and no signature.
    None,
    /// `alg: HS256`, the public key being taken for the shared secret.
    PublicKeyAsSecret,
    /// Well signed under another algorithm's name.
    SaysRs512,
}

pub(super) struct SigningKey {
    id: String,
    pair: KeyPair,
}

impl SigningKey {
    pub fn generate() -> Self {
        Self {
            id: Uuid::new_v4().simple().to_string(),
            // Fails only where there are no random numbers.
            pair: KeyPair::generate(KeySize::Rsa2048).expect("an RSA key"),
        }
    }

    /// A member of the JSON Web Key Set.
    pub fn public(&self) -> Value {
        let key = self.pair.public_key();
        json!({
            "kty": "RSA",
            "use": "sig",
            "kid": self.id,
            "x5t": self.id,
            "n": encode(key.modulus().big_endian_without_leading_zero()),
            "e": encode(key.exponent().big_endian_without_leading_zero()),
        })
    }

    pub fn token(&self, claims: &Value, signing: Signing) -> String {
        let (algorithm, id) = match signing {
            Signing::None => ("none", json!(self.id)),
            Signing::PublicKeyAsSecret => ("HS256", json!(self.id)),
            Signing::SaysRs512 => ("RS512", json!(self.id)),
            Signing::UnknownKey => ("RS256", json!(Uuid::new_v4().simple().to_string())),
            Signing::NoKeyId => ("RS256", Value::Null),
            Signing::Right | Signing::OtherKey | Signing::Altered => ("RS256", json!(self.id)),
        };
        let header = json!({ "typ": "JWT", "alg": algorithm, "kid": id });
        let text = |claims: &Value| {
            let (header, claims) = (header.to_string(), claims.to_string());
            format!(
                "{}.{}",
                encode(header.as_bytes()),
                encode(claims.as_bytes())
            )
        };
        let signed = text(claims);
        let signature = match signing {
            Signing::None => Vec::new(),
            Signing::PublicKeyAsSecret => {
                let secret = hmac::Key::new(hmac::HMAC_SHA256, self.pair.public_key().as_ref());
                hmac::sign(&secret, signed.as_bytes()).as_ref().to_vec()
            }
            Signing::OtherKey | Signing::UnknownKey => Self::generate().signature(&signed),
            _ => self.signature(&signed),
        };
        let shown = match signing {
            Signing::Altered => {
                let mut claims = claims.clone();
                claims["altered"] = true.into();
                text(&claims)
            }
            _ => signed,
        };
        format!("{shown}.{}", encode(&signature))
    }

    /// Whether a token is signed with this key.
    pub fn has_signed(&self, token: &str) -> bool {
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.pair.public_key());
        token.rsplit_once('.').is_some_and(|(text, signature)| {
            URL_SAFE_NO_PAD
                .decode(signature)
                .is_ok_and(|signature| key.verify(text.as_bytes(), &signature).is_ok())
        })
    }

    fn signature(&self, text: &str) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                text.as_bytes(),
                &mut signature,
            )
            .expect("a signature");
        signature
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
