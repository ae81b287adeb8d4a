//! App Service authentication in front of the function instead of a token.

use super::*;

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
