//! Connection strings that are read and those that are refused, as tables.

use super::*;

#[test]
fn connection_strings_of_all_kinds_are_read() {
    const KEYED: &str = "AccountName=stjobs;AccountKey=c2VjcmV0LWtleQ==";
    let cases = [
        ("UseDevelopmentStorage=true", EMULATOR, "SharedKey"),
        (KEYED, "https://stjobs.queue.core.windows.net/", "SharedKey"),
        (
            &format!(
                "DefaultEndpointsProtocol=https;{KEYED};EndpointSuffix=core.usgovcloudapi.net"
            ),
            "https://stjobs.queue.core.usgovcloudapi.net/",
            "SharedKey",
        ),
        (
            &format!(
                "{KEYED};BlobEndpoint=https://b.example/;QueueEndpoint=https://q.example/stjobs;"
            ),
            "https://q.example/stjobs",
            "SharedKey",
        ),
        (
            " accountname=stjobs ; ACCOUNTKEY=c2VjcmV0LWtleQ== ;QueueEndpoint=http://[::1]:10001/stjobs",
            "http://[::1]:10001/stjobs",
            "SharedKey",
        ),
        (
            "QueueEndpoint=https://stjobs.queue.core.windows.net;SharedAccessSignature=?sv=2025-11-05&sig=c2VjcmV0%3D",
            "https://stjobs.queue.core.windows.net/",
            "Signature",
        ),
        (
            "AccountName=stjobs;SharedAccessSignature=sv=2025-11-05&sig=c2VjcmV0%3D",
            "https://stjobs.queue.core.windows.net/",
            "Signature",
        ),
    ];
    for (text, endpoint, access) in cases {
        let read = Connection::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(read.endpoint.as_str(), endpoint, "{text}");
        let printed = format!("{read:?}");
        assert!(printed.contains(access), "{text}: {printed}");
        assert!(!printed.contains("c2Vj"), "{printed}");
        if let Access::Signature(query) = &read.access {
            assert!(query.starts_with("sv="), "{text}");
        }
    }
}

#[test]
fn the_blob_service_is_found_beside_the_queue_service() {
    const KEYED: &str = "AccountName=stjobs;AccountKey=c2VjcmV0LWtleQ==";
    for (text, blobs) in [
        (
            "UseDevelopmentStorage=true".to_owned(),
            Some(EMULATOR_BLOBS),
        ),
        (
            KEYED.to_owned(),
            Some("https://stjobs.blob.core.windows.net/"),
        ),
        (
            format!("{KEYED};EndpointSuffix=core.chinacloudapi.cn"),
            Some("https://stjobs.blob.core.chinacloudapi.cn/"),
        ),
        (
            format!("{KEYED};BlobEndpoint=https://b.example/stjobs"),
            Some("https://b.example/stjobs"),
        ),
        (
            "QueueEndpoint=https://q.example;SharedAccessSignature=sig=x".to_owned(),
            None,
        ),
    ] {
        let read = Connection::parse(&text).unwrap();
        assert_eq!(read.blobs.as_ref().map(Url::as_str), blobs, "{text}");
    }
    let unsafe_one = format!("{KEYED};BlobEndpoint=http://b.example");
    assert!(
        Connection::parse(&unsafe_one)
            .unwrap_err()
            .contains("https")
    );
}

#[test]
fn half_and_unsafe_ones_are_refused_without_repeating_them() {
    let cases = [
        ("stjobs", "Name=Value"),
        ("AccountName=stjobs", "AccountKey"),
        ("AccountKey=c2VjcmV0LWtleQ==", "AccountName"),
        ("SharedAccessSignature=sig=c2VjcmV0", "QueueEndpoint"),
        ("AccountName=stjobs;AccountKey=c2VjcmV0!", "base64"),
        ("AccountName=a;AccountName=b;AccountKey=c2VjcmV0", "once"),
        (
            "AccountName=stjobs;AccountKey=c2VjcmV0LWtleQ==;SharedAccessSignature=sig=x",
            "not both",
        ),
        (
            "DefaultEndpointsProtocol=http;AccountName=stjobs;AccountKey=c2VjcmV0LWtleQ==",
            "https",
        ),
        (
            "QueueEndpoint=http://localhost.example/;SharedAccessSignature=sig=c2VjcmV0",
            "https",
        ),
        (
            "QueueEndpoint=https://q.example/?sig=c2VjcmV0;AccountName=s;AccountKey=c2VjcmV0LWtleQ==",
            "query",
        ),
        ("UseDevelopmentStorage=false", "true"),
        (
            "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://127.0.0.1",
            "DevelopmentStorageProxyUri",
        ),
    ];
    for (text, word) in cases {
        let error = Connection::parse(text).expect_err(text);
        assert!(error.contains(word), "{text}: {error}");
        assert!(!error.contains("c2Vj"), "{error}");
    }
}
