//! One throttled kind of call, one network watcher that hangs: the other calls are sent nevertheless.

use super::script::{Scripted, answer, scripted, watcher, with};
use std::time::Duration;
use tokio::time::{Instant, timeout};

const EMPTY: &str = r#"{"value":[]}"#;

#[tokio::test(start_paused = true)]
async fn a_429_pauses_all_calls_of_its_kind_for_the_subscription() {
    let (client, script) = scripted(|line, _| match line {
        line if line.starts_with("GET") => with(429, "retry-after", "60", ""),
        line if line.starts_with("DELETE") => answer(204, ""),
        _ => answer(200, "{}"),
    });
    let limit = Duration::from_secs(60);
    let error = client.list_packet_captures(&watcher("a")).await;
    assert_eq!(error.unwrap_err().retry_after(), Some(limit));
    assert_eq!(script.asked().len(), 1);

    tokio::time::advance(Duration::from_secs(20)).await;
    let error = client.list_packet_captures(&watcher("b")).await;
    let error = error.unwrap_err();
    assert!(error.is_temporary() && !error.may_have_been_applied());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(40)));
    assert_eq!(script.asked().len(), 1, "it was not sent");

    // Other kinds, and another subscription.
    client.query_status(&watcher("a"), "c").await.unwrap();
    client
        .delete_packet_capture(&watcher("a"), "c")
        .await
        .unwrap();
    let other = watcher("a").to_string().replace("0d3c1d6e", "1d3c1d6e");
    let _ = client.list_packet_captures(&other.parse().unwrap()).await;
    assert_eq!(script.asked().len(), 4);

    tokio::time::advance(Duration::from_secs(41)).await;
    let _ = client.list_packet_captures(&watcher("b")).await;
    assert_eq!(script.asked().len(), 5, "the pause has ended");
}

#[tokio::test(start_paused = true)]
async fn a_short_pause_is_waited_for() {
    let (client, script) = scripted(|_, before| match before {
        0 => with(429, "retry-after", "3", ""),
        _ => answer(200, EMPTY),
    });
    let begun = Instant::now();
    let (first, second) = tokio::join!(
        async { client.list_packet_captures(&watcher("a")).await },
        async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            client.list_packet_captures(&watcher("b")).await
        }
    );
    assert!(first.is_ok() && second.is_ok());
    assert!(begun.elapsed() >= Duration::from_secs(3));
    assert_eq!(script.asked().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_busy_watcher_does_not_pause_the_subscription() {
    for code in ["AnotherOperationInProgress", "RetryableError"] {
        let body = format!(r#"{{"error":{{"code":"{code}","message":"busy"}}}}"#);
        let (client, _) = scripted(move |line, _| match line.contains("/a/") {
            true => with(429, "retry-after", "60", &body),
            false => answer(200, "{}"),
        });
        let refused = client.query_status(&watcher("a"), "c").await;
        assert!(refused.is_err(), "{code}");
        let other = client.query_status(&watcher("b"), "c").await;
        assert!(other.is_ok(), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_watcher_that_hangs_leaves_places_for_the_others() {
    let (client, script) = scripted(|line, _| match line.contains("/hangs/") {
        true => Scripted::Hang,
        false => answer(200, EMPTY),
    });
    let mut hanging = Vec::new();
    for _ in 0..100 {
        let client = client.clone();
        hanging.push(tokio::spawn(async move {
            client.list_packet_captures(&watcher("hangs")).await
        }));
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    let sent = script.asked().len();
    assert!(sent <= 8, "{sent} of 32 places");
    let other = watcher("other");
    let listed = timeout(
        Duration::from_millis(10),
        client.list_packet_captures(&other),
    )
    .await;
    listed.expect("a place is free").unwrap();
    // Calls that never had a turn were never sent.
    tokio::time::sleep(Duration::from_secs(600)).await;
    for task in hanging {
        let error = task.await.unwrap().unwrap_err();
        assert!(error.is_temporary());
    }
}
