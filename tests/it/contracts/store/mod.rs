//! What every store of the record must do, written once and tried on each: the one in memory, the one in Blob Storage as the
//! sandbox imitates it, and (feature `azurite`) the one in Microsoft's own emulator.

mod faults;
mod places;

use alert_packet_capture::record::{
    Condition, MAX_BODY_BYTES, MAX_SUMMARY_BYTES, Page, Store, StoreError, Stored,
};
use azure_core::Bytes;
use std::{sync::Arc, time::Duration};

/// Far longer than any store needs, so that only a stuck one meets it.
const GUARD: Duration = Duration::from_secs(120);

/// `open` gives another process's view; where texts are not durable, another store.
async fn contract(open: &dyn Fn() -> Arc<dyn Store>) {
    let kept = tokio::time::timeout(GUARD, all_of_it(open));
    kept.await.expect("a store that is not stuck");
}

async fn all_of_it(open: &dyn Fn() -> Arc<dyn Store>) {
    let store = open();
    nothing_is_there_at_first(&*store).await;
    what_is_written_is_read(&*store).await;
    of_two_writers_one_succeeds(&*store).await;
    a_removed_text_is_gone(&*store).await;
    lists_come_in_order_and_in_pages(&*store).await;
    too_large_a_text_is_refused(&*store).await;
    if store.is_durable() {
        another_process_sees_it_and_only_one_writes(&*store, &*open()).await;
    }
}

fn body(text: &str) -> Bytes {
    Bytes::from(text.to_owned())
}

async fn stored(store: &dyn Store, name: &str) -> Stored {
    let read = store.read(name).await.unwrap();
    read.unwrap_or_else(|| panic!("nothing is called {name}"))
}

fn is_conflict<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    let error = result.expect_err("a condition that does not hold");
    assert!(matches!(error, StoreError::Conflict), "{error}");
    assert!(!error.is_temporary());
}

/// The container is not there either.
async fn nothing_is_there_at_first(store: &dyn Store) {
    assert_eq!(store.read("none/1.json").await.unwrap(), None);
    assert_eq!(
        store.list("none/", None, 10).await.unwrap(),
        Page::default()
    );
    store.remove("none/1.json", None).await.unwrap();
}

async fn what_is_written_is_read(store: &dyn Store) {
    let text = "{\"machine\":\"ä <&> %41 +\"}";
    let first = store.write("a/1.json", body(text), None, Condition::New);
    let first = first.await.unwrap();
    let read = stored(store, "a/1.json").await;
    assert_eq!((read.body, &read.etag), (body(text), &first));
    let same = Condition::Unchanged(first.clone());
    let second = store.write("a/1.json", body(""), None, same).await.unwrap();
    assert_ne!(first, second);
    let read = stored(store, "a/1.json").await;
    assert_eq!((read.body, read.etag), (body(""), second));
}

async fn of_two_writers_one_succeeds(store: &dyn Store) {
    let write = |text, condition| store.write("b", body(text), None, condition);
    let first = write("1", Condition::New).await.unwrap();
    is_conflict(write("other", Condition::New).await);
    let same = || Condition::Unchanged(first.clone());
    let second = write("2", same()).await.unwrap();
    is_conflict(write("late", same()).await);
    assert_eq!(stored(store, "b").await.body, body("2"));
    store.remove("b", Some(&second)).await.unwrap();
    is_conflict(write("gone", Condition::Unchanged(second)).await);
    assert_eq!(store.read("b").await.unwrap(), None);
}

async fn a_removed_text_is_gone(store: &dyn Store) {
    let first = store.write("c", body("1"), None, Condition::New);
    let first = first.await.unwrap();
    let same = Condition::Unchanged(first.clone());
    let second = store.write("c", body("2"), None, same).await.unwrap();
    is_conflict(store.remove("c", Some(&first)).await);
    store.remove("c", Some(&second)).await.unwrap();
    assert_eq!(store.read("c").await.unwrap(), None);
    // As after an answer that was lost.
    store.remove("c", Some(&second)).await.unwrap();
    store.remove("c", None).await.unwrap();
}

async fn lists_come_in_order_and_in_pages(store: &dyn Store) {
    let long = "ä".repeat(600);
    let summaries = [
        Some("{\"state\":\"running\",\"at\":\"100 %\"}"),
        None,
        Some("two  spaces, ümläute, <&>"),
        Some(&*long),
        Some("last"),
    ];
    for at in [3, 0, 4, 1, 2] {
        let name = format!("list/{at}.json");
        let written = store.write(&name, body("{}"), summaries[at], Condition::New);
        written.await.unwrap();
    }
    for name in ["list", "listless/1.json", "lis"] {
        let written = store.write(name, body("{}"), None, Condition::New);
        written.await.unwrap();
    }
    let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = store.list("list/", after.as_deref(), 2).await.unwrap();
        assert!(page.entries.len() <= 2);
        found.extend(page.entries);
        (after, pages) = (page.next, pages + 1);
        if after.is_none() || pages > 10 {
            break;
        }
    }
    assert_eq!(pages, 3);
    let found: Vec<_> = found
        .iter()
        .map(|listed| (listed.name.as_str(), listed.summary.as_deref()))
        .collect();
    let names: Vec<String> = (0..5).map(|at| format!("list/{at}.json")).collect();
    let expected: Vec<_> = names.iter().map(String::as_str).zip(summaries).collect();
    assert_eq!(found, expected);
    // A summary is replaced with its text.
    let read = stored(store, "list/0.json").await;
    let same = Condition::Unchanged(read.etag);
    let written = store.write("list/0.json", body("{}"), None, same).await;
    written.unwrap();
    let first = store.list("list/", None, 1).await.unwrap();
    assert_eq!(first.entries[0].summary, None);
}

async fn too_large_a_text_is_refused(store: &dyn Store) {
    let most = Bytes::from(vec![b'x'; MAX_BODY_BYTES]);
    let summary = "x".repeat(MAX_SUMMARY_BYTES);
    let written = store.write("most", most.clone(), Some(&summary), Condition::New);
    written.await.unwrap();
    assert_eq!(stored(store, "most").await.body, most);
    let more = Bytes::from(vec![b'x'; MAX_BODY_BYTES + 1]);
    let umlauts = "ä".repeat(MAX_SUMMARY_BYTES / 6 + 1);
    for (body, summary) in [(more, None), (body("x"), Some(&*umlauts))] {
        let refused = store.write("more", body, summary, Condition::New).await;
        let error = refused.expect_err("too large");
        assert!(matches!(error, StoreError::TooLarge { .. }), "{error}");
        assert!(!error.is_temporary());
    }
    assert_eq!(store.read("more").await.unwrap(), None);
}

async fn another_process_sees_it_and_only_one_writes(one: &dyn Store, other: &dyn Store) {
    let write = |store: &'static str| body(store);
    let (a, b) = tokio::join!(
        one.write("shared", write("one"), None, Condition::New),
        other.write("shared", write("other"), None, Condition::New),
    );
    let winner = match (a, b) {
        (Ok(etag), Err(StoreError::Conflict)) => ("one", etag),
        (Err(StoreError::Conflict), Ok(etag)) => ("other", etag),
        both => panic!("not one winner: {both:?}"),
    };
    for store in [one, other] {
        let read = stored(store, "shared").await;
        assert_eq!((read.body, &read.etag), (body(winner.0), &winner.1));
    }
}
