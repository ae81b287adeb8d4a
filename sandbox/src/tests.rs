//! The sandbox through its front door.

mod assertions;
mod blobs;
mod client;
mod queues;
mod surroundings;

use std::sync::Arc;

use axum::http::Method;
use azure_core::credentials::TokenCredential;
use azure_core::http::{ClientOptions, Transport};
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use serde_json::json;

use super::{Call, Fault, Options, SessionStatus, What, samples};
use client::{Client, NETWORK, Reply, body, capture};

#[tokio::test]
async fn a_capture_lives_from_create_to_delete() {
    let dir = std::env::temp_dir().join(format!("sandbox-{}", uuid::Uuid::new_v4()));
    let options = Options {
        captures_dir: Some(dir.clone()),
        watcher_page_size: Some(2),
        ..Options::default()
    };
    let azure = Client::start(options).await;

    let list = format!(
        "/subscriptions/{}/providers/Microsoft.Network/networkWatchers?{NETWORK}",
        samples::SUBSCRIPTION_ID
    );
    let first = azure.get(&list).await.json();
    assert_eq!(first["value"].as_array().unwrap().len(), 2);
    let second = azure.get(first["nextLink"].as_str().unwrap()).await.json();
    assert_eq!(second["value"][0]["location"], "northeurope");
    assert!(second.get("nextLink").is_none());

    let created = azure.put("PSAzureFunction").await;
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(
        created.json()["properties"]["provisioningState"],
        "Updating"
    );
    assert!(!created.headers.contains_key("location"));
    let operation = created.header("azure-asyncoperation").to_owned();
    assert!(operation.contains(created.header("x-ms-request-id")));
    assert_eq!(azure.get(&operation).await.json()["status"], "InProgress");
    let view = azure
        .sandbox
        .captures(samples::WATCHER_WESTEUROPE)
        .remove(0);
    assert_eq!(
        (view.provisioning_state.as_str(), view.status),
        ("Updating", SessionStatus::NotStarted)
    );

    azure.sandbox.complete_operations();
    assert_eq!(azure.get(&operation).await.json()["status"], "Succeeded");
    let shown = azure.get(&capture("psazurefunction", "")).await.json();
    assert_eq!(shown["properties"]["provisioningState"], "Succeeded");
    let path = shown["properties"]["storageLocation"]["storagePath"]
        .as_str()
        .unwrap();
    assert!(azure.sandbox.blob(path).is_none());
    let status = azure
        .send(
            Method::POST,
            &capture("PSAzureFunction", "/queryStatus"),
            None,
        )
        .await;
    assert_eq!(
        (status.status, &status.json()["packetCaptureStatus"]),
        (202, &json!("Running"))
    );
    assert!(!status.headers.contains_key("azure-asyncoperation"));
    assert_eq!(azure.get(status.header("location")).await.status, 202);

    azure.sandbox.finish_sessions();
    let status = azure
        .send(
            Method::POST,
            &capture("PSAzureFunction", "/queryStatus"),
            None,
        )
        .await;
    assert_eq!(
        (status.status, &status.json()["stopReason"]),
        (200, &json!("TimeExceeded"))
    );
    assert!(azure.sandbox.blob(path).is_some());
    let file = azure.sandbox.capture_file(path).unwrap();
    assert!(std::fs::metadata(&file).unwrap().len() > 50_000);
    std::fs::remove_dir_all(dir).unwrap();

    let deleted = azure
        .send(Method::DELETE, &capture("PSAzureFunction", ""), None)
        .await;
    assert_eq!(deleted.status, 202);
    assert_eq!(azure.put("psAzureFunction").await.status, 409);
    let result = deleted.header("location").to_owned();
    assert_eq!(azure.get(&result).await.status, 202);
    azure.sandbox.complete_operations();
    assert_eq!(azure.get(&result).await.status, 204);
    assert_eq!(
        azure.get(&capture("PSAzureFunction", "")).await.json()["error"]["code"],
        "NotFound"
    );
    assert_eq!(
        azure
            .send(Method::DELETE, &capture("PSAzureFunction", ""), None)
            .await
            .status,
        204
    );

    let lines = azure.sandbox.journal_lines();
    assert_eq!(lines[0], "POST token 200");
    assert!(
        lines.contains(&"PUT packetCaptures/PSAzureFunction 201".to_owned()),
        "{lines:?}"
    );
}

