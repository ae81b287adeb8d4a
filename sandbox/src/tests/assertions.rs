//! Entra is as strict with an assertion as it should be: what our own client never sends is refused, too.

use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::super::{Options, assertions, samples};
use super::client::Client;

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn signed(key: &KeyPair, header: &Value, claims: &Value, how: &'static dyn RsaEncoding) -> String {
    let part = |value: &Value| encode(value.to_string().as_bytes());
    let text = format!("{}.{}", part(header), part(claims));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(how, &SystemRandom::new(), text.as_bytes(), &mut signature)
        .unwrap();
    format!("{text}.{}", encode(&signature))
}

async fn sign_in(azure: &Client, assertion: &str, kind: &str) -> (u16, Value) {
    let endpoint = azure.sandbox.endpoint();
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", samples::CLIENT_ID)
        .append_pair("client_assertion_type", kind)
        .append_pair("client_assertion", assertion)
        .append_pair("scope", &format!("{endpoint}/.default"))
        .finish();
    let url = format!("{endpoint}/{}/oauth2/v2.0/token", samples::TENANT_ID);
    let answer = azure.http.post(url).body(form).send().await.unwrap();
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    (status, body["error_codes"][0].clone())
}

#[tokio::test]
async fn an_assertion_is_checked_in_all_its_parts() {
    let azure = Client::start(Options::default()).await;
    let pair = rcgen::KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let certificate = CertificateParams::default().self_signed(&pair).unwrap();
    azure.sandbox.register_certificate(certificate.der());
    let key = KeyPair::from_pkcs8(&pair.serialize_der()).unwrap();
    let thumbprint = encode(digest::digest(&digest::SHA256, certificate.der()).as_ref());
    let sha1 = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, certificate.der());
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let audience = format!(
        "{}/{}/oauth2/v2.0/token",
        azure.sandbox.endpoint(),
        samples::TENANT_ID
    );
    let header = json!({ "typ": "JWT", "alg": "PS256", "x5t#S256": thumbprint });
    let claims = json!({
        "aud": audience, "iss": samples::CLIENT_ID, "sub": samples::CLIENT_ID,
        "jti": "1", "nbf": now, "exp": now + 600,
    });
    let with = |base: &Value, name: &str, value: Value| {
        let mut changed = base.clone();
        changed[name] = value;
        changed
    };
    let pss: &'static dyn RsaEncoding = &RSA_PSS_SHA256;
    let pkcs1: &'static dyn RsaEncoding = &RSA_PKCS1_SHA256;
    let old = json!({ "typ": "JWT", "alg": "RS256", "x5t": encode(sha1.as_ref()) });
    let own = |name: &str, value: Value| signed(&key, &header, &with(&claims, name, value), pss);
    let good = signed(&key, &header, &claims, pss);
    let none = Value::Null;
    for (what, assertion, code) in [
        ("PS256", good.clone(), none.clone()),
        ("RS256 and SHA-1", signed(&key, &old, &claims, pkcs1), none),
        (
            "says PS256, is RS256",
            signed(&key, &header, &claims, pkcs1),
            700_027.into(),
        ),
        ("altered", good.replacen("eyJ", "eyK", 1), 50027.into()),
        (
            "no signature",
            format!("{}.", good.rsplit_once('.').unwrap().0),
            700_027.into(),
        ),
        (
            "another thumbprint",
            signed(
                &key,
                &with(&header, "x5t#S256", "else".into()),
                &claims,
                pss,
            ),
            700_027.into(),
        ),
        (
            "one of two thumbprints",
            signed(&key, &with(&header, "x5t", "else".into()), &claims, pss),
            700_027.into(),
        ),
        (
            "HS256",
            signed(&key, &with(&header, "alg", "HS256".into()), &claims, pss),
            700_027.into(),
        ),
        ("ended", own("exp", (now - 301).into()), 700_024.into()),
        ("no end", own("exp", Value::Null), 700_024.into()),
        (
            "for years",
            own("exp", (now + 90_000_000).into()),
            700_024.into(),
        ),
        ("not yet", own("nbf", (now + 600).into()), 700_024.into()),
        (
            "audience",
            own("aud", "https://else.example".into()),
            700_023.into(),
        ),
        ("issuer", own("iss", "else".into()), 700_021.into()),
        ("subject", own("sub", "else".into()), 700_021.into()),
        ("no jti", own("jti", Value::Null), 700_027.into()),
        ("no JWT", "rubbish".to_owned(), 50027.into()),
    ] {
        let (status, found) = sign_in(&azure, &assertion, assertions::TYPE).await;
        assert_eq!((status == 200, found), (code.is_null(), code), "{what}");
    }
    let (_, code) = sign_in(&azure, &good, "urn:else").await;
    assert_eq!(code, 50027, "another kind of assertion");
}

#[tokio::test]
async fn the_identity_endpoint_answers_the_app_alone() {
    let azure = Client::start(Options::default()).await;
    let settings = azure.sandbox.managed_identity_settings();
    let (url, header) = (&settings[0].1, &settings[1].1);
    let resource = azure.sandbox.endpoint();
    let version = "2019-08-01";
    let known = samples::MANAGED_IDENTITY_CLIENT_ID;
    for (header, query, expected) in [
        (
            header.as_str(),
            format!("resource={resource}&api-version={version}"),
            200,
        ),
        (
            header,
            format!("resource={resource}&api-version={version}&client_id={known}"),
            200,
        ),
        (
            header,
            format!("resource={resource}&api-version={version}&client_id=else"),
            400,
        ),
        (
            header,
            format!("resource=https://else.example&api-version={version}"),
            400,
        ),
        (
            header,
            format!("resource={resource}&api-version=2017-09-01"),
            400,
        ),
        (
            "else",
            format!("resource={resource}&api-version={version}"),
            401,
        ),
    ] {
        let request = azure.http.get(format!("{url}?{query}"));
        let answer = request
            .header("X-IDENTITY-HEADER", header)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), expected, "{query}");
        if expected == 200 {
            let body: Value = answer.json().await.unwrap();
            let end = body["expires_on"].as_str().unwrap().parse::<i64>().unwrap();
            assert!(end > OffsetDateTime::now_utc().unix_timestamp());
        }
    }
    // Each listener keeps to its own calls.
    let watcher = url.replace("/msi/token", samples::WATCHER_WESTEUROPE);
    assert_eq!(azure.http.get(watcher).send().await.unwrap().status(), 501);
    assert_eq!(azure.get("/msi/token").await.status, 501);
}
