//! Who may send alerts when the function is a secure webhook: tokens, their keys, App Service authentication.

use crate::world::{Reply, World, common_alert, reply};
use azure_sandbox::{Call, Fault, FaultBody, Signing, What, samples};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const CLIENT: &str = "2f4a6c1e-9b3d-4e57-8a10-5c7e9d1f3b25";
const URI: &str = "api://alerts.contoso.example";
const AZNS: &str = "461e8683-5575-4561-ac7f-899cc907d62a";
const ROLE: &str = "ActionGroupsSecureWebhook";
const KEYS: &str = "GET keys";

async fn secured() -> World {
    secured_with(&[]).await
}

async fn secured_with(more: &[(&str, &str)]) -> World {
    let audiences = format!("{CLIENT}, {URI}");
    let mut settings = vec![
        ("SecureWebhook__TenantId", samples::TENANT_ID),
        ("SecureWebhook__Audience", audiences.as_str()),
        ("PacketCapture__DryRun", "true"),
    ];
    settings.extend(more);
    World::with(&settings).await
}

fn v1() -> Value {
    let now = now();
    json!({
        "iss": format!("https://sts.windows.net/{}/", samples::TENANT_ID), "aud": URI, "ver": "1.0",
        "tid": samples::TENANT_ID, "iat": now, "nbf": now, "exp": now + 3600, "appid": AZNS,
        "appidacr": "2", "roles": [ROLE],
    })
}

