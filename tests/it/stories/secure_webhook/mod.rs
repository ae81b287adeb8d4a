//! Who may send alerts when the function is a secure webhook: tokens, their keys, App Service authentication.

mod app_service;
mod keys;
mod tokens;

use crate::support::world::{Reply, World, common_alert, reply};
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
