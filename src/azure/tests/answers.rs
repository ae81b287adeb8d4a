//! What the clients make of Azure's odd answers.

use super::script::{Scripted, answer, parameters, scripted, scripted_arm, watcher, with};
use crate::azure::{monitor::MonitorClient, network_watcher::PacketCaptureStatus};
use serde_json::json;
use std::time::Duration;
use time::OffsetDateTime;

const CREATED: &str = r#"{"name":"c","properties":{"provisioningState":"Updating"}}"#;

fn refusal(status: u16, code: &str) -> Scripted {
    let body = json!({ "error": { "code": code, "message": "no" } });
    answer(status, &body.to_string())
}

#[tokio::test]
async fn a_status_without_content_is_not_known_yet() {
    for (status, body) in [
        (200, ""),
        (200, " \r\n"),
        (200, "null"),
        (200, "{}"),
        (
            200,
            r#"{"packetCaptureStatus":null,"packetCaptureError":null}"#,
        ),
        (200, r#"{"packetCaptureError":"none"}"#),
        (202, ""),
        (202, "null"),
        (204, ""),
    ] {
        let (client, _) = scripted(move |_, _| answer(status, body));
        let read = client.query_status(&watcher("w"), "c").await.unwrap();
        let unknown = PacketCaptureStatus::default();
        assert_eq!(read, Some(unknown), "{status} {body:?}");
    }
    let (client, _) = scripted(|_, _| answer(200, "<html>"));
    let error = client.query_status(&watcher("w"), "c").await.unwrap_err();
    assert!(error.is_temporary(), "{error}");
}

#[tokio::test]
async fn impossible_times_and_limits_are_no_times_and_limits() {
    for (started, expected) in [
        ("2026-11-23T02:00:00.1234567Z", true),
        ("0001-01-01T00:00:00Z", false),
        ("9999-12-31T23:59:59.9999999Z", false),
        ("10000-01-01T00:00:00Z", false),
        ("tonight", false),
    ] {
        let body = json!({ "packetCaptureStatus": "Running", "captureStartTime": started });
        let (client, _) = scripted(move |_, _| answer(200, &body.to_string()));
        let status = client.query_status(&watcher("w"), "c").await.unwrap();
        assert_eq!(status.unwrap().started.is_some(), expected, "{started}");
    }
    for (limit, expected) in [
        ("10", Some(10)),
        ("10.5", Some(11)),
        ("\"300\"", None),
        ("null", None),
        ("-1", None),
        ("604800", Some(604_800)),
        ("9223372036854775808", None),
        ("1e300", None),
    ] {
        let body = format!(r#"{{"name":"c","properties":{{"timeLimitInSeconds":{limit}}}}}"#);
        let (client, _) = scripted(move |_, _| answer(200, &body));
        let capture = client.get_packet_capture(&watcher("w"), "c").await.unwrap();
        assert_eq!(capture.unwrap().time_limit_seconds, expected, "{limit}");
    }
}

#[tokio::test]
async fn odd_elements_do_not_spoil_a_list() {
    let id = format!("{}/packetCaptures/from-its-id", watcher("w"));
    let page = json!({ "value": [
        { "name": "first", "properties": null },
        { "name": "second", "properties": { "timeLimitInSeconds": 10.5, "target": 7, "scope": { "include": [null, "1"] } } },
        { "name": null, "id": id, "properties": { "storageLocation": "none" } },
        { "properties": {} },
        null,
        17,
        { "name": "last", "properties": { "target": "t", "timeLimitInSeconds": 10 } },
    ] });
    let (client, _) = scripted(move |_, _| answer(200, &page.to_string()));
    let captures = client.list_packet_captures(&watcher("w")).await.unwrap();
    let names: Vec<&str> = captures.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["first", "second", "from-its-id", "last"]);
    assert_eq!(captures[1].included, ["1"]);
    assert_eq!(captures[3].time_limit_seconds, Some(10));
    assert_eq!(captures[3].target, "t");

    let good = json!({ "id": watcher("w"), "location": "West US" });
    let page = json!({ "value": [{ "id": "/nothing", "location": "westus" }, { "id": watcher("v") }, good] });
    let (client, _) = scripted(move |_, _| answer(200, &page.to_string()));
    let subscription = watcher("w").subscription_id();
    let watchers = client.list_network_watchers(&subscription).await.unwrap();
    assert_eq!(watchers.len(), 1, "{watchers:?}");
    assert_eq!(watchers[0].location, "westus");
}

#[tokio::test]
async fn a_next_link_that_was_followed_already_ends_the_list() {
    let (client, script) = scripted(|line, _| {
        let second = "https://arm.example/second?skip=1";
        let name = if line.contains("skip=1") { "b" } else { "a" };
        let page = json!({ "value": [{ "name": name }], "nextLink": second });
        answer(200, &page.to_string())
    });
    let captures = client.list_packet_captures(&watcher("w")).await.unwrap();
    assert_eq!(captures.len(), 2);
    assert_eq!(script.asked().len(), 2);
}

#[tokio::test]
async fn no_body_is_read_without_end() {
    let element = r#"{"name":"capture"},"#;
    for (status, start, rest) in [
        (200, r#"{"name":"c","value":""#, "a"),
        (200, r#"{"value":["#, element),
        (200, r#"{"value":[],"more":["#, "1,"),
        (200, r#"{"value":"#, " "),
        (
            403,
            r#"{"error":{"code":"AuthorizationFailed","message":""#,
            "a",
        ),
    ] {
        let endless =
            move |_: &str, _| Scripted::Endless(status, start.to_owned(), rest.to_owned());
        let (client, script) = scripted(endless);
        assert!(client.get_packet_capture(&watcher("w"), "c").await.is_err());
        let (of_one, tries) = (script.drawn(), script.asked().len());
        assert!(of_one <= tries * 5 * 1024 * 1024, "{start} {of_one}");
        let (client, script) = scripted(endless);
        assert!(client.list_packet_captures(&watcher("w")).await.is_err());
        let (of_list, tries) = (script.drawn(), script.asked().len());
        assert!(of_list <= tries * 35 * 1024 * 1024, "{start} {of_list}");
    }
}

#[tokio::test]
async fn the_second_401_in_a_row_is_temporary() {
    let (client, script) = scripted(|_, _| refusal(401, "InvalidAuthenticationToken"));
    let error = client.list_packet_captures(&watcher("w")).await;
    let error = error.unwrap_err();
    assert!(error.is_temporary(), "{error}");
    assert_eq!(script.asked().len(), 2, "once more, with a new token");
    for code in [
        "InvalidAuthenticationTokenAudience",
        "InvalidAuthenticationTokenTenant",
    ] {
        let (client, _) = scripted(|_, _| refusal(401, code));
        let error = client.list_packet_captures(&watcher("w")).await;
        assert!(!error.unwrap_err().is_temporary(), "{code}");
    }
}

#[tokio::test]
async fn a_conflict_is_temporary_and_a_create_is_not_repeated_unseen() {
    for (status, code, temporary, creates) in [
        (409, "Conflict", true, 1),
        (409, "ConflictingConcurrentWriteNotAllowed", true, 1),
        (409, "CanceledAndSupersededDueToAnotherOperation", true, 1),
        (409, "SomethingNew", true, 1),
        (400, "SomethingNew", false, 1),
        (409, "PacketCaptureAlreadyExists", true, 1),
        (400, "packetCaptureAlreadyExists", true, 1),
        (409, "AnotherOperationInProgress", true, 4),
        (409, "PacketCaptureCountLimitReached", false, 1),
        (409, "ScopeLocked", false, 1),
        (409, "ReadOnlyDisabledSubscription", false, 1),
    ] {
        let (client, script) = scripted(move |_, _| refusal(status, code));
        let w = watcher("w");
        let error = client.create_packet_capture(&w, "c", &parameters()).await;
        assert_eq!(error.unwrap_err().is_temporary(), temporary, "{code}");
        assert_eq!(script.asked().len(), creates, "{code}");
        let deleted = client.delete_packet_capture(&w, "c").await.unwrap_err();
        assert_eq!(deleted.is_temporary(), temporary, "{code}");
        let stopped = client.stop_packet_capture(&w, "c").await.unwrap_err();
        assert_eq!(stopped.is_temporary(), temporary, "{code}");
    }
}

#[tokio::test]
async fn the_reason_in_the_details_is_in_the_message() {
    let body = json!({ "error": {
        "code": "InvalidRequestFormat",
        "message": "Cannot parse the request.",
        "details": [{ "code": "InvalidJsonReferenceWrongType", "message": "storageId names a subnet." }],
    } });
    let (client, _) = scripted(move |_, _| answer(400, &body.to_string()));
    let error = client
        .create_packet_capture(&watcher("w"), "c", &parameters())
        .await
        .unwrap_err();
    assert_eq!(error.code(), "InvalidRequestFormat");
    let text = error.to_string();
    assert!(text.contains("Cannot parse the request."), "{text}");
    assert!(
        text.contains("InvalidJsonReferenceWrongType: storageId names a subnet."),
        "{text}"
    );
}

#[tokio::test]
async fn poll_urls_elsewhere_are_left_out_and_relative_ones_resolved() {
    let operation =
        "/subscriptions/s/providers/Microsoft.Network/locations/r/operations/1?t=1&s=%2F";
    for (header, url, expected) in [
        (
            "azure-asyncoperation",
            format!("https://arm.example{operation}"),
            Some(format!("https://arm.example{operation}")),
        ),
        (
            "location",
            operation.to_owned(),
            Some(format!("https://arm.example{operation}")),
        ),
        (
            "azure-asyncoperation",
            format!("https://westeurope.arm.example{operation}"),
            None,
        ),
        ("location", "//elsewhere.example/a".to_owned(), None),
        ("location", "https://arm.example:1/a".to_owned(), None),
    ] {
        let (client, _) = scripted(move |_, _| with(201, header, &url, CREATED));
        let accepted = client
            .create_packet_capture(&watcher("w"), "c", &parameters())
            .await
            .unwrap();
        let followed = serde_json::to_value(&accepted.operation).unwrap();
        assert_eq!(followed, json!(expected), "{header}");
        assert!(accepted.capture.is_some());
    }
}

#[tokio::test]
async fn a_huge_retry_after_is_bounded() {
    for wait in ["9223372036854775808", "99999999999999999999999999"] {
        let (client, _) = scripted(move |_, _| with(429, "retry-after", wait, ""));
        let error = client.list_packet_captures(&watcher("w")).await;
        let asked = error.unwrap_err().retry_after().expect("a wait");
        assert!(asked <= Duration::from_secs(24 * 3600), "{wait}");
    }
}

#[tokio::test]
async fn pages_of_events_before_a_refused_one_are_kept() {
    let (arm, _) = scripted_arm(|asked, _| match asked.contains("page2") {
        true => refusal(403, "AuthorizationFailed"),
        false => {
            let link =
                asked
                    .split_once(' ')
                    .unwrap()
                    .1
                    .replacen("api-version", "page2&api-version", 1);
            let body = json!({
                "value": [{ "operationName": { "value": "Microsoft.Network/networkSecurityGroups/write" } }],
                "nextLink": format!("https://arm.example{link}"),
            });
            answer(200, &body.to_string())
        }
    });
    let (since, until) = (OffsetDateTime::UNIX_EPOCH, OffsetDateTime::now_utc());
    let client = MonitorClient::new(arm);
    let (events, more) = client.list_activity_log(&watcher("w"), since, until).await;
    assert_eq!(events.len(), 1);
    assert!(!more.unwrap_err().is_temporary());
}
