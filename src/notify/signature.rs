//! Signs what is sent, so that the receiver knows who it comes from and can refuse a copy sent later: the
//! scheme of Standard Webhooks, for which receivers find a library in any language.
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use std::fmt;

/// Signs with one shared secret. The key within is wiped when dropped.
#[derive(Clone)]
pub struct Signer(hmac::Key);

impl Signer {
    /// `secret` in bytes: what follows `whsec_`, decoded.
    pub fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The three headers for a body. `id` is the same in each attempt, `timestamp` (Unix seconds) is new each time.
    pub(super) fn headers(
        &self,
        id: &str,
        timestamp: u64,
        body: &[u8],
    ) -> [(&'static str, String); 3] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(format!("{id}.{timestamp}.").as_bytes());
        context.update(body);
        let signature = STANDARD.encode(context.sign());
        [
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", timestamp.to_string()),
            ("webhook-signature", format!("v1,{signature}")),
        ]
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector that the libraries of the specification test themselves with.
    #[test]
    fn the_published_vector_comes_out() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let headers = Signer::new(&secret).headers(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(headers[0].1, "msg_p5jXN8AQM9LWM0D4loKWxJek");
        assert_eq!(headers[1].1, "1614265330");
        assert_eq!(
            headers[2].1,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn the_secret_is_not_printed() {
        assert_eq!(format!("{:?}", Signer::new(b"secret")), "Signer");
    }
}