fn v2(world: &World) -> Value {
    let now = now();
    json!({
        "iss": format!("{}/{}/v2.0", world.azure.endpoint(), samples::TENANT_ID), "aud": CLIENT,
        "ver": "2.0", "tid": samples::TENANT_ID, "iat": now, "nbf": now, "exp": now + 3600,
        "azp": AZNS, "azpacr": "2", "idtyp": "app", "roles": [ROLE],
    })
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

fn changed(mut claims: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

/// Sends a good alert with these headers.
async fn send(world: &World, headers: &[(&str, &str)]) -> Reply {
    let mut request = world
        .http
        .post(format!("{}/api/AlertPacketCapture", world.url))
        .header("content-type", "application/json")
        .body(common_alert(&[samples::WEB_01]).to_string());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    reply(request.send().await.expect("an answer")).await
}

async fn send_token(world: &World, token: &str) -> Reply {
    send(world, &[("authorization", &format!("Bearer {token}"))]).await
}

async fn sent_as(world: &World, claims: &Value, signing: Signing) -> Reply {
    let token = world.azure.sign_token(claims, signing);
    let reply = send_token(world, &token).await;
    assert!(!reply.body.to_string().contains(&token), "{reply:?}");
    reply
}

#[tokio::test]
async fn tokens_of_both_versions_open_the_door_and_the_probe_needs_none() {
    let world = secured().await;
    for claims in [v1(), v2(&world), changed(v1(), json!({ "aud": CLIENT }))] {
        let reply = sent_as(&world, &claims, Signing::Right).await;
        assert_eq!(
            (reply.status, &reply.body["outcome"]),
            (200, &"dry_run".into()),
            "{claims}"
        );
    }
    let token = world.azure.sign_token(&v2(&world), Signing::Right);
    let lower = send(&world, &[("authorization", &format!("bearer {token}"))]).await;
    assert_eq!(lower.status, 200);
    let probe = world.http.get(format!("{}/", world.url)).send().await;
    assert_eq!(probe.unwrap().status(), 200);
    // One look at the keys served them all.
    assert_eq!(world.count(KEYS), 1);
    world.end().await;
}

#[tokio::test]
async fn without_the_settings_no_token_is_asked_for() {
    let world = World::with(&[("PacketCapture__DryRun", "true")]).await;
    assert_eq!(send(&world, &[]).await.status, 200);
    assert_eq!(send_token(&world, "nonsense").await.status, 200);
    assert!(world.calls().is_empty());
    world.end().await;
}

#[tokio::test]
async fn bad_claims_are_refused_as_the_table_says() {
    let world = secured().await;
    let other = "aaaaaaaa-5575-4561-ac7f-899cc907d62a";
    for (claims, status, word) in [
        (json!({ "aud": other }), 401, "SecureWebhook__Audience"),
        (json!({ "aud": URI }), 401, "client id"),
        (
            json!({ "iss": v1()["iss"] }),
            401,
            "SecureWebhook__TenantId",
        ),
        (json!({ "ver": "1.0" }), 401, "issuer"),
        (json!({ "tid": other }), 401, "tenant"),
        (json!({ "exp": now() - 301 }), 401, "expired"),
        (json!({ "nbf": now() + 400 }), 401, "not valid yet"),
        (json!({ "azp": other }), 403, other),
        (
            json!({ "roles": ["Alerts.Write"] }),
            403,
            "roles: Alerts.Write",
        ),
        (json!({ "roles": [] }), 403, "roles: none"),
        (json!({ "scp": "user_impersonation" }), 403, "user"),
        (json!({ "idtyp": "user" }), 403, "user"),
    ] {
        let claims = changed(v2(&world), claims);
        let reply = sent_as(&world, &claims, Signing::Right).await;
        let message = reply.body["error"]["message"].as_str().unwrap();
        assert_eq!(reply.status, status, "{claims} {message}");
        assert!(message.contains(word), "{word} is not in: {message}");
        let challenge = reply.headers.get("www-authenticate");
        assert_eq!(challenge.is_some(), status == 401, "{claims}");
    }
    world.end().await;
}

#[tokio::test]
async fn forged_and_missing_tokens_are_refused() {
    let world = secured().await;
    for signing in [
        Signing::None,
        Signing::PublicKeyAsSecret,
        Signing::SaysRs512,
        Signing::OtherKey,
        Signing::UnknownKey,
        Signing::Altered,
        Signing::NoKeyId,
    ] {
        let reply = sent_as(&world, &v2(&world), signing).await;
        assert_eq!(
            (
                reply.status,
                reply.headers["www-authenticate"].to_str().unwrap()
            ),
            (401, "Bearer"),
            "{signing:?}"
        );
    }
    let token = world.azure.sign_token(&v2(&world), Signing::Right);
    let bearer = format!("Bearer {token}");
    for headers in [
        vec![],
        vec![("authorization", "")],
        vec![("authorization", "Bearer")],
        vec![("authorization", "Bearer ")],
        vec![("authorization", "Bearer a.b.c")],
        vec![("authorization", token.as_str())],
        vec![("authorization", "Basic dXNlcjpwYXNz")],
        vec![("authorization", bearer.as_str()), ("authorization", "x")],
        vec![("x-authorization", bearer.as_str())],
    ] {
        let reply = send(&world, &headers).await;
        assert_eq!(reply.status, 401, "{headers:?}");
    }
    world.end().await;
}

#[tokio::test]
async fn after_a_rotation_the_keys_are_fetched_once_and_no_storm_fetches_more() {
    let world = secured().await;
    let old = world.azure.sign_token(&v2(&world), Signing::Right);
    assert_eq!(send_token(&world, &old).await.status, 200);
    world.azure.rotate_signing_keys();
    // The key is not yet known to be withdrawn.
    assert_eq!(send_token(&world, &old).await.status, 200);
    assert_eq!(world.count(KEYS), 1);
    let new = world.azure.sign_token(&v2(&world), Signing::Right);
    let replies = tokio::join!(
        send_token(&world, &new),
        send_token(&world, &new),
        send_token(&world, &new)
    );
    assert_eq!(
        (replies.0.status, replies.1.status, replies.2.status),
        (200, 200, 200)
    );
    assert_eq!(world.count(KEYS), 2);
    assert_eq!(send_token(&world, &old).await.status, 401);
    for _ in 0..5 {
        let reply = sent_as(&world, &v2(&world), Signing::UnknownKey).await;
        assert_eq!(reply.status, 401);
    }
    assert_eq!(world.count(KEYS), 2);
    assert_eq!(send_token(&world, &new).await.status, 200);
    world.end().await;
}

#[tokio::test]
async fn without_keys_the_alert_is_sent_again_later() {
    for what in [
        What::DropBefore,
        What::Status {
            code: 503,
            retry_after: None,
            body: FaultBody::Html,
        },
        What::Status {
            code: 200,
            retry_after: None,
            body: FaultBody::TruncatedJson,
        },
    ] {
        for on in [Call::OpenIdConfiguration, Call::Keys] {
            let world = secured().await;
            world.azure.fault(Fault {
                on,
                times: 1,
                what: what.clone(),
            });
            let token = world.azure.sign_token(&v2(&world), Signing::Right);
            let mut reply = send_token(&world, &token).await;
            assert_eq!(
                (reply.status, reply.headers["retry-after"].to_str().unwrap()),
                (503, "5"),
                "{on:?} {what:?}"
            );
            // The caller comes again, as often as it takes: there is a short pause after a failure.
            while reply.status == 503 {
                reply = send_token(&world, &token).await;
            }
            assert_eq!(reply.status, 200);
            assert_eq!(world.count("GET openid-configuration"), 2);
            world.end().await;
        }
    }
}

#[tokio::test]
async fn old_keys_are_kept_when_new_ones_cannot_be_fetched() {
    let world = secured().await;
    let token = world.azure.sign_token(&v2(&world), Signing::Right);
    assert_eq!(send_token(&world, &token).await.status, 200);
    world.azure.fault(Fault {
        on: Call::Keys,
        times: 1,
        what: What::arm_error(500, "InternalServerError", "Oops."),
    });
    // Nobody can say whether this one is good.
    let unknown = sent_as(&world, &v2(&world), Signing::UnknownKey).await;
    assert_eq!(unknown.status, 503);
    assert_eq!(send_token(&world, &token).await.status, 200);
    world.end().await;
}

#[tokio::test]
async fn the_body_is_not_read_before_the_token() {
    let world = secured().await;
    let address = world.url.strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    // A body is announced and never comes.
    let head = format!(
        "POST /api/AlertPacketCapture HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         content-length: 1000\r\nauthorization: Bearer a.b.c\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 401");
    drop(stream);
    let bad = world
        .post_to("/api/AlertPacketCapture", &json!({ "data": [] }))
        .await;
    assert_eq!(bad.status, 401);
    world.end().await;
}

/// What the host sends where it does not forward.
fn envelope(headers: &Value) -> Value {
    json!({
        "Data": { "req": {
            "Url": "https://contoso.example/api/AlertPacketCapture",
            "Method": "POST",
            "Query": {},
            "Headers": headers,
            "Body": common_alert(&[samples::WEB_01]).to_string(),
        } },
        "Metadata": { "sys": { "MethodName": "AlertPacketCapture" } },
    })
}

#[tokio::test]
async fn in_the_wrapped_form_the_token_is_inside() {
    let world = secured().await;
    let token = world.azure.sign_token(&v2(&world), Signing::Right);
    let forged = world.azure.sign_token(&v2(&world), Signing::Altered);
    let role = changed(v2(&world), json!({ "roles": ["Other"] }));
    let role = world.azure.sign_token(&role, Signing::Right);
    let bearer = |token: &str| json!([format!("Bearer {token}")]);
    let json = json!(["application/json"]);
    for (headers, status) in [
        (
            json!({ "Content-Type": json, "Authorization": bearer(&token) }),
            200,
        ),
        (
            json!({ "Content-Type": json, "authorization": format!("Bearer {token}") }),
            200,
        ),
        (json!({ "Content-Type": json }), 401),
        (json!({ "Authorization": bearer(&forged) }), 401),
        (
            json!({ "Authorization": [format!("Bearer {token}"), "x"] }),
            401,
        ),
        (json!({ "Authorization": bearer(&role) }), 403),
    ] {
        let reply = world
            .post_to("/AlertPacketCapture", &envelope(&headers))
            .await;
        let inner = &reply.body["Outputs"]["res"];
        assert_eq!(reply.status, 200);
        assert_eq!(inner["statusCode"], status, "{inner}");
        let challenge = &inner["headers"]["WWW-Authenticate"];
        assert_eq!(challenge.is_string(), status == 401);
        assert!(!reply.body.to_string().contains(&token));
    }
    // A raw request to the same address, where routePrefix is empty.
    let alert = common_alert(&[samples::WEB_01]);
    assert_eq!(
        world.post_to("/AlertPacketCapture", &alert).await.status,
        401
    );
    let with_token = world
        .http
        .post(format!("{}/AlertPacketCapture", world.url))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(alert.to_string());
    assert_eq!(with_token.send().await.unwrap().status(), 200);
    // A bad token outside is not mended by a good one inside.
    let outside = world
        .http
        .post(format!("{}/AlertPacketCapture", world.url))
        .header("authorization", format!("Bearer {forged}"))
        .body(envelope(&json!({ "Authorization": bearer(&token) })).to_string());
    assert_eq!(outside.send().await.unwrap().status(), 401);
    world.end().await;
}

fn principal(claims: &[(&str, &str)]) -> String {
    use base64::Engine;
    let claims: Vec<Value> = claims
        .iter()
        .map(|(typ, val)| json!({ "typ": typ, "val": val }))
        .collect();
    let text = json!({ "auth_typ": "aad", "claims": claims, "name_typ": "n", "role_typ": "r" });
    base64::engine::general_purpose::STANDARD.encode(text.to_string())
}

const GOOD: [(&str, &str); 4] = [
    ("aud", CLIENT),
    (
        "http://schemas.microsoft.com/identity/claims/tenantid",
        samples::TENANT_ID,
    ),
    ("appid", AZNS),
    ("roles", ROLE),
];

#[tokio::test]
async fn app_service_authentication_is_trusted_when_the_operator_says_so() {
    const WHO: &str = "x-ms-client-principal";
    const FROM: &str = "x-ms-client-principal-idp";
    let world = secured_with(&[("SecureWebhook__TrustEasyAuth", "true")]).await;
    let good = principal(&GOOD);
    let no_role = principal(&GOOD[..3]);
    let other_app = principal(&[GOOD[0], GOOD[1], ("appid", CLIENT), GOOD[3]]);
    let token = world.azure.sign_token(&v2(&world), Signing::Right);
    let bearer = format!("Bearer {token}");
    for (headers, status) in [
        (vec![(WHO, good.as_str()), (FROM, "aad")], 200),
        (vec![(WHO, no_role.as_str()), (FROM, "aad")], 403),
        (vec![(WHO, other_app.as_str()), (FROM, "aad")], 403),
        (vec![(WHO, good.as_str()), (FROM, "google")], 401),
        (vec![(WHO, good.as_str())], 401),
        (
            vec![(WHO, good.as_str()), (WHO, good.as_str()), (FROM, "aad")],
            401,
        ),
        (vec![(WHO, "%%%"), (FROM, "aad")], 401),
        (vec![(FROM, "aad")], 401),
        // Then the platform has not let it through.
        (vec![("authorization", bearer.as_str())], 401),
    ] {
        let reply = send(&world, &headers).await;
        assert_eq!(reply.status, status, "{headers:?} {:?}", reply.body);
    }
    // An envelope can be written by a client too.
    let headers = json!({ WHO: [good], FROM: ["aad"] });
    let wrapped = world
        .post_to("/AlertPacketCapture", &envelope(&headers))
        .await;
    assert_eq!(wrapped.status, 401);
    assert!(world.calls().is_empty());
    world.end().await;

    let world = secured().await;
    let reply = send(&world, &[(WHO, &principal(&GOOD)), (FROM, "aad")]).await;
    assert_eq!(reply.status, 401);
    world.end().await;
}
