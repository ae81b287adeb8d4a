//! The same in Microsoft's emulator: HTTPS with a certificate of its own, and tokens whose signature it does not check.

use super::*;
use crate::support::azurite::Azurite;
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    http::{ClientOptions, RequestContent, Transport},
};
use azure_storage_blob::BlobContainerClient;
use azure_storage_blob::models::BlobClientUploadOptions;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::json;

/// A token as Microsoft Entra ID gives it, unsigned.
#[derive(Debug)]
struct Unsigned;

#[async_trait::async_trait]
impl TokenCredential for Unsigned {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let now = time::OffsetDateTime::now_utc();
        let claims = json!({
            "aud": "https://storage.azure.com",
            "iss": format!("https://sts.windows.net/{}/", samples::TENANT_ID),
            "nbf": now.unix_timestamp() - 60,
            "iat": now.unix_timestamp() - 60,
            "exp": now.unix_timestamp() + 3_600,
        });
        let part = |value: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let header = part(json!({"alg": "RS256", "typ": "JWT"}));
        let text = format!("{header}.{}.c2lnbmF0dXJl", part(claims));
        Ok(AccessToken::new(text, now + Duration::from_secs(3_600)))
    }
}

#[tokio::test]
async fn captures_are_read_and_refused_as_in_the_sandbox() {
    let azurite = Azurite::blobs_over_https();
    let certificate = reqwest::Certificate::from_pem(azurite.ca_pem().as_bytes()).unwrap();
    let http = reqwest::Client::builder().tls_certs_only([certificate]);
    let http = http.build().unwrap();
    let endpoint = azurite.endpoint();
    let mut options = options_for_tests(Url::parse(&endpoint).unwrap());
    options.appears_within = Duration::ZERO;
    let reader = CaptureReader::new(Arc::new(Unsigned), http.clone(), options);
    let look = |name: &str| {
        let url = format!("{endpoint}/devstoreaccount1/network-watcher-logs/a/{name}");
        let reader = &reader;
        async move { reader.look(&url, Context::default()).await }
    };
    let missing = |end: Result<Look, LookError>| {
        assert!(matches!(end, Err(LookError::Missing { .. })), "{end:?}");
    };
    missing(look("night.cap").await);

    let container = format!("{endpoint}/devstoreaccount1/network-watcher-logs");
    let options = azure_storage_blob::BlobContainerClientOptions {
        client_options: ClientOptions {
            transport: Some(Transport::new(Arc::new(http))),
            ..ClientOptions::default()
        },
        ..Default::default()
    };
    let container = Url::parse(&container).unwrap();
    let container = BlobContainerClient::new(container, Some(Arc::new(Unsigned)), Some(options));
    let container = container.unwrap();
    container.create(None).await.unwrap();
    missing(look("night.cap").await);
    let put = async |name: &str, bytes: Vec<u8>| {
        let blob = container.blob_client(&format!("a/{name}"));
        let content: RequestContent<azure_core::Bytes, _> = azure_core::Bytes::from(bytes).into();
        let options = BlobClientUploadOptions::default();
        blob.upload(content, Some(options)).await.unwrap();
    };
    let bytes = pcap(2_500);
    put("large.cap", bytes.clone()).await;
    saw(&look("large.cap").await.unwrap(), &bytes);
    put("small.cap", pcap(3)).await;
    saw(&look("small.cap").await.unwrap(), &pcap(3));
    put("empty.cap", Vec::new()).await;
    let empty = look("empty.cap").await;
    assert!(matches!(empty, Err(LookError::Empty { .. })), "{empty:?}");
    put("text.cap", b"neither one nor the other".to_vec()).await;
    let text = look("text.cap").await;
    assert!(matches!(text, Err(LookError::NoCapture { .. })), "{text:?}");
}
