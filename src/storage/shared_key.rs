//! Signs calls to a storage account with its key. Azure's own crates take tokens and shared access signatures
//! only, and a Functions app usually has a connection string with the key.
//! <https://learn.microsoft.com/en-us/rest/api/storageservices/authorize-with-shared-key>

use aws_lc_rs::hmac;
use azure_core::http::{
    Context, Request,
    policies::{Policy, PolicyResult},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use std::{collections::BTreeMap, fmt, sync::Arc, time::SystemTime};
use url::Url;
use zeroize::Zeroizing;

/// Headers whose values are signed without their names, in this order.
const PLAIN: [&str; 11] = [
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
];

/// An account's name and key. The key does not print and is wiped when dropped.
#[derive(Clone)]
pub struct SharedKey {
    account: String,
    key: Zeroizing<Vec<u8>>,
}

impl SharedKey {
    pub fn new(account: &str, key: Zeroizing<Vec<u8>>) -> Self {
        Self {
            account: account.to_owned(),
            key,
        }
    }

    fn authorization(&self, text: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.key);
        let signature = BASE64_STANDARD.encode(hmac::sign(&key, text.as_bytes()));
        format!("SharedKey {}:{signature}", self.account)
    }
}

impl fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedKey")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl Policy for SharedKey {
    /// Per try, since the date is signed too and Azure refuses one that is 15 minutes old.
    async fn send(
        &self,
        context: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        request.insert_header("x-ms-date", httpdate::fmt_http_date(SystemTime::now()));
        let mut headers: BTreeMap<String, String> = request
            .headers()
            .iter()
            .map(|(name, value)| {
                (
                    name.as_str().to_ascii_lowercase(),
                    value.as_str().to_owned(),
                )
            })
            .collect();
        // The HTTP client writes this header where the crate does not.
        if let Some(length) = request.body().len().filter(|length| *length > 0) {
            headers.insert("content-length".to_owned(), length.to_string());
        }
        let text = string_to_sign(
            request.method().as_str(),
            request.url(),
            &headers,
            &self.account,
        );
        request.insert_header("authorization", self.authorization(&text));
        next[0].send(context, request, &next[1..]).await
    }
}

/// The text that is signed. `headers` by lower-case name.
fn string_to_sign(
    method: &str,
    url: &Url,
    headers: &BTreeMap<String, String>,
    account: &str,
) -> String {
    let mut text = format!("{method}\n");
    for name in PLAIN {
        // `x-ms-date` stands in for it.
        let value = headers.get(name).filter(|_| name != "date");
        // An empty body is signed as no length at all, also where a client writes the header itself.
        let value = value.filter(|value| name != "content-length" || *value != "0");
        text.push_str(value.map_or("", String::as_str));
        text.push('\n');
    }
    for (name, value) in headers.range("x-ms-".to_owned()..) {
        if !name.starts_with("x-ms-") {
            break;
        }
        text.push_str(&format!("{name}:{}\n", value.trim()));
    }
    text.push_str(&format!("/{account}{}", url.path()));
    let mut query: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in url.query_pairs() {
        query
            .entry(name.to_ascii_lowercase())
            .or_default()
            .push(value.into_owned());
    }
    for (name, mut values) in query {
        values.sort();
        text.push_str(&format!("\n{name}:{}", values.join(",")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signed_text_has_every_part_in_its_place() {
        let headers = [
            ("content-type", "application/xml"),
            ("content-length", "42"),
            ("accept", "application/xml"),
            ("x-ms-version", "2026-04-06"),
            ("x-ms-date", "Mon, 23 Nov 2026 01:02:03 GMT"),
            ("x-msother", "no"),
        ];
        let headers = headers.map(|(n, v)| (n.to_owned(), v.to_owned())).into();
        let cases = [
            (
                "https://stjobs.queue.core.windows.net/jobs/messages?visibilitytimeout=30&messagettl=-1",
                "/stjobs/jobs/messages\nmessagettl:-1\nvisibilitytimeout:30",
            ),
            // In path style the account is there twice, and a receipt is signed as it is, not as it is written.
            (
                "http://127.0.0.1:10001/stjobs/jobs/messages/1?popreceipt=a%2Bb%3D&PopReceipt=X",
                "/stjobs/stjobs/jobs/messages/1\npopreceipt:X,a+b=",
            ),
        ];
        for (url, resource) in cases {
            let url = Url::parse(url).unwrap();
            assert_eq!(
                string_to_sign("POST", &url, &headers, "stjobs"),
                format!(
                    "POST\n\n\n42\n\napplication/xml\n\n\n\n\n\n\nx-ms-date:Mon, 23 Nov 2026 01:02:03 GMT\nx-ms-version:2026-04-06\n{resource}"
                )
            );
        }
    }

    #[test]
    fn the_length_of_an_empty_body_is_not_signed() {
        let url = Url::parse("https://st.blob.core.windows.net/a/b").unwrap();
        let signed = |length: &str| {
            let headers = [("content-length".to_owned(), length.to_owned())].into();
            string_to_sign("PUT", &url, &headers, "st")
        };
        assert_eq!(signed("0"), "PUT\n\n\n\n\n\n\n\n\n\n\n\n/st/a/b");
        assert_eq!(signed("10"), "PUT\n\n\n10\n\n\n\n\n\n\n\n\n/st/a/b");
    }

    #[test]
    fn the_signature_is_an_hmac_of_the_decoded_key_and_the_key_does_not_print() {
        // The second test case of RFC 4231.
        let key = SharedKey::new("st", Zeroizing::new(b"Jefe".to_vec()));
        assert_eq!(
            key.authorization("what do ya want for nothing?"),
            "SharedKey st:W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="
        );
        assert!(!format!("{key:?}").contains("Jefe"));
        assert!(!format!("{key:?}").contains("74, 101"));
    }
}
