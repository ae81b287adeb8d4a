//! Blob Storage over plain HTTP: conditions, ranges, lists, and who is kept out.

use axum::http::Method;
use time::Duration;

use super::client::{Client, Reply};
use crate::storage_access::signature;
use crate::{Arrival, BlobRole, Options, samples};

const CONTAINER: &str = "/stcaptures/records";

struct Store {
    azure: Client,
    query: String,
}

impl Store {
    async fn start() -> Self {
        let azure = Client::start(Options::default()).await;
        let until = time::OffsetDateTime::now_utc() + Duration::HOUR;
        let query = signature("stcaptures", until);
        Self { azure, query }
    }

    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Reply {
        let separator = if path.contains('?') { '&' } else { '?' };
        let url = format!("{path}{separator}{}", self.query);
        self.azure.storage(method, &url, headers, "12345").await
    }

    async fn put(&self, name: &str, headers: &[(&str, &str)]) -> Reply {
        let mut all = vec![("x-ms-blob-type", "BlockBlob")];
        all.extend_from_slice(headers);
        let path = format!("{CONTAINER}/{name}");
        self.send(Method::PUT, &path, &all).await
    }
}

fn told(reply: &Reply) -> (u16, &str) {
    let code = reply.headers.get("x-ms-error-code");
    (reply.status, code.map_or("", |it| it.to_str().unwrap()))
}

#[tokio::test]
async fn conditions_and_ranges_are_those_of_azure() {
    let store = Store::start().await;
    assert_eq!(told(&store.put("a", &[]).await), (404, "ContainerNotFound"));
    let container = format!("{CONTAINER}?restype=container");
    for expected in [(201, ""), (409, "ContainerAlreadyExists")] {
        assert_eq!(
            told(&store.send(Method::PUT, &container, &[]).await),
            expected
        );
    }
    let new = store.put("a%2Fb", &[("if-none-match", "*"), ("x-ms-meta-s", "x%20y")]);
    let new = new.await;
    assert_eq!(new.status, 201);
    let etag = new.header("etag");
    assert!(etag.starts_with("\"0x8D"), "{etag}");
    for (condition, value, expected) in [
        ("if-none-match", "*", (409, "BlobAlreadyExists")),
        ("if-match", "\"0x0\"", (412, "ConditionNotMet")),
        ("if-match", etag, (201, "")),
        ("if-match", etag, (412, "ConditionNotMet")),
    ] {
        let headers = [(condition, value), ("x-ms-meta-s", "z")];
        let written = store.put("a/b", &headers).await;
        assert_eq!(told(&written), expected, "{condition}: {value}");
    }
    let missing = store.put("none", &[("if-match", etag)]).await;
    assert_eq!(told(&missing), (412, "ConditionNotMet"));

    let path = format!("{CONTAINER}/a/b");
    for (range, expected, text, within) in [
        ("bytes=1-2", (206, ""), "23", "bytes 1-2/5"),
        ("bytes=3-99", (206, ""), "45", "bytes 3-4/5"),
        ("bytes=5-9", (416, "InvalidRange"), "", "bytes */5"),
    ] {
        let read = store
            .send(Method::GET, &path, &[("x-ms-range", range)])
            .await;
        assert_eq!(told(&read), expected, "{range}");
        assert_eq!(read.header("content-range"), within);
        assert!(read.status == 416 || read.text == text, "{}", read.text);
    }
    let stale = store.send(Method::GET, &path, &[("if-match", etag)]).await;
    assert_eq!(told(&stale), (412, "ConditionNotMet"));
    let head = store.send(Method::HEAD, &path, &[]).await;
    assert_eq!(
        (
            head.status,
            head.header("content-length"),
            head.header("x-ms-meta-s")
        ),
        (200, "5", "z")
    );
    for expected in [(202, ""), (404, "BlobNotFound")] {
        assert_eq!(
            told(&store.send(Method::DELETE, &path, &[]).await),
            expected
        );
    }
}

