//! Jobs that no instance could finish.

use super::*;
use alert_packet_capture::{
    app,
    config::{AppSettings, QueueKind, Settings},
    queue::JobQueue,
};

#[tokio::test]
async fn jobs_in_the_poison_queue_are_counted() {
    let practice = Practice::open().await;
    let settings: AppSettings = practice.settings.iter().cloned().collect();
    let settings = Settings::read(&settings).unwrap();
    let QueueKind::Storage(storage) = &settings.jobs.kind else {
        panic!("a storage queue");
    };
    let queue = app::storage_queue(storage, None).unwrap();
    queue.put(vec!["a".into(), "b".into()]).await.unwrap();
    for _ in 0..2 {
        let message = queue.receive().await;
        queue.poison(&message, message.job.clone()).await.unwrap();
    }
    let (checks, code) = practice.checks().await;
    let faults = faults(&checks);
    assert_eq!((faults.len(), code), (1, Some(0)), "{checks:#?}");
    assert_eq!((&*faults[0].0, &*faults[0].1), ("poison queue", "warning"));
    assert!(message(&checks, "poison queue").starts_with("2 jobs in packet-capture-jobs-poison"));
    let fix = "az storage message peek --queue-name packet-capture-jobs-poison --num-messages 32 --account-name stcaptures";
    assert_eq!(faults[0].2, fix);
}
