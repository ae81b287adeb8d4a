//! What the record costs an alert: requests to storage, and what stands before the create.

use super::*;
use azure_sandbox::{Call, Entry};

/// Requests of the record for one alert, from its claim to its recorded end: two of them for a machine that no instance
/// knows. What is written meanwhile is written together, so a slow machine has fewer.
const MOST_OF_THE_RECORD: usize = 16;

#[tokio::test]
async fn one_claim_beside_the_put_stands_before_the_create() {
    let azure = Azure::start().await;
    let world = instance(&azure, &durable(&azure, &[])).await;
    // The queue and the container are created, and what alerts need is remembered.
    world.post(&common_alert(&[samples::SQL_01])).await;
    run_out(&world).await;
    let since = azure.journal().len();
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(outcome(&reply), (200, "created", "-"), "{:?}", reply.body);
    run_out(&world).await;
    world.end().await;
    let journal: Vec<Entry> = azure.journal().into_iter().skip(since).collect();
    let of = |kinds: &[Call]| journal.iter().filter(|it| kinds.contains(&it.kind)).count();
    let record = of(&[Call::PutBlob, Call::GetBlob, Call::ListBlobs]);
    let puts = of(&[Call::PutMessage]);
    let lines: Vec<String> = journal.iter().map(Entry::line).collect();
    println!(
        "an alert: {record} requests of the record, {puts} put and {} updates and {} deletion of the queue's message",
        of(&[Call::UpdateMessage]),
        of(&[Call::DeleteMessage]),
    );
    assert!((2..=MOST_OF_THE_RECORD).contains(&record), "{lines:#?}");
    // The claim is written before the create, and no incident's document need be.
    let create = journal.iter().position(|it| it.kind == Call::PutCapture);
    let claim = journal.iter().position(|it| it.kind == Call::PutBlob);
    assert!(claim.unwrap() < create.unwrap(), "{lines:#?}");
}