#[tokio::test]
async fn lists_have_a_marker_and_metadata_on_request() {
    let store = Store::start().await;
    let container = format!("{CONTAINER}?restype=container");
    store.send(Method::PUT, &container, &[]).await;
    for name in ["b%2F2", "b%2F1%26", "c", "a"] {
        store.put(name, &[("x-ms-meta-s", "1<2")]).await;
    }
    let list = format!("{container}&comp=list&prefix=b%2F&maxresults=1&include=metadata");
    let first = store.send(Method::GET, &list, &[]).await.text;
    assert!(first.contains("<Name>b/1&amp;</Name>"), "{first}");
    assert!(
        first.contains("<Metadata><s>1&lt;2</s></Metadata>"),
        "{first}"
    );
    let (_, marker) = first.split_once("<NextMarker>").unwrap();
    let (marker, _) = marker.split_once("</NextMarker>").unwrap();
    let next = format!("{list}&marker={marker}");
    let second = store.send(Method::GET, &next, &[]).await.text;
    assert!(second.contains("<Name>b/2</Name>"), "{second}");
    assert!(second.contains("<NextMarker />"), "{second}");
    let plain = format!("{container}&comp=list");
    let plain = store.send(Method::GET, &plain, &[]).await.text;
    assert_eq!(plain.matches("<Blob>").count(), 4);
    assert!(plain.contains("<Metadata></Metadata>"), "{plain}");
}

#[tokio::test]
async fn roles_keys_and_the_firewall_keep_callers_out() {
    let store = Store::start().await;
    let azure = &store.azure.sandbox;
    let url = format!("{}{CONTAINER}/a", azure.endpoint());
    azure.put_blob(&url, "bytes");
    let token = store.azure.storage_token().await;
    let bearer = format!("Bearer {token}");
    let by_token = [
        ("authorization", bearer.as_str()),
        ("x-ms-blob-type", "BlockBlob"),
    ];
    let path = format!("{CONTAINER}/a");
    let mismatch = (403, "AuthorizationPermissionMismatch");
    for (role, read, written) in [
        (BlobRole::Contributor, (200, ""), (201, "")),
        (BlobRole::Reader, (200, ""), mismatch),
        (BlobRole::None, mismatch, mismatch),
    ] {
        azure.set_blob_role(samples::STORAGE_ACCOUNT, role);
        for (method, expected) in [(Method::GET, read), (Method::PUT, written)] {
            let answer = store.azure.storage(method, &path, &by_token, "");
            assert_eq!(told(&answer.await), expected, "{role:?}");
        }
        let signed = store.send(Method::GET, &path, &[]).await;
        assert_eq!(signed.status, 200, "a signature needs no role");
    }
    azure.set_blob_role(samples::STORAGE_ACCOUNT, BlobRole::Reader);
    azure.forbid_shared_keys(samples::STORAGE_ACCOUNT);
    let signed = store.send(Method::GET, &path, &[]).await;
    assert_eq!(told(&signed), (403, "KeyBasedAuthenticationNotPermitted"));
    let read = || store.azure.storage(Method::GET, &path, &by_token, "");
    assert_eq!(read().await.status, 200);
    azure.set_firewall(samples::STORAGE_ACCOUNT, true);
    assert_eq!(told(&read().await), (403, "AuthorizationFailure"));
    azure.set_firewall(samples::STORAGE_ACCOUNT, false);
    azure.expire_tokens();
    assert_eq!(told(&read().await), (401, "InvalidAuthenticationInfo"));
}

#[tokio::test]
async fn the_file_of_a_capture_comes_late_and_grows_on_request() {
    let store = Store::start().await;
    let azure = &store.azure.sandbox;
    azure.set_arrival(Arrival {
        late_for: 2,
        grows: 2,
        lost: false,
    });
    store.azure.put("PSAzureFunction").await;
    azure.complete_operations();
    azure.finish_sessions();
    let view = azure.captures(samples::WATCHER_WESTEUROPE).remove(0);
    let url = view.storage_path.unwrap();
    let path = url.strip_prefix(&azure.endpoint()).unwrap();
    for method in [Method::HEAD, Method::GET] {
        let early = store.send(method, path, &[]).await;
        assert_eq!(told(&early), (404, "BlobNotFound"));
    }
    let mut seen = Vec::new();
    for _ in 0..4 {
        let read = store.send(Method::GET, path, &[]).await;
        seen.push((
            read.header("content-length").to_owned(),
            read.header("etag").to_owned(),
        ));
    }
    assert_ne!(seen[0], seen[1]);
    assert_ne!(seen[1], seen[2]);
    assert_eq!(seen[2], seen[3]);
    let whole = azure.blob(&url).unwrap().len();
    assert_eq!(seen[3].0, whole.to_string());
    assert!(whole > 50_000);
}
