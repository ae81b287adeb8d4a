//! Claims that are accepted and those that are refused, as a table.

use super::*;
use serde_json::json;

const NOW: i64 = 1_790_000_000;
const TENANT: &str = "72f1b9c4-3d0e-4a6b-8f57-c2e9d1a60b38";
const CLIENT: &str = "2f4a6c1e-9b3d-4e57-8a10-5c7e9d1f3b25";
const AZNS: &str = "461e8683-5575-4561-ac7f-899cc907d62a";
const OTHER: &str = "aaaaaaaa-5575-4561-ac7f-899cc907d62a";

fn expected() -> Expected {
    Expected {
        tenant_id: TENANT.to_owned(),
        audiences: vec!["api://alerts".to_owned(), CLIENT.to_owned()],
        issuers: vec![
            format!("https://sts.windows.net/{TENANT}/"),
            format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
        ],
        caller_app_id: AZNS.to_owned(),
        role: "ActionGroupsSecureWebhook".to_owned(),
    }
}

fn v1() -> Value {
    json!({
        "iss": format!("https://sts.windows.net/{TENANT}/"), "aud": "api://alerts", "ver": "1.0",
        "tid": TENANT, "exp": NOW + 60, "nbf": NOW - 60, "appid": AZNS,
        "roles": ["ActionGroupsSecureWebhook"],
    })
}

fn v2() -> Value {
    json!({
        "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"), "aud": CLIENT, "ver": "2.0",
        "tid": TENANT, "exp": NOW + 60, "nbf": NOW - 60, "azp": AZNS,
        "roles": ["Other", "ActionGroupsSecureWebhook"],
    })
}

/// The status, 200 when all is well; a change to null takes a claim away.
fn verdict(mut claims: Value, changes: &Value) -> u16 {
    let members = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => members.remove(name),
            value => members.insert(name.clone(), value.clone()),
        };
    }
    let Ok(claims) = serde_json::from_value(claims) else {
        return 401;
    };
    status(judge(&claims, &expected(), NOW))
}

fn status(judged: Result<(), Refusal>) -> u16 {
    match judged {
        Ok(()) => 200,
        Err(Refusal::Unauthorized(_)) => 401,
        Err(Refusal::Forbidden(_)) => 403,
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn tokens_of_both_versions_follow_the_table() {
    for (changes, v1_status, v2_status) in [
        (json!({}), 200, 200),
        (json!({ "idtyp": "app" }), 200, 200),
        (json!({ "tid": TENANT.to_uppercase() }), 200, 200),
        (json!({ "aud": CLIENT.to_uppercase() }), 200, 200),
        (json!({ "aud": "api://alerts" }), 200, 401),
        (json!({ "aud": "API://alerts" }), 401, 401),
        (json!({ "aud": OTHER }), 401, 401),
        (json!({ "aud": null }), 401, 401),
        (json!({ "aud": ["api://alerts", CLIENT] }), 401, 401),
        (json!({ "exp": NOW - 299 }), 200, 200),
        (json!({ "exp": NOW - 300 }), 401, 401),
        (json!({ "exp": i64::MIN }), 401, 401),
        (json!({ "exp": "9999999999" }), 401, 401),
        (json!({ "exp": null }), 401, 401),
        (json!({ "nbf": NOW + 300 }), 200, 200),
        (json!({ "nbf": NOW + 301 }), 401, 401),
        (json!({ "nbf": null }), 401, 401),
        (json!({ "ver": null }), 401, 401),
        (json!({ "ver": "3.0" }), 401, 401),
        (json!({ "iss": v1()["iss"] }), 200, 401),
        (json!({ "iss": v2()["iss"] }), 401, 200),
        (json!({ "iss": "https://sts.windows.net/" }), 401, 401),
        (json!({ "iss": null }), 401, 401),
        (json!({ "tid": OTHER }), 401, 401),
        (json!({ "tid": null }), 401, 401),
        (json!({ "appid": OTHER }), 403, 200),
        (json!({ "azp": OTHER }), 200, 403),
        (json!({ "appid": null, "azp": null }), 403, 403),
        (json!({ "appid": AZNS.to_uppercase() }), 200, 200),
        (json!({ "roles": ["Alerts.Write"] }), 403, 403),
        (json!({ "roles": ["actiongroupssecurewebhook"] }), 403, 403),
        (json!({ "roles": [] }), 403, 403),
        (json!({ "roles": null }), 403, 403),
        (json!({ "roles": "ActionGroupsSecureWebhook" }), 401, 401),
        (json!({ "scp": "user_impersonation" }), 403, 403),
        (json!({ "scp": "" }), 403, 403),
        (json!({ "idtyp": "user" }), 403, 403),
    ] {
        assert_eq!(verdict(v1(), &changes), v1_status, "v1 {changes}");
        assert_eq!(verdict(v2(), &changes), v2_status, "v2 {changes}");
    }
}

#[test]
fn principals_follow_the_table() {
    const LONG_ROLE: &str = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role";
    const LONG_APP: &str = "http://schemas.microsoft.com/identity/claims/applicationid";
    const LONG_TENANT: &str = "http://schemas.microsoft.com/identity/claims/tenantid";
    let role = "ActionGroupsSecureWebhook";
    let (tid, aud) = (("tid", TENANT), ("aud", CLIENT));
    for (claims, expected_status) in [
        (vec![tid, aud, ("appid", AZNS), ("roles", role)], 200),
        (vec![tid, aud, ("azp", AZNS), (LONG_ROLE, role)], 200),
        (
            vec![
                (LONG_TENANT, TENANT),
                ("aud", "api://alerts"),
                (LONG_APP, AZNS),
                ("roles", "Other"),
                ("roles", role),
            ],
            200,
        ),
        (vec![aud, ("appid", AZNS), ("roles", role)], 401),
        (vec![tid, ("appid", AZNS), ("roles", role)], 401),
        (
            vec![tid, ("aud", OTHER), ("appid", AZNS), ("roles", role)],
            401,
        ),
        (vec![tid, aud, ("roles", role)], 403),
        (vec![tid, aud, ("appid", OTHER), ("roles", role)], 403),
        (
            vec![tid, aud, ("appid", AZNS), ("azp", OTHER), ("roles", role)],
            403,
        ),
        (vec![tid, aud, ("appid", AZNS), ("roles", "Other")], 403),
        (
            vec![tid, aud, ("appid", AZNS), ("roles", role), ("scp", "x")],
            403,
        ),
        (vec![], 401),
    ] {
        let list: Vec<Value> = claims
            .iter()
            .map(|(typ, val)| json!({ "typ": typ, "val": val }))
            .collect();
        let principal =
            serde_json::from_value(json!({ "auth_typ": "aad", "claims": list })).unwrap();
        let judged = judge_principal(&principal, &expected());
        assert_eq!(status(judged), expected_status, "{claims:?}");
    }
}

#[test]
fn a_refusal_names_the_roles_that_came() {
    let mut claims = v1();
    claims["roles"] = json!(["Alerts\n.Write", "b", "c", "d", "e", "f"]);
    let claims = serde_json::from_value(claims).unwrap();
    let Err(Refusal::Forbidden(text)) = judge(&claims, &expected(), NOW) else {
        panic!("not forbidden");
    };
    assert!(text.contains("ActionGroupsSecureWebhook") && text.contains(AZNS));
    assert!(text.ends_with("Alerts .Write, b, c, d, e"), "{text}");
}
