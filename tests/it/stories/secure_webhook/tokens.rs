//! Which tokens of the caller are accepted.

use super::*;

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
    // One read of the keys served them all.
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
    // A bad token outside is not excused by a good one inside.
    let outside = world
        .http
        .post(format!("{}/AlertPacketCapture", world.url))
        .header("authorization", format!("Bearer {forged}"))
        .body(envelope(&json!({ "Authorization": bearer(&token) })).to_string());
    assert_eq!(outside.send().await.unwrap().status(), 401);
    world.end().await;
}

#[tokio::test]
async fn another_caller_role_and_issuer_are_accepted_when_the_settings_name_them() {
    let caller = "0c3b5a7d-1e2f-4a6b-8c9d-2f4e6a8b0c1d";
    let issuer = "https://login.contoso.example/v2.0";
    let world = secured_with(&[
        ("SecureWebhook__CallerAppId", caller),
        ("SecureWebhook__Role", "Alerts.Send"),
        ("SecureWebhook__Issuer", issuer),
    ])
    .await;
    let good = json!({ "azp": caller, "roles": ["Alerts.Send"], "iss": issuer });
    for (member, usual, status) in [
        ("none", Value::Null, 200),
        ("azp", AZNS.into(), 403),
        ("roles", json!([ROLE]), 403),
        ("iss", v2(&world)["iss"].clone(), 401),
    ] {
        let mut claims = changed(v2(&world), good.clone());
        claims[member] = usual;
        let reply = sent_as(&world, &claims, Signing::Right).await;
        assert_eq!(reply.status, status, "{member}: {reply:?}");
    }
    world.end().await;
}