#[tokio::test]
async fn refusals_come_in_azure_s_order() {
    let azure = Client::start(Options::default()).await;
    let refused = azure.sign_in("wrong").await;
    assert_eq!(
        (refused.status, &refused.json()["error_codes"]),
        (401, &json!([7_000_215]))
    );

    let code = |reply: Reply| {
        (
            reply.status,
            reply.json()["error"]["code"].as_str().unwrap().to_owned(),
        )
    };
    let watcher = samples::WATCHER_WESTEUROPE;
    let shape = |url: String| {
        let azure = &azure;
        async move { code(azure.get(&url).await) }
    };
    assert_eq!(
        shape(watcher.to_owned()).await,
        (400, "MissingApiVersionParameter".to_owned())
    );
    assert_eq!(
        shape(format!("{watcher}?api-version=2019-01-01")).await.1,
        "NoRegisteredProviderFound"
    );
    assert_eq!(
        shape(format!("{watcher}x?{NETWORK}")).await.1,
        "ResourceNotFound"
    );
    assert_eq!(
        shape(format!("{watcher}x/packetCaptures?{NETWORK}"))
            .await
            .1,
        "ParentResourceNotFound"
    );
    assert_eq!(shape(format!("/nowhere?{NETWORK}")).await.0, 501);
    let elsewhere = watcher.replace("6d1f", "0000");
    assert_eq!(
        shape(format!("{elsewhere}?{NETWORK}")).await.1,
        "SubscriptionNotFound"
    );

    let mut far = body();
    far["properties"]["target"] = json!(samples::SQL_01);
    let far = azure.send(Method::PUT, &capture("a", ""), Some(far)).await;
    assert_eq!(code(far), (400, "InvalidResourceReference".to_owned()));

    let bare = azure.http.post(format!(
        "{}{}",
        azure.sandbox.endpoint(),
        capture("a", "/stop")
    ));
    assert_eq!(bare.send().await.unwrap().status().as_u16(), 411);

    azure
        .sandbox
        .deny("microsoft.network/networkwatchers/packetcaptures/write");
    assert_eq!(code(azure.put("a").await).0, 403);
    azure
        .sandbox
        .allow("Microsoft.Network/networkWatchers/packetCaptures/write");
    azure.sandbox.expire_tokens();
    let expired = azure.put("a").await;
    assert!(expired.header("www-authenticate").contains("invalid_token"));
    assert_eq!(
        code(expired),
        (401, "ExpiredAuthenticationToken".to_owned())
    );
}

#[tokio::test]
async fn faults_hit_what_they_are_meant_for() {
    let azure = Client::start(Options::default()).await;
    for what in [
        What::DropBefore,
        What::arm_error(500, "InternalServerError", "An error occurred."),
        What::DropAfterApplying,
    ] {
        azure.sandbox.fault(Fault {
            on: Call::PutCapture,
            times: 1,
            what,
        });
    }
    let url = capture("a", "");
    assert!(
        azure
            .try_send(Method::PUT, &url, Some(body()))
            .await
            .is_err()
    );
    assert!(
        azure
            .sandbox
            .captures(samples::WATCHER_WESTEUROPE)
            .is_empty()
    );
    assert_eq!(azure.put("a").await.status, 500);
    assert!(
        azure
            .try_send(Method::PUT, &url, Some(body()))
            .await
            .is_err()
    );
    assert_eq!(azure.sandbox.captures(samples::WATCHER_WESTEUROPE).len(), 1);
    assert_eq!(azure.sandbox.left_over(), Vec::<String>::new());
    azure
        .sandbox
        .fail_next_operation("InternalServerError", "An error occurred.");
    azure.sandbox.complete_operations();
    let view = azure
        .sandbox
        .captures("NetworkWatcher_westeurope")
        .remove(0);
    assert_eq!(view.provisioning_state, "Failed");
    azure
        .sandbox
        .wait_for(|calls| calls.iter().filter(|call| call.fault.is_some()).count() == 3)
        .await;
    assert_eq!(azure.put("A").await.status, 400, "the name is taken");

    azure.sandbox.fault(Fault {
        on: Call::Any,
        times: 1,
        what: What::Hang,
    });
    let hanging = azure.get(&url);
    let stop = azure.sandbox.wait_for(|calls| {
        calls
            .iter()
            .any(|call| call.fault.as_deref() == Some("hangs"))
    });
    tokio::select! {
        _ = hanging => panic!("a hanging call was answered"),
        () = stop => {}
    }
}

#[tokio::test]
async fn the_sdk_s_credential_gets_a_token_that_opens_the_door() {
    let mut azure = Client::start(Options::default()).await;
    let endpoint = azure.sandbox.endpoint();
    let mut cloud = azure_core::cloud::CustomConfiguration::default();
    cloud.authority_host = endpoint.clone();
    let options = ClientSecretCredentialOptions {
        client_options: ClientOptions {
            transport: Some(Transport::new(Arc::new(azure.http.clone()))),
            cloud: Some(Arc::new(cloud.into())),
            ..ClientOptions::default()
        },
    };
    let credential = ClientSecretCredential::new(
        samples::TENANT_ID,
        samples::CLIENT_ID.to_owned(),
        samples::CLIENT_SECRET.into(),
        Some(options),
    )
    .unwrap();
    let scope = format!("{endpoint}/.default");
    let token = credential.get_token(&[&scope], None).await.unwrap();
    azure.token = token.token.secret().to_owned();
    let watcher = format!("{}?{NETWORK}", samples::WATCHER_WESTEUROPE);
    assert_eq!(azure.get(&watcher).await.status, 200);
}
