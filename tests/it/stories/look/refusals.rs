//! What keeps a file from being read, each with its own sentence and fix.

use super::*;
use azure_sandbox::BlobRole;

/// The sentence and the fix of the refusal.
async fn refused(ground: &Ground, url: &str) -> (String, &'static str) {
    let error = ground.look(url).await.expect_err("a refusal");
    (error.to_string(), error.fix())
}

fn says(said: &(String, &'static str), sentence: &str, fix: &str) {
    assert!(said.0.contains(sentence), "{said:?}");
    assert!(said.1.contains(fix), "{said:?}");
    assert!(!said.0.contains("sandbox."), "no token: {said:?}");
}

#[tokio::test]
async fn the_account_keeps_the_function_out() {
    let ground = Ground::start().await;
    let (azure, account) = (&ground.azure, samples::STORAGE_ACCOUNT);
    let url = ground.url("night.cap");
    azure.put_blob(&url, pcap(3));
    azure.set_blob_role(account, BlobRole::None);
    let no_role = refused(&ground, &url).await;
    says(&no_role, "no role", "Storage Blob Data Reader");
    azure.set_blob_role(account, BlobRole::Reader);
    azure.set_firewall(account, true);
    says(&refused(&ground, &url).await, "firewall", "network");
    azure.set_firewall(account, false);
    // The agent needs the keys, the function does not.
    azure.forbid_shared_keys(account);
    assert!(ground.look(&url).await.is_ok());
}

#[tokio::test]
async fn a_role_withdrawn_in_the_middle_ends_the_look() {
    let ground = Ground::start().await;
    let url = ground.url("night.cap");
    ground.azure.put_blob(&url, pcap(3));
    let code = "AuthorizationPermissionMismatch";
    ground.azure.fault(Fault {
        on: Call::GetBlob,
        times: 1,
        what: What::Status {
            code: 403,
            retry_after: None,
            body: FaultBody::StorageError(code),
        },
    });
    let said = refused(&ground, &url).await;
    says(&said, code, "Storage Blob Data Reader");
    assert_eq!(ground.count("GET blob"), 1, "no retry changes that");
}

#[tokio::test]
async fn a_file_that_never_comes_or_stays_empty() {
    let never = |options: &mut Options| options.appears_within = Duration::ZERO;
    let ground = Ground::with(never).await;
    ground.azure.set_arrival(Arrival {
        lost: true,
        ..Arrival::default()
    });
    let url = ground.capture();
    ground.azure.finish_sessions();
    let no_container = refused(&ground, &url).await;
    says(&no_container, "not in the storage account", "port 443");
    ground.azure.put_blob(&ground.url("other.cap"), "x");
    let no_file = refused(&ground, &url).await;
    says(&no_file, "not in the storage account", "lifecycle");
    ground.azure.put_blob(&url, "");
    says(&refused(&ground, &url).await, "empty", "port 443");
}

#[tokio::test]
async fn a_file_that_is_no_capture() {
    let ground = Ground::start().await;
    let url = ground.url("night.cap");
    let storage_error = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>AuthorizationFailure</Code><Message>This request is not authorized.</Message></Error>";
    for (content, sentence, fix) in [
        (
            &b"neither one nor the other"[..],
            "neither pcap nor pcapng",
            "editcap",
        ),
        (
            storage_error.as_bytes(),
            "AuthorizationFailure",
            "az storage blob download",
        ),
        (
            b"<!DOCTYPE html><title>Sign in</title>",
            "web page",
            "browser",
        ),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "", "gzip"),
    ] {
        ground.azure.put_blob(&url, content.to_vec());
        says(&refused(&ground, &url).await, sentence, fix);
    }
}

#[tokio::test]
async fn a_forged_address_gets_no_token() {
    let ground = Ground::start().await;
    let port = ground
        .azure
        .endpoint()
        .rsplit(':')
        .next()
        .unwrap()
        .to_owned();
    let path = "stcaptures/network-watcher-logs/night.cap";
    for url in [
        format!("https://localhost:{port}/{path}"),
        format!("http://127.0.0.1:{port}/{path}"),
        format!("https://127.0.0.1:{port}@localhost/{path}"),
        format!("https://evil.example/{path}"),
        format!("https://127.0.0.1:{port}/{path}?sig=x"),
        "not an address".to_owned(),
    ] {
        let said = refused(&ground, &url).await;
        says(&said, "not the address of a blob", "Network Watcher");
    }
    assert!(ground.azure.journal_lines().is_empty());
}

#[tokio::test]
async fn a_service_that_is_down_is_given_up() {
    let ground = Ground::start().await;
    let url = ground.url("night.cap");
    ground.azure.put_blob(&url, pcap(3));
    ground.azure.break_blobs(Some(busy()));
    let said = refused(&ground, &url).await;
    says(&said, "503 ServerBusy", "storage account");
}

#[tokio::test]
async fn an_identity_without_a_token() {
    let ground = Ground::start().await;
    ground.azure.expire_secret();
    let said = refused(&ground, &ground.url("night.cap")).await;
    says(&said, "could not get a token", "handler doctor");
}

/// A process that reserves memory by the named length ends here.
#[tokio::test]
async fn the_named_length_of_a_file_takes_no_memory() {
    for length in [1 << 50, 1 << 62, u64::MAX / 2] {
        let ground = Ground::start().await;
        let url = ground.url("night.cap");
        ground.azure.put_blob(&url, pcap(200));
        ground.azure.claim_length(&url, length);
        let said = refused(&ground, &url).await;
        says(&said, "416", "storage account's state");
        ground.azure.put_blob(&url, pcap(200));
        assert!(ground.look(&url).await.is_ok(), "{length}");
    }
}
