//! Limits of a call to the queue.

use super::*;
use crate::storage::Connection;
use std::sync::Arc;
use tokio::{task::JoinSet, time::sleep};

#[tokio::test(start_paused = true)]
async fn the_deadline_is_one_call_s_and_not_that_of_all_before_it() {
    let key = "UseDevelopmentStorage=true";
    let connection = Connection::parse(key).unwrap();
    let way = Way::Access(connection.endpoint, connection.access);
    let service = service(way, reqwest::Client::new()).unwrap();
    let wire = Arc::new(Wire::new(&service, "jobs").unwrap());
    let mut calls = JoinSet::new();
    let mut call = |takes: Duration| {
        let wire = wire.clone();
        calls.spawn(async move {
            let called = wire.call("wait", || async {
                sleep(takes).await;
                Ok(())
            });
            called.await.is_ok()
        });
    };
    for _ in 0..1_000 {
        call(Duration::from_millis(80));
    }
    call(DEADLINE + Duration::from_secs(1));
    let done = calls.join_all().await;
    assert_eq!(
        done.iter().filter(|done| !**done).count(),
        1,
        "the slow one"
    );
}

#[test]
fn times_stay_within_azure_s_limits() {
    assert_eq!(seconds(Duration::ZERO), 0);
    assert_eq!(seconds(Duration::from_millis(1)), 1);
    assert_eq!(seconds(Duration::from_secs(120)), 120);
    assert_eq!(seconds(Duration::from_secs(3_600_000)), 604_800);
}
